/**
 * Starts a program of the host with the descriptors that it is given, by `posix_spawn`.
 *
 * Node's `spawn` forks, and the kernel then copies the page tables of the whole heap: some ten milliseconds in which nothing
 * else happens. `posix_spawn` of glibc and musl borrows the memory until the program is executed. It cannot start a program as
 * another user; for that there is still `spawn`.
 *
 * The program has a session of its own: what is typed at the terminal, such as Ctrl-C, is for this process alone.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitStatus } from '../../build-error.ts';
import { type CLibrary, cLibrary } from '../c-library.ts';
import type { UserIds } from './sandbox.ts';

export type HostProgram = {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** By number of the descriptor in the program: nothing, a pipe from it or to it, or an open file of this process. */
  readonly descriptors: readonly ('nothing' | 'from' | 'to' | number)[];
  /** `undefined` for the user of this process. */
  readonly runAs: UserIds | undefined;
};

/** A program under way. */
export interface HostProcess {
  readonly pid: number;
  /** The pipes, by number of the descriptor in the program. */
  readonly readable: ReadonlyMap<number, Readable>;
  readonly writable: ReadonlyMap<number, Writable>;
  /** When it has ended and all that it wrote has come. */
  readonly closed: Promise<ExitStatus>;
  kill(): void;
}

/** Throws an `Error` with the `code` of the system when it cannot be started. */
export async function startHostProcess(program: HostProgram): Promise<HostProcess> {
  return program.runAs === undefined
    ? spawnDirectly(program, await cLibrary())
    : await spawnAs(program, program.runAs);
}

// ── By Node ──

function spawnAs(program: HostProgram, { uid, gid }: UserIds): Promise<HostProcess> {
  const { file, args, environment: env, descriptors } = program;
  const stdio = descriptors.map((it) => (it === 'nothing' ? 'ignore' : typeof it === 'number' ? it : 'pipe'));
  const child = spawn(file, args, { cwd: '/', env, stdio, uid, gid, detached: true });
  const closed = new Promise<ExitStatus>((resolve) => {
    child.on('close', (code, signal) => resolve(code === null ? { signal: signal ?? 'SIGKILL' } : { code }));
  });
  const [readable, writable] = [new Map<number, Readable>(), new Map<number, Writable>()];
  for (const [number, it] of descriptors.entries()) {
    // The types know only five streams.
    const stream: unknown = child.stdio[number as 0];
    if (it === 'from') readable.set(number, stream as Readable);
    if (it === 'to') writable.set(number, stream as Writable);
  }
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      if (child.pid === undefined) reject(cause);
    });
    const { pid } = child;
    if (pid !== undefined)
      resolve({ pid, readable, writable, closed, kill: () => void child.kill('SIGKILL') });
  });
}

// ── By the C library ──

const closeOnExec = 0o2_000_000;
/** `fcntl`: another descriptor for the same file, not below a number, closed when a program is executed. */
const duplicateCloseOnExec = 1030;
/** More than these structures have on any platform. */
const structureBytes = 1024;
const setSignalMask = 0x08;
const setDefaultSignals = 0x04;
const newSession = 0x80;
const withoutWaiting = 1;

function spawnDirectly(program: HostProgram, c: CLibrary): HostProcess {
  using files = new OpenFiles(c, program.descriptors.length);
  const [readable, writable] = [new Map<number, Readable>(), new Map<number, Writable>()];
  const sources = program.descriptors.map((it, number) => {
    if (typeof it === 'number') return files.above(it);
    if (it === 'nothing') return files.nothing();
    const { reader, writer } = files.pipe();
    if (it === 'from')
      readable.set(number, new Socket({ fd: files.give(reader), readable: true, writable: false }));
    else writable.set(number, new Socket({ fd: files.give(writer), readable: false, writable: true }));
    return files.above(it === 'from' ? writer : reader);
  });
  try {
    const pid = posixSpawn(program, sources, c);
    return new DirectProcess({ pid, readable, writable, c });
  } catch (cause) {
    for (const stream of [...readable.values(), ...writable.values()]) stream.destroy();
    throw cause;
  }
}

function posixSpawn(
  { file, args, environment }: HostProgram,
  sources: readonly number[],
  c: CLibrary,
): number {
  const [actions, attributes, signals] = [structure(), structure(), structure()];
  c.posix_spawn_file_actions_init(actions);
  c.posix_spawnattr_init(attributes);
  try {
    c.posix_spawn_file_actions_addchdir_np(actions, '/');
    for (const [number, source] of sources.entries())
      c.posix_spawn_file_actions_adddup2(actions, source, number);
    // Node ignores some signals, and blocks others now and then.
    c.sigemptyset(signals);
    c.posix_spawnattr_setsigmask(attributes, signals);
    c.sigfillset(signals);
    c.posix_spawnattr_setsigdefault(attributes, signals);
    c.posix_spawnattr_setflags(attributes, setSignalMask | setDefaultSignals | newSession);
    const pid = new Int32Array(1);
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const errno = c.posix_spawn(pid, file, actions, attributes, [file, ...args, null], [...variables, null]);
    if (errno !== 0) throw systemError(errno, `spawn ${file}`);
    return pid[0] as number;
  } finally {
    c.posix_spawn_file_actions_destroy(actions);
    c.posix_spawnattr_destroy(attributes);
  }
}

