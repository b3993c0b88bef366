/**
 * Blobs on the local file system, the default: large ones are plain files, so that they can be read, linked and cloned
 * without a copy; small ones are records of an LMDB table, which costs a fraction of a file. Nothing is compressed.
 *
 * Several processes may read and write at the same time. A blob is visible when its record is committed, and then it is
 * durable: the file was synced before, and the record is the last thing written. What a crash leaves is a temporary file,
 * or a file without a record; both are removed by `removeLeftovers`.
 *
 * Outboards are made when they are first asked for, which also checks the blob.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { open, readFile, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes } from '@neve/bytes';
import { B3Digest, b3DigestLength } from '../b3-digest.ts';
import type {
  BlobBatches,
  BlobInventory,
  BlobReader,
  BlobService,
  BlobWriter,
  ChunkMeta,
  DamagedObject,
  HashedBlob,
  RemovalCondition,
  StoredBlob,
  TrustingBlobWriter,
  TrustingBlobs,
} from '../blob-service.ts';
import { Blake3TreeHasher } from '../blake3.ts';
import { bytesReader } from '../bytes-reader.ts';
import { CastoreError } from '../castore-error.ts';
import { type Blake3, loadBlake3 } from './blake3.ts';
import { BlockingFileReader } from './blocking-file-reader.ts';
import { FileReader } from './file-reader.ts';
import { outboardLength } from '../outboard.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';
import { LocalBlobFiles, blobFileKinds, isAbandoned } from './local-blob-files.ts';
import { type LocalBlobRecord, LocalBlobTable, isStale } from './local-blob-table.ts';
import { type FinishedBlob, LocalBlobWriter } from './local-blob-writer.ts';

export type LocalBlobsOptions = {
  /** The folder with the blobs' files, which is made when it is missing. */
  readonly path: string;
  /** The folder of the database with the index and the small blobs; `db` inside of `path` unless given. */
  readonly databasePath?: string;
  /** Blobs of at most so many bytes are kept in the database. */
  readonly inlineLimit?: number;
  /** Reads files in the thread of the caller; for programs that do one thing at a time. */
  readonly blockingReads?: boolean;
};

const defaultInlineLimit = 32 * 1024;

export async function openLocalBlobs(options: LocalBlobsOptions): Promise<LocalBlobs> {
  const [blake3, files, environment] = await Promise.all([
    loadBlake3(),
    LocalBlobFiles.open(options.path),
    LmdbEnvironment.open(options.databasePath ?? join(options.path, 'db')),
  ]);
  const inlineLimit = options.inlineLimit ?? defaultInlineLimit;
  const blockingReads = options.blockingReads ?? false;
  return new LocalBlobs({ blake3, files, environment, inlineLimit, blockingReads });
}

type Parts = {
  readonly blake3: Blake3;
  readonly files: LocalBlobFiles;
  readonly environment: LmdbEnvironment;
  readonly inlineLimit: number;
  readonly blockingReads: boolean;
};

