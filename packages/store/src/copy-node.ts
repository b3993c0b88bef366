/**
 * What is below a node, from one castore to another: only what is missing there, and nothing that is not what its digest
 * says.
 *
 * Blobs come first, then the directories, leaves first, so that an interruption leaves blobs that nothing refers to, and
 * doing it again goes on where it ended. Everything that is there already is asked for or put again, which counts as using
 * it: garbage collection that runs at the same time leaves it alone.
 */
import { B3Digest, CastoreError, WeightedSemaphore, batchesOf, hashBlake3, leavesFirst } from '@neve/castore';
import type {
  BlobService,
  ChunkMeta,
  Directory,
  DirectoryService,
  FileNode,
  Node,
  TrustingBlobWriter,
} from '@neve/castore';
import { streamBlob } from './nar-parts.ts';
import { missingDirectory } from './nar-segments.ts';
import { StoreError } from './store-error.ts';

export type Castore = { readonly blobs: BlobService; readonly directories: DirectoryService };

export type CopyNodeOptions = {
  readonly source: Castore;
  readonly target: Castore;
  /** Called for every distinct blob when it is there. */
  readonly onBlob?: (blob: CopiedBlob) => void;
};

/** `copiedBytes` is what was read from the source: 0 when it was there before. */
export type CopiedBlob = {
  readonly digest: B3Digest;
  readonly sizeBytes: number;
  readonly copiedBytes: number;
};

const maxBlobs = 32;

/** Blobs up to this size are copied in one piece. */
const smallBlobSize = 1 << 20;

/** How many bytes of blobs are under way at the same time. */
const maxBytes = 64 << 20;

/** Blobs up to this size are copied many at a time. */
const batchedBlobSize = 64 << 10;

/** The blobs of one batch, and their bytes unless the last one exceeds them. */
const maxBatchBlobs = 1024;
const maxBatchBytes = 1 << 20;

/** Of what may be under way at the same time, a batch takes as much as so many blobs. */
const batchWeight = 8;

/** Copies nodes; what several of them have in common is looked at once. */
export class NodeCopier {
  readonly #options: CopyNodeOptions;
  readonly #bytes = new WeightedSemaphore(maxBytes);
  readonly #requests = new WeightedSemaphore(maxBlobs);
  /** Blobs that are there or on the way, by the keys of their digests. */
  readonly #blobs = new Map<string, Promise<void>>();

  constructor(options: CopyNodeOptions) {
    this.#options = options;
  }

  /** Throws `StoreError`: `not-found` for what the source lacks, `corrupt` for what is not what its digest says. */
  async copy(node: Node, signal?: AbortSignal): Promise<void> {
    if (node.kind === 'symlink') return;
    if (node.kind === 'file') return this.#copyBlob(node, signal);
    const { target, source } = this.#options;
    const directories =
      (await readTargetClosure(target.directories, node.digest, signal)) ??
      (await readWholeClosure(source.directories, node.digest, signal));
    await this.#copyBlobs(filesOf(directories), signal);
    await using putter = target.directories.putClosure(signal);
    for (const directory of leavesFirst(directories)) await putter.put(directory);
    const root = await putter.close();
    if (root.equals(node.digest)) return;
    throw new StoreError(
      'corrupt',
      `instead of the directory ${node.digest.toString()} the source gave ${root.toString()}`,
    );
  }

