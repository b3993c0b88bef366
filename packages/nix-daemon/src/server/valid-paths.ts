/** Store paths that are there. A path with the hash part of another one, and another name, is not. */
import type { StorePath } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices } from './daemon-services.ts';

type Context = Pick<DaemonServices, 'store' | 'storeDirectory'>;

export async function findPathInfo(
  storePath: StorePath,
  { store }: Pick<Context, 'store'>,
  signal?: AbortSignal,
): Promise<PathInfo | undefined> {
  const pathInfo = await store.pathInfos.get(storePath.hashPart, signal);
  return pathInfo?.storePath.name === storePath.name ? pathInfo : undefined;
}

/** Throws `NixDaemonError` (`invalid-path`). */
export async function requirePathInfo(
  storePath: StorePath,
  context: Context,
  signal?: AbortSignal,
): Promise<PathInfo> {
  const pathInfo = await findPathInfo(storePath, context, signal);
  if (pathInfo !== undefined) return pathInfo;
  throw invalidPath(storePath, context);
}

/** Those of them that are there. */
export async function validPaths(
  storePaths: readonly StorePath[],
  context: Context,
  signal?: AbortSignal,
): Promise<readonly StorePath[]> {
  const found = await Promise.all(
    storePaths.map(async (it) => (await findPathInfo(it, context, signal))?.storePath),
  );
  return found.filter((it) => it !== undefined);
}

export function invalidPath(
  storePath: StorePath,
  { storeDirectory }: Pick<Context, 'storeDirectory'>,
): NixDaemonError {
  return new NixDaemonError('invalid-path', `path '${storeDirectory.print(storePath)}' is not valid`);
}
