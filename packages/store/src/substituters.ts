/**
 * Several substituters as one: asked in the order of their priorities, equal ones in the order in which they are given.
 * The first that has a path gives it. One that fails, or whose path is not trusted, is reported as an event and the next
 * is asked; if none has the path and some failed, nobody can say that it is not there, and that is an error.
 */
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';
import type { Substituter } from './substituter.ts';

export type SubstituterEvent = {
  readonly kind: 'substituter-failed';
  readonly name: string;
  readonly hashPart: string;
  readonly error: StoreError;
};

export type SubstitutersOptions = {
  readonly caches: readonly Substituter[];
  /** A path that could not be had because caches failed counts as absent. */
  readonly fallback?: boolean;
  readonly onEvent?: (event: SubstituterEvent) => void;
};

/** Disposing of it leaves the caches open. */
export function openSubstituters(options: SubstitutersOptions): PathInfoService {
  return new Substituters(options);
}

type Ranked = { readonly cache: Substituter; readonly priority: number };

class Substituters implements PathInfoService {
  readonly #caches: readonly Substituter[];
  readonly #fallback: boolean;
  readonly #onEvent: (event: SubstituterEvent) => void;
  #order: readonly Substituter[] | undefined;

  constructor({ caches, fallback = false, onEvent = () => undefined }: SubstitutersOptions) {
    this.#caches = caches;
    this.#fallback = fallback;
    this.#onEvent = onEvent;
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    const errors: StoreError[] = [];
    for (const cache of await this.#inOrder(signal)) {
      try {
        const pathInfo = await cache.get(hashPart, signal);
        if (pathInfo !== undefined) return pathInfo;
      } catch (error) {
        errors.push(this.#report(error, { cache, hashPart, signal }));
      }
    }
    return this.#absent(hashPart, errors);
  }

  /** Asks all at the same time, since the answers are small. */
  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    const stop = new AbortController();
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const errors: StoreError[] = [];
    const ask = async (cache: Substituter): Promise<void> => {
      try {
        if (!(await cache.has(hashPart, stopped))) return;
      } catch (error) {
        if (!stop.signal.aborted) errors.push(this.#report(error, { cache, hashPart, signal }));
        return;
      }
      stop.abort();
    };
    await Promise.all(this.#caches.map(ask));
    signal?.throwIfAborted();
    if (stop.signal.aborted) return true;
    this.#absent(hashPart, errors);
    return false;
  }

  async put(pathInfo: PathInfo): Promise<PathInfo> {
    throw new StoreError('unsupported', `'${pathInfo.storePath.baseName}' cannot be put into substituters`);
  }

  // oxlint-disable-next-line eslint/require-yield
  async *list(): AsyncGenerator<PathInfo, void, void> {
    throw new StoreError('unsupported', 'substituters cannot list what they have');
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** A cache whose priority cannot be learned is asked last, and the order is made again the next time. */
  async #inOrder(signal: AbortSignal | undefined): Promise<readonly Substituter[]> {
    if (this.#order !== undefined) return this.#order;
    let isComplete = true;
    const rank = async (cache: Substituter): Promise<Ranked> => {
      try {
        return { cache, priority: await cache.priority(signal) };
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof StoreError)) throw error;
        isComplete = false;
        return { cache, priority: Infinity };
      }
    };
    const ranked = await Promise.all(this.#caches.map(rank));
    const order = ranked.sort((a, b) => compareNumbers(a.priority, b.priority)).map(({ cache }) => cache);
    if (isComplete) this.#order = order;
    return order;
  }

  #report(error: unknown, { cache, hashPart, signal }: Failure): StoreError {
    signal?.throwIfAborted();
    if (!(error instanceof StoreError)) throw error;
    this.#onEvent({ kind: 'substituter-failed', name: cache.name, hashPart, error });
    return error;
  }

  #absent(hashPart: string, errors: readonly StoreError[]): undefined {
    const [first] = errors;
    if (first === undefined || this.#fallback) return undefined;
    if (errors.length === 1) throw first;
    const messages = errors.map(({ message }) => message).join('; ');
    throw new StoreError('io', `no substituter could give '${hashPart}': ${messages}`, {
      cause: new AggregateError(errors, messages),
    });
  }
}

type Failure = {
  readonly cache: Substituter;
  readonly hashPart: string;
  readonly signal: AbortSignal | undefined;
};

/** Two infinite ones are equal. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
