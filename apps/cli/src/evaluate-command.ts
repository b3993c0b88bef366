/**
 * The commands that evaluate. They differ in how arguments are read and in what becomes of the value: it is printed, its
 * derivations are written to the store, or something is done about them there.
 */
import { EvaluationError, type Evaluator, type Source, type Value } from '@neve/eval';
import type { WrittenPiece } from '@neve/eval-images/node';
import type { Added, StoreIO } from '@neve/eval-store/node';
import { buildGoals, taskOf } from './build-command.ts';
import type { Caller } from './caller.ts';
import {
  type SessionOptions,
  type StoreAccess,
  functionArguments,
  sourceOfFile,
  sourceOfText,
  startEvaluator,
  storeDirOf,
} from './evaluation-session.ts';
import { hostSystem } from './host-system.ts';
import { EvaluationImage } from './images/evaluation-image.ts';
import { ImagePlace } from './images/image-place.ts';
import { ImageWanted } from './images/image-wanted.ts';
import { type KeptEvaluation, openKeptEvaluation } from './images/kept-evaluation.ts';
import { goalsOf, goalsPiece } from './images/kept-goals.ts';
import type { CommandName, EvaluateArguments } from './parse-arguments.ts';
import { type RealiseOptions, realiseOptions } from './realise/realise-options.ts';
import type { BuildGoal, RealiseSession } from './realise/realise-session.ts';
import { reportError } from './report-error.ts';
import type { Settings } from './settings.ts';
import { showStats } from './show-stats.ts';
import { UsageError } from './usage-error.ts';

/** Those that evaluate once. */
export type OneShotCommand = Exclude<CommandName, 'repl'>;

export type CommandInput = {
  readonly command: OneShotCommand;
  readonly args: EvaluateArguments;
  readonly settings: Settings;
  readonly caller: Caller;
  /** Which build of Neve this is; what another one has kept is not used. */
  readonly build?: string | undefined;
  /** The language core, where it was read before. */
  readonly core?: WebAssembly.Module | undefined;
  /** Is given the counters of an evaluation when it has ended. */
  readonly onStats?: ((stats: Readonly<Record<string, unknown>>) => void) | undefined;
  /** Loads what realises. */
  readonly openSession: (options: RealiseOptions) => Promise<RealiseSession>;
};

/** What is put around the world that is evaluated in, and around the evaluator. */
export type EvaluationHooks = Pick<
  SessionOptions,
  'around' | 'images' | 'kept' | 'descriptions' | 'onEvaluator'
> & {
  /** Whether it goes on from an image: what it fails with then is for whoever can do without. */
  readonly isResumed?: (() => boolean) | undefined;
  /** What was written to a directory before and has to be there again, if an image has it. */
  readonly madeBefore?: readonly string[] | undefined;
  /** The evaluation has succeeded and nothing more is evaluated; what is built follows. */
  readonly onEvaluated?: ((goals: readonly BuildGoal[]) => void) | undefined;
};

export type EvaluationInput = CommandInput & EvaluationHooks;

type Output = 'value' | 'json' | 'xml' | 'raw' | 'derivations';

/** Gives the exit code. */
export async function runEvaluateCommand(input: CommandInput): Promise<number> {
  const storeAccess = accessOf(input);
  let kept = openKeptEvaluation(input, storeAccess);
  if (kept === undefined) return await runEvaluation(input);
  const written = await kept.find();
  const answered = written && (await answer(input, written));
  if (answered !== undefined) return answered;
  // What a value that is printed refers to would have to be written as well.
  const usesImages = storeAccess.kind !== 'directory' || chooseOutput(input) === 'derivations';
  const place = usesImages ? ImagePlace.open({ ...input, storeAccess }) : undefined;
  if (place === undefined) return await evaluateAndKeep(input, kept);
  let treeFile = place.likelyTreeFile();
  for (let begun = 0; ; begun++) {
    // A world in which another file comes first each time is changing: then it does with what there is.
    const mayBeginAgain = (): boolean => begun === 0;
    using image = await EvaluationImage.open(place, kept, { treeFile, mayBeginAgain });
    try {
      return await evaluateAndKeep(input, kept, image);
    } catch (error) {
      if (!(error instanceof ImageWanted)) throw error;
      treeFile = error.treeFile;
      place.noteTreeFile(treeFile);
      kept = kept.again();
    }
  }
}

