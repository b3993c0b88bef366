/**
 * The path infos that were used last, in memory, up to a number of them: the near side of a cache. It forgets by itself,
 * so that it has no inventory.
 */
import { mergeSignatures } from './merge-signatures.ts';
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';

export function lruPathInfos({ capacity }: { readonly capacity: number }): PathInfoService {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`a capacity of ${capacity} path infos is not a whole number above 0`);
  }
  // In the order of their last use.
  const rows = new Map<string, PathInfo>();
  const use = (hashPart: string): PathInfo | undefined => {
    const pathInfo = rows.get(hashPart);
    if (pathInfo === undefined) return undefined;
    rows.delete(hashPart);
    rows.set(hashPart, pathInfo);
    return pathInfo;
  };
  return {
    async get(hashPart, signal) {
      signal?.throwIfAborted();
      return use(hashPart);
    },
    async has(hashPart, signal) {
      signal?.throwIfAborted();
      return use(hashPart) !== undefined;
    },
    async put(pathInfo) {
      const { hashPart } = pathInfo.storePath;
      const stored = mergeSignatures(use(hashPart), pathInfo);
      rows.delete(hashPart);
      rows.set(hashPart, stored);
      const [oldest] = rows.keys();
      if (rows.size > capacity && oldest !== undefined) rows.delete(oldest);
      return stored;
    },
    async *list(signal) {
      for (const pathInfo of [...rows.values()]) {
        signal?.throwIfAborted();
        yield pathInfo;
      }
    },
    async [Symbol.asyncDispose]() {
      rows.clear();
    },
  };
}
