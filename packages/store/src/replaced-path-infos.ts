/**
 * A view of path infos in which some count as missing until they are put again, for whoever makes paths anew that are there
 * and damaged. For everybody else they stay where they are meanwhile.
 */
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';

/** `missing` has hash parts; those that are put are taken out of it. Disposing of the result leaves `pathInfos` open. */
export function replacedPathInfos(pathInfos: PathInfoService, missing: Set<string>): PathInfoService {
  const { narCalculation, inventory } = pathInfos;
  /** What the damaged one says may be wrong, so that nothing of it is kept. */
  const makeRoom = async (replaced: readonly PathInfo[], signal?: AbortSignal): Promise<void> => {
    for (const { storePath } of replaced) {
      if (!missing.has(storePath.hashPart)) continue;
      await inventory?.remove(storePath.hashPart, { unusedSinceMs: Infinity }, signal);
    }
  };
  const put = async (pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> => {
    await makeRoom([pathInfo], signal);
    const stored = await pathInfos.put(pathInfo, signal);
    missing.delete(pathInfo.storePath.hashPart);
    return stored;
  };
  const putAll = async (all: readonly PathInfo[], signal?: AbortSignal): Promise<readonly PathInfo[]> => {
    await makeRoom(all, signal);
    const stored = await pathInfos.putAll?.(all, signal);
    for (const { storePath } of all) missing.delete(storePath.hashPart);
    return stored ?? [];
  };
  return {
    get: async (hashPart, signal) =>
      missing.has(hashPart) ? undefined : await pathInfos.get(hashPart, signal),
    has: async (hashPart, signal) => !missing.has(hashPart) && (await pathInfos.has(hashPart, signal)),
    put,
    ...(pathInfos.putAll !== undefined && { putAll }),
    async *list(signal) {
      for await (const it of pathInfos.list(signal)) if (!missing.has(it.storePath.hashPart)) yield it;
    },
    ...(narCalculation !== undefined && { narCalculation }),
    async [Symbol.asyncDispose]() {},
  };
}
