/**
 * An LMDB environment: one folder with a database that several processes read and write at the same time. Tables in it map
 * byte strings (keys of at most 1978 bytes) to byte strings.
 *
 * Reads are synchronous and see what was last committed. A write transaction has LMDB's one write lock while its
 * function runs; when the promise of `write` is fulfilled, it is on disk. Writes of the same turn of the event loop share
 * one transaction and one sync, each whole or not at all. The transaction is synchronous: the library's asynchronous ones
 * never end on some machines.
 *
 * A folder is opened once in a process, however many services use it; the last to dispose closes it.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { CastoreError } from '../castore-error.ts';
import { lmdbFileProblem } from './check-lmdb-file.ts';

export type LmdbTable = Database<Buffer, Buffer>;

const options = {
  keyEncoding: 'binary',
  encoding: 'binary',
  // A commit is visible only when it is durable.
  overlappingSync: false,
  maxDbs: 32,
} as const;

/** A change runs inside of the transaction and gives what is to be done after it. */
type QueuedChange = { readonly change: () => () => void; readonly reject: (cause: unknown) => void };

type Root = RootDatabase<Buffer, Buffer>;

/** `queue` has the changes of this turn of the event loop. */
type SharedEnvironment = { readonly root: Root; users: number; queue: QueuedChange[] };

const openEnvironments = new Map<string, Promise<SharedEnvironment>>();

export class LmdbEnvironment implements AsyncDisposable {
  readonly path: string;
  readonly #shared: SharedEnvironment;
  #open = true;

  private constructor(path: string, environment: SharedEnvironment) {
    this.path = path;
    this.#shared = environment;
  }

  /** Opens the database in the folder `path`, which is made when it is missing. Throws `CastoreError` (`io`). */
  static async open(path: string): Promise<LmdbEnvironment> {
    try {
      await mkdir(path, { recursive: true });
      const folder = await realpath(path);
      const opening = openEnvironments.get(folder) ?? openShared(folder);
      openEnvironments.set(folder, opening);
      // What failed is tried again the next time.
      opening.catch(() => openEnvironments.delete(folder));
      const environment = await opening;
      environment.users++;
      return new LmdbEnvironment(folder, environment);
    } catch (cause) {
      throw new CastoreError('io', `the database in '${path}' cannot be opened: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** The table with that name, which is made when it is missing. */
  table(name: string): LmdbTable {
    return this.#shared.root.openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary' });
  }

  /**
   * Runs `change` in a write transaction. It must not wait for anything; it writes with `putSync` and `removeSync`. When it
   * throws, nothing of it is written. Fulfilled when the transaction is on disk.
   */
  write<T>(change: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#shared.queue.push({
        change: () => {
          const result = change();
          return () => resolve(result);
        },
        reject,
      });
      if (this.#shared.queue.length === 1) setImmediate(() => commitQueue(this.#shared));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    if (--this.#shared.users > 0) return;
    openEnvironments.delete(this.path);
    commitQueue(this.#shared);
    await this.#shared.root.close();
  }
}

async function openShared(path: string): Promise<SharedEnvironment> {
  const problem = await lmdbFileProblem(join(path, 'data.mdb'));
  if (problem !== undefined) {
    throw new Error(
      `data.mdb is damaged: ${problem}; put back a copy of it, or remove it to begin with nothing`,
    );
  }
  const { open } = await import('lmdb');
  return { root: open<Buffer, Buffer>(path, options), users: 0, queue: [] };
}

/** All waiting changes in one transaction. When one throws, each gets a transaction of its own. */
function commitQueue(environment: SharedEnvironment): void {
  const { queue } = environment;
  environment.queue = [];
  if (queue.length === 0) return;
  try {
    const finish = environment.root.transactionSync(() => queue.map(({ change }) => change()));
    for (const done of finish) done();
  } catch (cause) {
    const [only] = queue;
    if (queue.length === 1 && only !== undefined) only.reject(cause);
    else for (const entry of queue) commitQueue({ ...environment, queue: [entry] });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
