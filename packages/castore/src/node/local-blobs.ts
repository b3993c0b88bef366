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
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync } from 'node:fs';
import { open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { B3Digest } from '../b3-digest.ts';
import type {
  BlobBatches,
  BlobInventory,
  BlobReader,
  BlobService,
  BlobWriter,
  BlobsAtHand,
  ChunkMeta,
  HashedBlob,
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
import { LastUse } from './last-use.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';
import { LocalBlobFiles } from './local-blob-files.ts';
import { LocalBlobInventory, type LocalBlobParts } from './local-blob-inventory.ts';
import { type LocalBlobRecord, LocalBlobTable } from './local-blob-table.ts';
import { type FinishedBlob, LocalBlobWriter } from './local-blob-writer.ts';
import { type PageCache, openPageCache } from './page-cache.ts';
import { allocateReadBuffer } from './read-buffer.ts';

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

/** Files up to this size are at hand when they are in memory. */
const maxViewedFile = 1 << 18;

export async function openLocalBlobs(options: LocalBlobsOptions): Promise<LocalBlobs> {
  const [files, environment] = await Promise.all([
    LocalBlobFiles.open(options.path),
    LmdbEnvironment.open(options.databasePath ?? join(options.path, 'db')),
  ]);
  const inlineLimit = options.inlineLimit ?? defaultInlineLimit;
  const blockingReads = options.blockingReads ?? false;
  return new LocalBlobs({ files, environment, inlineLimit, blockingReads });
}

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
  readonly atHand: BlobsAtHand;
  readonly #parts: LocalBlobParts;
  readonly #table: LocalBlobTable;
  readonly #lastUse: LastUse;
  /** Whoever reads in his own thread needs none; else it is opened when the first file is. */
  #openingPageCache: Promise<PageCache | undefined> | undefined;
  #pageCache: PageCache | undefined;
  /** What `view` gives of a file. */
  #viewed: Uint8Array | undefined;

  constructor(parts: LocalBlobParts) {
    this.#parts = parts;
    this.atHand = {
      maxBytes: Math.max(parts.inlineLimit, maxViewedFile),
      view: (digest) => this.#table.viewContents(digest) ?? this.#viewFile(digest),
    };
    if (parts.blockingReads) this.#pageCache = blockingReads;
    this.#table = new LocalBlobTable(parts.environment);
    this.#lastUse = new LastUse(parts.environment);
    this.inventory = new LocalBlobInventory(parts, { table: this.#table, lastUse: this.#lastUse });
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const record = this.#live(digest);
    if (record === undefined) return false;
    return this.#lastUse.freshness()(record.lastUsedMs) || (await this.#touch(digest));
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
      return await FileReader.open(path, record.size, await this.#openPageCache());
    } catch (cause) {
      // It may have been removed meanwhile.
      if (this.#live(digest) === undefined) return undefined;
      throw cause;
    }
  }

  async create(signal?: AbortSignal): Promise<BlobWriter> {
    signal?.throwIfAborted();
    return this.#writer(await loadBlake3(), signal);
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    signal?.throwIfAborted();
    const blake3 = await loadBlake3();
    if (bytes.length > this.#parts.inlineLimit) {
      await using writer = this.#writer(blake3, signal);
      await writer.write(bytes);
      return await writer.close();
    }
    const digest = new B3Digest(blake3.hashBytes(bytes));
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
        const isFresh = this.#lastUse.freshness(lastUsedMs);
        for (const { digest, bytes } of inline) {
          const record = this.#live(digest);
          if (record === undefined) {
            this.#table.set(digest, { state: 'inline', lastUsedMs, size: bytes.length }, bytes);
          } else if (!isFresh(record.lastUsedMs)) this.#table.set(digest, { ...record, lastUsedMs });
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
    const blake3 = await loadBlake3();
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
    const writer = this.#writer(undefined, signal);
    return {
      write: (bytes) => writer.write(bytes),
      close: async (digest) => void (await writer.closeAs(digest)),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    };
  }

  async #hasAll(digests: readonly B3Digest[], signal?: AbortSignal): Promise<readonly boolean[]> {
    signal?.throwIfAborted();
    const nowMs = Date.now();
    const isFresh = this.#lastUse.freshness(nowMs);
    const found = digests.map((digest) => {
      const record = this.#live(digest);
      if (record === undefined) return false;
      return isFresh(record.lastUsedMs) ? true : 'stale';
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

  async #openPageCache(): Promise<PageCache | undefined> {
    this.#openingPageCache ??= openPageCache(this.#parts.files.blobs);
    this.#pageCache ??= await this.#openingPageCache;
    return this.#pageCache;
  }

  /** The contents of a file of moderate size which is in memory; what is wrong with it, `open` will say. */
  #viewFile(digest: B3Digest): Uint8Array | undefined {
    const cache = this.#pageCache;
    if (cache === undefined) return undefined;
    const record = this.#live(digest);
    if (record?.state !== 'file' || record.size > maxViewedFile) return undefined;
    // One byte more, to see that the file ends there.
    this.#viewed ??= allocateReadBuffer(maxViewedFile + 1);
    let file: number | undefined;
    try {
      file = openSync(this.#parts.files.path(digest), 'r');
      const bytes = this.#viewed.subarray(0, record.size + 1);
      return cache.read(file, bytes, 0) === record.size ? bytes.subarray(0, record.size) : undefined;
    } catch {
      return undefined;
    } finally {
      if (file !== undefined) closeSync(file);
    }
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

  /** Without `blake3` the digest is given at the end. */
  #writer(blake3: Blake3 | undefined, signal?: AbortSignal): LocalBlobWriter {
    const { files, inlineLimit } = this.#parts;
    return new LocalBlobWriter({
      blake3,
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
        if (!this.#lastUse.freshness()(record.lastUsedMs))
          this.#table.set(blob.digest, { ...record, lastUsedMs });
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

const blockingReads: PageCache = {
  read: (file, buffer, position) => readSync(file, buffer, 0, buffer.length, position),
};

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

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function corrupt(digest: B3Digest): CastoreError {
  return new CastoreError(
    'corrupt',
    `the blob ${digest.toString()} is damaged: its contents have another digest`,
  );
}
