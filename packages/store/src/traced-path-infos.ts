/** Path infos with a span for each call; `path.digest` is the hash part of a store path, as Snix has it. */
import { tracedService } from '@neve/telemetry';
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';

const path = (hashPart: string): { readonly 'path.digest': string } => ({ 'path.digest': hashPart });

/** Disposing of it disposes of `pathInfos`. */
export function tracedPathInfos(pathInfos: PathInfoService, instanceName: string): PathInfoService {
  return tracedService(
    pathInfos,
    {
      get: { attributes: path, isLookup: true },
      has: { attributes: path, isLookup: true },
      put: { attributes: (it: PathInfo) => path(it.storePath.hashPart) },
      putAll: { attributes: (all: readonly PathInfo[]) => ({ 'path.count': all.length }) },
      list: { kind: 'stream' },
    },
    { service: 'PathInfoService', instanceName },
  );
}
