/**
 * All blobs of an object store, by its listing: to list, to remove and to verify them.
 *
 * A removal deletes indices first and then the chunks that no other index names; for that it reads all of them. A crash
 * in between leaves chunks without an index, which `removeLeftovers` takes when they are a day old: until then they may be
 * those of a blob that is just being written by another process.
 */
import type { B3Digest } from '../b3-digest.ts';
import { decodeBlobIndex, type BlobIndex } from '../blob-index.ts';
import type {
  BlobInventory,
  BlobReader,
  DamagedObject,
  RemovalCondition,
  StoredBlob,
} from '../blob-service.ts';
import { Blake3TreeHasher } from '../blake3.ts';
import { CastoreError } from '../castore-error.ts';
import type { ListedObject, ObjectStore } from '../object-store.ts';
import type { BlobUses } from './blob-uses.ts';
import type { ObjectStoreChunks } from './object-store-chunks.ts';
import {
  blobKey,
  blobPrefix,
  chunkKey,
  chunkPrefix,
  digestInKey,
  outboardKey,
  outboardPrefix,
} from './object-store-layout.ts';

const leftoverAgeMs = 24 * 60 * 60 * 1000;

export type ObjectStoreInventoryOptions = {
  readonly store: ObjectStore;
  readonly chunks: ObjectStoreChunks;
  readonly uses: BlobUses;
  /** Opens a blob by its index. */
  readonly open: (digest: B3Digest, signal?: AbortSignal) => Promise<BlobReader | undefined>;
};

type IndexedBlob = { readonly digest: B3Digest; readonly object: ListedObject };

export class ObjectStoreInventory implements BlobInventory {
  readonly #options: ObjectStoreInventoryOptions;

