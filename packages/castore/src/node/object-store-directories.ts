/**
 * Closures of directories in an object store, in the layout that Snix reads and writes: one object for each root.
 *
 *     key       dirs/b3/<first 4 hex digits>/<64 hex digits>
 *     object    zstd of frame*
 *     frame     length:u32 big-endian, encoding of a directory
 *
 * The frames of an object are a closure, root first. So a directory is found only when it is the root of a closure that was
 * put, and a directory that refers to others cannot be put alone. What is read is checked, frame by frame, and may come from
 * a store that nobody trusts. An object that was written more than `lastUsedPrecisionMs` ago is written again when it is put.
 */
import { concatBytes, decodeHex } from '@neve/bytes';
import { ByteSource } from '../archive/byte-source.ts';
import { B3Digest } from '../b3-digest.ts';
import { lastUsedPrecisionMs } from '../blob-service.ts';
import type { DamagedObject, RemovalCondition } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import { decodeClosure } from '../closure.ts';
import type { Directory } from '../directory.ts';
import { orderedPutter } from '../directory-putter.ts';
import type {
  DirectoryInventory,
  DirectoryPutter,
  DirectoryService,
  StoredDirectory,
} from '../directory-service.ts';
import type { ObjectStore } from '../object-store.ts';
import { decodeZstd } from './decode-zstd.ts';
import { zstdCompress } from './zstd.ts';

/** `store` is disposed of together with the service. */
export function objectStoreDirectories(store: ObjectStore): DirectoryService {
  return new ObjectStoreDirectories(store);
}

const prefix = 'dirs/b3/';
const maxFrameLength = 2 ** 28;

class ObjectStoreDirectories implements DirectoryService, DirectoryInventory {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get inventory(): DirectoryInventory {
    return this;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    for await (const root of this.closure(digest, signal)) return root;
    return undefined;
  }

  async *closure(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<Directory, void, void> {
    const bytes = await this.#store.get(keyOf(digest), signal);
    if (bytes === undefined) return;
    let isEmpty = true;
    for await (const directory of decodeClosure(digest, framesOf(digest, bytes))) {
      signal?.throwIfAborted();
      isEmpty = false;
      yield directory;
    }
    if (isEmpty)
      throw new CastoreError('corrupt', `the object of the closure of ${digest.toString()} is empty`);
  }

  /** Throws `unsupported` for a directory that refers to others. */
  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    if (directory.entries.some(({ node }) => node.kind === 'directory')) {
      throw new CastoreError(
        'unsupported',
        `${directory.digest.toString()} refers to other directories, so it can only be put with its closure (putClosure)`,
      );
    }
    await this.#write(directory.digest, [directory.encoded], signal);
    return directory.digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    let encodings: Uint8Array[] = [];
    return orderedPutter(
      {
        add: (directory) => void encodings.push(directory.encoded),
        // Leaves first, backwards, is root first.
        commit: (root) => this.#write(root, encodings.toReversed(), signal),
        abort: () => {
          encodings = [];
        },
      },
      signal,
    );
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredDirectory, void, void> {
    for await (const { key, size, lastModifiedMs } of this.#store.list(prefix, signal)) {
      const digest = digestOfKey(key);
      if (digest !== undefined) yield { digest, sizeBytes: size, lastUsedMs: lastModifiedMs };
    }
  }

  async remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    let freed = 0;
    for (const digest of digests) {
      const key = keyOf(digest);
      const info = await this.#store.head(key, signal);
      if (info === undefined || info.lastModifiedMs >= unusedSinceMs) continue;
      await this.#store.delete(key, signal);
      freed += info.size;
    }
    return freed;
  }

  async *verify(signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    for await (const { digest } of this.list(signal)) {
      const problem = await this.#findProblem(digest, signal);
      if (problem !== undefined) yield { digest, what: 'closure of a directory', problem };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #write(root: B3Digest, encodings: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const key = keyOf(root);
    const info = await this.#store.head(key, signal);
    if (info !== undefined && Math.abs(Date.now() - info.lastModifiedMs) < lastUsedPrecisionMs) return;
    const frames = encodings.flatMap((encoding) => [lengthPrefix(encoding.length), encoding]);
    await this.#store.put(key, await zstdCompress(concatBytes(frames)), signal);
  }

  async #findProblem(digest: B3Digest, signal?: AbortSignal): Promise<string | undefined> {
    try {
      for await (const directory of this.closure(digest, signal)) void directory;
      return undefined;
    } catch (error) {
      if (error instanceof CastoreError && damage.has(error.code)) return error.message;
      throw error;
    }
  }
}

/** Codes that say something about an object, and not about the way to it. */
const damage: ReadonlySet<string> = new Set(['corrupt', 'invalid-directory', 'limit-exceeded']);

async function* framesOf(root: B3Digest, bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  const source = new ByteSource(decompressed(root, bytes));
  try {
    while (true) {
      const head = await source.read(4);
      if (head.length === 0) return;
      const length = head.length < 4 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(0);
      if (length > maxFrameLength) {
        throw new CastoreError(
          'limit-exceeded',
          `the closure of ${root.toString()} has a directory of ${length} bytes`,
        );
      }
      const frame = await source.read(length);
      if (head.length < 4 || frame.length < length) {
        throw new CastoreError('corrupt', `the object of the closure of ${root.toString()} is cut off`);
      }
      // It may be a view of what the decoder overwrites.
      yield frame.slice();
    }
  } finally {
    await source.close();
  }
}

async function* decompressed(root: B3Digest, bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* decodeZstd(once(bytes));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CastoreError(
      'corrupt',
      `the object of the closure of ${root.toString()} is damaged: ${message}`,
      {
        cause,
      },
    );
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

function lengthPrefix(length: number): Uint8Array {
  const prefixBytes = new Uint8Array(4);
  new DataView(prefixBytes.buffer).setUint32(0, length);
  return prefixBytes;
}

function keyOf({ hex }: B3Digest): string {
  return `${prefix}${hex.slice(0, 4)}/${hex}`;
}

/** `undefined` for an object of somebody else. */
function digestOfKey(key: string): B3Digest | undefined {
  const hex = /^[0-9a-f]{4}\/([0-9a-f]{64})$/.exec(key.slice(prefix.length))?.[1];
  if (hex === undefined || !key.startsWith(`${prefix}${hex.slice(0, 4)}/`)) return undefined;
  return new B3Digest(decodeHex(hex));
}
