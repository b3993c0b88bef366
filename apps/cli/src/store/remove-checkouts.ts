/** Inputs of builds as files, of paths that the store no longer has: hard links to blobs that would stay on the disk. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isBlobFiles } from './blob-files.ts';
import type { OpenStore } from './open-store.ts';
import type { StoreState } from './store-state.ts';

/** May be done beside builds, which keep what they have. */
export async function removeCheckouts(store: OpenStore, { builderFolder }: StoreState): Promise<void> {
  if (!existsSync(join(builderFolder, 'inputs'))) return;
  const { checkoutKey, localBuilder } = await import('@neve/build/node');
  const files = isBlobFiles(store.blobs) ? store.blobs : undefined;
  await using builder = await localBuilder({ folder: builderFolder, ...store, files });
  // Listed before the paths: what is checked out in between has its path info already.
  const unused = new Set(await builder.checkouts.list());
  for await (const { node } of store.pathInfos.list()) {
    if (node.kind !== 'symlink') unused.delete(checkoutKey(node));
  }
  await builder.checkouts.remove(unused);
}
