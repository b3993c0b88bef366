/**
 * Directories in an LMDB environment, the default on a machine: several processes read and write it at once, and what was
 * acknowledged survives a crash.
 *
 *     table 'directories'   digest:32 → time of last use, milliseconds since 1970: float64, big-endian | canonical encoding
 *
 * What is below a directory is there too, and its time is not earlier than the directory's own; so removing by time, parents
 * first, never takes a directory from under another, even when it stops half-way. Putting a directory that is there
 * writes nothing unless the recorded time is older than `lastUsedPrecisionMs`. Getting is not using: who relies on a
 * directory that is there puts it again, which is a use of everything below it.
 *
 * A closure is one transaction at its end. When its encodings exceed 8 MiB, complete parts of it are stored before that, and
 * are left to garbage collection if the putter is given up. What is read is trusted; `verify` checks it.
 */
import { B3Digest } from '../b3-digest.ts';
import type { DamagedObject, RemovalCondition } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import { checkDigest, childKeys, closureByGet, parentsFirst } from '../closure.ts';
import { Directory } from '../directory.ts';
import { childDirectories } from '../directory-order.ts';
import { orderedPutter } from '../directory-putter.ts';
import type {
  DirectoryInventory,
  DirectoryPutter,
  DirectoryService,
  StoredDirectory,
} from '../directory-service.ts';
import { LastUse } from './last-use.ts';
import { LmdbEnvironment, type LmdbTable } from './lmdb-environment.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbDirectories(path: string): Promise<DirectoryService> {
  return new LmdbDirectories(await LmdbEnvironment.open(path));
}

const timeLength = 8;
const maxPendingBytes = 8 * 2 ** 20;
const maxRemovals = 1000;

/** What is kept of a directory until it is written; its entries are free to go. */
type Pending = {
  readonly digest: B3Digest;
  readonly encoded: Uint8Array;
  readonly children: readonly B3Digest[];
};

/** This moment, and which recorded times are good enough for it. */
type Use = { readonly nowMs: number; readonly isFresh: (timeMs: number | undefined) => boolean };

