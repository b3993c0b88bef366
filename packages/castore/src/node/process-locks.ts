/**
 * Locks among the processes that use one LMDB environment: a row of a table says which process has it.
 *
 *     key → JSON `{ pid, startTime, namespace, bootId, sinceMs, token }` of the holder
 *
 * A lock ends when it is disposed of, or with its process; of a process of which nothing can be seen, in another container,
 * it counts for a day. Whoever waits looks again after a while, so that nobody has to be woken.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../abortable.ts';
import type { LmdbEnvironment, LmdbTable } from './lmdb-environment.ts';
import { type ProcessIdentity, ownIdentity, stateOf } from './process-identity.ts';

const shortestWaitMs = 20;
const longestWaitMs = 500;
const foreignLockMs = 24 * 60 * 60 * 1000;

export type ProcessLockOptions = {
  /** Called once if the locks are not free. */
  readonly onWait?: () => void;
  readonly signal?: AbortSignal | undefined;
};

type Holder = ProcessIdentity & { readonly sinceMs: number; readonly token: string };

export class ProcessLocks {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;

  constructor(environment: LmdbEnvironment, table: string) {
    this.#environment = environment;
    this.#table = environment.table(table);
  }

  /**
   * Waits until nobody else has any of the keys, then has all of them; nobody has some while waiting for others. Dispose of
   * it in the end. Throws the reason of the signal.
   */
  async acquire(keys: readonly Buffer[], options: ProcessLockOptions = {}): Promise<AsyncDisposable> {
    const { onWait, signal } = options;
    const token = randomUUID();
    const own: Holder = { ...(await ownIdentity()), sinceMs: Date.now(), token };
    signal?.throwIfAborted();
    for (let waitMs = shortestWaitMs; !(await this.#take(keys, own)); waitMs *= 2) {
      if (waitMs === shortestWaitMs) onWait?.();
      await abortable(sleep(Math.min(waitMs, longestWaitMs)), signal);
    }
    return { [Symbol.asyncDispose]: () => this.#release(keys, token) };
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
