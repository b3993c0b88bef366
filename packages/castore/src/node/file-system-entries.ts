/**
 * Imports a tree of the file system. Symbolic links are taken as they are and never followed; a file is executable when
 * its owner may execute it; modes, owners and times are left behind. Sockets, devices and pipes are refused by name.
 *
 * The tree is read and hashed by `tree-reader.ts`, in another thread if the program has one for it; here it is stored, a
 * batch at a time, while the next ones are read.
 */
import { open } from 'node:fs/promises';
import { B3Digest, b3DigestLength } from '../b3-digest.ts';
import { batchesOf } from '../blob-batches.ts';
import type { BlobService, BlobWriter, HashedBlob, TrustingBlobWriter } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import type { IngestionEntry, IngestionPath } from '../ingestion-entry.ts';
import { PathComponent, SymlinkTarget, showPath } from '../path-component.ts';
import type { TreeObserver } from '../tree-observer.ts';
import { loadBlake3 } from './blake3.ts';
import type { FileCache } from './file-cache.ts';
import { isSmallTree } from './is-small-tree.ts';
import { allocateReadBuffer } from './read-buffer.ts';
import { type TreeRecord, treeRecords } from './tree-batch.ts';
import { type ReadBatch, readTreeInThread } from './tree-reader-thread.ts';
import { type FoundKind, batchBytes, maxZeroes, openFlags, readTree } from './tree-reader.ts';

export type FileSystemEntriesOptions = {
  readonly blobs: BlobService;
  /**
   * Whether an object is taken; what is below a directory that is not taken is not looked at. The root always is. Sockets,
   * devices and pipes, which are `unknown`, can be left out in this way, and only so.
   */
  readonly filter?: (path: IngestionPath, kind: FoundKind) => boolean;
  /** Spares reading the files that have not changed since they were read last. */
  readonly cache?: FileCache;
  /**
   * The script of a thread that reads the tree, `tree-reader-worker.ts`. Not used with a filter, nor for a small tree; then
   * the cache is the caller's to save.
   */
  readonly readerScript?: URL;
  /** Sees the tree as it is read. */
  readonly observer?: TreeObserver;
  readonly signal?: AbortSignal;
};

/** So many batches are being stored while the next one is read. */
const maxBatchesUnderWay = 4;

/** Throws `CastoreError`: `io` for what cannot be read, `unsupported` for what is no file, directory or link. */
export async function* fileSystemEntries(
  root: string | Buffer,
  options: FileSystemEntriesOptions,
): AsyncIterable<IngestionEntry> {
  const host = typeof root === 'string' ? Buffer.from(root) : root;
  await using importer = new TreeImporter(host, options);
  for await (const { batch, release } of readBatches(host, options)) {
    options.signal?.throwIfAborted();
    for (const record of treeRecords(batch)) {
      const entry = importer.take(record);
      if (entry === undefined) continue;
      // Whoever gets the root may rely on everything being there.
      if (entry.path.length === 0) await importer.finish();
      yield entry;
    }
    await importer.endBatch(release);
  }
}

async function* readBatches(
  root: Buffer,
  { cache, filter, readerScript: script }: FileSystemEntriesOptions,
): AsyncGenerator<ReadBatch, void, void> {
  if (script !== undefined && filter === undefined && !isSmallTree(root)) {
    yield* readTreeInThread({ script, root, cachePath: cache?.path });
    return;
  }
  const nextBuffer = (): Uint8Array => idleBuffers.pop() ?? allocateReadBuffer(batchBytes);
  const namesFilter =
    filter === undefined
      ? undefined
      : (names: readonly Uint8Array[], kind: FoundKind): boolean =>
          filter(
            names.map((name) => new PathComponent(name)),
            kind,
          );
  const blake3 = await loadBlake3();
  for (const batch of readTree(root, { blake3, cache, nextBuffer, filter: namesFilter })) {
    yield { batch, release: () => keepIdle(batch.bytes) };
  }
}

/** Small imports come in great numbers: a buffer for each would have the garbage collector run all the time. */
const idleBuffers: Uint8Array[] = [];

