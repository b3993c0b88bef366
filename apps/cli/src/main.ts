/**
 * The `neve` command: finds out which command it is, and loads the script that has it. Scripts are bundles of their own, so
 * that nobody waits for what others need (`scripts/bundle.mjs`).
 */
import { join } from 'node:path';
import { type Environment, ProcessCaller } from './caller.ts';
import { collectBeforeExit } from './collect-before-exit.ts';
import type * as CacheMain from './cache/cache-main.ts';
import { CommandScripts, codeCachePath } from './command-scripts.ts';
import type * as DaemonClient from './daemon/daemon-client-main.ts';
import type * as DaemonMain from './daemon/daemon-main.ts';
import type * as EvaluateMain from './evaluate-main.ts';
import type * as JobsMain from './jobs/jobs-main.ts';
import type * as HelpMain from './help/help-main.ts';
import type * as ImageMain from './images/image-main.ts';
import type * as NarBridgeMain from './nar-bridge/nar-bridge-main.ts';
import type * as NixDaemonMain from './nix-daemon/nix-daemon-main.ts';
import type * as ReplMain from './repl/repl-main.ts';
import type * as RealiseMain from './realise/realise-main.ts';
import type * as StoreMain from './store/store-main.ts';
import type { Display, DisplayOptions } from './progress/display.ts';
import { formatForPrograms } from './progress/log-format-option.ts';
import type * as OpenDisplay from './progress/open-display.ts';
import { setStandardError } from './output.ts';
import { showVersion } from './show-version.ts';
import {
  type WantedTelemetry,
  measureToEnd,
  runMeasured,
  serviceNameOf,
  wantedTelemetry,
} from './telemetry/measured-command.ts';
import type { EndTelemetry } from './telemetry/telemetry-main.ts';
import type * as TelemetryMain from './telemetry/telemetry-main.ts';

/** Changes with the scripts. */
declare const NEVE_BUILD: string;

/** Where the bundle is. */
declare const __dirname: string;

async function main(argv: readonly string[]): Promise<void> {
  const [first = '', ...rest] = argv;
  if (first === '--version') {
    showVersion(new ProcessCaller());
    return;
  }
  const hasCommands = ['store', 'cache', 'daemon', 'image'].includes(first);
  const scripts = commandScripts(hasCommands ? [first, rest[0] ?? ''] : [first]);
  sayForPrograms(argv, scripts);
  const telemetry = wantedTelemetry(argv, process.env);
  const endTelemetry = telemetry && (await startTelemetry(argv, scripts, telemetry));
  if (endTelemetry === undefined) await runToEnd(argv, scripts);
  else await measureToEnd(endTelemetry, () => runToEnd(argv, scripts, { isMeasured: true }));
}

/** Whatever is said to standard error, by whichever script, is JSON where the command line asks for it. */
function sayForPrograms(argv: readonly string[], scripts: CommandScripts): void {
  const format = formatForPrograms(argv);
  if (format === undefined) return;
  const { openDisplay } = scripts.load('open-display.cjs') as typeof OpenDisplay;
  const options = { format, buildLogs: 'none', quiet: false, verbose: false } as const;
  const display = openDisplay(options, process.env);
  setStandardError((text) => display.write(2, text));
  process.once('exit', () => display[Symbol.dispose]());
}

// oxlint-disable-next-line eslint/max-params -- what, with what, and how
async function runToEnd(
  argv: readonly string[],
  scripts: CommandScripts,
  { isMeasured = false } = {},
): Promise<void> {
  const exitCode = await (isMeasured ? runMeasured(argv, () => run(argv, scripts)) : run(argv, scripts));
  process.exitCode = exitCode;
  // What failed or only showed help needed little of the code.
  const isHelp = argv.includes('--help') || argv.includes('-h');
  if (exitCode === 0 && !isHelp) scripts.saveCode();
  collectBeforeExit();
}

// oxlint-disable-next-line eslint/max-params -- for what, from where, and which
function startTelemetry(
  argv: readonly string[],
  scripts: CommandScripts,
  wanted: WantedTelemetry,
): Promise<EndTelemetry> {
  const main = scripts.load('telemetry-main.cjs') as typeof TelemetryMain;
  return main.startTelemetry(serviceNameOf(argv), wanted);
}

/** The build makes the scripts of these files. */
function run(argv: readonly string[], scripts: CommandScripts): Promise<number> {
  const [first, ...rest] = argv;
  switch (first) {
    case 'store':
      return (scripts.load('store-main.cjs') as typeof StoreMain).runStoreCommand(rest);
    case 'cache':
      return (scripts.load('cache-main.cjs') as typeof CacheMain).runCacheCommand(rest);
    case 'daemon':
      return (scripts.load('daemon-main.cjs') as typeof DaemonMain).runDaemonCommand(rest);
    case 'image':
      return (scripts.load('image-main.cjs') as typeof ImageMain).runImageCommand(rest, NEVE_BUILD);
    case 'nix-daemon':
      return (scripts.load('nix-daemon-main.cjs') as typeof NixDaemonMain).runNixDaemon(rest);
    case 'nar-bridge':
      return (scripts.load('nar-bridge-main.cjs') as typeof NarBridgeMain).runNarBridge(rest);
    case 'repl':
      return repl(rest, scripts);
    case 'eval':
    case 'instantiate':
    case 'build':
    case 'shell':
    case 'explain':
    case 'log':
    case 'why-depends':
      return evaluate(argv, scripts);
    case 'eval-jobs':
      return evaluateJobs(rest, scripts);
    case 'search':
    case 'env':
      return listPackages(first, rest, scripts);
    case jobWorker:
      return workOnJobs(scripts);
    default:
      return (scripts.load('help-main.cjs') as typeof HelpMain).runHelpMain(argv, {
        caller: new ProcessCaller(),
        run: (words) => run(words, scripts),
        storePathWords: (request) =>
          (scripts.load('store-main.cjs') as typeof StoreMain).storePathWords(request),
      });
  }
}

