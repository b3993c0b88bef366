/**
 * A near service before a far one. What is not near is fetched with its closure, checked, and put near as a whole, so that
 * the far service may be one that only finds roots, or one that nobody trusts. A closure under way is held in memory, and is
 * fetched once however many ask for it. What the far service does not have is not remembered.
 *
 * Writes go to both: a closure is complete far before it is visible near.
 */
import type { B3Digest } from './b3-digest.ts';
import { checkClosure, leavesFirst } from './closure.ts';
import type { Directory } from './directory.ts';
import { childDirectories } from './directory-order.ts';
import { orderedPutter } from './directory-putter.ts';
import type { DirectoryPutter, DirectoryService } from './directory-service.ts';

/** Disposing of it ends what is being fetched, and leaves `near` and `far` open. */
export function cacheDirectories(near: DirectoryService, far: DirectoryService): DirectoryService {
  return new CacheDirectories(near, far);
}

class CacheDirectories implements DirectoryService {
  readonly #near: DirectoryService;
  readonly #far: DirectoryService;
  /** What is being fetched, by the key of the root. */
  readonly #fetches = new Map<string, Promise<readonly Directory[]>>();
  readonly #stop = new AbortController();

  constructor(near: DirectoryService, far: DirectoryService) {
    this.#near = near;
    this.#far = far;
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    return (await this.#near.get(digest, signal)) ?? (await this.#fill(digest, signal))[0];
  }

  async *closure(digest: B3Digest, signal?: AbortSignal): AsyncGenerator<Directory, void, void> {
    let isNear = false;
    for await (const directory of this.#near.closure(digest, signal)) {
      isNear = true;
      yield directory;
    }
    if (!isNear) yield* await this.#fill(digest, signal);
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    const digest = await this.#far.put(directory, signal);
    for (const { node } of childDirectories(directory)) {
      const child = await this.#near.get(node.digest, signal);
      if (child === undefined) await this.#fill(node.digest, signal);
    }
    await this.#near.put(directory, signal);
    return digest;
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    const near = this.#near.putClosure(signal);
    const far = this.#far.putClosure(signal);
    const dispose = async (): Promise<void> => {
      await Promise.all([far[Symbol.asyncDispose](), near[Symbol.asyncDispose]()]);
    };
    return orderedPutter(
      {
        add: async (directory) => {
          await Promise.all([far.put(directory), near.put(directory)]);
        },
        commit: async () => {
          await far.close();
          await near.close();
          await dispose();
        },
        abort: dispose,
      },
      signal,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the cache was closed'));
    await Promise.allSettled(this.#fetches.values());
  }

  /** The closure, root first. A caller that gives up does not end it for the others. */
  async #fill(digest: B3Digest, signal?: AbortSignal): Promise<readonly Directory[]> {
    signal?.throwIfAborted();
    const fetch = this.#fetches.get(digest.key) ?? this.#fetch(digest);
    return signal === undefined ? fetch : Promise.race([fetch, aborted(signal, fetch)]);
  }

  #fetch(digest: B3Digest): Promise<readonly Directory[]> {
    const fetch = this.#fetchAndStore(digest).finally(() => this.#fetches.delete(digest.key));
    this.#fetches.set(digest.key, fetch);
    // Everybody may have given up.
    fetch.catch(() => undefined);
    return fetch;
  }

  async #fetchAndStore(digest: B3Digest): Promise<readonly Directory[]> {
    const { signal } = this.#stop;
    const directories: Directory[] = [];
    for await (const directory of checkClosure(digest, this.#far.closure(digest, signal))) {
      directories.push(directory);
    }
    if (directories.length === 0) return directories;
    await using putter = this.#near.putClosure(signal);
    for (const directory of leavesFirst(directories)) await putter.put(directory);
    await putter.close();
    return directories;
  }
}

/** Rejects when the signal is aborted before `work` has ended, and does not listen any longer than that. */
function aborted(signal: AbortSignal, work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const listener = (): void => reject(signal.reason as Error);
    const stopListening = (): void => signal.removeEventListener('abort', listener);
    signal.addEventListener('abort', listener);
    work.then(stopListening, stopListening);
  });
}