function keepIdle(buffer: Uint8Array): void {
  if (idleBuffers.length <= maxBatchesUnderWay) idleBuffers.push(buffer);
}

/** Turns records into entries, and stores what they hold. */
class TreeImporter implements AsyncDisposable {
  readonly #host: Buffer;
  readonly #options: FileSystemEntriesOptions;
  readonly #observation: Observation;
  /** Of the directory whose records come at the moment; undefined before the root. */
  #directory: IngestionPath | undefined;
  #small: HashedBlob[] = [];
  #known: KnownRecord[] = [];
  #large: LargeFile | undefined;
  #largeDone: Promise<void> = Promise.resolve();
  readonly #underWay: Promise<void>[] = [];

  constructor(host: Buffer, options: FileSystemEntriesOptions) {
    this.#host = host;
    this.#options = options;
    this.#observation = new Observation(options.observer);
  }

  /** The entry that is complete with this record. Its bytes are used until the end of the batch. */
  take(record: TreeRecord): IngestionEntry | undefined {
    this.#observation.see(record);
    const { kind, name, data, size, executable } = record;
    switch (kind) {
      case 'directory':
        this.#directory = this.#pathOf(name);
        return undefined;
      case 'end': {
        const path = this.#directory ?? [];
        this.#directory = path.length === 0 ? undefined : path.slice(0, -1);
        return { kind: 'directory', path };
      }
      case 'symlink':
        return { kind, path: this.#pathOf(name), target: new SymlinkTarget(new Uint8Array(data)) };
      case 'file': {
        const digest = digestAt(data);
        this.#small.push({ digest, bytes: data.subarray(b3DigestLength) });
        return { kind, path: this.#pathOf(name), digest, size, executable };
      }
      case 'known': {
        const digest = digestAt(data);
        const path = this.#pathOf(name);
        this.#known.push({ digest, path });
        return { kind: 'file', path, digest, size, executable };
      }
      case 'large':
        this.#large = new LargeFile(this.#options, { path: this.#pathOf(name), executable });
        return undefined;
      case 'piece':
        this.#large?.write(data, size);
        return undefined;
      case 'close': {
        const large = this.#large;
        if (large === undefined) throw new Error('a file ended that did not begin');
        this.#large = undefined;
        const digest = digestAt(data);
        this.#largeDone = Promise.all([this.#largeDone, large.close(digest)]).then(() => undefined);
        this.#largeDone.catch(() => {});
        return { kind: 'file', path: large.path, digest, size, executable: large.executable };
      }
    }
  }

  /** Stores what the batch holds; `release` is called when its bytes are not needed any more. */
  async endBatch(release: () => void): Promise<void> {
    this.#startStoring(release);
    while (this.#underWay.length >= maxBatchesUnderWay) await this.#underWay.shift();
  }

  /** Waits until everything that came so far is stored. */
  async finish(): Promise<void> {
    this.#startStoring(() => {});
    while (this.#underWay.length > 0) await this.#underWay.shift();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#underWay, this.#largeDone]);
    await this.#large?.[Symbol.asyncDispose]();
  }

  #startStoring(release: () => void): void {
    const [small, known] = [this.#small, this.#known];
    this.#small = [];
    this.#known = [];
    const stored = Promise.all([
      this.#storeSmall(small),
      this.#checkKnown(known),
      this.#large?.written,
      this.#largeDone,
    ]).then(release);
    // A failure is seen when its turn comes.
    stored.catch(() => {});
    this.#underWay.push(stored);
  }

  async #storeSmall(small: readonly HashedBlob[]): Promise<void> {
    const { blobs, signal } = this.#options;
    if (small.length === 0) return;
    if (blobs.trusting !== undefined) return await blobs.trusting.putAll(small, signal);
    await batchesOf(blobs).putAll(
      small.map(({ bytes }) => bytes),
      signal,
    );
  }

  /** A blob that has gone since its file was read is stored again. */
  async #checkKnown(known: readonly KnownRecord[]): Promise<void> {
    const { blobs, signal } = this.#options;
    if (known.length === 0) return;
    const digests = known.map(({ digest }) => digest);
    const there = await batchesOf(blobs).hasAll(digests, signal);
    for (const [index, record] of known.entries()) {
      if (there[index] !== true) await this.#storeAgain(record);
    }
  }

  async #storeAgain({ digest, path }: KnownRecord): Promise<void> {
    const host = Buffer.concat([this.#host, ...path.flatMap(({ bytes }) => [slash, bytes])]);
    await using writer = await this.#options.blobs.create(this.#options.signal);
    await using file = await open(host, openFlags);
    const piece = allocateReadBuffer(batchBytes);
    while (true) {
      const { bytesRead } = await file.read(piece, 0, piece.length);
      if (bytesRead === 0) break;
      await writer.write(piece.subarray(0, bytesRead));
    }
    if ((await writer.close()).equals(digest)) return;
    throw new CastoreError('io', `'${showPath(path)}' was changed while it was imported; import it again`);
  }

  #pathOf(name: Uint8Array): IngestionPath {
    if (this.#directory === undefined) return [];
    return [...this.#directory, new PathComponent(new Uint8Array(name))];
  }
}

type KnownRecord = { readonly digest: B3Digest; readonly path: IngestionPath };

const slash = Buffer.from('/');

function digestAt(data: Uint8Array): B3Digest {
  return new B3Digest(new Uint8Array(data.subarray(0, b3DigestLength)));
}

/** A file that is stored as its pieces come, one after another. */
class LargeFile implements AsyncDisposable {
  readonly path: IngestionPath;
  readonly executable: boolean;
  readonly #writer: Promise<BlobWriter | TrustingBlobWriter>;
  #written: Promise<void>;

  constructor(
    { blobs, signal }: FileSystemEntriesOptions,
    { path, executable }: { readonly path: IngestionPath; readonly executable: boolean },
  ) {
    this.path = path;
    this.executable = executable;
    this.#writer = blobs.trusting?.create(signal) ?? blobs.create(signal);
    this.#written = this.#writer.then(() => undefined);
    this.#written.catch(() => {});
  }

  /** When all pieces so far are written. */
  get written(): Promise<void> {
    return this.#written;
  }

  /** Without bytes the piece is `size` zeroes. */
  write(bytes: Uint8Array, size: number): void {
    const piece = bytes.length === 0 ? zeroes.subarray(0, size) : bytes;
    this.#written = Promise.all([this.#writer, this.#written]).then(([writer]) => writer.write(piece));
    this.#written.catch(() => {});
  }

  async close(digest: B3Digest): Promise<void> {
    await using writer = await this.#writer;
    await this.#written;
    await writer.close(digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writer = await this.#writer.catch(() => undefined);
    await this.#written.catch(() => {});
    await writer?.[Symbol.asyncDispose]();
  }
}

const zeroes = new Uint8Array(maxZeroes);

/** Tells an observer what it may believe. */
class Observation {
  #observer: TreeObserver | undefined;
  /** Of the large file that is being read. */
  #missing = 0;

  constructor(observer: TreeObserver | undefined) {
    this.#observer = observer;
  }

  see({ kind, name, data, size, executable }: TreeRecord): void {
    const observer = this.#observer;
    if (observer === undefined) return;
    switch (kind) {
      case 'directory':
        observer.startDirectory(name);
        break;
      case 'end':
        observer.endDirectory();
        break;
      case 'symlink':
        observer.symlink(name, data);
        break;
      case 'file':
        observer.startFile(name, { size, executable });
        observer.contents(data.subarray(b3DigestLength));
        observer.endFile();
        break;
      case 'large':
        observer.startFile(name, { size, executable });
        this.#missing = size;
        break;
      case 'piece':
        this.#missing -= size;
        if (this.#missing < 0) this.#giveUp(observer);
        else observer.contents(data.length === 0 ? zeroes.subarray(0, size) : data);
        break;
      case 'close':
        if (this.#missing === 0) observer.endFile();
        else this.#giveUp(observer);
        break;
      case 'known':
        this.#giveUp(observer);
    }
  }

  #giveUp(observer: TreeObserver): void {
    observer.incomplete();
    this.#observer = undefined;
  }
}