/** Here, or by a daemon if there is to be one. */
async function evaluate(argv: readonly string[], scripts: CommandScripts): Promise<number> {
  using caller = new ProcessCaller();
  const openDisplay = (options: DisplayOptions, environment: Environment): Display =>
    (scripts.load('open-display.cjs') as typeof OpenDisplay).openDisplay(options, environment);
  const runByDaemon = (setting?: string): Promise<number | undefined> =>
    (scripts.load('daemon-client-main.cjs') as typeof DaemonClient).runByDaemon(argv, {
      ...{ caller, openDisplay, setting },
    });
  const mayBeForDaemon =
    (process.env['NEVE_DAEMON'] !== undefined || argv.some((word) => word.startsWith('--daemon'))) &&
    !argv.includes('--watch');
  const exitCode = mayBeForDaemon ? await runByDaemon() : undefined;
  if (exitCode !== undefined) return exitCode;
  return await (scripts.load('evaluate-main.cjs') as typeof EvaluateMain).runEvaluateMain(argv, {
    build: NEVE_BUILD,
    caller,
    runByDaemon,
    showOn: (options) => caller.showOn(() => openDisplay(options, caller.environment)),
    openSession: (options) => {
      caller.showOn(() => openDisplay(options.display, caller.environment));
      return (scripts.load('realise-main.cjs') as typeof RealiseMain).openRealiseSession(options, caller);
    },
  });
}

async function repl(words: readonly string[], scripts: CommandScripts): Promise<number> {
  using caller = new ProcessCaller();
  const openDisplay = (options: DisplayOptions): Display =>
    (scripts.load('open-display.cjs') as typeof OpenDisplay).openDisplay(options, caller.environment);
  return await (scripts.load('repl-main.cjs') as typeof ReplMain).runReplMain(words, {
    build: NEVE_BUILD,
    caller,
    openSession: (options, listener) => {
      caller.showOn(() => openDisplay(options.display));
      return (scripts.load('realise-main.cjs') as typeof RealiseMain).openRealiseSession(options, listener);
    },
  });
}

/** What `neve eval-jobs` starts, as a command of its own. */
const jobWorker = 'eval-jobs-worker';

/**
 * Node 20 counts the language core's memory as that of JavaScript. Above half of what JavaScript may have, which is 2 GiB
 * otherwise, it looks for garbage again and again. Node 26 does not.
 */
const largeHeap = '--max-old-space-size=16384';

async function evaluateJobs(argv: readonly string[], scripts: CommandScripts): Promise<number> {
  using caller = new ProcessCaller();
  const { execPath, execArgv } = process;
  const node = [execPath, ...execArgv, largeHeap];
  // Workers have the same standard error.
  const format = formatForPrograms(argv);
  const ownFormat = format === undefined ? [] : ['--log-format', format];
  return await (scripts.load('jobs-main.cjs') as typeof JobsMain).runEvalJobs(argv, {
    build: NEVE_BUILD,
    caller,
    openSession: (options) =>
      (scripts.load('realise-main.cjs') as typeof RealiseMain).openRealiseSession(options, caller),
    workerCommand: [...node, join(__dirname, 'neve.cjs'), jobWorker, ...ownFormat],
  });
}

// oxlint-disable-next-line eslint/max-params -- the command, its arguments, and where it is
async function listPackages(
  command: 'search' | 'env',
  argv: readonly string[],
  scripts: CommandScripts,
): Promise<number> {
  using caller = new ProcessCaller();
  const main = scripts.load('jobs-main.cjs') as typeof JobsMain;
  return await (command === 'search' ? main.runSearch(argv, caller) : main.runEnv(argv, caller));
}

async function workOnJobs(scripts: CommandScripts): Promise<number> {
  using caller = new ProcessCaller();
  return await (scripts.load('jobs-main.cjs') as typeof JobsMain).runJobWorker({
    build: NEVE_BUILD,
    caller,
    openSession: (options) =>
      (scripts.load('realise-main.cjs') as typeof RealiseMain).openRealiseSession(options, caller),
  });
}

function commandScripts(command: readonly string[]): CommandScripts {
  // Anything else is no command.
  const isName = command.every((word) => /^[a-z]+(-[a-z]+)*$/.test(word));
  const cachePath = isName ? codeCachePath(NEVE_BUILD, command.join('-')) : undefined;
  return new CommandScripts(join(__dirname, 'modules'), cachePath);
}

void main(process.argv.slice(2));
