/**
 * An LMDB environment: one folder with a database that several processes read and write at the same time. Tables in it map
 * byte strings (keys of at most 1978 bytes) to byte strings.
 *
 * Reads are synchronous and see what anybody had committed when they began; those up to the next `await` see one state. A
 * write transaction has LMDB's one write lock while its function runs; when the promise of `write` is fulfilled, it is on
 * disk. Writes of the same turn of the event loop share one transaction and one sync, each whole or not at all. The
 * transaction is synchronous: the library's asynchronous ones never end on some machines.
 *
 * The library keeps one read transaction and renews it by a timer, so that a read could see the state of some turns ago,
 * which is wrong for whoever was told by another process that something is stored. So it is reset here before a read. That
 * is sound only while no cursor is open, for which reason ranges are read to their end, and long ones in pages.
 *
 * A folder is opened once in a thread, however many services use it; the last to dispose closes it. The library shares it
 * between threads.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type * as Lmdb from 'lmdb';
import type { Database, RangeOptions, RootDatabase } from 'lmdb';
import { CastoreError } from '../castore-error.ts';
import { lmdbFileProblem } from './check-lmdb-file.ts';
import { forceCollection } from './force-collection.ts';

export type LmdbRow = { readonly key: Buffer; readonly value: Buffer };

/** From `start` (inclusive), or from what comes after `after`, to `end` (exclusive), in the order of the keys. */
export type LmdbRange = {
  readonly start?: Buffer;
  readonly after?: Buffer;
  readonly end?: Buffer;
  readonly limit?: number;
};

const tableFormat = { keyEncoding: 'binary', encoding: 'binary' } as const;
// A commit is visible only when it is durable.
const environmentOptions = { ...tableFormat, overlappingSync: false, maxDbs: 32 } as const;
const rowsOfPage = 256;
const maxOpenAttempts = 40;
const openDelayMs = 50;

/** A change runs inside of the transaction and gives what is to be done after it. */
type QueuedChange = { readonly change: () => () => void; readonly reject: (cause: unknown) => void };

type SharedEnvironment = {
  readonly path: string;
  readonly root: RootDatabase<Buffer, Buffer>;
  users: number;
  /** The changes of this turn of the event loop. */
  queue: QueuedChange[];
  /** Reads need not be renewed: they were since the last `await`, or a write transaction is running. */
  isCurrent: boolean;
};

const openEnvironments = new Map<string, Promise<SharedEnvironment>>();

export class LmdbEnvironment implements AsyncDisposable {
  readonly path: string;
  readonly #shared: SharedEnvironment;
  #open = true;

