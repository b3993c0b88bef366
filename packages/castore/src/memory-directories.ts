/**
 * Directories in memory, gone with the process or when the service is disposed of. What is below a directory was used no
 * earlier than the directory itself, so that removing by time takes no directory from under another.
 */
import { type B3Digest, digestFromKey } from './b3-digest.ts';
import type { DamagedObject, RemovalCondition } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';
import { closureByGet } from './closure.ts';
import type { Directory } from './directory.ts';
import { childDirectories } from './directory-order.ts';
import { orderedPutter } from './directory-putter.ts';
import type {
  DirectoryInventory,
  DirectoryPutter,
  DirectoryService,
  StoredDirectory,
} from './directory-service.ts';

export function memoryDirectories(): DirectoryService {
  return new MemoryDirectories();
}

type Stored = { readonly directory: Directory; lastUsedMs: number };

class MemoryDirectories implements DirectoryService, DirectoryInventory {
  readonly #stored = new Map<string, Stored>();

  get inventory(): DirectoryInventory {
    return this;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    signal?.throwIfAborted();
    return this.#stored.get(digest.key)?.directory;
  }

  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory> {
    return closureByGet((it) => this.get(it, signal), digest);
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    signal?.throwIfAborted();
    for (const { name, node } of childDirectories(directory)) {
      const child = this.#stored.get(node.digest.key);
      if (child === undefined) {
        throw new CastoreError(
          'invalid-directory',
          `the entry '${name.toString()}' of ${directory.digest.toString()} refers to ${node.digest.toString()}, which is not there`,
        );
      }
      if (!child.directory.hasSize(node.size)) {
        throw new CastoreError(
          'invalid-directory',
          `the entry '${name.toString()}' of ${directory.digest.toString()} records the size ${node.size} for ${node.digest.toString()}, whose size is ${child.directory.size}`,
        );
      }
    }
    this.#use(directory, Date.now());
    return directory.digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    const directories: Directory[] = [];
    return orderedPutter(
      {
        add: (directory) => void directories.push(directory),
        commit: async () => {
          const now = Date.now();
          for (const directory of directories) this.#use(directory, now);
          directories.length = 0;
        },
      },
      signal,
    );
  }

  async *list(signal?: AbortSignal): AsyncGenerator<StoredDirectory, void, void> {
    for (const { directory, lastUsedMs } of this.#stored.values()) {
      signal?.throwIfAborted();
      yield { digest: directory.digest, sizeBytes: directory.encoded.length, lastUsedMs };
    }
  }

  async remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    let freed = 0;
    for (const { key } of digests) {
      signal?.throwIfAborted();
      const stored = this.#stored.get(key);
      if (stored === undefined || stored.lastUsedMs >= unusedSinceMs) continue;
      this.#stored.delete(key);
      freed += stored.directory.encoded.length;
    }
    return freed;
  }

  /** Memory does not go bad, but `remove` may have taken what others refer to. */
  async *verify(signal?: AbortSignal): AsyncGenerator<DamagedObject, void, void> {
    for (const [key, { directory }] of this.#stored) {
      signal?.throwIfAborted();
      for (const { name, node } of childDirectories(directory)) {
        if (this.#stored.has(node.digest.key)) continue;
        const problem = `its entry '${name.toString()}' refers to the directory ${node.digest.toString()}, which is not there`;
        yield { digest: digestFromKey(key), what: 'directory', problem };
        break;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stored.clear();
  }

  /** The directory and everything below it are used now; `now` is the same for all directories of a closure. */
  #use(root: Directory, now: number): void {
    const stack = [root];
    for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
      const stored = this.#stored.get(directory.digest.key);
      if (stored !== undefined && stored.lastUsedMs >= now) continue;
      if (stored === undefined) this.#stored.set(directory.digest.key, { directory, lastUsedMs: now });
      else stored.lastUsedMs = now;
      for (const { node } of childDirectories(directory)) {
        const child = this.#stored.get(node.digest.key);
        if (child !== undefined) stack.push(child.directory);
      }
    }
  }
}
