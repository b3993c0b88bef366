/**
 * Who is writing to a store at the moment. A writer takes a lease before it looks for what is there; garbage collection
 * then leaves alone what was used since the oldest lease began.
 *
 *     table 'leases'   random:16 → JSON `{ pid, startTime, namespace, bootId, startedAtMs }`
 *
 * A lease ends when it is disposed of, or with its process: the process number, the start time of the process and the boot
 * tell whether it still runs. Of a process in another process namespace (a container) nothing can be seen; its lease counts
 * for a day. Where there is no `/proc`, only the process number counts.
 */
import { randomBytes } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { LmdbEnvironment } from '@neve/castore/node';
import type { LmdbTable } from '@neve/castore/node';

export type Lease = AsyncDisposable & { readonly startedAtMs: number };

type LeaseRow = {
  readonly pid: number;
  /** In ticks since the boot. */
  readonly startTime: string;
  readonly namespace: string;
  readonly bootId: string;
  readonly startedAtMs: number;
};

const foreignLeaseMs = 24 * 60 * 60 * 1000;

export class Leases implements AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  private constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('leases');
  }

  /** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
  static async open(path: string): Promise<Leases> {
    return new Leases(await LmdbEnvironment.open(path));
  }

  /** When it is fulfilled, the lease is seen by everybody. */
  async acquire(): Promise<Lease> {
    const key = randomBytes(16);
    const identity = await identify(process.pid);
    const startedAtMs = Date.now();
    const row: LeaseRow = { pid: process.pid, ...identity, startedAtMs };
    await this.#environment.write(() => this.#table.put(key, Buffer.from(JSON.stringify(row))));
    return {
      startedAtMs,
      [Symbol.asyncDispose]: async () => {
        await this.#environment.write(() => this.#table.remove(key));
      },
    };
  }

  /** When the oldest writer began that still runs; those that do not are forgotten. */
  async oldestMs(): Promise<number | undefined> {
    const alive: number[] = [];
    const dead: Buffer[] = [];
    for (const { key, value } of this.#table.range()) {
      const row = parseRow(value);
      if (row !== undefined && (await isAlive(row))) alive.push(row.startedAtMs);
      else dead.push(key);
    }
    if (dead.length > 0) await this.#environment.write(() => dead.forEach((key) => this.#table.remove(key)));
    return alive.length === 0 ? undefined : Math.min(...alive);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}

function parseRow(value: Buffer): LeaseRow | undefined {
  try {
    // Only `acquire` writes rows.
    return JSON.parse(value.toString()) as LeaseRow;
  } catch {
    return undefined;
  }
}

async function isAlive(row: LeaseRow): Promise<boolean> {
  const own = await identify(process.pid);
  if (row.bootId !== own.bootId) return false;
  if (row.namespace !== own.namespace) return Date.now() - row.startedAtMs < foreignLeaseMs;
  if (!isRunning(row.pid)) return false;
  return (await identify(row.pid)).startTime === row.startTime;
}

type Identity = Pick<LeaseRow, 'startTime' | 'namespace' | 'bootId'>;

/** Empty texts where the system does not say. */
async function identify(pid: number): Promise<Identity> {
  const [stat, namespace, bootId] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
    readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => ''),
  ]);
  // The command, in parentheses, may hold anything; the start time is the 20th field after it.
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { startTime, namespace, bootId: bootId.trim() };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
