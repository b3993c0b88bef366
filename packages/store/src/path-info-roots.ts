/** The store paths of a service as the entries of a directory: what a mounted store shows at its top. */
import { type DirectoryEntry, type Node, type PathComponent, pathComponent } from '@neve/castore';
import { hashPartLength } from '@neve/nix-compat';
import type { PathInfoService } from './path-info-service.ts';

export type PathInfoRoots = {
  /** The node of the store path with that base name. */
  get(name: PathComponent, signal?: AbortSignal): Promise<Node | undefined>;
  list(signal?: AbortSignal): AsyncIterable<DirectoryEntry>;
};

export function pathInfoRoots(pathInfos: PathInfoService): PathInfoRoots {
  return {
    async get(name, signal) {
      const baseName = String(name);
      const hashPart = baseName.slice(0, hashPartLength);
      if (!/^[0-9a-df-np-sv-z]{32}-/.test(baseName)) return undefined;
      const pathInfo = await pathInfos.get(hashPart, signal);
      return pathInfo?.storePath.baseName === baseName ? pathInfo.node : undefined;
    },
    async *list(signal) {
      for await (const { storePath, node } of pathInfos.list(signal)) {
        yield { name: pathComponent(storePath.baseName), node };
      }
    },
  };
}
