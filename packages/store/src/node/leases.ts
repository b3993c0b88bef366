/**
 * Who is writing to a store at the moment. A writer takes a lease before it looks for what is there; garbage collection
 * then leaves alone what was used since the oldest lease began.
 *
 *     table 'leases'   random:16 → JSON `{ pid, startTime, namespace, bootId, startedAtMs }`
 *
 * A lease ends when it is disposed of, or with its process. Of a process of which nothing can be seen it counts for a day.
 */
import { randomBytes } from 'node:crypto';
import { LmdbEnvironment, ownIdentity, stateOf } from '@neve/castore/node';
import type { LmdbTable, ProcessIdentity } from '@neve/castore/node';

export type Lease = AsyncDisposable & { readonly startedAtMs: number };

type LeaseRow = ProcessIdentity & { readonly startedAtMs: number };

const foreignLeaseMs = 24 * 60 * 60 * 1000;

export class Leases implements AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;
  /** Of leases that were acquired here. */
  readonly #keys = new WeakMap<Lease, Buffer>();

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
    const identity = await ownIdentity();
    const startedAtMs = Date.now();
    const row: LeaseRow = { ...identity, startedAtMs };
    await this.#environment.write(() => this.#table.put(key, Buffer.from(JSON.stringify(row))));
    const lease: Lease = {
      startedAtMs,
      [Symbol.asyncDispose]: async () => {
        await this.#environment.write(() => this.#table.remove(key));
      },
    };
    this.#keys.set(lease, key);
    return lease;
  }

  /** When the oldest writer began that still runs, some leases of this object left out; those that do not run are forgotten. */
  async oldestMs(except: Iterable<Lease> = []): Promise<number | undefined> {
    const leftOut = new Set(Array.from(except, (it) => this.#keys.get(it)?.toString('hex')));
    const alive: number[] = [];
    const dead: Buffer[] = [];
    for (const { key, value } of this.#table.range()) {
      if (leftOut.has(key.toString('hex'))) continue;
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
  const state = await stateOf(row);
  return state === 'unknown' ? Date.now() - row.startedAtMs < foreignLeaseMs : state === 'running';
}