export class LocalBlobs implements BlobService {
  readonly inventory: Required<BlobInventory>;
  readonly trusting: TrustingBlobs = {
    putAll: (blobs, signal) => this.#putAll(blobs, signal),
    create: (signal) => this.#createTrusting(signal),
    refusesWrongDigests: false,
  };
  readonly batch: BlobBatches = {
    hasAll: (digests, signal) => this.#hasAll(digests, signal),
    putAll: (blobs, signal) => this.#hashAndPutAll(blobs, signal),
    readAll: (digests, maxBytes, signal) => this.#readAll(digests, maxBytes, signal),
  };
  readonly #parts: Parts;
  readonly #table: LocalBlobTable;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#table = new LocalBlobTable(parts.environment);
    this.inventory = new LocalBlobInventory(parts, this.#table);
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const record = this.#live(digest);
    if (record === undefined) return false;
    return !isStale(record, Date.now()) || (await this.#touch(digest));
  }

  // oxlint-disable-next-line typescript/require-await -- most blobs are at hand
  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    signal?.throwIfAborted();
    const record = this.#live(digest);
    if (record === undefined) return undefined;
    if (record.state === 'inline') {
      const contents = this.#table.contents(digest);
      return contents === undefined ? undefined : bytesReader(contents);
    }
    try {
      const path = this.#parts.files.path(digest);
      if (this.#parts.blockingReads) return new BlockingFileReader(path, record.size);
      return await FileReader.open(path, record.size);
    } catch (cause) {
      // It may have been removed meanwhile.
      if (this.#live(digest) === undefined) return undefined;
      throw cause;
    }
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async create(signal?: AbortSignal): Promise<BlobWriter> {
    signal?.throwIfAborted();
    return this.#writer(signal);
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    signal?.throwIfAborted();
    if (bytes.length > this.#parts.inlineLimit) {
      await using writer = this.#writer(signal);
      await writer.write(bytes);
      return await writer.close();
    }
    const digest = new B3Digest(this.#parts.blake3.hashBytes(bytes));
    if (!(await this.has(digest))) await this.#commit({ kind: 'inline', digest, contents: bytes });
    return digest;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    signal?.throwIfAborted();
    return this.#live(digest) === undefined ? undefined : [];
  }

  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted();
    const record = this.#live(digest);
    if (record === undefined) return undefined;
    const kept = record.state === 'file' ? await this.#keptOutboard(digest, record.size) : undefined;
    if (kept !== undefined) return kept;
    await using reader = await this.open(digest);
    if (reader === undefined) return undefined;
    const hasher = new Blake3TreeHasher();
    for await (const piece of reader.stream({}, signal)) hasher.update(piece);
    const { digest: found, outboard } = hasher.finish();
    if (!digest.equals(new B3Digest(found))) throw corrupt(digest);
    // That of a blob in the database is made faster than it is found.
    if (record.state === 'file' && outboard.length > 0) await this.#keepOutboard(digest, outboard);
    return outboard;
  }

  /**
   * The file with the blob's bytes and the mode 0444, or 0555 for `executable`, to be linked or cloned but never changed;
   * `undefined` when the blob has no file of its own, as small ones.
   */
  async filePath(digest: B3Digest, executable: boolean): Promise<string | undefined> {
    if (this.#live(digest)?.state !== 'file') return undefined;
    const { files } = this.#parts;
    if (!executable) return files.path(digest);
    const path = files.path(digest, '.x');
    if (await exists(path)) return path;
    const { cloneFile } = await import('./clone-file.ts');
    const temporary = files.temporary();
    await cloneFile(files.path(digest), temporary, { mode: 0o555, mtimeSeconds: 1 });
    // A crash must not leave an empty file that others link to.
    await syncFile(temporary);
    await rename(temporary, path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.environment[Symbol.asyncDispose]();
  }

  async #putAll(blobs: readonly HashedBlob[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { environment, inlineLimit } = this.#parts;
    const [inline, large] = [[] as HashedBlob[], [] as HashedBlob[]];
    for (const blob of blobs) (blob.bytes.length > inlineLimit ? large : inline).push(blob);
    await Promise.all([
      environment.write(() => {
        const lastUsedMs = Date.now();
        for (const { digest, bytes } of inline) {
          const record = this.#live(digest);
          if (record === undefined) {
            this.#table.set(digest, { state: 'inline', lastUsedMs, size: bytes.length }, bytes);
          } else if (isStale(record, lastUsedMs)) this.#table.set(digest, { ...record, lastUsedMs });
        }
      }),
      ...large.map(async ({ digest, bytes }) => {
        if (await this.has(digest, signal)) return;
        await using writer = await this.#createTrusting(signal);
        await writer.write(bytes);
        await writer.close(digest);
      }),
    ]);
  }

  async #hashAndPutAll(blobs: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly B3Digest[]> {
    const { blake3 } = this.#parts;
    const hashed = blobs.map((bytes) => ({ digest: new B3Digest(blake3.hashBytes(bytes)), bytes }));
    await this.#putAll(hashed, signal);
    return hashed.map(({ digest }) => digest);
  }

  async *#readAll(
    digests: readonly B3Digest[],
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | undefined, void, void> {
    for (const digest of digests) {
      signal?.throwIfAborted();
      const record = this.#live(digest);
      if (record === undefined || record.size > maxBytes) yield undefined;
      else if (record.state === 'inline') yield this.#table.contents(digest);
      else {
        await using reader = await this.open(digest, signal);
        yield reader && (await reader.read(0, reader.size, signal));
      }
    }
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async #createTrusting(signal?: AbortSignal): Promise<TrustingBlobWriter> {
    signal?.throwIfAborted();
    const writer = this.#writer(signal, true);
    return {
      write: (bytes) => writer.write(bytes),
      close: async (digest) => void (await writer.closeAs(digest)),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    };
  }

  async #hasAll(digests: readonly B3Digest[], signal?: AbortSignal): Promise<readonly boolean[]> {
    signal?.throwIfAborted();
    const nowMs = Date.now();
    const found = digests.map((digest) => {
      const record = this.#live(digest);
      if (record === undefined) return false;
      return isStale(record, nowMs) ? 'stale' : true;
    });
    if (!found.includes('stale')) return found.map((it) => it !== false);
    return await this.#parts.environment.write(() =>
      digests.map((digest, index) => {
        if (found[index] !== 'stale') return found[index] === true;
        const record = this.#live(digest);
        if (record === undefined) return false;
        this.#table.set(digest, { ...record, lastUsedMs: nowMs });
        return true;
      }),
    );
  }

  #live(digest: B3Digest): LocalBlobRecord | undefined {
    const record = this.#table.get(digest);
    return record === undefined || record.state === 'dying' ? undefined : record;
  }

