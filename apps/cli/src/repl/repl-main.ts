/** `neve repl`: the composition root of the prompt. A script of its own, since only it reads keys. */
import type { Caller } from '../caller.ts';
import { homeFolder } from '../cache-folder.ts';
import { parseCommandLine } from '../command-line.ts';
import { describeEvaluating } from '../evaluating-commands.ts';
import { storeDirOf } from '../evaluation-session.ts';
import { helpText } from '../help.ts';
import { hostSystem } from '../host-system.ts';
import { isTerminal } from '../output.ts';
import type { EvaluateArguments } from '../parse-arguments.ts';
import { type RealiseOptions, realiseOptions } from '../realise/realise-options.ts';
import type { RealiseSession } from '../realise/realise-session.ts';
import { reportError } from '../report-error.ts';
import { Settings } from '../settings.ts';
import { showVersion } from '../show-version.ts';
import { wantsColour } from '../terminal-wishes.ts';
import { page } from './pager.ts';
import { completeRepl } from './repl-completion.ts';
import { PipePrompt, type ReplPrompt, TerminalPrompt } from './repl-prompt.ts';
import { ReplSession } from './repl-session.ts';
import { ReplStore } from './repl-store.ts';
import { ReplWorld, checkReplArguments } from './repl-world.ts';
import type { ReplScreen } from './value-commands.ts';

declare const NEVE_VERSION: string;

export type ReplHost = {
  /** Which build of Neve this is. */
  readonly build: string;
  readonly caller: Caller;
  /** Loads what realises; what it prints goes to the caller that is given. */
  readonly openSession: (options: RealiseOptions, caller: Caller) => Promise<RealiseSession>;
};

/** Gives the exit code. */
export async function runReplMain(words: readonly string[], host: ReplHost): Promise<number> {
  const { caller } = host;
  const settings = new Settings();
  try {
    const args = parseCommandLine(words, { command: 'repl', settings, caller });
    if (args.has('version')) showVersion(caller);
    else if (args.has('help')) caller.write(1, helpText(describeEvaluating('repl')));
    else {
      checkReplArguments(args);
      return await runRepl(host, { args, settings });
    }
    return 0;
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command: 'repl', caller });
    return 1;
  }
}

async function runRepl(
  { build, caller, openSession }: ReplHost,
  { args, settings }: { readonly args: EvaluateArguments; readonly settings: Settings },
): Promise<number> {
  const notice = (text: string): void => {
    if (!args.has('quiet')) caller.write(2, `${text}\n`);
  };
  const system = settings.text('system') ?? hostSystem();
  const realising = realiseOptions(args, { settings, storeDir: storeDirOf(args, caller), system });
  await using store = new ReplStore((it) => openSession(realising, it), caller);
  using world = new ReplWorld({
    ...{ args, settings, caller, build, store },
    notice,
    report: (error) => session.report(error),
  });
  using prompt = openPrompt(world, caller);
  const screen = screenOf(caller);
  const showTrace = settings.isOn('show-trace');
  const session = new ReplSession({ world, store, prompt, caller, screen, showTrace });
  notice(`Neve ${NEVE_VERSION}\nType :? for help.`);
  await world.start();
  const exitCode = await session.run();
  if (!session.isEnded) await world.keepImage();
  return exitCode;
}

function openPrompt(world: ReplWorld, caller: Caller): ReplPrompt {
  // What cannot move the cursor is treated as a pipe would be.
  if (!process.stdin.isTTY || !isTerminal(1) || (caller.environment['TERM'] ?? 'dumb') === 'dumb') {
    return new PipePrompt(caller);
  }
  const place = { world, directory: caller.directory, homeDirectory: homeFolder(caller.environment) };
  return new TerminalPrompt(caller, (before, signal) => completeRepl(before, place, signal));
}

function screenOf(caller: Caller): ReplScreen {
  return {
    colour: wantsColour(caller.environment, () => isTerminal(1)),
    columns: Math.min(process.stdout.columns || 80, 100),
    page: (text) => page(text, caller),
  };
}