  private constructor(environment: SharedEnvironment) {
    this.path = environment.path;
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
      return new LmdbEnvironment(environment);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new CastoreError('io', `the database in '${path}' cannot be opened: ${message}`, { cause });
    }
  }

  /** The table with that name, which is made when it is missing. */
  table(name: string): LmdbTable {
    return new LmdbTable(this.#shared, this.#shared.root.openDB<Buffer, Buffer>({ name, ...tableFormat }));
  }

  /**
   * Runs `change` in a write transaction. It must not wait for anything; it writes with `put` and `remove`. When it throws,
   * nothing of it is written. Fulfilled when the transaction is on disk. Throws `CastoreError` (`io`), and what the change
   * throws.
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
    if (this.#shared.users === 1) {
      openEnvironments.delete(this.path);
      commitQueue(this.#shared);
    }
    if (--this.#shared.users === 0) await this.#shared.root.close();
  }
}

/** `put` and `remove` are for the inside of a write transaction. Reading throws `CastoreError` (`io`). */
export class LmdbTable {
  readonly #shared: SharedEnvironment;
  readonly #database: Database<Buffer, Buffer>;

  constructor(shared: SharedEnvironment, database: Database<Buffer, Buffer>) {
    this.#shared = shared;
    this.#database = database;
  }

  get(key: Uint8Array): Buffer | undefined {
    return this.#read(() => this.#database.get(asLibraryBytes(key)));
  }

  /** Like `get`, but the bytes are in the library's own memory, and good only until the next call. */
  view(key: Uint8Array): Buffer | undefined {
    return this.#read(() => this.#database.getBinaryFast(asLibraryBytes(key)));
  }

  has(key: Uint8Array): boolean {
    return this.#read(() => this.#database.doesExist(asLibraryBytes(key)));
  }

  range(range: LmdbRange = {}): readonly LmdbRow[] {
    return this.#read(() => [...this.#database.getRange(optionsOf(range))]);
  }

  keys(range: LmdbRange = {}): readonly Buffer[] {
    return this.#read(() => [...this.#database.getKeys(optionsOf(range))]);
  }

  /** All rows. Those that are put or removed between two of them may be there or not. */
  *rows(): Generator<LmdbRow, void, void> {
    let page = this.range({ limit: rowsOfPage });
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      yield* page;
      page = this.range({ limit: rowsOfPage, after: last.key });
    }
  }

  /** The bytes are the caller's again afterwards. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#database.putSync(asLibraryBytes(key), asLibraryBytes(value));
  }

  /** Whether it was there. */
  remove(key: Uint8Array): boolean {
    return this.#database.removeSync(asLibraryBytes(key));
  }

  #read<T>(read: () => T): T {
    try {
      renew(this.#shared);
      return read();
    } catch (cause) {
      throw asOurs(this.#shared, 'read', cause);
    }
  }
}

/**
 * The library asks for a `Buffer` and takes any bytes. To make one of a small array costs more than finding it: the array
 * has to be given memory outside of the heap first.
 */
function asLibraryBytes(bytes: Uint8Array): Buffer {
  return bytes as Buffer;
}

async function openShared(path: string): Promise<SharedEnvironment> {
  const problem = await lmdbFileProblem(join(path, 'data.mdb'));
  if (problem !== undefined) {
    throw new Error(
      `data.mdb is damaged: ${problem}; put back a copy of it, or remove it to begin with nothing`,
    );
  }
  const { open } = await import('lmdb');
  let root = tryOpen(path, open);
  for (let attempt = 2; root === undefined; attempt++) {
    await closeUnreachable();
    await sleep(openDelayMs * (0.5 + Math.random()));
    // The last one throws.
    root = attempt < maxOpenAttempts ? tryOpen(path, open) : open<Buffer, Buffer>(path, environmentOptions);
  }
  return { path, root, users: 0, queue: [], isCurrent: false };
}

/** Undefined when it had broken mutexes. The error is not given, since it keeps what it was thrown through. */
function tryOpen(path: string, open: typeof Lmdb.open): RootDatabase<Buffer, Buffer> | undefined {
  try {
    return open<Buffer, Buffer>(path, environmentOptions);
  } catch (cause) {
    if (hasBrokenMutexes(cause)) return undefined;
    throw cause;
  }
}

/**
 * LMDB's last process destroys the mutexes in `lock.mdb` when it closes the database. One that opens the database at that
 * moment, and waits for the lock of the file, does not know that and uses them as they are: then it has no transaction. As
 * soon as everybody has closed the database, the next one makes new mutexes.
 */
function hasBrokenMutexes(cause: unknown): boolean {
  return cause instanceof Error && cause.message.includes('No transaction to renew');
}

/** What the library failed to open it gives to nobody, and closes it when it is collected. */
async function closeUnreachable(): Promise<void> {
  // The last references are on the stack of the call that failed.
  await nextTurn();
  forceCollection();
  // Finalizers run afterwards.
  await nextTurn();
}

/** Lets the reads up to the next `await` see what is committed by now. */
function renew(environment: SharedEnvironment): void {
  if (environment.users === 0) throw new Error('it was closed');
  if (environment.isCurrent) return;
  environment.root.resetReadTxn();
  environment.isCurrent = true;
  queueMicrotask(() => {
    environment.isCurrent = false;
  });
}

function commitQueue(environment: SharedEnvironment): void {
  const changes = environment.queue;
  environment.queue = [];
  commit(environment, changes);
}

/** All changes in one transaction. When one throws, each gets a transaction of its own. */
function commit(environment: SharedEnvironment, changes: readonly QueuedChange[]): void {
  const [first] = changes;
  if (first === undefined) return;
  try {
    const finish = transact(environment, () => changes.map(({ change }) => change()));
    for (const done of finish) done();
  } catch (cause) {
    if (changes.length === 1) first.reject(asOurs(environment, 'written', cause));
    else for (const change of changes) commit(environment, [change]);
  }
}

function transact<T>(environment: SharedEnvironment, run: () => T): T {
  try {
    return environment.root.transactionSync(() => {
      environment.isCurrent = true;
      return run();
    });
  } finally {
    environment.isCurrent = false;
  }
}

/** Errors of the library and of the system are plain ones; others were thrown by the change itself, or are bugs. */
function asOurs({ path }: SharedEnvironment, what: 'read' | 'written', cause: unknown): unknown {
  if (!(cause instanceof Error) || Object.getPrototypeOf(cause) !== Error.prototype) return cause;
  return new CastoreError('io', `the database in '${path}' cannot be ${what}: ${cause.message}`, { cause });
}

function optionsOf({ start, after, end, limit }: LmdbRange): RangeOptions {
  const first = after ?? start;
  return {
    ...(first === undefined ? {} : { start: first }),
    ...(after === undefined ? {} : { exclusiveStart: true }),
    ...(end === undefined ? {} : { end }),
    ...(limit === undefined ? {} : { limit }),
  };
}
