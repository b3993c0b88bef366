/**
 * A process that evaluates jobs, one after the other, and says what it finds (`worker-protocol.ts`). It begins with an
 * evaluator of its own and the value that all jobs are in, which it evaluates before it is told anything.
 */
import { decodeUtf8 } from '@neve/bytes';
import { type Diagnostic, renderDiagnostic } from '@neve/diagnostics';
import { EvaluationError, type Evaluator, OutOfMemory, type Value } from '@neve/eval';
import { bugText } from '../bug-text.ts';
import type { Caller } from '../caller.ts';
import { applyConfigFiles } from '../config-files.ts';
import { functionArguments, sourceOfFile, sourceOfText } from '../evaluation-session.ts';
import { write } from '../output.ts';
import { reportError } from '../report-error.ts';
import { Settings } from '../settings.ts';
import { JobEvaluator, type Job } from './evaluate-job.ts';
import { errorLine, jobLine } from './job-line.ts';
import { type JobArguments, evaluationArguments, parseJobArguments, setOptions } from './job-options.ts';
import type { JobPath } from './job-path.ts';
import { megabytesOption } from './job-limits.ts';
import { ImageWanted } from '../images/image-wanted.ts';
import type { JobImageOptions } from './job-image.ts';
import { type JobContext, type JobHost, type JobWorld, openJobWorld } from './job-world.ts';
import { PackageReader } from './package-info.ts';
import { type ImageUse, type WorkerOrder, type WorkerSetup, printReport } from './worker-protocol.ts';

/** Answers are kept back so long, to be written together. */
const flushMs = 100;

/** Runs until there are no more orders, and gives the exit code. */
export async function runJobWorker(host: JobHost): Promise<number> {
  const lines = linesOf(process.stdin);
  const first = await lines.next();
  if (first.done === true) return 0;
  const setup = JSON.parse(first.value) as WorkerSetup;
  const settings = new Settings();
  let worker: JobWorker | undefined;
  try {
    applyConfigFiles(settings, host.caller.environment);
    const args = parseJobArguments(setup.argv, settings);
    setOptions(args, settings);
    const context = { ...host, settings, caller: callerOf(host.caller, setup) };
    worker = await startWorker(args, context, setup.images);
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command: 'eval-jobs', caller: host.caller });
    write(1, printReport({ kind: 'failed', exitCode: 1 }));
    return 1;
  }
  await using running = worker;
  write(1, printReport({ kind: 'started' }));
  for await (const line of lines) {
    if (!(await running.perform(JSON.parse(line) as WorkerOrder))) break;
  }
  return 0;
}

/**
 * What comes to a file of a package tree that has another image begins again with that, once. What an error says may depend on an
 * image: without one it is what it is.
 */
async function startWorker(args: JobArguments, context: JobContext, use: ImageUse): Promise<JobWorker> {
  let images: JobImageOptions | undefined = { use };
  for (let isLast = false; ;) {
    const world: JobWorld = await openJobWorld(args, context, images);
    if (isLast) world.settle();
    try {
      const worker = await JobWorker.start(args, context, world);
      world.settle();
      return worker;
    } catch (error) {
      const isUsed = world.image.isUsed;
      await world[Symbol.asyncDispose]();
      if (error instanceof ImageWanted) images = { use, treeFile: error.treeFile };
      else if (isUsed) images = { use: 'none' };
      else throw error;
      isLast = true;
    }
  }
}

class JobWorker implements AsyncDisposable {
  readonly #jobs: JobEvaluator;
  readonly #world: JobWorld;
  readonly #maxBytes: number;
  readonly #showTrace: boolean;
  readonly #caller: Caller;
  #pending: { readonly path: JobPath; readonly job: Job }[] = [];
  #answers: (string | undefined)[] = [];
  #lastFlush = performance.now();
  #isFresh = true;

  private constructor(parts: {
    readonly jobs: JobEvaluator;
    readonly world: JobWorld;
    readonly maxBytes: number;
    readonly showTrace: boolean;
    readonly caller: Caller;
  }) {
    this.#jobs = parts.jobs;
    this.#world = parts.world;
    this.#maxBytes = parts.maxBytes;
    this.#showTrace = parts.showTrace;
    this.#caller = parts.caller;
  }

  /** Evaluates the value that all jobs are in. Throws what evaluation throws, and `UsageError`. */
  // oxlint-disable-next-line eslint/max-params -- what, how, and where
  static async start(args: JobArguments, context: JobContext, world: JobWorld): Promise<JobWorker> {
    const { settings, caller } = context;
    const { evaluator } = world.evaluation;
    const functionArgs = await functionArguments(evaluator, { args: evaluationArguments(args), caller });
    const hasUnknownPaths = settings.list('experimental-features').includes('ca-derivations');
    const { storeDir } = world;
    const jobs = new JobEvaluator({
      evaluator,
      reader: new PackageReader(evaluator, { storeDir, hasUnknownPaths }),
      root: await evaluateRoot(evaluator, { args, functionArgs, caller }),
      args: functionArgs,
      forceRecurse: args.has('forceRecurse'),
      meta: args.has('meta'),
      constituents: args.has('constituents'),
      apply: args.last('apply'),
      directory: caller.directory,
    });
    const maxBytes = megabytesOption(args.last('maxMemorySize'));
    return new JobWorker({ jobs, world, maxBytes, showTrace: settings.isOn('show-trace'), caller });
  }