/** Goes on from an image if there is one, and keeps the result, and an image for the next. */
// oxlint-disable-next-line eslint/max-params -- what, with what is noted down of it, and from where
async function evaluateAndKeep(
  input: CommandInput,
  kept: KeptEvaluation,
  image?: EvaluationImage,
): Promise<number> {
  const run = async ({ caller, around }: KeptEvaluation, more?: EvaluationHooks): Promise<number> =>
    await runEvaluation({ ...input, ...more, caller, around });
  const describedBefore = (): Iterable<Added> => image?.describedBefore() ?? [];
  const allDescribed = function* (): Iterable<Added> {
    yield* kept.described.own;
    yield* kept.described.shared;
    yield* describedBefore();
  };
  const { onAdded, onWritten, madeBefore } = kept;
  const descriptions = { described: describedBefore, onAdded, onWritten };
  let isEvaluated = false;
  const onEvaluated = (goals: readonly BuildGoal[]): void => {
    isEvaluated = true;
    kept.keep(isPrinting(input.command) ? [] : [goalsPiece(goals, allDescribed())]);
    image?.keep();
  };
  try {
    return await run(kept, { ...image?.hooks, descriptions, onEvaluated, madeBefore });
  } catch (error) {
    if (isEvaluated || image?.isResumed !== true || error instanceof ImageWanted) throw error;
    if (isProgrammingError(error)) {
      const message = `going on from an image has failed, which is a bug in Neve: ${error.message}`;
      input.caller.write(2, `warning: ${message}\n`);
    }
    // What an error says may depend on the image: without one it is what it is.
    return await run(kept.again());
  }
}

/**
 * Prints what was kept, or does what was come to, and gives the exit code. Undefined when something is to be made for it that
 * only an evaluation describes.
 */
async function answer(input: CommandInput, written: readonly WrittenPiece[]): Promise<number | undefined> {
  const { command, args, caller, openSession } = input;
  if (isPrinting(command)) {
    for (const { file, bytes } of written) caller.write(file, bytes);
    return 0;
  }
  const kept = goalsOf(written);
  if (kept === undefined) return undefined;
  const { goals, derivations } = kept;
  await using session = await openSession(sessionOptions(input));
  for (const it of derivations) session.io.describe(it);
  if ((await session.areThere?.(goals)) !== true) return undefined;
  for (const { file, bytes } of written) if (file === 2) caller.write(file, bytes);
  return await session.perform(taskOf(command, { args, caller, goals }));
}

function isProgrammingError(error: unknown): error is Error {
  const kinds = [TypeError, RangeError, ReferenceError, WebAssembly.RuntimeError];
  return kinds.some((kind) => error instanceof kind);
}

function sessionOptions({ args, settings, caller }: CommandInput): RealiseOptions {
  const system = settings.text('system') ?? hostSystem();
  const storeDir = storeDirOf(args, caller);
  return realiseOptions(args, { settings, storeDir, system });
}

/** Whether a command prints what it evaluates to; the others build it, or tell about that. */
function isPrinting(command: OneShotCommand): command is 'eval' | 'instantiate' {
  return command === 'eval' || command === 'instantiate';
}

/** What the store will be to an evaluation; it is not opened. */
export function accessOf(input: CommandInput): StoreAccess {
  const open = (): never => {
    throw new Error('a store is opened that was only described');
  };
  return chooseStoreAccess(input, { output: chooseOutput(input), open });
}

