/** `neve eval-jobs`: all derivations of a value, each a line of JSON, by several processes. */
import type { CommandDescription } from '../command-description.ts';
import { applyConfigFiles } from '../config-files.ts';
import { imageWishes } from '../images/image-cache.ts';
import type { Interruption } from '../interruption.ts';
import { Settings } from '../settings.ts';
import { showVersion } from '../show-version.ts';
import { helpText } from '../help.ts';
import { reportError } from '../report-error.ts';
import { summaries } from '../top-level-commands.ts';
import { UsageError } from '../usage-error.ts';
import { type JobRecord, completeAggregates, isUnresolved } from './constituents.ts';
import { recordLine } from './job-line.ts';
import { megabytesOption, workersOption } from './job-limits.ts';
import { type JobArguments, jobOptionTable, parseJobArguments, setOptions } from './job-options.ts';
import { runJobPool } from './job-pool.ts';
import { type JobContext, type JobHost, openJobWorld } from './job-world.ts';

export type EvalJobsHost = JobHost & {
  /** The program of a worker, with its arguments. */
  readonly workerCommand: readonly string[];
};

/** Gives the exit code. */
export async function runEvalJobs(argv: readonly string[], host: EvalJobsHost): Promise<number> {
  const { caller } = host;
  const settings = new Settings();
  try {
    applyConfigFiles(settings, caller.environment);
    const args = parseJobArguments(argv, settings);
    for (const name of setOptions(args, settings)) caller.write(2, `warning: unknown setting '${name}'\n`);
    if (args.has('version')) showVersion(caller);
    else if (args.has('help')) caller.write(1, helpText(evalJobsDescription));
    else {
      checkArguments(args);
      return await evaluateJobs(args, { ...host, settings, argv });
    }
    return 0;
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command: 'eval-jobs', caller });
    return 1;
  }
}

/** Throws `UsageError`. */
function checkArguments(args: JobArguments): void {
  if (args.has('flake')) {
    throw new UsageError(
      'flakes are not supported yet; give a file, or an expression with --expr, that evaluates to the set of jobs',
    );
  }
  const [expression, more] = args.positional;
  if (expression === undefined) throw new UsageError('no expression specified');
  if (more !== undefined) throw new UsageError(`unexpected argument '${more}'`);
  const wantsStore = (['showInputDrvs', 'checkCacheStatus', 'constituents'] as const).filter((it) =>
    args.has(it),
  );
  if (args.has('noInstantiate') && wantsStore.length > 0) {
    const names = wantsStore.map((it) => jobOptionTable[it].names[0]).join(', ');
    throw new UsageError(
      `--no-instantiate is incompatible with: ${names}. These features require instantiated derivations.`,
    );
  }
  if (args.has('checkCacheStatus') && args.has('physicalStoreDir')) {
    throw new UsageError('--check-cache-status needs a store; --physical-store-dir is a plain directory');
  }
}

type Context = EvalJobsHost & JobContext & { readonly argv: readonly string[] };

async function evaluateJobs(args: JobArguments, context: Context): Promise<number> {
  const { caller, settings, workerCommand, argv } = context;
  const workers = workersOption(args.last('workers'), megabytesOption(args.last('maxMemorySize')));
  const wantsInput = args.has('argFromStdin') || args.positional.includes('-');
  const jobs = new Map<string, JobRecord>();
  const take = (line: string): void => {
    if (args.has('constituents')) {
      // What a worker prints has these fields.
      const job = JSON.parse(line) as JobRecord;
      jobs.set(job.attr, job);
      if (isUnresolved(job)) return;
    }
    caller.write(1, `${line}\n`);
  };
  const aborter = new AbortController();
  let interruption: Interruption | undefined;
  using _watch = caller.watchInterruptions((it) => {
    interruption = it;
    aborter.abort();
  });
  const exitCode = await runJobPool(
    {
      workers,
      command: workerCommand,
      setup: {
        argv,
        standardInput: wantsInput ? Buffer.from(caller.readStandardInput()).toString('base64') : undefined,
      },
      usesImages: imageWishes(settings, caller.environment).isOn,
      onLine: take,
      onTrouble: (message) => caller.write(2, `error: ${message}\n`),
    },
    aborter.signal,
  );
  if (interruption !== undefined) {
    caller.write(2, `error: ${interruption.message}\n`);
    return interruption.exitCode;
  }
  if (exitCode === 0 && [...jobs.values()].some(isUnresolved)) {
    await printAggregates(jobs, { args, context });
  }
  return exitCode;
}

async function printAggregates(
  jobs: ReadonlyMap<string, JobRecord>,
  { args, context }: { readonly args: JobArguments; readonly context: Context },
): Promise<void> {
  await using world = await openJobWorld(args, context, { use: 'none' });
  const { store } = world;
  if (store === undefined) throw new Error('aggregates are completed only where derivations are written');
  for (const job of await completeAggregates(jobs, store)) context.caller.write(1, `${recordLine(job)}\n`);
}

export const evalJobsDescription: CommandDescription = {
  name: 'eval-jobs',
  summary: summaries['eval-jobs'],
  usage: ['eval-jobs [OPTIONS] FILE', 'eval-jobs [OPTIONS] --expr EXPR'],
  description: `Evaluates all derivations of a set, in several processes, and prints each as a line of JSON as soon as it is
there. What cannot be evaluated has an error in its line, and the others go on. Sets in sets are looked into where they say
recurseForDerivations = true. Options and lines are those of nix-eval-jobs.`,
  options: Object.values(jobOptionTable),
  arguments: ['file'],
  takesSettings: true,
};
