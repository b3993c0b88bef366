/** Path infos in memory, with an inventory: for tests, and for stores that live as long as a process. */
import type { RemovalCondition } from '@neve/castore';
import { mergeSignatures } from './merge-signatures.ts';
import type { PathInfo } from './path-info.ts';
import type { PathInfoInventory, PathInfoService, StoredPathInfo } from './path-info-service.ts';

type Row = { readonly pathInfo: PathInfo; lastUsedMs: number };

export type MemoryPathInfosOptions = {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

export function memoryPathInfos(options: MemoryPathInfosOptions = {}): PathInfoService & {
  readonly inventory: PathInfoInventory;
} {
  return new MemoryPathInfos(options.now ?? (() => Date.now()));
}

class MemoryPathInfos implements PathInfoService {
  readonly #rows = new Map<string, Row>();
  readonly #now: () => number;
  readonly inventory: PathInfoInventory;

  constructor(now: () => number) {
    this.#now = now;
    this.inventory = {
      list: (signal) => this.#listStored(signal),
      remove: async (hashPart, condition) => this.#remove(hashPart, condition),
      referrers: async (hashPart) => this.#referrers(hashPart),
    };
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    signal?.throwIfAborted();
    return this.#use(hashPart)?.pathInfo;
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    return this.#use(hashPart) !== undefined;
  }

  async put(pathInfo: PathInfo): Promise<PathInfo> {
    const { hashPart } = pathInfo.storePath;
    const stored = mergeSignatures(this.#rows.get(hashPart)?.pathInfo, pathInfo);
    this.#rows.set(hashPart, { pathInfo: stored, lastUsedMs: this.#now() });
    return stored;
  }

  async putAll(pathInfos: readonly PathInfo[]): Promise<readonly PathInfo[]> {
    return await Promise.all(pathInfos.map((it) => this.put(it)));
  }

  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo, void, void> {
    for (const { pathInfo } of [...this.#rows.values()]) {
      signal?.throwIfAborted();
      yield pathInfo;
    }
  }

  #remove(hashPart: string, { unusedSinceMs }: RemovalCondition): boolean {
    const row = this.#rows.get(hashPart);
    if (row === undefined || row.lastUsedMs >= unusedSinceMs) return false;
    if (unusedSinceMs !== Infinity && this.#referrers(hashPart).length > 0) return false;
    return this.#rows.delete(hashPart);
  }

  #referrers(hashPart: string): readonly string[] {
    return [...this.#rows]
      .filter(([referrer]) => referrer !== hashPart)
      .filter(([, { pathInfo }]) => pathInfo.references.some((it) => it.hashPart === hashPart))
      .map(([referrer]) => referrer);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async *#listStored(signal?: AbortSignal): AsyncGenerator<StoredPathInfo, void, void> {
    for (const [hashPart, { pathInfo, lastUsedMs }] of [...this.#rows]) {
      signal?.throwIfAborted();
      yield { hashPart, lastUsedMs, read: () => pathInfo };
    }
  }

  #use(hashPart: string): Row | undefined {
    const row = this.#rows.get(hashPart);
    if (row !== undefined) row.lastUsedMs = this.#now();
    return row;
  }
}
