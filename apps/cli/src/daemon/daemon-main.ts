/** `neve daemon`: one process that owns the store, and evaluates and builds in it for many clients. */
import { setMaxListeners } from 'node:events';
import type { CommandDescription } from '../command-description.ts';
import { reportFailure } from '../error-text.ts';
import { helpText } from '../help.ts';
import { watchInterruptions } from '../interruption.ts';
import { write } from '../output.ts';
import { optionsByName, parseWords } from '../parse-words.ts';
import { summaries } from '../top-level-commands.ts';
import { unknownCommand } from '../unknown-word.ts';
import { type DaemonArguments, daemonOptions } from './daemon-options.ts';
import { showStatus, stop } from './daemon-commands.ts';
import { serveDaemon } from './serve-daemon.ts';

/** Gives the exit code. */
export async function runDaemonCommand(argv: readonly string[]): Promise<number> {
  try {
    const args: DaemonArguments = parseWords(argv, optionsByName(daemonOptions));
    const [first, address, more] = args.positional;
    if (args.has('help') || first === 'help') {
      write(1, helpText(describe()));
      return 0;
    }
    if (more === undefined && first === 'status') return await showStatus(address ?? '', args);
    if (more === undefined && first === 'stop') return await stop(address ?? '', args);
    if (first !== undefined) throw unknownCommand(args.positional.join(' '), ['status', 'stop'], 'daemon');
    return await runUntilStopped(args);
  } catch (error) {
    return reportFailure(error, 'daemon');
  }
}

/** The first signal ends it in good order, the next one at once. */
async function runUntilStopped(args: DaemonArguments): Promise<number> {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  using _watch = watchInterruptions((interruption) => stopping.abort(interruption));
  await serveDaemon(args, stopping.signal);
  return 0;
}

/** For its help, manuals and completion. */
export function describe(): CommandDescription {
  const { json, now, help } = daemonOptions;
  return {
    name: 'daemon',
    summary: summaries.daemon,
    usage: ['daemon [OPTIONS]', 'daemon status [--json] [ADDRESS]', 'daemon stop [--now] [ADDRESS]'],
    description: `Evaluates and builds for clients: 'neve eval', 'build', 'log' and 'explain' with --daemon or with NEVE_DAEMON=1. They see the
same as without it. It owns a store, and serves that as 'neve store daemon' does.

Commands read and write files as the user of the daemon: they are run only for clients at its Unix socket, which only that
user can open (default: neve/daemon.socket in $XDG_RUNTIME_DIR, or what systemd hands over). What listens at host:port serves
stores, and with --builder builds.`,
    arguments: [],
    options: Object.values(daemonOptions),
    commands: [
      {
        name: 'status',
        summary: 'show what a daemon does',
        usage: ['daemon status [--json] [ADDRESS]'],
        description:
          'Shows the commands of a daemon, its evaluations and builds. The exit code is 1 when there is none.',
        arguments: ['file'],
        options: [json, help],
      },
      {
        name: 'stop',
        summary: 'end a daemon, and wait for its end',
        usage: ['daemon stop [--now] [ADDRESS]'],
        description: 'Ends a daemon when its commands have ended, or ends them too.',
        arguments: ['file'],
        options: [now, help],
      },
    ],
  };
}
