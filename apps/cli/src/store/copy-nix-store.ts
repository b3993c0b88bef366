/** Copies between our store and one of Nix: behind its daemon, or over ssh. */
import { nodeHashes } from '@neve/bytes/node';
import { StoreDirectory, type StorePath, parsePublicKey, parseStorePath } from '@neve/nix-compat';
import { isRemoteStore, openRemotePathInfos } from '../realise/remote-stores.ts';
import { UsageError } from '../usage-error.ts';
import type { BinaryCacheOptions } from './open-binary-cache.ts';
import type { OpenStore } from './open-store.ts';

export { isRemoteStore };

export type NixStoreSourceOptions = BinaryCacheOptions & {
  /** What is wanted of it, as it was given: a protocol may need names. */
  readonly names: readonly string[];
};

/** A store of Nix as a source: its contents go straight into the target. Throws `UsageError` without keys. */
export async function openNixStoreSource(url: string, options: NixStoreSourceOptions): Promise<OpenStore> {
  const { target, storeDir, publicKeys, acceptUnsigned, names } = options;
  const isTrusted = /[?&]trusted=(true|1)\b/.test(url);
  if (publicKeys.length === 0 && !acceptUnsigned && !isTrusted) {
    throw new UsageError(
      `nobody says which signatures of ${url} are trusted; give --trusted-public-key, or --no-check-signatures`,
    );
  }
  const pathInfos = await openRemotePathInfos(url, {
    store: target,
    storeDirectory: new StoreDirectory(storeDir, nodeHashes),
    environment: process.env,
    publicKeys: acceptUnsigned ? [] : publicKeys.map(parsePublicKey),
    acceptUnsigned,
  });
  pathInfos.expect(names.flatMap((it) => storePathsIn(it, storeDir)));
  return {
    blobs: target.blobs,
    directories: target.directories,
    pathInfos,
    title: url,
    [Symbol.asyncDispose]: () => pathInfos[Symbol.asyncDispose](),
  };
}

/** A name that is a whole store path, with or without the directory. */
function storePathsIn(name: string, storeDir: string): readonly StorePath[] {
  const baseName = name.startsWith(`${storeDir}/`) ? name.slice(storeDir.length + 1) : name;
  return /^[0-9a-z]{32}-[^/]+$/.test(baseName) ? [parseStorePath(baseName)] : [];
}

export type CopyToNixStoreOptions = {
  /** Of the store to copy to. */
  readonly url: string;
  readonly source: OpenStore;
  readonly storeDir: string;
  readonly dontCheckSignatures: boolean;
  readonly onEvent: (event: CopyToNixStoreEvent) => void;
};

export type CopyToNixStoreEvent =
  | { readonly kind: 'plan'; readonly paths: number }
  | { readonly kind: 'path'; readonly narBytes: number };

/** Copies paths and what they refer to into a store of Nix. */
export async function copyToNixStore(
  paths: readonly StorePath[],
  { url, source, storeDir, dontCheckSignatures, onEvent }: CopyToNixStoreOptions,
  signal?: AbortSignal,
): Promise<{ readonly paths: number; readonly narBytes: number }> {
  const { copyToRemote, openRemoteStore, parseRemoteStoreUrl } = await import('@neve/nix-daemon/client');
  const store = new StoreDirectory(storeDir, nodeHashes);
  await using remote = openRemoteStore(parseRemoteStoreUrl(url), { store, environment: process.env });
  return await copyToRemote(
    paths,
    { source, remote, substitute: false, dontCheckSignatures, onEvent },
    signal,
  );
}
