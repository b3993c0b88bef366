/**
 * What putters of all services have in common: the order is checked (`directory-order.ts`), a directory that came before is
 * ignored, one is stored after the other, and a putter that failed stays failed. What a service adds is a `ClosureSink`.
 */
import type { B3Digest } from './b3-digest.ts';
import { childKeys } from './closure.ts';
import type { Directory } from './directory.ts';
import { LeavesFirst } from './directory-order.ts';
import type { DirectoryPutter } from './directory-service.ts';

/** Methods are called one after another. After a failure only `abort` is called. */
export type ClosureSink = {
  /** Takes a directory that it does not have yet; it has those that this one refers to. */
  add(directory: Directory): Promise<void> | void;
  /** Makes everything visible. */
  commit(root: B3Digest): Promise<void>;
  /** Forgets everything. */
  abort?(): Promise<void> | void;
};

/** Once `signal` is aborted, `put` and `close` throw its reason. */
export function orderedPutter(sink: ClosureSink, signal?: AbortSignal): DirectoryPutter {
  return new OrderedPutter(sink, signal);
}

/**
 * A putter for services without transactions: everything is in memory until `close`, which stores with up to 16 calls of
 * `put` at once, each directory after those that it refers to, and so the root last.
 */
export function simplePutter(
  put: (directory: Directory, signal?: AbortSignal) => Promise<unknown>,
  signal?: AbortSignal,
): DirectoryPutter {
  const directories: Directory[] = [];
  return orderedPutter(
    {
      add: (directory) => void directories.push(directory),
      commit: async () => {
        await putConcurrently(directories, (it) => put(it, signal), signal);
        directories.length = 0;
      },
    },
    signal,
  );
}

class OrderedPutter implements DirectoryPutter {
  readonly #sink: ClosureSink;
  readonly #signal: AbortSignal | undefined;
  readonly #order = new LeavesFirst();
  #lastAdded: Promise<void> = Promise.resolve();
  #closing: Promise<B3Digest> | undefined;
  #isDisposed = false;

  constructor(sink: ClosureSink, signal: AbortSignal | undefined) {
    this.#sink = sink;
    this.#signal = signal;
  }

  async put(directory: Directory): Promise<void> {
    this.#signal?.throwIfAborted();
    if (this.#closing !== undefined || this.#isDisposed) {
      throw new Error('a directory was put after the end of its closure');
    }
    if (!this.#order.add(directory)) return;
    this.#lastAdded = this.#lastAdded.then(() => this.#sink.add(directory));
    await this.#lastAdded;
  }

  close(): Promise<B3Digest> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    const isClosed = await this.#closing?.then(
      () => true,
      () => false,
    );
    await this.#lastAdded.catch(() => undefined);
    if (isClosed !== true) await this.#sink.abort?.();
  }

  async #close(): Promise<B3Digest> {
    if (this.#isDisposed) throw new Error('a closure was closed after it was given up');
    this.#signal?.throwIfAborted();
    await this.#lastAdded;
    const root = this.#order.finish();
    await this.#sink.commit(root);
    return root;
  }
}

const maxCalls = 16;

/** `directories` are leaves first. Throws the first failure when all calls that were begun have ended. */
async function putConcurrently(
  directories: readonly Directory[],
  put: (directory: Directory) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const stored = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  try {
    for (const directory of directories) {
      signal?.throwIfAborted();
      // The call that was begun first never waits for another, so one of them always ends.
      const children = childKeys(directory).flatMap((key) => stored.get(key) ?? []);
      const run = async (): Promise<void> => {
        await Promise.all(children);
        await put(directory);
        running.delete(call);
      };
      const call = run();
      call.catch(() => undefined);
      running.add(call);
      stored.set(directory.digest.key, call);
      if (running.size >= maxCalls) await Promise.race(running);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
  }
}