/** Opaque to everybody but the C library. */
function structure(): Uint8Array {
  return new Uint8Array(structureBytes);
}

class DirectProcess implements HostProcess {
  readonly pid: number;
  readonly readable: ReadonlyMap<number, Readable>;
  readonly writable: ReadonlyMap<number, Writable>;
  readonly closed: Promise<ExitStatus>;
  #hasEnded = false;

  constructor({
    pid,
    readable,
    writable,
    c,
  }: Pick<HostProcess, 'pid' | 'readable' | 'writable'> & { readonly c: CLibrary }) {
    this.pid = pid;
    this.readable = readable;
    this.writable = writable;
    this.closed = this.#follow(c);
  }

  kill(): void {
    // Until it has been waited for, its number belongs to nobody else.
    if (!this.#hasEnded) process.kill(this.pid, 'SIGKILL');
  }

  async #follow(c: CLibrary): Promise<ExitStatus> {
    const drained = Promise.all(
      Array.from(this.readable.values(), (it) => new Promise<void>((resolve) => it.on('close', resolve))),
    );
    const status = await new Promise<number>((resolve) => {
      const look = (): boolean => {
        if (this.#hasEnded) return true;
        const found = new Int32Array(1);
        if (c.waitpid(this.pid, found, withoutWaiting) === 0) return false;
        this.#hasEnded = true;
        childWatchers.delete(look);
        resolve(found[0] as number);
        return true;
      };
      childWatchers.add(look);
      // There is no signal in a thread, nor for what has ended before anybody listened.
      void drained.then(() => lookUntilDone(look));
    });
    for (const stream of this.writable.values()) stream.destroy();
    await drained;
    return statusOfWait(status);
  }
}

/** Called whenever a process that was started here may have ended. */
class ChildWatchers {
  readonly #watchers = new Set<() => boolean>();
  readonly #lookAtAll = (): void => {
    for (const look of this.#watchers) look();
  };

  add(look: () => boolean): void {
    if (this.#watchers.size === 0) process.on('SIGCHLD', this.#lookAtAll);
    this.#watchers.add(look);
  }

  delete(look: () => boolean): void {
    this.#watchers.delete(look);
    if (this.#watchers.size === 0) process.off('SIGCHLD', this.#lookAtAll);
  }
}

const childWatchers = new ChildWatchers();
const longestPauseMs = 50;

async function lookUntilDone(look: () => boolean): Promise<void> {
  for (let pauseMs = 1; !look(); pauseMs = Math.min(2 * pauseMs, longestPauseMs)) await sleep(pauseMs);
}

/** What is open only until the program has it. */
class OpenFiles implements Disposable {
  readonly #c: CLibrary;
  /** Numbers below are those of the program. */
  readonly #lowest: number;
  /** By the C library: Node warns of files in threads that it has not opened. */
  readonly #open = new Set<number>();
  #nothing: number | undefined;

  constructor(c: CLibrary, lowest: number) {
    this.#c = c;
    this.#lowest = lowest;
  }

  /** The same file under a number that is not one of the program. */
  above(file: number): number {
    if (file >= this.#lowest) return file;
    const other = this.#c.fcntl(file, duplicateCloseOnExec, this.#lowest);
    if (other < 0) throw new Error('there are no descriptors left');
    this.#open.add(other);
    return other;
  }

  nothing(): number {
    this.#nothing ??= openSync('/dev/null', 'r+');
    return this.above(this.#nothing);
  }

  pipe(): { readonly reader: number; readonly writer: number } {
    const ends = new Int32Array(2);
    if (this.#c.pipe2(ends, closeOnExec) !== 0) throw new Error('there are no descriptors left');
    const [reader = -1, writer = -1] = ends;
    this.#open.add(reader).add(writer);
    return { reader, writer };
  }

  /** It belongs to somebody else from now on. */
  give(file: number): number {
    this.#open.delete(file);
    return file;
  }

  [Symbol.dispose](): void {
    for (const file of this.#open) this.#c.close(file);
    if (this.#nothing !== undefined) closeSync(this.#nothing);
  }
}

/** As `wait` has it: the low seven bits are a signal, or the exit code is in the next byte. */
export function statusOfWait(status: number): ExitStatus {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.entries(osConstants.signals).find(([, number]) => number === signal)?.[0];
  return { signal: name ?? `signal ${signal}` };
}

function systemError(errno: number, what: string): Error {
  const code = Object.entries(osConstants.errno).find(([, number]) => number === errno)?.[0] ?? String(errno);
  return Object.assign(new Error(`${what} ${code}`), { code });
}
