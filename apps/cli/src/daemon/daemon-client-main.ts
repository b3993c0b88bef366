/**
 * The client of the daemon: hands a command over, shows what comes, and ends as the command did. A script of its own, which
 * must start fast: nothing here evaluates.
 */
import { statSync } from 'node:fs';
import {
  type ClientEvent,
  type DaemonCommandName,
  type LightTarget,
  RpcError,
  callCommand,
  commandCalls,
} from '@neve/rpc/node/daemon-client';
import type { Caller, Environment, ProcessCaller } from '../caller.ts';
import { isTerminal } from '../output.ts';
import { displayOptions } from '../progress/display.ts';
import type { DisplayOpener } from '../progress/open-display.ts';
import { progressFromDaemon } from '../progress/progress-event.ts';
import { type EvaluateArguments, optionsOf } from '../parse-arguments.ts';
import { parseWords } from '../parse-words.ts';
import { settingOfOption } from '../settings.ts';
import { UsageError } from '../usage-error.ts';
import { daemonTarget, titleOf } from './daemon-address.ts';

/** How long a daemon that is ending is waited for, until the next one is there. */
const retryMs = 10_000;
const pauseMs = 100;

export type DaemonClientHost = {
  readonly caller: ProcessCaller;
  readonly openDisplay: DisplayOpener;
  readonly setting: string | undefined;
};

/**
 * Gives the exit code; `undefined` for what is run without a daemon: nobody asks for one, the command line is wrong, or it
 * names files that only this process has. `setting` is the address that settings say.
 */