  /** Throws the first error when all copies that were begun have ended. */
  async #copyBlobs(files: Iterable<FileNode>, signal?: AbortSignal): Promise<void> {
    const running = new Set<Promise<void>>();
    const begin = async (task: Promise<void>): Promise<void> => {
      const copying: Promise<void> = task.finally(() => running.delete(copying));
      copying.catch(() => undefined);
      running.add(copying);
      if (running.size >= maxBlobs) await Promise.race(running);
    };
    const batch = new Batch();
    try {
      for (const file of files) {
        signal?.throwIfAborted();
        const known = this.#blobs.get(file.digest.key);
        if (known === undefined && file.size <= batchedBlobSize) {
          batch.add(file);
          if (batch.isFull) await begin(this.#copyBatch(batch.take(), signal));
        } else await begin(known ?? this.#copyBlob(file, signal));
      }
      await begin(this.#copyBatch(batch.take(), signal));
      await Promise.all(running);
    } finally {
      await Promise.allSettled(running);
    }
  }

  #copyBlob(file: FileNode, signal?: AbortSignal): Promise<void> {
    return this.#blobs.get(file.digest.key) ?? this.#remember([file], () => this.#copyNewBlob(file, signal));
  }

  /** Others may have begun with some of them since they were gathered. */
  async #copyBatch(files: readonly FileNode[], signal?: AbortSignal): Promise<void> {
    const known = files.flatMap(({ digest }) => this.#blobs.get(digest.key) ?? []);
    const fresh = files.filter(({ digest }) => !this.#blobs.has(digest.key));
    const copying =
      fresh.length === 0 ? [] : [this.#remember(fresh, () => this.#copyNewBatch(fresh, signal))];
    const results = await Promise.allSettled([...copying, ...known]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #remember(files: readonly FileNode[], copy: () => Promise<void>): Promise<void> {
    const copying = copy();
    for (const { digest } of files) this.#blobs.set(digest.key, copying);
    copying.catch(() => {
      for (const { digest } of files) this.#blobs.delete(digest.key);
    });
    return copying;
  }

  async #copyNewBlob(file: FileNode, signal?: AbortSignal): Promise<void> {
    const { target, source } = this.#options;
    const release = await this.#reserve(Math.min(Math.max(1, file.size), smallBlobSize * 2));
    try {
      let copiedBytes = 0;
      if (!(await target.blobs.has(file.digest, signal))) {
        copiedBytes = await copyBlob(file, { source: source.blobs, target: target.blobs }, signal);
      }
      this.#tell(file, copiedBytes);
    } finally {
      release();
    }
  }

  async #copyNewBatch(files: readonly FileNode[], signal?: AbortSignal): Promise<void> {
    const blobs = { source: this.#options.source.blobs, target: this.#options.target.blobs };
    const release = await this.#reserve(sizeOf(files), batchWeight);
    try {
      const digests = files.map(({ digest }) => digest);
      const there = await batchesOf(blobs.target).hasAll(digests, signal);
      const missing: FileNode[] = [];
      for (const [index, file] of files.entries()) {
        if (there[index] === true) this.#tell(file, 0);
        else missing.push(file);
      }
      if (missing.length === 0) return;
      await copyMissing(missing, blobs, signal);
      for (const file of missing) this.#tell(file, file.size);
    } finally {
      release();
    }
  }

  async #reserve(bytes: number, requests = 1): Promise<() => void> {
    const releaseRequest = await this.#requests.acquire(requests);
    const releaseBytes = await this.#bytes.acquire(bytes);
    return () => {
      releaseBytes();
      releaseRequest();
    };
  }

  #tell({ digest, size }: FileNode, copiedBytes: number): void {
    this.#options.onBlob?.({ digest, sizeBytes: size, copiedBytes });
  }
}

/** Small files that wait until it is worth copying them. */
class Batch {
  #files: FileNode[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#files.length >= maxBatchBlobs || this.#bytes >= maxBatchBytes;
  }

  add(file: FileNode): void {
    this.#files.push(file);
    this.#bytes += file.size;
  }

  take(): readonly FileNode[] {
    const files = this.#files;
    this.#files = [];
    this.#bytes = 0;
    return files;
  }
}

/** Copies small blobs that the target does not have. */
async function copyMissing(
  files: readonly FileNode[],
  { source, target }: BlobPair,
  signal?: AbortSignal,
): Promise<void> {
  const digests = files.map(({ digest }) => digest);
  const read: { readonly file: FileNode; readonly bytes: Uint8Array }[] = [];
  const others: FileNode[] = [];
  let index = 0;
  for await (const bytes of batchesOf(source).readAll(digests, batchedBlobSize, signal)) {
    const file = files[index++];
    if (file === undefined) break;
    if (bytes?.length === file.size) read.push({ file, bytes });
    else others.push(file);
  }
  // One by one it is found out what is wrong with these, or they are read after all.
  for (const file of [...others, ...files.slice(index)]) await copyBlob(file, { source, target }, signal);
  const stored = await batchesOf(target).putAll(
    read.map(({ bytes }) => bytes),
    signal,
  );
  for (const [at, { file }] of read.entries()) checkDigest(file.digest, stored[at]);
}

export type BlobPair = { readonly source: BlobService; readonly target: BlobService };

/**
 * Copies a blob and gives how many bytes were read from the source. Chunks that the target has already are read there.
 * Throws as `NodeCopier.copy` does.
 */