class LmdbDirectories implements DirectoryService, DirectoryInventory {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;
  readonly #lastUse: LastUse;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('directories');
    this.#lastUse = new LastUse(environment);
  }

  announceCollection(startedMs: number): Promise<void> {
    return this.#lastUse.announceCollection(startedMs);
  }

  get inventory(): DirectoryInventory {
    return this;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    signal?.throwIfAborted();
    const value = this.#table.get(digest.bytes);
    return value === undefined ? undefined : decodeStored(digest, value);
  }

  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory> {
    return closureByGet((it) => this.get(it, signal), digest);
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    signal?.throwIfAborted();
    const { digest } = directory;
    if (this.#areFresh([digest])) return digest;
    await this.#write((use) => {
      if (!this.#table.has(digest.bytes)) checkChildren(this.#table, directory);
      store(this.#table, pendingOf(directory), use);
    });
    return digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    let pending: Pending[] = [];
    let pendingBytes = 0;
    const flush = async (): Promise<void> => {
      const batch = pending;
      pending = [];
      pendingBytes = 0;
      if (this.#areFresh(batch.map(({ digest }) => digest))) return;
      await this.#write((use) => {
        for (const it of batch) store(this.#table, it, use);
      });
    };
    return orderedPutter(
      {
        add: (directory) => {
          pending.push(pendingOf(directory));
          pendingBytes += directory.encoded.length;
          return pendingBytes > maxPendingBytes ? flush() : undefined;
        },
        commit: flush,
        abort: () => {
          pending = [];
        },
      },
      signal,
    );
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredDirectory, void, void> {
    for (const { key, value } of this.#table.rows()) {
      signal?.throwIfAborted();
      const lastUsedMs = value.length < timeLength ? 0 : value.readDoubleBE();
      yield { digest: new B3Digest(key), sizeBytes: value.length, lastUsedMs };
    }
  }

  async remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    const order = parentsFirst(
      Array.from(digests, ({ key }) => key),
      (key) => this.#childKeys(key),
    );
    let freed = 0;
    for (let start = 0; start < order.length; start += maxRemovals) {
      signal?.throwIfAborted();
      freed += await this.#write(() =>
        order
          .slice(start, start + maxRemovals)
          .reduce((sum, key) => sum + remove(this.#table, key, unusedSinceMs), 0),
      );
    }
    return freed;
  }

  async *verify(signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    for (const { key, value } of this.#table.rows()) {
      signal?.throwIfAborted();
      const digest = new B3Digest(key);
      const problem = findProblem(this.#table, digest, value);
      // It may have been removed since it was read, after what it refers to.
      if (problem === undefined || !this.#table.has(key)) continue;
      yield { digest, what: 'directory', problem };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }

  #areFresh(digests: readonly B3Digest[]): boolean {
    const isFresh = this.#lastUse.freshness();
    return digests.every((digest) => isFresh(lastUsed(this.#table, digest.bytes)));
  }

  #childKeys(key: string): string[] {
    const value = this.#table.get(bufferOfKey(key));
    if (value === undefined) return [];
    try {
      return childKeys(Directory.decode(value.subarray(timeLength)));
    } catch (error) {
      // What is damaged must be removable.
      if (error instanceof CastoreError) return [];
      throw error;
    }
  }

  #write<T>(change: (use: Use) => T): Promise<T> {
    return this.#environment.write(() => {
      const nowMs = Date.now();
      return change({ nowMs, isFresh: this.#lastUse.freshness(nowMs) });
    });
  }
}

function pendingOf(directory: Directory): Pending {
  return {
    digest: directory.digest,
    encoded: directory.encoded,
    children: childDirectories(directory).map(({ node }) => node.digest),
  };
}

// The rest runs in a transaction.

/** Writes a directory, and the time of everything below it that was not used lately. */
function store(table: LmdbTable, { digest, encoded, children }: Pending, use: Use): void {
  const key = digest.bytes;
  if (use.isFresh(lastUsed(table, key))) return;
  for (const child of children) refresh(table, child, use);
  table.put(key, encodeStored(earliest(table, children, use.nowMs), encoded));
}

/** Throws unless what the directory refers to is there and has the recorded size. */
function checkChildren(table: LmdbTable, directory: Directory): void {
  for (const { name, node } of childDirectories(directory)) {
    const value = table.get(node.digest.bytes);
    if (value === undefined) throw missing(node.digest);
    const child = decodeStored(node.digest, value);
    if (child.hasSize(node.size)) continue;
    throw new CastoreError(
      'invalid-directory',
      `the entry '${name.toString()}' of ${directory.digest.toString()} records the size ${node.size} for ${node.digest.toString()}, whose size is ${child.size}`,
    );
  }
}

/** Children first, so that no time is later than that of what is below. */
function refresh(table: LmdbTable, root: B3Digest, { nowMs, isFresh }: Use): void {
  const stack = [root];
  for (let digest = stack.at(-1); digest !== undefined; digest = stack.at(-1)) {
    const key = digest.bytes;
    const time = lastUsed(table, key);
    if (time === undefined) throw missing(digest);
    if (isFresh(time)) {
      stack.pop();
      continue;
    }
    const { children, encoded } = pendingOf(decodeStored(digest, table.get(key) ?? noBytes));
    const stale = children.filter((child) => !isFresh(lastUsed(table, child.bytes)));
    if (stale.length > 0) {
      for (const child of stale) stack.push(child);
      continue;
    }
    table.put(key, encodeStored(earliest(table, children, nowMs), encoded));
    stack.pop();
  }
}

const noBytes = Buffer.alloc(0);

function earliest(table: LmdbTable, children: readonly B3Digest[], now: number): number {
  return children.reduce((time, child) => Math.min(time, lastUsed(table, child.bytes) ?? now), now);
}

/** Gives the bytes freed. */
function remove(table: LmdbTable, key: string, unusedSinceMs: number): number {
  const value = table.get(bufferOfKey(key));
  if (value === undefined) return 0;
  if (value.length >= timeLength && value.readDoubleBE() >= unusedSinceMs) return 0;
  table.remove(bufferOfKey(key));
  return value.length;
}

function lastUsed(table: LmdbTable, key: Uint8Array): number | undefined {
  // A view of the library's own memory, which the next call overwrites.
  const value = table.view(key);
  if (value === undefined) return undefined;
  return value.length < timeLength ? 0 : value.readDoubleBE();
}

function findProblem(table: LmdbTable, digest: B3Digest, value: Buffer): string | undefined {
  try {
    const directory = decodeStored(digest, value);
    checkDigest(directory, digest);
    for (const { name, node } of childDirectories(directory)) {
      const child = table.get(node.digest.bytes);
      if (child === undefined) {
        return `its entry '${name.toString()}' refers to the directory ${node.digest.toString()}, which is not there`;
      }
      if (hasWrongSize(child, node)) {
        return `its entry '${name.toString()}' records the size ${node.size} for ${node.digest.toString()}, which has another`;
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof CastoreError) return error.message;
    throw error;
  }
}

/** What cannot be read has a problem of its own. */
function hasWrongSize(value: Buffer, node: { readonly digest: B3Digest; readonly size: number }): boolean {
  try {
    return !decodeStored(node.digest, value).hasSize(node.size);
  } catch (error) {
    if (error instanceof CastoreError) return false;
    throw error;
  }
}

function encodeStored(timeMs: number, encoded: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(timeLength + encoded.length);
  value.writeDoubleBE(timeMs);
  value.set(encoded, timeLength);
  return value;
}

function decodeStored(digest: B3Digest, value: Buffer): Directory {
  try {
    if (value.length < timeLength) throw new CastoreError('corrupt', 'it is cut off');
    return Directory.decode(value.subarray(timeLength), digest);
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw new CastoreError(
      'corrupt',
      `the stored directory ${digest.toString()} is damaged: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

function missing(digest: B3Digest): CastoreError {
  return new CastoreError(
    'invalid-directory',
    `a directory refers to ${digest.toString()}, which is not there; store it before`,
  );
}

function bufferOfKey(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}