  /** False when the blob has gone meanwhile. */
  #touch(digest: B3Digest): Promise<boolean> {
    return this.#parts.environment.write(() => {
      const record = this.#live(digest);
      if (record === undefined) return false;
      this.#table.set(digest, { ...record, lastUsedMs: Date.now() });
      return true;
    });
  }

  #writer(signal?: AbortSignal, trusting = false): LocalBlobWriter {
    const { blake3, files, inlineLimit } = this.#parts;
    return new LocalBlobWriter({
      blake3: trusting ? undefined : blake3,
      inlineLimit,
      temporary: () => files.temporary(),
      commit: (blob) => this.#commit(blob),
      signal,
    });
  }

  async #commit(blob: FinishedBlob): Promise<void> {
    const { environment, files } = this.#parts;
    const target = blob.kind === 'file' ? files.pathToWrite(blob.digest) : undefined;
    await environment.write(() => {
      const record = this.#live(blob.digest);
      const lastUsedMs = Date.now();
      if (record !== undefined) {
        if (isStale(record, lastUsedMs)) this.#table.set(blob.digest, { ...record, lastUsedMs });
        return;
      }
      if (blob.kind === 'inline') {
        const { contents } = blob;
        this.#table.set(blob.digest, { state: 'inline', lastUsedMs, size: contents.length }, contents);
        return;
      }
      if (target !== undefined) move(blob.path, target);
      this.#table.set(blob.digest, { state: 'file', lastUsedMs, size: blob.size });
    });
  }

  /** `undefined` also for one that cannot be right; it is made anew then. */
  async #keptOutboard(digest: B3Digest, size: number): Promise<Uint8Array | undefined> {
    const kept = await readFile(this.#parts.files.path(digest, '.bao')).catch(() => undefined);
    return kept?.length === outboardLength(size) ? new Uint8Array(kept) : undefined;
  }

  async #keepOutboard(digest: B3Digest, outboard: Uint8Array): Promise<void> {
    const { files } = this.#parts;
    const temporary = files.temporary();
    await writeFile(temporary, outboard, { flag: 'wx', flush: true });
    await rename(temporary, files.pathToWrite(digest, '.bao'));
  }
}

/** What the owner can do about all of them. */
class LocalBlobInventory implements Required<BlobInventory> {
  readonly #parts: Parts;
  readonly #table: LocalBlobTable;

  constructor(parts: Parts, table: LocalBlobTable) {
    this.#parts = parts;
    this.#table = table;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async *list(): AsyncIterable<StoredBlob> {
    for (const { key, record } of this.#table.entries()) {
      if (record.state === 'dying') continue;
      yield { digest: digestOf(key), sizeBytes: record.size, lastUsedMs: record.lastUsedMs };
    }
  }

