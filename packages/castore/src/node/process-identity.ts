/**
 * Which process something belongs to, so that others can tell later whether it still runs: its number, when it was
 * started, and the boot, since numbers are used again. Of a process in another process namespace (a container) nothing can
 * be seen. Where there is no `/proc`, only the number counts.
 */
import { readFile, readlink } from 'node:fs/promises';

export type ProcessIdentity = {
  readonly pid: number;
  /** In ticks since the boot. */
  readonly startTime: string;
  readonly namespace: string;
  readonly bootId: string;
};

/** `unknown` for one that another namespace has. */
export type ProcessState = 'running' | 'ended' | 'unknown';

let own: Promise<ProcessIdentity> | undefined;

export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= identify(process.pid);
  return own;
}

export async function stateOf(process: ProcessIdentity): Promise<ProcessState> {
  const { bootId, namespace } = await ownIdentity();
  if (process.bootId !== bootId) return 'ended';
  if (process.namespace !== namespace) return 'unknown';
  if (!isRunning(process.pid)) return 'ended';
  return (await identify(process.pid)).startTime === process.startTime ? 'running' : 'ended';
}

/** Empty texts where the system does not say. */
async function identify(pid: number): Promise<ProcessIdentity> {
  const [stat, namespace, bootId] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => ''),
  ]);
  // The command, in parentheses, may hold anything; the start time is the 20th field after it.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { pid, startTime, namespace, bootId: bootId.trim() };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
