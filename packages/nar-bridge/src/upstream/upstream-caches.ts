/**
 * The caches behind a cache, asked in the order of their priorities. Each keeps off a server that has just failed, remembers
 * what it was told, and believes only narinfos that are trusted (`openHttpCache`).
 *
 * An upstream whose NAR was not what its narinfo says is not asked for that path for a while, so that the next who wants it
 * gets it from another one.
 */
import type { NarInfo } from '@neve/nix-compat';
import { StoreError, type Substituter } from '@neve/store';
import { RecentMap } from '../recent-map.ts';

export type UpstreamEvent = {
  readonly kind: 'upstream-failed';
  /** The upstream, without passwords. */
  readonly name: string;
  /** What it was asked for: a hash part, or the name of a file. */
  readonly hashPart: string;
  readonly error: StoreError;
};

export type UpstreamCachesOptions = {
  readonly caches: readonly Substituter[];
  /** A path that could not be had because upstreams failed counts as absent. */
  readonly fallback?: boolean;
  /** How long a path is not taken from an upstream that gave something wrong for it; 60 s unless given. */
  readonly avoidMs?: number;
  readonly onEvent?: (event: UpstreamEvent) => void;
  /** Milliseconds since some moment. */
  readonly now?: () => number;
};

/** What an upstream says of a path. */
export type UpstreamNarInfo = { readonly cache: Substituter; readonly narInfo: NarInfo };

/** A file of an upstream that is no narinfo and no NAR. */
export type UpstreamFile = { readonly cache: Substituter; readonly body: AsyncIterable<Uint8Array> };

const maxAvoided = 10_000;

/** So long it is remembered that no upstream has a file: logs and build traces come after their paths. */
const fileAbsenceMs = 60_000;
const maxAbsentFiles = 10_000;

/** Disposing of it disposes of the caches. */
export class UpstreamCaches implements AsyncDisposable {
  readonly #options: UpstreamCachesOptions;
  readonly #now: () => number;
  /** Until when, by name of the cache and hash part. */
  readonly #avoided = new Map<string, number>();
  readonly #absentFiles: RecentMap<true>;
  #order: readonly Substituter[] | undefined;

  constructor(options: UpstreamCachesOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#absentFiles = new RecentMap({ maxCost: maxAbsentFiles, maxAgeMs: fileAbsenceMs, now: this.#now });
  }

  get isEmpty(): boolean {
    return this.#options.caches.length === 0;
  }

  /** The first that has the path. Throws `StoreError` when none has it and some could not be asked. */
  async narInfo(hashPart: string, signal?: AbortSignal): Promise<UpstreamNarInfo | undefined> {
    const errors: StoreError[] = [];
    for await (const found of this.candidates(hashPart, errors, signal)) return found;
    const [first] = errors;
    if (first === undefined || this.#options.fallback === true) return undefined;
    throw first;
  }

  /** The file of the first that has one. Throws `StoreError` when none has it and some could not be asked. */
  async openFile(path: string, signal?: AbortSignal): Promise<UpstreamFile | undefined> {
    if (this.#absentFiles.get(path) === true) return undefined;
    let failure: StoreError | undefined;
    for (const cache of await this.#inOrder(signal)) {
      try {
        const body = await cache.openFile?.(path, signal);
        if (body !== undefined) return { cache, body };
      } catch (error) {
        failure ??= this.report(error, { cache, hashPart: path, signal });
      }
    }
    if (failure === undefined) this.#absentFiles.set(path, true);
    if (failure === undefined || this.#options.fallback === true) return undefined;
    throw failure;
  }

  /** All that have the path, asked one after the other as they are wanted. Failures are reported, and added to `errors`. */
  async *candidates(
    hashPart: string,
    errors: StoreError[],
    signal?: AbortSignal,
  ): AsyncGenerator<UpstreamNarInfo, void, void> {
    for (const cache of await this.#inOrder(signal)) {
      if (this.#isAvoided(cache, hashPart)) {
        errors.push(
          new StoreError('corrupt', `${cache.name}: what it gave for '${hashPart}' a moment ago was wrong`),
        );
        continue;
      }
      let narInfo: NarInfo | undefined;
      try {
        narInfo = await cache.narInfo(hashPart, signal);
      } catch (error) {
        errors.push(this.report(error, { cache, hashPart, signal }));
      }
      if (narInfo !== undefined) yield { cache, narInfo };
    }
  }

  /** Tells of a failure, and avoids an upstream that gave something wrong. Throws what is no failure of an upstream. */
  report(error: unknown, { cache, hashPart, signal }: FailedQuestion): StoreError {
    signal?.throwIfAborted();
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'corrupt') this.#avoid(cache, hashPart);
    this.#options.onEvent?.({ kind: 'upstream-failed', name: cache.name, hashPart, error });
    return error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#options.caches.map((cache) => cache[Symbol.asyncDispose]()));
  }

  /** A cache that does not say its priority is asked last, and is asked for it again the next time. */
  async #inOrder(signal: AbortSignal | undefined): Promise<readonly Substituter[]> {
    if (this.#order !== undefined) return this.#order;
    let isComplete = true;
    const rank = async (cache: Substituter): Promise<{ cache: Substituter; priority: number }> => {
      try {
        return { cache, priority: await cache.priority(signal) };
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof StoreError)) throw error;
        isComplete = false;
        return { cache, priority: Number.MAX_SAFE_INTEGER };
      }
    };
    const ranked = await Promise.all(this.#options.caches.map(rank));
    const order = ranked.sort((a, b) => a.priority - b.priority).map(({ cache }) => cache);
    if (isComplete) this.#order = order;
    return order;
  }

  #avoid(cache: Substituter, hashPart: string): void {
    const key = `${cache.name} ${hashPart}`;
    this.#avoided.delete(key);
    this.#avoided.set(key, this.#now() + (this.#options.avoidMs ?? 60_000));
    const [oldest] = this.#avoided.keys();
    if (this.#avoided.size > maxAvoided && oldest !== undefined) this.#avoided.delete(oldest);
  }

  #isAvoided(cache: Substituter, hashPart: string): boolean {
    const until = this.#avoided.get(`${cache.name} ${hashPart}`);
    return until !== undefined && until > this.#now();
  }
}

type FailedQuestion = {
  readonly cache: Substituter;
  readonly hashPart: string;
  readonly signal: AbortSignal | undefined;
};