  async remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    let freed = 0;
    for (const batch of batches(digests, 256)) {
      signal?.throwIfAborted();
      const removed = await this.#parts.environment.write(() => this.#removeBatch(batch, unusedSinceMs));
      await this.#bury(removed.dying);
      freed += removed.freed;
    }
    return freed;
  }

  #removeBatch(
    batch: readonly B3Digest[],
    unusedSinceMs: number,
  ): { readonly dying: readonly B3Digest[]; readonly freed: number } {
    const dying: B3Digest[] = [];
    let freed = 0;
    for (const digest of batch) {
      const record = this.#table.get(digest);
      if (record === undefined || record.lastUsedMs >= unusedSinceMs) continue;
      if (record.state === 'inline') this.#table.delete(digest);
      else {
        this.#table.set(digest, { ...record, state: 'dying' });
        dying.push(digest);
      }
      if (record.state !== 'dying') freed += record.size;
    }
    return { dying, freed };
  }

  /** The second half of a removal: first nobody finds the blob any more, then its file goes. */
  async #bury(dying: readonly B3Digest[]): Promise<void> {
    if (dying.length === 0) return;
    await this.#parts.environment.write(() => {
      for (const digest of dying) {
        if (this.#table.get(digest)?.state !== 'dying') continue;
        for (const kind of blobFileKinds) rmSync(this.#parts.files.path(digest, kind), { force: true });
        this.#table.delete(digest);
      }
    });
  }

  async *verify(signal?: AbortSignal): AsyncIterable<DamagedObject> {
    for (const { key, record } of this.#table.entries()) {
      signal?.throwIfAborted();
      if (record.state === 'dying') continue;
      const digest = digestOf(key);
      const problem = await this.#problemOf(digest, record);
      if (problem !== undefined) yield { digest, what: 'blob', problem };
    }
  }

  async #problemOf(digest: B3Digest, record: LocalBlobRecord): Promise<string | undefined> {
    const { blake3, files } = this.#parts;
    if (record.state === 'inline') {
      const contents = this.#table.contents(digest);
      // It may have been removed since it was listed.
      if (contents === undefined)
        return this.#table.get(digest) === undefined ? undefined : 'its contents are missing';
      const found = blake3.hashBytes(contents);
      return digest.equals(new B3Digest(found)) ? undefined : 'its contents have another digest';
    }
    try {
      const outboardPath = files.path(digest, '.bao');
      const outboard = existsSync(outboardPath) ? await readFile(outboardPath) : undefined;
      const found = await hashFile(files.path(digest), {
        size: record.size,
        blake3,
        withOutboard: outboard !== undefined,
      });
      if (!digest.equals(found.digest)) return 'its contents have another digest';
      if (outboard !== undefined && !equalBytes(outboard, found.outboard)) return 'its outboard is damaged';
      if (!existsSync(files.path(digest, '.x'))) return undefined;
      const copy = await hashFile(files.path(digest, '.x'), {
        size: record.size,
        blake3,
        withOutboard: false,
      });
      return digest.equals(copy.digest) ? undefined : 'its executable copy has another digest';
    } catch (cause) {
      // It may have been removed since it was listed.
      if (this.#table.get(digest)?.state !== 'file') return undefined;
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  async removeLeftovers(signal?: AbortSignal): Promise<number> {
    let freed = 0;
    const { files } = this.#parts;
    for (const name of await readdir(files.tmp)) {
      if (isAbandoned(name)) freed += await removeFile(join(files.tmp, name));
    }
    const dying: B3Digest[] = [];
    for (const { key, record } of this.#table.entries()) {
      if (record.state === 'dying') dying.push(digestOf(key));
    }
    await this.#bury(dying);
    for (const folder of await readdir(files.blobs)) {
      signal?.throwIfAborted();
      freed += await this.#removeOrphans(folder);
    }
    return freed;
  }

  /** Files of one folder that no record names. */
  async #removeOrphans(folder: string): Promise<number> {
    const { environment, files } = this.#parts;
    const names = await readdir(join(files.blobs, folder));
    const orphans = names.filter((name) => this.#isOrphan(folder, name));
    if (orphans.length === 0) return 0;
    return await environment.write(() => {
      let freed = 0;
      for (const name of orphans.filter((orphan) => this.#isOrphan(folder, orphan))) {
        const path = join(files.blobs, folder, name);
        freed += statSync(path).size;
        unlinkSync(path);
      }
      return freed;
    });
  }

  #isOrphan(folder: string, name: string): boolean {
    const hex = folder + (name.split('.')[0] ?? '');
    return /^[0-9a-f]{64}$/.test(hex) && this.#table.get(digestOf(Buffer.from(hex, 'hex'))) === undefined;
  }
}

type FileHash = { readonly digest: B3Digest; readonly outboard: Uint8Array };

async function hashFile(
  path: string,
  {
    size,
    blake3,
    withOutboard,
  }: { readonly size: number; readonly blake3: Blake3; readonly withOutboard: boolean },
): Promise<FileHash> {
  await using reader = await FileReader.open(path, size);
  const hasher = withOutboard ? new Blake3TreeHasher() : blake3.createHasher();
  for await (const piece of reader.stream()) hasher.update(piece);
  if ('digest' in hasher) return { digest: new B3Digest(hasher.digest()), outboard: new Uint8Array() };
  const { digest, outboard } = hasher.finish();
  return { digest: new B3Digest(digest), outboard };
}

/** A change of the database may run twice, when another one that shared its transaction fails. */
function move(source: string, target: string): void {
  try {
    renameSync(source, target);
  } catch (cause) {
    if (existsSync(source) || !existsSync(target)) throw cause;
  }
  // The record, which is committed after this, must not outlive the name of the file.
  const folder = openSync(dirname(target), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path);
  await file.sync();
}

function digestOf(key: Uint8Array): B3Digest {
  return new B3Digest(new Uint8Array(key.subarray(0, b3DigestLength)));
}

function* batches<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function removeFile(path: string): Promise<number> {
  try {
    const { size } = await stat(path);
    await unlink(path);
    return size;
  } catch {
    return 0;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function corrupt(digest: B3Digest): CastoreError {
  return new CastoreError(
    'corrupt',
    `the blob ${digest.toString()} is damaged: its contents have another digest`,
  );
}
