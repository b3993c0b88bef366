/**
 * `neve eval` and `neve instantiate`. They differ in how arguments are read and in what is printed without an output
 * option: a value, or the paths of derivations which are written to the store.
 */
import type { Evaluator, Source, Value } from '@neve/eval';
import { functionArguments, sourceOfFile, sourceOfText, startEvaluator } from './evaluation-session.ts';
import { write } from './output.ts';
import type { CommandName, EvaluateArguments } from './parse-arguments.ts';
import type { Settings } from './settings.ts';
import { showStats } from './show-stats.ts';
import { UsageError } from './usage-error.ts';

export type CommandInput = {
  readonly command: CommandName;
  readonly args: EvaluateArguments;
  readonly settings: Settings;
};

type Output = 'value' | 'json' | 'xml' | 'raw' | 'derivations';

export async function runEvaluateCommand(input: CommandInput): Promise<void> {
  const { command, args, settings } = input;
  const output = chooseOutput(input);
  const readOnly = output !== 'derivations' && !args.has('readWriteMode');
  const evaluator = await startEvaluator({ args, settings, readOnly });
  try {
    if (args.has('findFile')) {
      for (const name of args.positional) write(1, `${await evaluator.findFile(name)}\n`);
    } else {
      const { sources, attributePaths } = await chooseInput(evaluator, { command, args });
      for (const source of sources)
        await processSource(evaluator, { source, attributePaths, args, output, command });
    }
  } finally {
    showStats(() => evaluator.stats());
  }
}

function chooseOutput({ command, args }: CommandInput): Output {
  const chosen = (['json', 'xml', 'raw'] as const).filter((option) => args.has(option));
  if (chosen.length > 1) throw new UsageError(`--${chosen[0]} and --${chosen[1]} exclude each other`);
  if (command === 'instantiate' && !args.has('eval')) return 'derivations';
  return chosen[0] ?? 'value';
}

/** What is evaluated, and what is selected in it. */
async function chooseInput(
  evaluator: Evaluator,
  { command, args }: Pick<CommandInput, 'command' | 'args'>,
): Promise<{ sources: readonly Source[]; attributePaths: readonly string[] }> {
  const selected = args.all('attr');
  const expressions = args.all('exprArgument');
  const files = args.all('file');
  if (expressions.length + files.length > 1) throw new UsageError('more than one expression or file');
  if (expressions.length + files.length === 1) {
    const source =
      expressions[0] === undefined
        ? await sourceOfFile(evaluator, files[0] ?? '')
        : sourceOfText(expressions[0]);
    return { sources: [source], attributePaths: [...selected, ...args.positional] };
  }
  if (command === 'instantiate' && args.has('exprFlag')) {
    return { sources: args.positional.map(sourceOfText), attributePaths: selected };
  }
  const names = args.positional.length > 0 ? args.positional : ['./default.nix'];
  const sources = [];
  for (const name of names) sources.push(await sourceOfFile(evaluator, name));
  return { sources, attributePaths: selected };
}

type Processing = {
  readonly source: Source;
  readonly attributePaths: readonly string[];
  readonly args: EvaluateArguments;
  readonly output: Output;
  readonly command: CommandName;
};

async function processSource(
  evaluator: Evaluator,
  { source, attributePaths, args, output, command }: Processing,
): Promise<void> {
  const program = await evaluator.parse(source);
  if (args.has('parse')) {
    write(1, evaluator.printProgram(program));
    write(1, '\n');
    return;
  }
  const functionArgs = await functionArguments(evaluator, args);
  const root = await evaluator.evaluate(program);
  for (const path of attributePaths.length > 0 ? attributePaths : ['']) {
    const selected = await evaluator.select(root, { path, args: functionArgs });
    if (output === 'derivations') await printDerivations(evaluator, selected, functionArgs);
    else {
      // Without arguments a function is shown, and not called with its defaults.
      const value = functionArgs.size === 0 ? selected : await evaluator.autoCall(selected, functionArgs);
      await printValue(evaluator, { value, output, args, command });
    }
  }
}

async function printDerivations(
  evaluator: Evaluator,
  value: Value,
  args: ReadonlyMap<string, Value>,
): Promise<void> {
  for (const { drvPath, outputName } of await evaluator.derivations(value, args)) {
    write(1, `${drvPath}${outputName === 'out' ? '' : `!${outputName}`}\n`);
  }
}

type ValueToPrint = {
  readonly value: Value;
  readonly output: Exclude<Output, 'derivations'>;
  readonly args: EvaluateArguments;
  readonly command: CommandName;
};

async function printValue(
  evaluator: Evaluator,
  { value, output, args, command }: ValueToPrint,
): Promise<void> {
  // `nix eval` evaluates everything that it writes as JSON; `nix-instantiate` only when told so.
  const strict = args.has('strict') || (command === 'eval' && output === 'json');
  switch (output) {
    case 'raw':
      write(1, await evaluator.toRaw(value));
      break;
    case 'json':
      write(1, await evaluator.toJSON(value, { strict }));
      write(1, '\n');
      break;
    case 'xml':
      write(
        1,
        await evaluator.toXML(value, {
          location: !args.has('noLocation'),
          strict,
        }),
      );
      break;
    case 'value':
      if (strict) await evaluator.forceDeep(value);
      write(1, await (command === 'eval' ? evaluator.printEvaluated(value) : evaluator.print(value)));
      write(1, '\n');
      break;
  }
}
