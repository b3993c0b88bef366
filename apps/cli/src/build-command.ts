/**
 * The commands about derivations: evaluates to them, or takes what is given as store paths, and says what is to be done
 * about them, which is done where the store is (`realise/perform-task.ts`).
 */
import { resolve } from 'node:path';
import type { Evaluator, Source, Value } from '@neve/eval';
import type { Caller } from './caller.ts';
import { functionArguments } from './evaluation-session.ts';
import type { EvaluatingCommand } from './option-table.ts';
import type { EvaluateArguments } from './parse-arguments.ts';
import type { BuildGoal, RealiseTask } from './realise/realise-session.ts';
import { UsageError } from './usage-error.ts';

export type BuildingCommand = Exclude<EvaluatingCommand, 'eval' | 'instantiate' | 'repl'>;

export type GoalInput = {
  readonly command: BuildingCommand;
  readonly args: EvaluateArguments;
  readonly caller: Caller;
  readonly sources: readonly Source[];
  readonly attributePaths: readonly string[];
  /** Store paths that were given as they are. */
  readonly paths: readonly string[];
};

export async function buildGoals(evaluator: Evaluator, input: GoalInput): Promise<readonly BuildGoal[]> {
  return [...input.paths.map(goalOfPath), ...(await goalsOfSources(evaluator, input))];
}

type TaskInput = Pick<GoalInput, 'args' | 'caller'> & { readonly goals: readonly BuildGoal[] };

/** Throws `UsageError`. */
export function taskOf(command: BuildingCommand, { args, caller, goals }: TaskInput): RealiseTask {
  const json = args.has('json');
  switch (command) {
    case 'build': {
      if (args.has('dryRun')) return { kind: 'plan', goals, json };
      const link = resolve(caller.directory, args.last('outLink') ?? 'result');
      const makesLinks = !args.has('noLink');
      return { kind: 'build', goals, json, check: args.has('check'), ...(makesLinks && { link }) };
    }
    case 'shell':
      return { kind: 'shell', goals, ...programOf(args, caller) };
    case 'explain':
      return { kind: 'explain', goals, json };
    case 'log':
      return { kind: 'log', goals };
    case 'why-depends': {
      const [from, to, more] = goals;
      if (from === undefined || to === undefined || more !== undefined) {
        throw new UsageError('two things are wanted: the one that depends, and what it depends on');
      }
      return { kind: 'why-depends', from, to, json };
    }
  }
}

/** What is run, and its environment without the packages. */
function programOf(
  args: EvaluateArguments,
  { environment }: Pick<Caller, 'environment'>,
): { command: readonly string[]; environment: Caller['environment'] } {
  const given = args.occurrences.findLast(({ option }) => option === 'command')?.values;
  const kept = args.all('keepVariable');
  const unset = args.all('unsetVariable');
  const isKept = ([name]: [string, unknown]): boolean =>
    !unset.includes(name) && (!args.has('ignoreEnvironment') || kept.includes(name));
  return {
    command: given ?? [environment['SHELL'] ?? 'bash'],
    environment: Object.fromEntries(Object.entries(environment).filter(isKept)),
  };
}

/** `/nix/store/….drv^out,dev`, `/nix/store/….drv!out`, or a path that is wanted as it is. */
function goalOfPath(text: string): BuildGoal {
  const match = /^(.*\.drv)[\^!](.+)$/.exec(text);
  const [, drvPath, outputs] = match ?? [];
  if (drvPath !== undefined && outputs !== undefined) {
    return { kind: 'outputs', drvPath, outputs: outputs === '*' ? undefined : outputs.split(',') };
  }
  return text.endsWith('.drv')
    ? { kind: 'outputs', drvPath: text, outputs: undefined }
    : { kind: 'path', storePath: text };
}

async function goalsOfSources(
  evaluator: Evaluator,
  { command, args, caller, sources, attributePaths }: GoalInput,
): Promise<BuildGoal[]> {
  const goals: BuildGoal[] = [];
  const functionArgs = await functionArguments(evaluator, { args, caller });
  for (const source of sources) {
    const root = await evaluator.evaluate(await evaluator.parse(source));
    for (const path of attributePaths.length > 0 ? attributePaths : ['']) {
      const value = await evaluator.select(root, { path, args: functionArgs });
      const installed = command === 'shell' ? await outputsToInstall(evaluator, value, caller) : undefined;
      for (const { drvPath, outputName } of await evaluator.derivations(value, functionArgs)) {
        goals.push({ kind: 'outputs', drvPath, outputs: installed ?? [outputName] });
      }
    }
  }
  return goals;
}

/** As Nix has it: those that a derivation wants to be installed, or all, unless one was selected. */
// oxlint-disable-next-line eslint/max-params -- with what, of what, and where
async function outputsToInstall(
  evaluator: Evaluator,
  value: Value,
  { directory }: Pick<Caller, 'directory'>,
): Promise<readonly string[] | undefined> {
  const text = `{ value }:
    if (value.type or null) != "derivation" || value.outputSpecified or false then null
    else value.meta.outputsToInstall or value.outputs or null`;
  const program = await evaluator.parse({ kind: 'string', text: Buffer.from(text), directory });
  const outputs = await evaluator.autoCall(await evaluator.evaluate(program), new Map([['value', value]]));
  const json = Buffer.from(await evaluator.toJSON(outputs, { strict: true })).toString();
  const found: unknown = JSON.parse(json);
  return Array.isArray(found) ? found.map(String) : undefined;
}