export async function runByDaemon(
  argv: readonly string[],
  { caller, openDisplay, setting }: DaemonClientHost,
): Promise<number | undefined> {
  const [name = '', ...words] = argv;
  if (!isServed(name)) return undefined;
  const args = argumentsOf(name, words);
  if (args === undefined || args.has('help') || args.has('version') || namesOwnFiles(words)) return undefined;
  const address = chosenAddress(args, caller.environment) ?? setting;
  if (address === undefined) return undefined;
  try {
    const target = daemonTarget(address, caller.environment);
    checkOwner(target);
    const showsProgress = showProgress(name, args, { caller, openDisplay });
    return await run(target, {
      ...{ name, words, caller, showsProgress },
      standardInput: standardInput(args, caller),
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    caller.write(2, `error: ${error.message}\n`);
    return 1;
  }
}

function isServed(name: string): name is DaemonCommandName {
  return Object.hasOwn(commandCalls, name);
}

/** What is wrong with them is told by whoever runs the command. */
function argumentsOf(name: DaemonCommandName, words: readonly string[]): EvaluateArguments | undefined {
  try {
    return parseWords(words, optionsOf(name), ({ name: flag, hasValue, take }) => {
      const setting = flag.startsWith('--') ? settingOfOption(flag) : undefined;
      if (setting !== undefined && (hasValue || setting.value === undefined)) take(['VALUE']);
      return setting !== undefined;
    });
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function chosenAddress(args: EvaluateArguments, environment: Environment): string | undefined {
  const { NEVE_DAEMON: variable = '' } = environment;
  const isOff = variable === '' || variable === '0' || variable === 'false';
  const last = args.occurrences.findLast(({ option }) => option === 'daemon' || option === 'noDaemon');
  if (last === undefined) return isOff ? undefined : variable;
  if (last.option === 'noDaemon') return undefined;
  return last.values[0] ?? (isOff ? '' : variable);
}

/** `/dev/stdin`, what a shell makes of `<(…)`, and their like. */
function namesOwnFiles(words: readonly string[]): boolean {
  return words.some((word) =>
    /\/dev\/(?:std(?:in|out|err)|fd|tty)\b|\/proc\/(?:self|thread-self)\b/.test(word),
  );
}

function standardInput(args: EvaluateArguments, caller: Caller): Uint8Array | undefined {
  const isWanted =
    args.has('argFromStdin') || args.positional.includes('-') || args.all('file').includes('-');
  return isWanted ? caller.readStandardInput() : undefined;
}

/** The daemon gets to know all variables: it must not be somebody else's. */
function checkOwner(target: LightTarget): void {
  if (target.kind !== 'socket') return;
  const found = statSync(target.path, { throwIfNoEntry: false });
  if (found === undefined || found.uid === process.geteuid?.() || found.uid === 0) return;
  throw new UsageError(`the socket '${target.path}' belongs to somebody else, whose daemon is not asked`);
}

type Run = {
  readonly name: DaemonCommandName;
  readonly words: readonly string[];
  readonly caller: ProcessCaller;
  readonly standardInput: Uint8Array | undefined;
  readonly showsProgress: boolean;
};

/** Opens what shows more than the lines that the daemon writes anyway. */
// oxlint-disable-next-line eslint/max-params -- which command, how it was given, and what shows it
function showProgress(
  name: DaemonCommandName,
  args: EvaluateArguments,
  { caller, openDisplay }: Pick<DaemonClientHost, 'caller' | 'openDisplay'>,
): boolean {
  const options = displayOptions(args);
  const isDrawn = options.format === 'pretty' && !options.quiet && isTerminal(2);
  const mayTakeTime = name === 'build' || name === 'eval';
  if (!options.format.endsWith('json') && !(isDrawn && mayTakeTime)) return false;
  caller.showOn(() => openDisplay(options, caller.environment));
  return true;
}

async function run(target: LightTarget, it: Run): Promise<number> {
  const { name, words, caller, standardInput: input, showsProgress } = it;
  const command = {
    ...{ name, words, directory: caller.directory, standardInput: input },
    environment: caller.environment as Readonly<Record<string, string>>,
    colour: caller.wantsColour(),
    wantsProgress: showsProgress,
    showsProgress,
  };
  const start = Date.now();
  let hasSeenEnding = false;
  while (true) {
    const shown = new Shown(caller);
    const call = callCommand(target, command, { onEvent: (event) => shown.take(event) });
    shown.onSignal = (signal) => call.signal(signal);
    try {
      await call.ended;
      if (shown.exitCode !== undefined) return shown.exitCode;
      throw new RpcError('unavailable', 'it ended the call before the command had ended');
    } catch (error) {
      // A connection can end together with the call.
      if (shown.exitCode !== undefined) return shown.exitCode;
      if (!(error instanceof RpcError)) throw error;
      const isNotThere = error.code === 'unavailable' && !shown.isAnything;
      // Nobody listens at a socket that was never there, or whose daemon was killed.
      hasSeenEnding ||= isNotThere && !absent.includes(reasonOf(error));
      if (!isNotThere || !hasSeenEnding || Date.now() - start > retryMs) {
        caller.write(2, `error: ${problemOf(error, { target, shown })}\n`);
        return 1;
      }
    } finally {
      shown[Symbol.dispose]();
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** What has come of a command. */
class Shown implements Disposable {
  exitCode: number | undefined;
  isAnything = false;
  onSignal: (name: string) => void = () => undefined;
  readonly #caller: Caller;
  #watch: Disposable | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  take(event: ClientEvent): void {
    this.isAnything = true;
    switch (event.kind) {
      case 'output':
        this.#caller.write(event.file, event.bytes);
        return;
      case 'progress': {
        const progress = progressFromDaemon(event.progress);
        if (progress !== undefined) this.#caller.report(progress);
        return;
      }
      case 'exit':
        this.exitCode = event.code;
        return;
      case 'interruptible':
        this.#watch?.[Symbol.dispose]();
        this.#watch = event.isInterruptible
          ? this.#caller.watchInterruptions(({ signal }) => this.onSignal(signal))
          : undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }
}

/** Why a connection could not be made. */
const absent: readonly string[] = ['ECONNREFUSED', 'ENOENT', 'EACCES'];

function reasonOf({ cause }: RpcError): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

type Problem = { readonly target: LightTarget; readonly shown: Shown };

/** Whoever reads it wants to know what to do. */
function problemOf(error: RpcError, { target, shown }: Problem): string {
  const { code, message, cause } = error;
  const daemon = `the daemon at '${titleOf(target)}'`;
  if (code === 'unavailable') {
    const reason = reasonOf(error);
    if (reason === 'ECONNREFUSED' || reason === 'ENOENT') {
      return `there is no daemon at '${titleOf(target)}': start it with 'neve daemon', or do without it (--no-daemon)`;
    }
    if (reason === 'EACCES') return `${daemon} cannot be reached: permission denied`;
    if (cause === undefined && !shown.isAnything) return `${daemon} is not available: ${message}`;
    return `${daemon} went away before the command had ended (${message}); try again`;
  }
  if (code === 'unimplemented') {
    return `what listens at '${titleOf(target)}' runs no commands: it is no daemon of this neve (${message})`;
  }
  if (code === 'permission-denied' || code === 'failed-precondition') return `${daemon} refuses: ${message}`;
  return `${daemon} failed: ${message}`;
}
