/** `neve daemon status` and `neve daemon stop`. */
import { RpcError } from '@neve/rpc';
import { type ReadDaemonStatus, daemonStatus, stopDaemon } from '@neve/rpc/node';
import { write } from '../output.ts';
import { formatBytes } from '../quantities.ts';
import { daemonTarget, titleOf } from './daemon-address.ts';
import type { DaemonArguments } from './daemon-options.ts';

const pollMs = 50;

/** Gives the exit code: 1 when there is no daemon. */
export async function showStatus(address: string, args: DaemonArguments): Promise<number> {
  const target = targetOf(address);
  try {
    const status = await daemonStatus(target);
    write(1, args.has('json') ? `${JSON.stringify(status)}\n` : statusText(status, titleOf(target)));
    return 0;
  } catch (error) {
    return reportNoDaemon(error, titleOf(target));
  }
}

/** Returns when it has ended. */
export async function stop(address: string, args: DaemonArguments): Promise<number> {
  const target = targetOf(address);
  let processId: number;
  try {
    ({ processId } = await daemonStatus(target));
  } catch (error) {
    return reportNoDaemon(error, titleOf(target));
  }
  try {
    await stopDaemon(target, { now: args.has('now') });
  } catch (error) {
    // One that has nothing to wait for may be gone before it has answered.
    if (!isGone(error)) return reportNoDaemon(error, titleOf(target));
  }
  while (await isRunning(processId, target)) await new Promise((resolve) => setTimeout(resolve, pollMs));
  return 0;
}

function isGone(error: unknown): boolean {
  return error instanceof RpcError && error.code === 'unavailable';
}

function targetOf(address: string): ReturnType<typeof daemonTarget> {
  const { NEVE_DAEMON: variable = '' } = process.env;
  return daemonTarget(address === '' ? variable : address, process.env);
}

/** Another one may have taken its place already. */
async function isRunning(processId: number, target: ReturnType<typeof daemonTarget>): Promise<boolean> {
  try {
    return (await daemonStatus(target)).processId === processId;
  } catch (error) {
    // Calls under way may fail in any way while it ends.
    if (error instanceof RpcError) return error.code !== 'unavailable';
    throw error;
  }
}

function reportNoDaemon(error: unknown, title: string): number {
  if (!(error instanceof RpcError)) throw error;
  const what =
    error.code === 'unavailable' ? `there is no daemon at '${title}'` : `the daemon at '${title}' failed`;
  write(2, `error: ${what}: ${error.message}\n`);
  return 1;
}

function statusText(status: ReadDaemonStatus, title: string): string {
  const { version, processId, uptimeSeconds, commands, evaluations, builds, memoryBytes } = status;
  const rows = commands.map(({ name, words, seconds, state }) => {
    const text = `neve ${[name, ...words].join(' ')}`;
    return `  ${state.padEnd(10)} ${seconds.toFixed(1).padStart(8)} s  ${text}\n`;
  });
  return [
    `daemon of neve ${version} at ${title}, process ${processId}${status.isEnding ? ', about to end' : ''}\n`,
    `up ${uptimeSeconds.toFixed(0)} s, ${formatBytes(memoryBytes)} of memory, ${status.finishedCommands} commands finished\n`,
    `evaluations: ${queueText(evaluations)}\n`,
    `builds: ${queueText(builds)}\n`,
    ...(rows.length === 0 ? [] : ['commands:\n', ...rows]),
  ].join('');
}

function queueText({ running, waiting, limit }: ReadDaemonStatus['builds']): string {
  return `${running} of ${limit} running, ${waiting} waiting`;
}
