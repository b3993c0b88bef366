/**
 * The limits of a request that the kernel does not keep by itself: time, silence, length of the log, and by looking now and
 * then, memory, processes and disk of the whole build. What is over a limit ends the build; `error` says why.
 *
 * Looking is less exact than cgroups: a build may be over a limit for a moment. But it needs no rights and nothing set up,
 * so it is the same for everybody. What the kernel does limit is in `command-program.ts`.
 */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { BuildError, type BuildErrorCode } from '../build-error.ts';
import type { BuildLimits } from '../build-request.ts';
import { childrenOf } from './sandbox/run-in-sandbox.ts';

export type WatchedBuild = {
  /** The process of the host that all of the build is below. */
  readonly pid: number;
  readonly scratchFolders: readonly string[];
  readonly kill: () => void;
};

const processIntervalMs = 100;
const diskIntervalMs = 500;
/** How much of the time is spent on adding up sizes, at most. */
const diskShare = 0.1;

export class LimitWatch implements Disposable {
  readonly #limits: BuildLimits;
  #build: WatchedBuild | undefined;
  #logBytes = 0;
  #error: BuildError | undefined;
  #silence: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #disk: NodeJS.Timeout | undefined;

  constructor(limits: BuildLimits) {
    this.#limits = limits;
  }

  /** Why the build was ended, if it was. */
  get error(): BuildError | undefined {
    return this.#error;
  }

  /** The command runs now. */
  start(build: WatchedBuild): void {
    this.#build = build;
    const { timeMs, memoryBytes, processes, scratchBytes, silenceMs } = this.#limits;
    if (timeMs !== undefined) {
      const problem = `the build ran longer than the ${timeMs / 1000} s that it may`;
      this.#timers.push(setTimeout(() => this.#end('timeout', problem), timeMs));
    }
    if (silenceMs !== undefined) {
      const problem = `the build printed nothing for ${silenceMs / 1000} s, and that is as long as it may`;
      this.#silence = setTimeout(() => this.#end('silent', problem), silenceMs);
    }
    if (memoryBytes !== undefined || processes !== undefined) {
      this.#timers.push(setInterval(() => this.#checkProcesses(), processIntervalMs));
    }
    if (scratchBytes !== undefined) this.#watchDisk(scratchBytes);
  }

  /** False for bytes that are more than the log may have. */
  log(bytes: Uint8Array): boolean {
    this.#silence?.refresh();
    const { logBytes } = this.#limits;
    this.#logBytes += bytes.length;
    if (logBytes === undefined || this.#logBytes <= logBytes) return true;
    this.#end('limit-exceeded', `the build printed more than the ${logBytes} bytes that it may`);
    return false;
  }

  /** To be called when the command has ended, before its outputs are used. */
  finish(): void {
    const { scratchBytes } = this.#limits;
    if (scratchBytes !== undefined && this.#error === undefined) this.#checkDisk(scratchBytes);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#silence);
    clearTimeout(this.#disk);
  }

  #end(code: BuildErrorCode, problem: string): void {
    this.#error ??= new BuildError(code, problem);
    this.#build?.kill();
  }

  #checkProcesses(): void {
    const { memoryBytes = Infinity, processes = Infinity } = this.#limits;
    const found = processesBelow(this.#build?.pid ?? 0, processes);
    if (found.length > processes) {
      this.#end('limit-exceeded', `the build had more than the ${processes} processes that it may`);
    } else if (memoryBytes < Infinity && residentBytes(found) > memoryBytes) {
      this.#end('limit-exceeded', `the build used more than the ${memoryBytes} bytes of memory that it may`);
    }
  }

  #watchDisk(limit: number): void {
    const look = (): void => {
      const startedMs = performance.now();
      this.#checkDisk(limit);
      if (this.#error !== undefined) return;
      const tookMs = performance.now() - startedMs;
      this.#disk = setTimeout(look, Math.max(diskIntervalMs, tookMs / diskShare));
    };
    this.#disk = setTimeout(look, diskIntervalMs);
  }

  #checkDisk(limit: number): void {
    let left = limit;
    for (const folder of this.#build?.scratchFolders ?? []) left -= allocatedBytes(Buffer.from(folder), left);
    if (left >= 0) return;
    this.#end('limit-exceeded', `the build wrote more than the ${limit} bytes that it may keep`);
  }
}

/** Looking ends when there are more than `limit`. */
function processesBelow(pid: number, limit: number): readonly number[] {
  const found: number[] = [];
  const open = [...childrenOf(pid)];
  for (let next = open.pop(); next !== undefined && found.length <= limit; next = open.pop()) {
    found.push(next);
    open.push(...childrenOf(next));
  }
  return found;
}

/** Memory of processes, in bytes, without the files that they share. */
function residentBytes(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    try {
      const text = readFileSync(`/proc/${pid}/status`, 'latin1');
      for (const name of ['RssAnon', 'RssShmem', 'VmSwap']) {
        sum += 1024 * Number(new RegExp(`^${name}:\\s*(\\d+)`, 'mu').exec(text)?.[1] ?? 0);
      }
    } catch {
      // It has ended.
    }
  }
  return sum;
}

/** What a tree takes on the disk; counting ends when it is more than `limit`. */
function allocatedBytes(folder: Buffer, limit: number): number {
  let sum = 0;
  const open = [folder];
  for (let next = open.pop(); next !== undefined && sum <= limit; next = open.pop()) {
    let names: readonly Buffer[];
    try {
      names = readdirSync(next, { encoding: 'buffer' });
    } catch {
      // It has gone, or its owner cannot read it either.
      continue;
    }
    for (const name of names) {
      const path = Buffer.concat([next, Buffer.from('/'), name]);
      try {
        const stats = lstatSync(path);
        sum += stats.blocks * 512;
        if (stats.isDirectory()) open.push(path);
      } catch {
        // It has gone.
      }
    }
  }
  return sum;
}
