/**
 * A near service before a far one. What is read from far is put near: a small blob as a whole; of a blob that is split,
 * the chunks that were read, and the blob itself when all of its chunks are there. Reads of the same blob or chunk at the
 * same time share one download. A long blob that is not split passes through, unless it is streamed to its end.
 *
 * Nothing is put near that has not the digest under which it was asked for. Writes go to both: a blob is complete far before
 * it is visible near.
 */
import { equalBytes } from '@neve/bytes';
import { abortable } from './abortable.ts';
import type { B3Digest } from './b3-digest.ts';
import { Blake3TreeHasher, hashBlake3 } from './blake3.ts';
import type { BlobReader, BlobService, BlobWriter, ByteRange, ChunkMeta } from './blob-service.ts';
import { bytesReader } from './bytes-reader.ts';
import { CastoreError } from './castore-error.ts';
import { StoredBlobReader } from './stored-blob-reader.ts';
import { OutboardVerifier } from './verified-range.ts';

export type CacheBlobsOptions = {
  /** A blob that is not split is fetched whole up to this length, in bytes; 4 MiB by default. */
  readonly maxWholeBytes?: number;
};

/** Disposing of it waits for downloads, and leaves `near` and `far` open. */
export function cacheBlobs(
  near: BlobService,
  far: BlobService,
  options: CacheBlobsOptions = {},
): BlobService {
  return new CacheBlobs({ near, far, maxWholeBytes: options.maxWholeBytes ?? 4 * 2 ** 20 });
}

type CacheParts = Required<CacheBlobsOptions> & { readonly near: BlobService; readonly far: BlobService };

class CacheBlobs implements BlobService {
  readonly #near: BlobService;
  readonly #far: BlobService;
  readonly #maxWholeBytes: number;
  /** By the key of a blob or chunk. */
  readonly #downloads: Map<string, Promise<Uint8Array | undefined>> = new Map();

  constructor({ near, far, maxWholeBytes }: CacheParts) {
    this.#near = near;
    this.#far = far;
    this.#maxWholeBytes = maxWholeBytes;
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    return (await this.#near.has(digest, signal)) || this.#far.has(digest, signal);
  }

  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const near = await this.#near.open(digest, signal);
    if (near !== undefined) return near;
    const chunks = await this.#far.chunks(digest, signal);
    if (chunks === undefined) return undefined;
    return chunks.length === 0 ? this.#openWhole(digest, signal) : this.#openSplit(digest, chunks);
  }