/** Evaluates, whatever is kept. Gives the exit code. */
export async function runEvaluation(input: EvaluationInput): Promise<number> {
  const { command, args, settings, caller } = input;
  const output = chooseOutput(input);
  let opened: Promise<RealiseSession> | undefined;
  const session = (): Promise<RealiseSession> => (opened ??= input.openSession(sessionOptions(input)));
  try {
    const goals = await evaluate(input, { output, session });
    const task = isPrinting(command) ? undefined : taskOf(command, { args, caller, goals });
    input.onEvaluated?.(goals);
    return task === undefined ? 0 : await (await session()).perform(task);
  } catch (error) {
    const realising = await opened?.catch(() => undefined);
    const failure = await realising?.evaluationFailure();
    if (failure?.interruption !== undefined) {
      caller.write(2, `error: ${failure.interruption.message}\n`);
      return failure.interruption.exitCode;
    }
    if (failure === undefined || !(error instanceof EvaluationError)) throw error;
    // What could not be built is not built again.
    if (failure.exitCode === 1 && input.isResumed?.() === true) throw error;
    reportError(error, { showTrace: settings.isOn('show-trace'), command, caller });
    return failure.exitCode;
  } finally {
    // Whoever opened it knows why it could not be opened.
    await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}

type Evaluation = { readonly output: Output; readonly session: () => Promise<RealiseSession> };

/** Prints values, or gives what something is to be done about in the store, which has heard of it. */
async function evaluate(
  input: EvaluationInput,
  { output, session }: Evaluation,
): Promise<readonly BuildGoal[]> {
  const { command, args, settings, caller, core, around, images, kept, descriptions, onEvaluator } = input;
  const open = async (): Promise<StoreIO> => (await session()).io;
  const storeAccess = chooseStoreAccess(input, { output, open });
  const { evaluator, loadStore, write, finishProfile } = await startEvaluator({
    args,
    settings,
    storeAccess,
    caller,
    core,
    around,
    images,
    kept,
    descriptions,
    onEvaluator,
  });
  try {
    if (args.has('findFile')) {
      for (const name of args.positional) caller.write(1, `${await evaluator.findFile(name)}\n`);
      return [];
    }
    const { sources, attributePaths, paths } = await chooseInput(evaluator, input);
    if (!isPrinting(command)) {
      const goals = await buildGoals(evaluator, { command, args, caller, sources, attributePaths, paths });
      await loadStore();
      return goals;
    }
    for (const source of sources) {
      await processSource(evaluator, { source, attributePaths, args, output, command, caller, write });
    }
    write(input.madeBefore ?? []);
    return [];
  } finally {
    finishProfile();
    showStats(() => evaluator.stats(), caller);
    input.onStats?.(evaluator.stats());
  }
}

type AccessContext = { readonly output: Output; readonly open: () => Promise<StoreIO> };

/** `nix-instantiate --eval` writes nothing; a directory is written to where one is given. */
function chooseStoreAccess({ command, args }: CommandInput, { output, open }: AccessContext): StoreAccess {
  if (args.has('physicalStoreDir') || command === 'instantiate') {
    return { kind: output === 'derivations' || args.has('readWriteMode') ? 'directory' : 'computed' };
  }
  return { kind: 'realised', open };
}

function chooseOutput({ command, args }: CommandInput): Output {
  const chosen = (['json', 'xml', 'raw'] as const).filter((option) => args.has(option));
  if (chosen.length > 1) throw new UsageError(`--${chosen[0]} and --${chosen[1]} exclude each other`);
  if (command === 'instantiate' && !args.has('eval')) return 'derivations';
  return chosen[0] ?? 'value';
}

/** What is evaluated, and what is selected in it; `paths` are in the store already. */
type Input = {
  readonly sources: readonly Source[];
  readonly attributePaths: readonly string[];
  readonly paths: readonly string[];
};

/** Throws `UsageError`, and what looking up `<NAME>` throws. */
export async function chooseInput(
  evaluator: Evaluator,
  { command, args, caller }: Pick<CommandInput, 'command' | 'args' | 'caller'>,
): Promise<Input> {
  const selected = args.all('attr');
  const expressions = args.all('exprArgument');
  const files = args.all('file');
  if (expressions.length + files.length > 1) throw new UsageError('more than one expression or file');
  if (expressions.length + files.length === 1) {
    const source =
      expressions[0] === undefined
        ? await sourceOfFile(evaluator, files[0] ?? '', caller)
        : sourceOfText(expressions[0], caller);
    return { sources: [source], attributePaths: [...selected, ...args.positional], paths: [] };
  }
  if (command === 'instantiate' && args.has('exprFlag')) {
    const sources = args.positional.map((text) => sourceOfText(text, caller));
    return { sources, attributePaths: selected, paths: [] };
  }
  const prefix = `${storeDirOf(args, caller)}/`;
  const isPath = (name: string): boolean => !isPrinting(command) && name.startsWith(prefix);
  const paths = args.positional.filter(isPath);
  const otherNames = args.positional.filter((name) => !isPath(name));
  const names = args.positional.length > 0 ? otherNames : ['./default.nix'];
  const sources = [];
  for (const name of names) sources.push(await sourceOfFile(evaluator, name, caller));
  return { sources, attributePaths: selected, paths };
}

type Processing = {
  readonly source: Source;
  readonly attributePaths: readonly string[];
  readonly args: EvaluateArguments;
  readonly output: Output;
  readonly command: OneShotCommand;
  readonly caller: Caller;
  readonly write: (storePaths: readonly string[]) => void;
};

async function processSource(
  evaluator: Evaluator,
  { source, attributePaths, args, output, command, caller, write }: Processing,
): Promise<void> {
  const program = await evaluator.parse(source);
  if (args.has('parse')) {
    caller.write(1, evaluator.printProgram(program));
    caller.write(1, '\n');
    return;
  }
  const functionArgs = await functionArguments(evaluator, { args, caller });
  const root = await evaluator.evaluate(program);
  for (const path of attributePaths.length > 0 ? attributePaths : ['']) {
    const selected = await evaluator.select(root, { path, args: functionArgs });
    if (output === 'derivations')
      await printDerivations(evaluator, { value: selected, args: functionArgs, caller, write });
    else {
      // Without arguments a function is shown, and not called with its defaults.
      const value = functionArgs.size === 0 ? selected : await evaluator.autoCall(selected, functionArgs);
      await printValue(evaluator, { value, output, args, command, caller });
    }
  }
}

async function printDerivations(
  evaluator: Evaluator,
  {
    value,
    args,
    caller,
    write,
  }: { readonly value: Value; readonly args: ReadonlyMap<string, Value> } & Pick<
    Processing,
    'caller' | 'write'
  >,
): Promise<void> {
  const derivations = await evaluator.derivations(value, args);
  write(derivations.map(({ drvPath }) => drvPath));
  for (const { drvPath, outputName } of derivations) {
    caller.write(1, `${drvPath}${outputName === 'out' ? '' : `!${outputName}`}\n`);
  }
}

type ValueToPrint = {
  readonly value: Value;
  readonly output: Exclude<Output, 'derivations'>;
  readonly args: EvaluateArguments;
  readonly command: OneShotCommand;
  readonly caller: Caller;
};

async function printValue(
  evaluator: Evaluator,
  { value, output, args, command, caller }: ValueToPrint,
): Promise<void> {
  // `nix eval` evaluates everything that it writes as JSON; `nix-instantiate` only when told so.
  const strict = args.has('strict') || (command === 'eval' && output === 'json');
  switch (output) {
    case 'raw':
      caller.write(1, await evaluator.toRaw(value));
      break;
    case 'json':
      caller.write(1, await evaluator.toJSON(value, { strict }));
      caller.write(1, '\n');
      break;
    case 'xml':
      caller.write(
        1,
        await evaluator.toXML(value, {
          location: !args.has('noLocation'),
          strict,
        }),
      );
      break;
    case 'value':
      if (strict) await evaluator.forceDeep(value);
      caller.write(1, await (command === 'eval' ? evaluator.printEvaluated(value) : evaluator.print(value)));
      caller.write(1, '\n');
      break;
  }
}