export async function copyBlob(
  file: FileNode,
  { source, target }: BlobPair,
  signal?: AbortSignal,
): Promise<number> {
  const chunks = file.size > smallBlobSize ? await source.chunks(file.digest, signal) : [];
  if (chunks === undefined) throw missingBlob(file.digest);
  let copiedBytes = 0;
  let stored: B3Digest;
  if (file.size <= smallBlobSize) {
    const bytes = await readBlob(file, source, signal);
    checkDigest(file.digest, new B3Digest(hashBlake3(bytes)));
    copiedBytes = bytes.length;
    stored = await target.put(bytes, signal);
  } else {
    await using writer = await createAs(file.digest, target, signal);
    for await (const { bytes, isNew } of chunkContents(file, { chunks, source, target }, signal)) {
      if (isNew) copiedBytes += bytes.length;
      await writer.write(bytes);
    }
    stored = await writer.close();
  }
  checkDigest(file.digest, stored);
  return copiedBytes;
}

type KnownWriter = Pick<TrustingBlobWriter, 'write' | typeof Symbol.asyncDispose> & {
  close(): Promise<B3Digest>;
};

/** A target that refuses what has another digest spares hashing on this side. */
async function createAs(digest: B3Digest, target: BlobService, signal?: AbortSignal): Promise<KnownWriter> {
  if (target.trusting?.refusesWrongDigests !== true) return target.create(signal);
  const writer = await target.trusting.create(signal);
  const close = async (): Promise<B3Digest> => {
    try {
      await writer.close(digest);
      return digest;
    } catch (cause) {
      if (!(cause instanceof CastoreError) || cause.code !== 'corrupt') throw cause;
      throw new StoreError(
        'corrupt',
        `other bytes came for the blob ${digest.toString()}: ${cause.message}`,
        {
          cause,
        },
      );
    }
  };
  return {
    write: (bytes) => writer.write(bytes),
    close,
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

type ChunkSources = BlobPair & { readonly chunks: readonly ChunkMeta[] };

async function* chunkContents(
  file: FileNode,
  { chunks, source, target }: ChunkSources,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isNew: boolean }, void, void> {
  const parts: readonly ChunkMeta[] = chunks.length === 0 ? [file] : chunks;
  for (const { digest, size } of parts) {
    const isNew = chunks.length === 0 || !(await target.has(digest, signal));
    const node: FileNode = { kind: 'file', digest, size, executable: false };
    for await (const bytes of streamBlob(node, { blobs: isNew ? source : target }, signal)) {
      yield { bytes, isNew };
    }
  }
}

async function readBlob(file: FileNode, blobs: BlobService, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.size);
  let length = 0;
  for await (const piece of streamBlob(file, { blobs }, signal)) {
    bytes.set(piece, length);
    length += piece.length;
  }
  return bytes;
}

/** `undefined` unless all of it is there. */
async function readTargetClosure(
  directories: DirectoryService,
  root: B3Digest,
  signal?: AbortSignal,
): Promise<readonly Directory[] | undefined> {
  if ((await directories.get(root, signal)) === undefined) return undefined;
  return readWholeClosure(directories, root, signal);
}

async function readWholeClosure(
  directories: DirectoryService,
  root: B3Digest,
  signal?: AbortSignal,
): Promise<readonly Directory[]> {
  const closure: Directory[] = [];
  for await (const directory of directories.closure(root, signal)) closure.push(directory);
  if (closure.length === 0) throw missingDirectory({ digest: root });
  return closure;
}

/** Every blob once. */
function* filesOf(directories: readonly Directory[]): Generator<FileNode, void, void> {
  const seen = new Set<string>();
  for (const { entries } of directories) {
    for (const { node } of entries) {
      if (node.kind !== 'file' || seen.has(node.digest.key)) continue;
      seen.add(node.digest.key);
      yield node;
    }
  }
}

function checkDigest(expected: B3Digest, actual: B3Digest | undefined): void {
  if (actual?.equals(expected) === true) return;
  const other = actual?.toString() ?? 'nothing';
  throw new StoreError('corrupt', `instead of the blob ${expected.toString()} the source gave ${other}`);
}

function sizeOf(files: readonly FileNode[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}

function missingBlob(digest: B3Digest): StoreError {
  return new StoreError('not-found', `the blob ${digest.toString()} is not there`);
}
