/**
 * Blobs in an object store, cut into compressed chunks, in the layout of Snix (`object-store-layout.ts`): its stores can
 * be read here, and ours there.
 *
 * What is read is verified: each chunk by its digest, the list of chunks by the digest of the blob when all of it is
 * streamed, and by the outboard for other reads. A blob that Snix wrote has no outboard if it has several chunks; then ranges
 * of it rely on the list.
 *
 * When a blob was used is known from the time of its index, which is written again when the blob is stored again, and for
 * uses in this process.
 */
import { B3Digest, emptyBlobDigest } from '../b3-digest.ts';
import { Blake3TreeHasher } from '../blake3.ts';
import { decodeBlobIndex, encodeBlobIndex, type BlobIndex } from '../blob-index.ts';
import type { BlobInventory, BlobReader, BlobService, BlobWriter, ChunkMeta } from '../blob-service.ts';
import { bytesReader } from '../bytes-reader.ts';
import { CastoreError } from '../castore-error.ts';
import { chunkSizes, type ChunkSizes } from '../chunker.ts';
import type { ObjectStore } from '../object-store.ts';
import { outboardLength, outboardNodeLength, type NodeRange } from '../outboard.ts';
import { StoredBlobReader, type OutboardSource } from '../stored-blob-reader.ts';
import { OutboardVerifier } from '../verified-range.ts';
import type { OutboardNodes } from '../verified-reader.ts';
import { type Blake3, loadBlake3 } from './blake3.ts';
import { BlobUses } from './blob-uses.ts';
import { ObjectStoreBlobWriter, type StoredTree } from './object-store-blob-writer.ts';
import { ObjectStoreChunks } from './object-store-chunks.ts';
import { ObjectStoreInventory } from './object-store-inventory.ts';
import { blobKey, chunkKey, indexedOutboardBytes, outboardKey } from './object-store-layout.ts';

/** Larger outboards are fetched in parts. */
const wholeOutboardBytes = 1 << 20;

/** Parts of an outboard with fewer nodes between them are fetched together. */
const nodeGap = 1024;

export type ObjectStoreBlobsOptions = {
  /** Disposed of together with the service. */
  readonly store: ObjectStore;
  /** 256 KiB by default; the smallest chunk has half of it, the largest one its double. */
  readonly averageChunkBytes?: number;
  /** How many chunks are uploaded at the same time, by all writers together; 8 by default. */
  readonly concurrency?: number;
};

export async function openObjectStoreBlobs(options: ObjectStoreBlobsOptions): Promise<BlobService> {
  return new ObjectStoreBlobs(options, await loadBlake3());
}

const noBytes = new Uint8Array();

class ObjectStoreBlobs implements BlobService {
  readonly inventory: BlobInventory;
  readonly #store: ObjectStore;
  readonly #blake3: Blake3;
  readonly #sizes: ChunkSizes;
  readonly #chunks: ObjectStoreChunks;
  readonly #uses: BlobUses = new BlobUses();

  constructor(
    { store, averageChunkBytes = 262_144, concurrency = 8 }: ObjectStoreBlobsOptions,
    blake3: Blake3,
  ) {
    this.#store = store;
    this.#blake3 = blake3;
    this.#sizes = chunkSizes(averageChunkBytes);
    this.#chunks = new ObjectStoreChunks({ store, blake3, concurrency });
    this.inventory = new ObjectStoreInventory({
      store,
      chunks: this.#chunks,
      uses: this.#uses,
      open: (digest, signal) => this.#openIndexed(digest, signal),
    });
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    if (digest.equals(emptyBlobDigest)) return true;
    await this.#uses.use(digest);
    for (const key of [blobKey(digest), chunkKey(digest)]) {
      if ((await this.#store.head(key, signal)) !== undefined) return true;
    }
    return false;
  }

  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    signal?.throwIfAborted();
    if (digest.equals(emptyBlobDigest)) return bytesReader(noBytes);
    // Most blobs are one chunk, and need not wait for an index.
    const chunk = await this.#chunks.get(digest, { signal });
    return chunk === undefined ? this.#openIndexed(digest, signal) : bytesReader(chunk);
  }

  async create(signal?: AbortSignal): Promise<BlobWriter> {
    signal?.throwIfAborted();
    return new ObjectStoreBlobWriter({
      chunks: this.#chunks,
      blake3: this.#blake3,
      sizes: this.#sizes,
      commit: (tree) => this.#commit(tree, signal),
      signal,
    });
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    await using writer = await this.create(signal);
    await writer.write(bytes);
    return await writer.close();
  }

  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    if (digest.equals(emptyBlobDigest)) return [];
    const index = await this.#index(digest, signal);
    if (index !== undefined) return index.chunks;
    return (await this.#store.head(chunkKey(digest), signal)) === undefined ? undefined : [];
  }

  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (digest.equals(emptyBlobDigest)) return noBytes;
    const index = await this.#index(digest, signal);
    if (index !== undefined && index.chunks.length > 0) {
      return index.outboard ?? this.#store.get(outboardKey(digest), signal);
    }
    const chunk = await this.#chunks.get(digest, { signal });
    return chunk && new Blake3TreeHasher().update(chunk).finish().outboard;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #index(digest: B3Digest, signal: AbortSignal | undefined): Promise<BlobIndex | undefined> {
    const bytes = await this.#store.get(blobKey(digest), signal);
    if (bytes === undefined) return undefined;
    try {
      return decodeBlobIndex(bytes);
    } catch (cause) {
      if (!(cause instanceof CastoreError)) throw cause;
      const message = `the index of blob ${digest.toString()} is damaged in ${this.#store.label}`;
      throw new CastoreError('corrupt', message, { cause });
    }
  }

