/**
 * Locks among the processes that use one LMDB environment.
 *
 *     table 'work'   key → JSON `{ pid, startTime, namespace, bootId, sinceMs }` of the holder
 *
 * A lock ends when it is disposed of, or with its process. Of a process of which nothing can be seen it counts for a day.
 * Whoever waits looks again from time to time.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LmdbEnvironment, ownIdentity, stateOf } from '@neve/castore/node';
import type { LmdbTable, ProcessIdentity } from '@neve/castore/node';
import type { LockOptions, WorkLocks } from '../work-locks.ts';

const shortestWaitMs = 20;
const longestWaitMs = 500;
const foreignLockMs = 24 * 60 * 60 * 1000;

type Holder = ProcessIdentity & { readonly sinceMs: number; readonly token: string };

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbWorkLocks(path: string): Promise<WorkLocks & AsyncDisposable> {
  return new LmdbWorkLocks(await LmdbEnvironment.open(path));
}

class LmdbWorkLocks implements WorkLocks, AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('work');
  }

  async acquire(keys: readonly string[], { onWait, signal }: LockOptions = {}): Promise<AsyncDisposable> {
    const rows = keys.map((key) => Buffer.from(key));
    const token = randomBytes(12).toString('hex');
    const own: Holder = { ...(await ownIdentity()), sinceMs: Date.now(), token };
    for (let waitMs = 0; !(await this.#take(rows, own)); waitMs = nextWaitMs(waitMs)) {
      if (waitMs === 0) onWait?.();
      else await sleep(waitMs, undefined, { signal });
    }
    return { [Symbol.asyncDispose]: () => this.#release(rows, token) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }

  /** All of them or none. */
  async #take(keys: readonly Buffer[], own: Holder): Promise<boolean> {
    const ended = new Set<string>();
    for (const key of keys) {
      const holder = this.#holder(key);
      if (holder === undefined) continue;
      if (await isHeld(holder)) return false;
      ended.add(holder.token);
    }
    return await this.#environment.write(() => {
      const holders = keys.map((key) => this.#holder(key));
      if (holders.some((it) => it !== undefined && !ended.has(it.token))) return false;
      for (const key of keys) this.#table.put(key, Buffer.from(JSON.stringify(own)));
      return true;
    });
  }

  #release(keys: readonly Buffer[], token: string): Promise<void> {
    return this.#environment.write(() => {
      for (const key of keys) if (this.#holder(key)?.token === token) this.#table.remove(key);
    });
  }

  /** A row that cannot be read is nobody's. */
  #holder(key: Buffer): Holder | undefined {
    const value = this.#table.get(key);
    try {
      return value === undefined ? undefined : (JSON.parse(value.toString()) as Holder);
    } catch {
      return undefined;
    }
  }
}

async function isHeld(holder: Holder): Promise<boolean> {
  const state = await stateOf(holder);
  return state === 'unknown' ? Date.now() - holder.sinceMs < foreignLockMs : state === 'running';
}

function nextWaitMs(waitMs: number): number {
  return waitMs === 0 ? shortestWaitMs : Math.min(2 * waitMs, longestWaitMs);
}
