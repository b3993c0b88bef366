/**
 * Store paths as files for clients on this machine, which look for them there: made when a client is told of a path, and
 * remembered for as long as they are there.
 */
import { lstat } from 'node:fs/promises';
import type { PathInfo } from '@neve/store';
import type { StoreView } from '@neve/store/node';
import type { FileView } from '../server/daemon-services.ts';

export function viewOfStore(view: StoreView): FileView {
  /** By base name. */
  const shown = new Set<string>();
  const underWay = new Map<string, Promise<void>>();
  const show = async ({ storePath, node }: PathInfo): Promise<void> => {
    // Another process may have removed it.
    if (shown.has(storePath.baseName) && (await isThere(view.path(storePath)))) return;
    await view.show(storePath, node);
    shown.add(storePath.baseName);
  };
  return {
    async show(pathInfo, signal) {
      signal?.throwIfAborted();
      const { baseName } = pathInfo.storePath;
      let showing = underWay.get(baseName);
      if (showing === undefined) {
        showing = show(pathInfo).finally(() => underWay.delete(baseName));
        underWay.set(baseName, showing);
      }
      await showing;
    },
    async forget(storePaths) {
      const removed = new Set(storePaths.map(({ baseName }) => baseName));
      for (const it of removed) shown.delete(it);
      await view.prune(async ({ baseName }) => !removed.has(baseName));
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
