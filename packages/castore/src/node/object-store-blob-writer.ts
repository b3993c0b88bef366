/**
 * Writes one blob to an object store: chunks go there while the blob is still written, several at a time, and the index last.
 *
 * Besides the chunk that is being filled, a writer holds only chunks for which it has a slot of the service, so what all
 * writers hold together is bounded. Chunks of a writer that was not closed stay behind, named by no index; the inventory's
 * `removeLeftovers` takes them.
 */
import { B3Digest } from '../b3-digest.ts';
import { Blake3TreeHasher, type TreeHash } from '../blake3.ts';
import type { BlobWriter, ChunkMeta } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import { Chunker, type ChunkSizes } from '../chunker.ts';
import type { Blake3 } from './blake3.ts';
import type { ObjectStoreChunks } from './object-store-chunks.ts';

export type StoredTree = TreeHash & { readonly chunks: readonly ChunkMeta[] };

export type ObjectStoreBlobWriterOptions = {
  readonly chunks: ObjectStoreChunks;
  readonly blake3: Blake3;
  readonly sizes: ChunkSizes;
  /** Stores the index of a blob whose chunks are all there. */
  readonly commit: (tree: StoredTree) => Promise<void>;
  readonly signal: AbortSignal | undefined;
};

export class ObjectStoreBlobWriter implements BlobWriter {
  readonly #options: ObjectStoreBlobWriterOptions;
  readonly #chunker: Chunker;
  readonly #hasher: Blake3TreeHasher = new Blake3TreeHasher();
  readonly #chunks: ChunkMeta[] = [];
  /** Pinned, each once. */
  readonly #pinned: Map<string, B3Digest> = new Map();
  readonly #uploads: Set<Promise<void>> = new Set();
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<B3Digest> | undefined;
  #disposed = false;

  constructor(options: ObjectStoreBlobWriterOptions) {
    this.#options = options;
    this.#chunker = new Chunker(options.sizes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (this.#closing !== undefined) throw new Error('a blob that was closed is written to');
    this.#hasher.update(bytes);
    for (const chunk of this.#chunker.push(bytes)) {
      // The caller may change its bytes when the chunk is still on its way.
      await this.#send(chunk, { isBorrowed: chunk.buffer === bytes.buffer });
    }
  }

  close(): Promise<B3Digest> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#closing?.catch(() => undefined);
    await Promise.all(this.#uploads);
    this.#unpin();
  }

  async #finish(): Promise<B3Digest> {
    this.#check();
    const last = this.#chunker.end();
    if (last !== undefined) await this.#send(last, { isBorrowed: false });
    await Promise.all(this.#uploads);
    this.#check();
    const tree = this.#hasher.finish();
    const [only, ...others] = this.#chunks;
    const digest = new B3Digest(tree.digest);
    if (only !== undefined && others.length === 0 && !only.digest.equals(digest)) {
      throw new CastoreError(
        'corrupt',
        `the bytes of blob ${digest.toString()} changed while they were written`,
      );
    }
    await this.#options.commit({ ...tree, chunks: this.#chunks });
    this.#unpin();
    return digest;
  }

  #unpin(): void {
    for (const digest of this.#pinned.values()) this.#options.chunks.unpin(digest);
    this.#pinned.clear();
  }

  async #send(chunk: Uint8Array, { isBorrowed }: { readonly isBorrowed: boolean }): Promise<void> {
    const release = await this.#options.chunks.slot();
    try {
      this.#check();
      const bytes = isBorrowed ? new Uint8Array(chunk) : chunk;
      const digest = new B3Digest(this.#options.blake3.hashBytes(bytes));
      this.#chunks.push({ digest, size: bytes.length });
      if (this.#pinned.has(digest.key)) return release();
      this.#pinned.set(digest.key, digest);
      this.#options.chunks.pin(digest);
      const upload = this.#upload(digest, bytes).finally(() => {
        release();
        this.#uploads.delete(upload);
      });
      this.#uploads.add(upload);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A failure is kept, and thrown by what is called next. */
  async #upload(digest: B3Digest, bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.chunks.put(digest, bytes, this.#options.signal);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #check(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#disposed) throw new Error('the writer of a blob is used after it was disposed of');
  }
}
