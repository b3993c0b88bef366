/** `neve nix-daemon`: the store, and builds in it, for clients of Nix. */
import { setMaxListeners } from 'node:events';
import type { Peer } from '@neve/nix-daemon';
import { type ServerEvent, serveNixDaemon, serveStdio } from '@neve/nix-daemon/node';
import { bugText } from '../bug-text.ts';
import type { CommandDescription } from '../command-description.ts';
import { reportFailure } from '../error-text.ts';
import { type Interruption, untilAborted, watchInterruptions } from '../interruption.ts';
import { helpText } from '../help.ts';
import { write } from '../output.ts';
import {
  type NixDaemonArguments,
  type NixDaemonOptions,
  describeNixDaemon,
  nixDaemonOptions,
  parseNixDaemonArguments,
} from './nix-daemon-options.ts';
import { type OpenDaemon, type Places, openDaemon } from './open-daemon.ts';

/** Gives the exit code. */
export async function runNixDaemon(argv: readonly string[]): Promise<number> {
  const aborter = new AbortController();
  // Everything that is under way listens to it.
  setMaxListeners(0, aborter.signal);
  let interruption: Interruption | undefined;
  using _watch = watchInterruptions((it) => {
    interruption = it;
    aborter.abort(it);
  });
  try {
    const args = parseNixDaemonArguments(argv);
    if (args.has('help')) {
      write(1, helpText(describeNixDaemon()));
      return 0;
    }
    const options = nixDaemonOptions(args);
    await using opened = await openDaemon(options);
    await (args.has('stdio')
      ? serveOne(opened, args, aborter.signal)
      : serveAll(opened, options, aborter.signal));
    return 0;
  } catch (error) {
    if (interruption !== undefined) return interruption.exitCode;
    return reportFailure(error, 'nix-daemon');
  }
}

/** For manuals and completion. */
export function describe(): CommandDescription {
  return describeNixDaemon();
}

/** A client that has ended is no failure, however it did. */
async function serveOne(
  { daemon }: OpenDaemon,
  args: NixDaemonArguments,
  signal: AbortSignal,
): Promise<void> {
  const { stdin: input, stdout: output } = process;
  const isTrusted = !args.has('forceUntrusted');
  await serveStdio(daemon, { input, output, isTrusted, onEvent: showProblem, signal });
}

// oxlint-disable-next-line eslint/max-params -- what to serve, how, and until when
async function serveAll(
  { daemon, places }: OpenDaemon,
  { args, rules }: NixDaemonOptions,
  signal: AbortSignal,
): Promise<void> {
  const listen = args.last('listen') ?? places.socket;
  const isQuiet = args.has('quiet');
  await using server = await serveNixDaemon(daemon, {
    listen,
    rules,
    onEvent: (event) => {
      if (!isQuiet) showClient(event);
      showProblem(event);
    },
  });
  if (!isQuiet) write(2, `${greeting(server.address, places)}\n`);
  await untilAborted(signal);
}

function greeting(address: string, { view, logs }: Places): string {
  if (address === 'sd-listen') return 'listening on the sockets of systemd';
  const query = [...(view === undefined ? [] : [`real=${view}`]), `log=${logs}`].join('&');
  return `listening on ${address}; clients connect to unix://${address}?${query}`;
}

function showClient(event: ServerEvent): void {
  if (event.kind !== 'accepted') return;
  const trust = event.isTrusted ? ' (trusted)' : '';
  write(2, `accepted connection from pid ${event.pid ?? '<unknown>'}, user ${nameOf(event.peer)}${trust}\n`);
}

function showProblem(event: ServerEvent): void {
  if (event.kind === 'refused') {
    write(2, `warning: user '${nameOf(event.peer)}' is not allowed to connect to the Nix daemon\n`);
  } else if (event.kind === 'failed') {
    write(2, `warning: a connection has ended: ${event.error.message}\n`);
  } else if (event.kind === 'bug') {
    write(2, `error: ${bugText(event.error)}\n`);
  }
}

function nameOf({ user }: Peer): string {
  return user ?? '<unknown>';
}
