/**
 * Stores many blobs at the same time, in bounded memory: what all producers of an ingestion share.
 *
 * A small blob is taken into memory; its digest is known at once, and it is stored in the background unless it is there
 * already. A large one is written while it is read, and its caller waits. What waits in the background has a bound in bytes
 * and one in blobs; who would exceed them waits. The first failure is thrown by every later call and by `finish`.
 */
import { B3Digest } from './b3-digest.ts';
import { hashBlake3 } from './blake3.ts';
import type { BlobService } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import { WeightedSemaphore } from './weighted-semaphore.ts';

export type BlobUploaderOptions = {
  /** A blob of so many bytes or more is not taken into memory; 1 MiB by default. */
  readonly largeBytes?: number;
  /** What is held in memory for all uploads; 128 MiB by default. */
  readonly bufferBytes?: number;
  /** Uploads in the background; 64 by default. */
  readonly concurrency?: number;
  /** BLAKE3 of bytes that are all there; the one of WebAssembly by default. */
  readonly hash?: (bytes: Uint8Array) => Uint8Array;
  readonly signal?: AbortSignal;
};

export type BlobSource = {
  /** In bytes; what comes must be as long. */
  readonly size: number;
  readonly contents: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Names it in messages. */
  readonly name: string;
};

export class BlobUploader implements AsyncDisposable {
  readonly #blobs: BlobService;
  readonly #largeBytes: number;
  readonly #hash: (bytes: Uint8Array) => Uint8Array;
  readonly #signal: AbortSignal | undefined;
  readonly #memory: WeightedSemaphore;
  readonly #slots: WeightedSemaphore;
  /** In the background, by key. */
  readonly #uploads: Map<string, Promise<void>> = new Map();
  #failure: { readonly error: unknown } | undefined;

  constructor(blobs: BlobService, options: BlobUploaderOptions = {}) {
    this.#blobs = blobs;
    this.#largeBytes = options.largeBytes ?? 2 ** 20;
    this.#hash = options.hash ?? hashBlake3;
    this.#signal = options.signal;
    this.#memory = new WeightedSemaphore(options.bufferBytes ?? 128 * 2 ** 20);
    this.#slots = new WeightedSemaphore(options.concurrency ?? 64);
  }

  /**
   * The digest of a blob that is stored when `finish` has returned. Throws what reading it throws, and `CastoreError` (`io`)
   * when it has not the size that was said.
   */
  async upload(source: BlobSource): Promise<B3Digest> {
    this.#check();
    if (source.size >= this.#largeBytes) return this.#uploadLarge(source);
    const release = await this.#memory.acquire(source.size);
    try {
      const bytes = await readAll(source);
      const digest = new B3Digest(this.#hash(bytes));
      const freeSlot = await this.#slots.acquire();
      this.#start(digest, bytes, () => {
        release();
        freeSlot();
      });
      return digest;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Waits until everything is stored. Throws the first failure. */
  async finish(): Promise<void> {
    while (this.#uploads.size > 0) await Promise.all(this.#uploads.values());
    this.#check();
  }

  /** Waits for what is under way, whether it fails or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#uploads.size > 0) await Promise.all(this.#uploads.values());
  }

  #check(): void {
    this.#signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #start(digest: B3Digest, bytes: Uint8Array, release: () => void): void {
    if (this.#uploads.has(digest.key)) {
      release();
      return;
    }
    const upload = this.#store(digest, bytes)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#uploads.delete(digest.key);
        release();
      });
    this.#uploads.set(digest.key, upload);
  }

  async #store(digest: B3Digest, bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined || (await this.#blobs.has(digest, this.#signal))) return;
    const stored = await this.#blobs.put(bytes, this.#signal);
    if (stored.equals(digest)) return;
    throw new CastoreError(
      'corrupt',
      `the blob ${digest.toString()} was stored, and the service calls it ${stored.toString()}`,
    );
  }

  async #uploadLarge(source: BlobSource): Promise<B3Digest> {
    await using writer = await this.#blobs.create(this.#signal);
    let size = 0;
    for await (const piece of source.contents) {
      size += piece.length;
      if (size > source.size) throw wrongSize(source, size);
      await writer.write(piece);
    }
    if (size !== source.size) throw wrongSize(source, size);
    return await writer.close();
  }
}

async function readAll(source: BlobSource): Promise<Uint8Array> {
  const bytes = new Uint8Array(source.size);
  let size = 0;
  for await (const piece of source.contents) {
    if (size + piece.length > source.size) throw wrongSize(source, size + piece.length);
    bytes.set(piece, size);
    size += piece.length;
  }
  if (size !== source.size) throw wrongSize(source, size);
  return bytes;
}

function wrongSize({ name, size }: BlobSource, actual: number): CastoreError {
  const more = actual > size ? 'more than' : 'fewer than';
  return new CastoreError(
    'io',
    `'${name}' has ${more} the ${size} bytes that were announced: did it change?`,
  );
}
