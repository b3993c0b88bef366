/**
 * The chunks of an object store: stored once, compressed; verified when they are read.
 *
 * Chunks that writers rely on are pinned until the index of the blob is there, so that a removal of other blobs in this
 * process leaves them. Another process does not see the pins: who removes from a store that others write to at the same
 * time names blobs that were unused for longer than an upload lasts.
 */
import { B3Digest } from '../b3-digest.ts';
import { CastoreError } from '../castore-error.ts';
import type { ObjectStore } from '../object-store.ts';
import { WeightedSemaphore } from '../weighted-semaphore.ts';
import type { Blake3 } from './blake3.ts';
import { chunkKey, maxChunkBytes } from './object-store-layout.ts';
import { zstdCompress, zstdDecompress } from './zstd.ts';

const compressionLevel = 3;

export class ObjectStoreChunks {
  readonly #store: ObjectStore;
  readonly #blake3: Blake3;
  readonly #uploads: Map<string, Promise<void>> = new Map();
  readonly #slots: WeightedSemaphore;
  readonly #pins: Map<string, number> = new Map();
  readonly #deletions: Map<string, Promise<number>> = new Map();
  /** For each removal that is going on: what was pinned at any time since it began. */
  readonly #removals: Set<Set<string>> = new Set();

  constructor(parts: { readonly store: ObjectStore; readonly blake3: Blake3; readonly concurrency: number }) {
    this.#store = parts.store;
    this.#blake3 = parts.blake3;
    this.#slots = new WeightedSemaphore(parts.concurrency);
  }

  /** Room for one upload. A chunk is held in memory only by somebody who has it; the result gives it back. */
  slot(): Promise<() => void> {
    return this.#slots.acquire();
  }

  /** `undefined` when it is not there. Throws `corrupt`, also if it has more than `maxBytes`. */
  async get(
    digest: B3Digest,
    {
      maxBytes = maxChunkBytes,
      signal,
    }: { readonly maxBytes?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array | undefined> {
    const compressed = await this.#store.get(chunkKey(digest), signal);
    if (compressed === undefined) return undefined;
    let bytes: Uint8Array;
    try {
      bytes = await zstdDecompress(compressed, maxBytes);
    } catch (cause) {
      if (!(cause instanceof CastoreError)) throw cause;
      throw this.#damaged(digest, cause.message, cause);
    }
    if (!digest.equals(new B3Digest(this.#blake3.hashBytes(bytes)))) {
      throw this.#damaged(digest, 'its bytes have another digest');
    }
    return bytes;
  }

  /** Stores a chunk unless it is there. Its bytes must not change until the promise is fulfilled. */
  put(digest: B3Digest, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { key } = digest;
    const running = this.#uploads.get(key);
    if (running !== undefined) {
      // Whoever began may have given up, which is no reason for others to.
      return running.catch(() => this.put(digest, bytes, signal));
    }
    const upload = this.#upload(digest, bytes, signal).finally(() => this.#uploads.delete(key));
    this.#uploads.set(key, upload);
    return upload;
  }

  pin({ key }: B3Digest): void {
    this.#pins.set(key, (this.#pins.get(key) ?? 0) + 1);
    for (const removal of this.#removals) removal.add(key);
  }

  unpin({ key }: B3Digest): void {
    const count = (this.#pins.get(key) ?? 0) - 1;
    if (count > 0) this.#pins.set(key, count);
    else this.#pins.delete(key);
  }

  /** Runs a removal. What it is given removes a chunk unless somebody needed it since it began, and says how much is freed. */
  async removing<T>(action: (remove: (digest: B3Digest) => Promise<number>) => Promise<T>): Promise<T> {
    const pinned = new Set(this.#pins.keys());
    this.#removals.add(pinned);
    try {
      return await action(async (digest) => (pinned.has(digest.key) ? 0 : this.#remove(digest)));
    } finally {
      this.#removals.delete(pinned);
    }
  }

  /** Who pins it from now on waits until it has gone. */
  #remove(digest: B3Digest): Promise<number> {
    const deletion = (async () => {
      const info = await this.#store.head(chunkKey(digest));
      await this.#store.delete(chunkKey(digest));
      return info?.size ?? 0;
    })().finally(() => this.#deletions.delete(digest.key));
    this.#deletions.set(digest.key, deletion);
    return deletion;
  }

  async #upload(digest: B3Digest, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const key = chunkKey(digest);
    await this.#deletions.get(digest.key)?.catch(() => undefined);
    if ((await this.#store.head(key, signal)) !== undefined) return;
    await this.#store.put(key, await zstdCompress(bytes, compressionLevel), signal);
  }

  #damaged(digest: B3Digest, problem: string, cause?: unknown): CastoreError {
    return new CastoreError(
      'corrupt',
      `the chunk ${digest.toString()} is damaged in ${this.#store.label}: ${problem}`,
      {
        cause,
      },
    );
  }
}