  async create(signal?: AbortSignal): Promise<BlobWriter> {
    const far = await this.#far.create(signal);
    try {
      return new CacheWriter(far, await this.#near.create(signal));
    } catch (error) {
      await far[Symbol.asyncDispose]();
      throw error;
    }
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    const digest = await this.#far.put(bytes, signal);
    return checkAgreement(digest, await this.#near.put(bytes, signal));
  }

  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    return (await this.#near.chunks(digest, signal)) ?? this.#far.chunks(digest, signal);
  }

  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return (await this.#near.outboard(digest, signal)) ?? this.#far.outboard(digest, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#downloads.values());
  }

  async #openWhole(digest: B3Digest, signal: AbortSignal | undefined): Promise<BlobReader | undefined> {
    const download = this.#share(digest, async () => {
      const reader = await this.#far.open(digest);
      if (reader === undefined || reader.size <= this.#maxWholeBytes)
        return reader && this.#fill(digest, reader);
      await reader[Symbol.asyncDispose]();
      return undefined;
    });
    const bytes = await abortable(download, signal);
    if (bytes !== undefined) return bytesReader(bytes);
    const reader = await this.#far.open(digest, signal);
    return reader && new PassingReader({ reader, near: this.#near, digest });
  }

  #openSplit(digest: B3Digest, chunks: readonly ChunkMeta[]): BlobReader {
    const wanted = new Set(chunks.map((chunk) => chunk.digest.key));
    // After a failure the list may be false, and is not used to make a blob.
    let failed = false;
    const failing = (error: unknown): never => {
      failed = true;
      throw error;
    };
    const blob = new StoredBlobReader({
      digest,
      chunks,
      fetchChunk: async (chunk) => {
        const bytes = await this.#fetchChunk(chunk);
        wanted.delete(chunk.digest.key);
        return bytes;
      },
      outboard: async (size) => {
        const outboard = await this.#far.outboard(digest);
        return outboard && { verifier: new OutboardVerifier(digest.bytes, size, outboard) };
      },
    });
    return {
      size: blob.size,
      read: (offset, length, signal) => blob.read(offset, length, signal).catch(failing),
      stream: async function* (range, signal) {
        try {
          yield* blob.stream(range, signal);
        } catch (error) {
          failing(error);
        }
      },
      [Symbol.asyncDispose]: async () => {
        await blob[Symbol.asyncDispose]();
        if (wanted.size === 0 && !failed) await this.#joinChunks(digest, chunks);
      },
    };
  }

  async #fetchChunk({ digest, size }: ChunkMeta): Promise<Uint8Array> {
    const bytes = await this.#share(digest, async () => {
      await using near = await this.#near.open(digest);
      if (near !== undefined) return near.read(0, near.size);
      const far = await this.#far.open(digest);
      if (far === undefined || far.size === size) return far && this.#fill(digest, far);
      await far[Symbol.asyncDispose]();
      throw wrongBytes(digest);
    });
    if (bytes !== undefined) return bytes;
    const chunk = `the chunk ${digest.toString()}`;
    throw new CastoreError('not-found', `the far service names ${chunk} and does not have it`);
  }

  /** One run of `download` at a time for a digest. */
  #share(
    { key }: B3Digest,
    download: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const running = this.#downloads.get(key);
    if (running !== undefined) return running;
    const started = download().finally(() => this.#downloads.delete(key));
    this.#downloads.set(key, started);
    return started;
  }

  /** All bytes of a reader of the far service, which are put near; disposes of the reader. */
  async #fill(digest: B3Digest, reader: BlobReader): Promise<Uint8Array> {
    await using far = reader;
    const bytes = await far.read(0, far.size);
    if (bytes.length !== far.size || !equalBytes(hashBlake3(bytes), digest.bytes)) throw wrongBytes(digest);
    checkAgreement(digest, await this.#near.put(bytes));
    return bytes;
  }

  /** Makes the blob near from chunks that are near, unless some of them have gone meanwhile. */
  async #joinChunks(digest: B3Digest, chunks: readonly ChunkMeta[]): Promise<void> {
    if (await this.#near.has(digest)) return;
    await using writer = await this.#near.create();
    const hasher = new Blake3TreeHasher();
    for (const chunk of chunks) {
      await using reader = await this.#near.open(chunk.digest);
      if (reader === undefined) return;
      for await (const piece of reader.stream()) {
        hasher.update(piece);
        await writer.write(piece);
      }
    }
    if (!equalBytes(hasher.finish().digest, digest.bytes)) {
      throw new CastoreError(
        'corrupt',
        `the list of chunks of blob ${digest.toString()} is not that of its bytes`,
      );
    }
    checkAgreement(digest, await writer.close());
  }
}

type PassingReaderOptions = {
  readonly reader: BlobReader;
  readonly near: BlobService;
  readonly digest: B3Digest;
};

/** A long blob of the far service, which is written near while all of it is streamed. */
class PassingReader implements BlobReader {
  readonly #options: PassingReaderOptions;

  constructor(options: PassingReaderOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.reader.size;
  }

  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#options.reader.read(offset, length, signal);
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { reader, near, digest } = this.#options;
    const isWhole = (range.start ?? 0) === 0 && (range.end ?? this.size) >= this.size;
    if (!isWhole) {
      yield* reader.stream(range, signal);
      return;
    }
    await using writer = await near.create(signal);
    const hasher = new Blake3TreeHasher();
    for await (const piece of reader.stream(range, signal)) {
      hasher.update(piece);
      await writer.write(piece);
      yield piece;
    }
    if (!equalBytes(hasher.finish().digest, digest.bytes)) throw wrongBytes(digest);
    checkAgreement(digest, await writer.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#options.reader[Symbol.asyncDispose]());
  }
}

class CacheWriter implements BlobWriter {
  readonly #far: BlobWriter;
  readonly #near: BlobWriter;
  #closing: Promise<B3Digest> | undefined;

  constructor(far: BlobWriter, near: BlobWriter) {
    this.#far = far;
    this.#near = near;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await Promise.all([this.#far.write(bytes), this.#near.write(bytes)]);
  }

  close(): Promise<B3Digest> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#far[Symbol.asyncDispose](), this.#near[Symbol.asyncDispose]()]);
  }

  async #finish(): Promise<B3Digest> {
    const digest = await this.#far.close();
    return checkAgreement(digest, await this.#near.close());
  }
}

function checkAgreement(expected: B3Digest, actual: B3Digest): B3Digest {
  if (expected.equals(actual)) return expected;
  throw new CastoreError(
    'corrupt',
    `two services give the same blob different digests: ${expected.toString()} and ${actual.toString()}`,
  );
}

function wrongBytes(digest: B3Digest): CastoreError {
  return new CastoreError(
    'corrupt',
    `the far service gives other bytes for blob ${digest.toString()} than its own`,
  );
}