  /** A blob by way of its index. */
  async #openIndexed(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const index = await this.#index(digest, signal);
    if (index === undefined) return undefined;
    if (index.chunks.length === 0)
      return bytesReader(await this.#needChunk({ digest, blob: digest, signal }));
    return new StoredBlobReader({
      digest,
      chunks: index.chunks,
      fetchChunk: (chunk, stop) =>
        this.#needChunk({ digest: chunk.digest, blob: digest, maxBytes: chunk.size, signal: stop }),
      outboard: (size) => this.#outboardSource(digest, index, size),
      createHasher: () => this.#blake3.createHasher(),
    });
  }

  async #needChunk(wanted: {
    readonly digest: B3Digest;
    readonly blob: B3Digest;
    readonly maxBytes?: number;
    readonly signal: AbortSignal | undefined;
  }): Promise<Uint8Array> {
    const bytes = await this.#chunks.get(wanted.digest, wanted);
    if (bytes !== undefined) return bytes;
    const which = `the chunk ${wanted.digest.toString()} of blob ${wanted.blob.toString()}`;
    throw new CastoreError('not-found', `${which} is missing in ${this.#store.label}`);
  }

  async #outboardSource(
    digest: B3Digest,
    index: BlobIndex,
    size: number,
  ): Promise<OutboardSource | undefined> {
    const key = outboardKey(digest);
    if (index.outboard !== undefined) {
      return { verifier: new OutboardVerifier(digest.bytes, size, index.outboard) };
    }
    const verifier = new OutboardVerifier(digest.bytes, size);
    const length = outboardLength(size);
    if (length === 0) return { verifier };
    if ((await this.#store.head(key)) === undefined) return undefined;
    return {
      verifier,
      loadNodes: async (missing, signal) => {
        const ranges =
          length <= wholeOutboardBytes ? [{ first: 0, count: length / outboardNodeLength }] : missing;
        return Promise.all(joinRanges(ranges).map((it) => this.#loadNodes(key, it, signal)));
      },
    };
  }

  async #loadNodes(key: string, { first, count }: NodeRange, signal?: AbortSignal): Promise<OutboardNodes> {
    const range = { offset: first * outboardNodeLength, length: count * outboardNodeLength };
    const bytes = await this.#store.getRange(key, range, signal);
    if (bytes.length === range.length) return { first, bytes };
    throw new CastoreError('corrupt', `the outboard '${key}' is too short in ${this.#store.label}`);
  }

  /** Everything that the index names is there. */
  async #commit({ digest: bytes, size, outboard, chunks }: StoredTree, signal?: AbortSignal): Promise<void> {
    if (size === 0) return;
    const digest = new B3Digest(bytes);
    await this.#uses.use(digest);
    const isOne = chunks.length === 1;
    const isBeside = !isOne && outboard.length > indexedOutboardBytes;
    if (isBeside && (await this.#store.head(outboardKey(digest), signal)) === undefined) {
      await this.#store.put(outboardKey(digest), outboard, signal);
    }
    const index = { chunks: isOne ? [] : chunks, ...(isOne || isBeside ? {} : { outboard }) };
    await this.#store.put(blobKey(digest), encodeBlobIndex(index), signal);
  }
}

/** Ascending ranges, of which neighbours are joined. */
function joinRanges(ranges: readonly NodeRange[]): readonly NodeRange[] {
  const joined: { first: number; count: number }[] = [];
  for (const { first, count } of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && first - last.first - last.count <= nodeGap)
      last.count = first + count - last.first;
    else joined.push({ first, count });
  }
  return joined;
}