  /** Answers for all paths; `false` when it must end. */
  async perform({ paths }: WorkerOrder): Promise<boolean> {
    for (const path of paths) {
      if (!(await this.#answer(path))) return false;
      if (process.memoryUsage.rss() > this.#maxBytes) {
        await this.#flush();
        write(1, printReport({ kind: 'restart' }));
        return false;
      }
      if (performance.now() - this.#lastFlush > flushMs) await this.#flush();
    }
    // Those who are told of what was found begin with the image.
    const isOver = this.#world.image.keep();
    await this.#flush();
    write(1, printReport({ kind: isOver ? 'restart' : 'done' }));
    return !isOver;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  async #answer(path: JobPath): Promise<boolean> {
    const isFirst = this.#isFresh;
    this.#isFresh = false;
    try {
      if (!isFirst) this.#world.evaluation.evaluator.postponeCollection(this.#maxBytes);
      const report = await this.#jobs.evaluate(path);
      if (report.kind === 'job') {
        this.#pending.push({ path, job: report.job });
        this.#answers.push(undefined);
      } else this.#answers.push(printReport(report));
      return true;
    } catch (error) {
      if (this.#world.image.isInDoubt) {
        await this.#flush();
        write(1, printReport({ kind: 'without-image' }));
        return false;
      }
      const isUsable = error instanceof EvaluationError && !isOutOfMemory(error);
      if (isOutOfMemory(error) && !isFirst) {
        await this.#flush();
        write(1, printReport({ kind: 'out-of-memory' }));
        return false;
      }
      this.#answers.push(this.#failure(path, error));
      if (isUsable) return true;
      // Whatever the evaluator was in the middle of is lost.
      await this.#flush();
      write(1, printReport({ kind: 'restart' }));
      return false;
    }
  }

  /** Writes what was found, when the store has the derivations. */
  async #flush(): Promise<void> {
    if (this.#answers.length === 0) return;
    const lines: string[] = [];
    const pending = this.#pending.values();
    await this.#world.store?.write(this.#pending.map(({ job }) => job.drvPath));
    for (const answer of this.#answers) {
      const next = answer === undefined ? pending.next().value : undefined;
      if (answer !== undefined) lines.push(answer);
      else if (next !== undefined) lines.push(await this.#finished(next.path, next.job));
    }
    this.#pending = [];
    this.#answers = [];
    write(1, lines.join(''));
    this.#lastFlush = performance.now();
  }

  async #finished(path: JobPath, job: Job): Promise<string> {
    try {
      return printReport({ kind: 'job', line: jobLine(path, job, await this.#world.store?.add(job)) });
    } catch (error) {
      if (!isOfWorld(error)) throw error;
      return this.#failure(path, error);
    }
  }

  /** The error is shown at once, and is the answer. */
  #failure(path: JobPath, error: unknown): string {
    const message = isOfWorld(error) ? error.message : bugText(error);
    const diagnostic: Diagnostic =
      error instanceof EvaluationError
        ? error.diagnostic
        : { kind: 'error', message, traces: [], suggestions: [] };
    const render = (colour: boolean): string =>
      renderDiagnostic(diagnostic, { showTrace: this.#showTrace, colour });
    this.#caller.write(2, `${render(this.#caller.wantsColour())}\n`);
    return printReport({ kind: 'job', line: errorLine(path, render(false)) });
  }
}

type RootContext = {
  readonly args: JobArguments;
  readonly functionArgs: ReadonlyMap<string, Value>;
  readonly caller: Caller;
};

async function evaluateRoot(
  evaluator: Evaluator,
  { args, functionArgs, caller }: RootContext,
): Promise<Value> {
  const [text = ''] = args.positional;
  const source = args.has('expr') ? sourceOfText(text, caller) : await sourceOfFile(evaluator, text, caller);
  const value = await evaluator.evaluate(await evaluator.parse(source));
  const root = await evaluator.autoCall(value, functionArgs);
  const select = args.last('select');
  return select === undefined ? root : await selected(evaluator, { root, select, caller });
}

type Selection = { readonly root: Value; readonly select: string; readonly caller: Caller };

async function selected(evaluator: Evaluator, { root, select, caller }: Selection): Promise<Value> {
  const code = `{ select, value }:
    let selected = select value;
    in if builtins.isAttrs selected then selected
    else throw "'--select' must evaluate to an attrset (the traversal root)"`;
  const parse = async (text: string): Promise<Value> =>
    await evaluator.evaluate(await evaluator.parse(sourceOfText(text, caller)));
  return await evaluator.autoCall(
    await parse(code),
    new Map([
      ['select', await parse(select)],
      ['value', root],
    ]),
  );
}

function callerOf(caller: Caller, { standardInput = '' }: WorkerSetup): Caller {
  return {
    environment: caller.environment,
    directory: caller.directory,
    // Standard output is for answers.
    write: (_, text) => caller.write(2, text),
    report: (event) => caller.report(event),
    wantsColour: () => caller.wantsColour(),
    sourceLink: caller.sourceLink,
    readStandardInput: () => Buffer.from(standardInput, 'base64'),
    watchInterruptions: (interrupt) => caller.watchInterruptions(interrupt),
  };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof OutOfMemory || (error instanceof EvaluationError && isOutOfMemory(error.cause));
}

/** What is wrong with the store, the machine or what was given. Other scripts have classes of their own. */
function isOfWorld(error: unknown): error is Error {
  return error instanceof Error && (worldErrors.includes(error.name) || 'syscall' in error);
}

const worldErrors = [
  'CastoreError',
  'CommandFailure',
  'EvalIOError',
  'FetchError',
  'HttpError',
  'NixCompatError',
  'RealiseError',
  'RpcError',
  'StoreError',
];

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const chunk of input) {
    const lines = `${rest}${decodeUtf8(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