  constructor(options: ObjectStoreInventoryOptions) {
    this.#options = options;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredBlob, void, void> {
    const users = await this.#chunkUsers(signal);
    const chunkSizes = await this.#sizesUnder(chunkPrefix, signal);
    const outboardSizes = await this.#sizesUnder(outboardPrefix, signal);
    for await (const { digest, object } of this.#indexed(signal)) {
      const index = await this.#indexOrNothing(digest, signal);
      let sizeBytes = object.size + (outboardSizes.get(digest.key) ?? 0);
      for (const { key } of new Map(chunksOf(digest, index).map((it) => [it.key, it])).values()) {
        if (users.get(key) === 1) sizeBytes += chunkSizes.get(key) ?? 0;
      }
      const lastUsedMs = Math.max(object.lastModifiedMs, this.#options.uses.lastUseMs(digest));
      yield { digest, sizeBytes, lastUsedMs };
    }
  }

  remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    return this.#options.chunks.removing(async (removeChunk) => {
      const candidates = new Map<string, B3Digest>();
      const asked = new Set<string>();
      let freed = 0;
      for (const digest of digests) {
        signal?.throwIfAborted();
        asked.add(digest.key);
        const removed = await this.#removeIndex(digest, unusedSinceMs, signal);
        freed += removed.freed;
        for (const chunk of removed.chunks) candidates.set(chunk.key, chunk);
      }
      if (candidates.size === 0) return freed;
      const users = await this.#chunkUsers(signal);
      for (const chunk of candidates.values()) {
        signal?.throwIfAborted();
        const isDamaged = async (): Promise<boolean> =>
          asked.has(chunk.key) && (await this.#chunkProblem(chunk, signal)) !== undefined;
        if (!users.has(chunk.key) || (await isDamaged())) freed += await removeChunk(chunk);
      }
      return freed;
    });
  }

  async *verify(signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    const damagedChunks = new Set<string>();
    for await (const { key } of this.#options.store.list(chunkPrefix, signal)) {
      const digest = digestInKey(key);
      const problem = digest && (await this.#chunkProblem(digest, signal));
      if (digest === undefined || problem === undefined) continue;
      damagedChunks.add(digest.key);
      yield { digest, what: 'chunk', problem };
    }
    for await (const { digest } of this.#indexed(signal)) {
      const problem = await this.#blobProblem(digest, { damagedChunks, signal });
      if (problem !== undefined) yield { digest, what: 'blob', problem };
    }
  }

  async *verifyBlob(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    const { store } = this.#options;
    if ((await store.head(blobKey(digest), signal)) === undefined) return;
    const damagedChunks = new Set<string>();
    for (const chunk of chunksOf(digest, await this.#indexOrNothing(digest, signal))) {
      const problem = await this.#chunkProblem(chunk, signal);
      if (problem === undefined || damagedChunks.has(chunk.key)) continue;
      damagedChunks.add(chunk.key);
      yield { digest: chunk, what: 'chunk', problem };
    }
    const problem = await this.#blobProblem(digest, { damagedChunks, signal });
    if (problem !== undefined) yield { digest, what: 'blob', problem };
  }

  removeLeftovers(signal?: AbortSignal): Promise<number> {
    const before = Date.now() - leftoverAgeMs;
    const { chunks, store } = this.#options;
    return chunks.removing(async (removeChunk) => {
      const users = await this.#chunkUsers(signal);
      let freed = 0;
      for await (const { key, lastModifiedMs } of store.list(chunkPrefix, signal)) {
        const digest = digestInKey(key);
        if (digest === undefined || lastModifiedMs >= before || users.has(digest.key)) continue;
        freed += await removeChunk(digest);
      }
      for await (const { key, lastModifiedMs } of store.list(outboardPrefix, signal)) {
        const digest = digestInKey(key);
        if (digest === undefined || lastModifiedMs >= before) continue;
        if ((await store.head(blobKey(digest), signal)) === undefined) freed += await this.#delete(key);
      }
      return freed;
    });
  }

  /** Removes the index and the outboard, and says which chunks the blob had. A digest without index may be a chunk's. */
  async #removeIndex(
    digest: B3Digest,
    unusedSinceMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly freed: number; readonly chunks: readonly B3Digest[] }> {
    const { store, uses } = this.#options;
    const key = blobKey(digest);
    const nothing = { freed: 0, chunks: [] };
    const info = await store.head(key, signal);
    if (info === undefined) {
      const chunk = await store.head(chunkKey(digest), signal);
      return chunk !== undefined && chunk.lastModifiedMs < unusedSinceMs
        ? { freed: 0, chunks: [digest] }
        : nothing;
    }
    if (info.lastModifiedMs >= unusedSinceMs) return nothing;
    const chunks = chunksOf(digest, await this.#indexOrNothing(digest, signal));
    let freed = 0;
    const removed = await uses.remove(digest, unusedSinceMs, async () => {
      freed += await this.#delete(key);
      freed += await this.#delete(outboardKey(digest));
    });
    return removed ? { freed, chunks } : nothing;
  }

  /** How many blobs have each chunk, by its key. */
  async #chunkUsers(signal: AbortSignal | undefined): Promise<Map<string, number>> {
    const users = new Map<string, number>();
    for await (const { digest } of this.#indexed(signal)) {
      const index = await this.#indexOrNothing(digest, signal);
      for (const key of new Set(chunksOf(digest, index).map((it) => it.key))) {
        users.set(key, (users.get(key) ?? 0) + 1);
      }
    }
    return users;
  }

  async *#indexed(signal: AbortSignal | undefined): AsyncGenerator<IndexedBlob, void, void> {
    for await (const object of this.#options.store.list(blobPrefix, signal)) {
      const digest = digestInKey(object.key);
      if (digest !== undefined) yield { digest, object };
    }
  }

  /** A damaged index names no chunks: `verify` reports the blob, which cannot be read anyway. */
  async #indexOrNothing(digest: B3Digest, signal: AbortSignal | undefined): Promise<BlobIndex | undefined> {
    const bytes = await this.#options.store.get(blobKey(digest), signal);
    if (bytes === undefined) return undefined;
    try {
      return decodeBlobIndex(bytes);
    } catch (error) {
      if (error instanceof CastoreError && error.code === 'corrupt') return undefined;
      throw error;
    }
  }

  async #sizesUnder(prefix: string, signal: AbortSignal | undefined): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { key, size } of this.#options.store.list(prefix, signal)) {
      const digest = digestInKey(key);
      if (digest !== undefined) sizes.set(digest.key, size);
    }
    return sizes;
  }

  #chunkProblem(digest: B3Digest, signal: AbortSignal | undefined): Promise<string | undefined> {
    return problemOf(() => this.#options.chunks.get(digest, { signal }));
  }

  async #blobProblem(
    digest: B3Digest,
    {
      damagedChunks,
      signal,
    }: { readonly damagedChunks: ReadonlySet<string>; readonly signal: AbortSignal | undefined },
  ): Promise<string | undefined> {
    const index = await problemOrValue(() => this.#readIndex(digest, signal));
    if (index.problem !== undefined) return index.problem;
    const damaged = chunksOf(digest, index.value).find(({ key }) => damagedChunks.has(key));
    if (damaged !== undefined) return `its chunk ${damaged.toString()} is damaged`;
    return problemOf(async () => {
      await using reader = await this.#options.open(digest, signal);
      if (reader === undefined) return;
      const hasher = new Blake3TreeHasher();
      for await (const piece of reader.stream({}, signal)) hasher.update(piece);
      const { outboard } = hasher.finish();
      const beside = await this.#options.store.get(outboardKey(digest), signal);
      const kept = index.value?.outboard ?? beside;
      if (kept !== undefined && Buffer.compare(kept, outboard) !== 0) {
        throw new CastoreError('corrupt', 'its outboard is not that of its bytes');
      }
    });
  }

  async #readIndex(digest: B3Digest, signal: AbortSignal | undefined): Promise<BlobIndex | undefined> {
    const bytes = await this.#options.store.get(blobKey(digest), signal);
    return bytes && decodeBlobIndex(bytes);
  }

  /** Gives the bytes freed. */
  async #delete(key: string): Promise<number> {
    const info = await this.#options.store.head(key);
    if (info === undefined) return 0;
    await this.#options.store.delete(key);
    return info.size;
  }
}

/** The chunks of a blob: of one without a list, itself. */
function chunksOf(digest: B3Digest, index: BlobIndex | undefined): readonly B3Digest[] {
  if (index === undefined || index.chunks.length === 0) return [digest];
  return index.chunks.map((chunk) => chunk.digest);
}

async function problemOf(action: () => Promise<unknown>): Promise<string | undefined> {
  return (await problemOrValue(action)).problem;
}

/** Damage is an answer; a failure of the world is not. */
async function problemOrValue<T>(
  action: () => Promise<T>,
): Promise<{ readonly value: T; readonly problem?: undefined } | { readonly problem: string }> {
  try {
    return { value: await action() };
  } catch (error) {
    const isDamage =
      error instanceof CastoreError && (error.code === 'corrupt' || error.code === 'not-found');
    if (!isDamage) throw error;
    return { problem: error.message };
  }
}
