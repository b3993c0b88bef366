/**
 * Store paths with all that they refer to, from our store into one of Nix. The other side is asked once which of them it
 * has; the others go in one stream where the protocol has such.
 */
import type { StorePath } from '@neve/nix-compat';
import { type PathInfo, type StoreServices, renderNar, requirePathClosure } from '@neve/store';
import { asStoreError, remotePathInfo } from './remote-path-infos.ts';
import type { RemoteStore } from './remote-store.ts';

export type CopyToRemoteOptions = {
  readonly source: StoreServices;
  readonly remote: RemoteStore;
  /** Whether the other side may get paths from its own substituters first. */
  readonly substitute: boolean;
  /** Only for those whom the other side trusts. */
  readonly dontCheckSignatures: boolean;
  readonly onEvent?: (event: CopyToRemoteEvent) => void;
};

export type CopyToRemoteEvent =
  | { readonly kind: 'plan'; readonly paths: number; readonly narBytes: number }
  | { readonly kind: 'path'; readonly storePath: StorePath; readonly narBytes: number };

export type CopyToRemoteResult = { readonly paths: number; readonly narBytes: number };

/** Throws `StoreError`: `not-found` when the closure is incomplete here, `io` when the other side fails or refuses. */
export async function copyToRemote(
  roots: Iterable<StorePath>,
  options: CopyToRemoteOptions,
  signal?: AbortSignal,
): Promise<CopyToRemoteResult> {
  const closure = await requirePathClosure(roots, { pathInfos: options.source.pathInfos }, signal);
  return copyPathsToRemote(closure, options, signal);
}

/** The same for path infos whose closure these are, references first. */
export async function copyPathsToRemote(
  closure: readonly PathInfo[],
  { source, remote, substitute, dontCheckSignatures, onEvent }: CopyToRemoteOptions,
  signal?: AbortSignal,
): Promise<CopyToRemoteResult> {
  const { blobs, directories } = source;
  try {
    const paths = closure.map(({ storePath }) => storePath);
    const there = await remote.queryValidPaths(paths, { substitute }, signal);
    const present = new Set(there.map(({ hashPart }) => hashPart));
    const missing = closure.filter(({ storePath }) => !present.has(storePath.hashPart));
    const narBytes = missing.reduce((total, { narSize }) => total + narSize, 0);
    onEvent?.({ kind: 'plan', paths: missing.length, narBytes });
    if (missing.length === 0) return { paths: 0, narBytes: 0 };
    const objects = missing.map((it) => ({
      info: remotePathInfo(it),
      nar: (stop?: AbortSignal) => renderNar(it.node, { blobs, directories }, stop),
    }));
    const onAdded = ({ path, narSize }: { path: StorePath; narSize: number }): void =>
      onEvent?.({ kind: 'path', storePath: path, narBytes: narSize });
    await remote.add(objects, { dontCheckSignatures, onAdded }, signal);
    return { paths: missing.length, narBytes };
  } catch (error) {
    throw asStoreError(error, remote.name);
  }
}
