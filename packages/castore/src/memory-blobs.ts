/** Blobs in the memory of this process, whole and with their outboards. */
import { concatBytes } from '@neve/bytes';
import { B3Digest, digestFromKey, emptyBlobDigest } from './b3-digest.ts';
import { Blake3TreeHasher, hashBlake3 } from './blake3.ts';
import type {
  BlobBatches,
  BlobInventory,
  BlobReader,
  BlobService,
  BlobWriter,
  ChunkMeta,
  DamagedObject,
  RemovalCondition,
  StoredBlob,
} from './blob-service.ts';
import { bytesReader } from './bytes-reader.ts';

export function memoryBlobs(): BlobService {
  return new MemoryBlobs();
}

type Entry = { readonly bytes: Uint8Array; readonly outboard: Uint8Array; lastUsedMs: number };

class MemoryBlobs implements BlobService {
  readonly #blobs: Map<string, Entry> = new Map();
  readonly inventory: BlobInventory;
  readonly batch: BlobBatches = {
    hasAll: async (digests, signal) => digests.map((digest) => this.#find(digest, signal) !== undefined),
    putAll: (blobs, signal) => Promise.all(blobs.map((bytes) => this.put(bytes, signal))),
    readAll: (digests, maxBytes, signal) => this.#readAll(digests, maxBytes, signal),
  };

  constructor() {
    this.inventory = new MemoryInventory(this.#blobs);
  }

  async has(digest: B3Digest, signal?: AbortSignal): Promise<boolean> {
    return this.#find(digest, signal) !== undefined;
  }

  async open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const entry = this.#find(digest, signal);
    return entry && bytesReader(entry.bytes);
  }

  async create(signal?: AbortSignal): Promise<BlobWriter> {
    signal?.throwIfAborted();
    return new MemoryWriter((it) => this.#store(it), signal);
  }

  async put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest> {
    signal?.throwIfAborted();
    const { digest, outboard } = new Blake3TreeHasher().update(bytes).finish();
    return this.#store({ digest: new B3Digest(digest), bytes: new Uint8Array(bytes), outboard });
  }

  async chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined> {
    return this.#find(digest, signal) && [];
  }

  async outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#find(digest, signal)?.outboard.slice();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#blobs.clear();
  }

  async *#readAll(
    digests: readonly B3Digest[],
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array | undefined, void, void> {
    for (const digest of digests) {
      const bytes = this.#find(digest, signal)?.bytes;
      yield bytes !== undefined && bytes.length <= maxBytes ? bytes : undefined;
    }
  }

  #find(digest: B3Digest, signal: AbortSignal | undefined): Entry | undefined {
    signal?.throwIfAborted();
    const entry = this.#blobs.get(digest.key);
    if (entry !== undefined) entry.lastUsedMs = Date.now();
    // The empty blob is everywhere.
    return entry ?? (digest.equals(emptyBlobDigest) ? emptyEntry() : undefined);
  }

  #store({ digest, bytes, outboard }: HashedBlob): B3Digest {
    const entry = this.#blobs.get(digest.key);
    if (entry !== undefined) entry.lastUsedMs = Date.now();
    else if (bytes.length > 0) this.#blobs.set(digest.key, { bytes, outboard, lastUsedMs: Date.now() });
    return digest;
  }
}

type HashedBlob = { readonly digest: B3Digest; readonly bytes: Uint8Array; readonly outboard: Uint8Array };

function emptyEntry(): Entry {
  return { bytes: new Uint8Array(), outboard: new Uint8Array(), lastUsedMs: 0 };
}

class MemoryWriter implements BlobWriter {
  readonly #store: (blob: HashedBlob) => B3Digest;
  readonly #signal: AbortSignal | undefined;
  readonly #hasher: Blake3TreeHasher = new Blake3TreeHasher();
  #pieces: Uint8Array[] = [];
  #digest: B3Digest | undefined;
  #disposed = false;

  constructor(store: (blob: HashedBlob) => B3Digest, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen();
    if (this.#digest !== undefined) throw new Error('a blob that was closed is written to');
    this.#hasher.update(bytes);
    this.#pieces.push(new Uint8Array(bytes));
  }

  async close(): Promise<B3Digest> {
    if (this.#digest !== undefined) return this.#digest;
    this.#checkOpen();
    const { digest, outboard } = this.#hasher.finish();
    const bytes = concatBytes(this.#pieces);
    this.#pieces = [];
    this.#digest = this.#store({ digest: new B3Digest(digest), bytes, outboard });
    return this.#digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#pieces = [];
  }

  #checkOpen(): void {
    this.#signal?.throwIfAborted();
    if (this.#disposed) throw new Error('the writer of a blob is used after it was disposed of');
  }
}

class MemoryInventory implements BlobInventory {
  readonly #blobs: Map<string, Entry>;

  constructor(blobs: Map<string, Entry>) {
    this.#blobs = blobs;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredBlob, void, void> {
    for (const [key, { bytes, outboard, lastUsedMs }] of this.#blobs) {
      signal?.throwIfAborted();
      yield { digest: digestFromKey(key), sizeBytes: bytes.length + outboard.length, lastUsedMs };
    }
  }

  async remove(digests: Iterable<B3Digest>, { unusedSinceMs }: RemovalCondition): Promise<number> {
    let freed = 0;
    for (const { key } of digests) {
      const entry = this.#blobs.get(key);
      if (entry === undefined || entry.lastUsedMs >= unusedSinceMs) continue;
      this.#blobs.delete(key);
      freed += entry.bytes.length + entry.outboard.length;
    }
    return freed;
  }

  async *verify(signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    for (const key of this.#blobs.keys()) {
      yield* this.verifyBlob(digestFromKey(key), signal);
    }
  }

  async *verifyBlob(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    signal?.throwIfAborted();
    const bytes = this.#blobs.get(digest.key)?.bytes;
    if (bytes === undefined || digest.equals(new B3Digest(hashBlake3(bytes)))) return;
    yield { digest, what: 'blob', problem: 'its bytes have another digest' };
  }
}
