/**
 * A binary cache of Nix as the source of a copy: what it has goes straight into the blobs and directories of the target, so
 * that only its path infos remain to be copied.
 *
 *     https://cache.nixos.org   nix+https://host/path?trusted-public-keys=K1%20K2   file:///folder
 */
import { nodeHashes } from '@neve/bytes/node';
import { ServiceUrl } from '@neve/compose';
import { StoreDirectory, parsePublicKey } from '@neve/nix-compat';
import { openHttpCache } from '@neve/store/node';
import { UsageError } from '../usage-error.ts';
import { httpCacheSettings } from './http-settings.ts';
import type { OpenStore } from './open-store.ts';

export function isBinaryCache(text: string): boolean {
  return /^(nix\+)?(https?|file):/.test(text);
}

export type BinaryCacheOptions = {
  readonly target: OpenStore;
  readonly storeDir: string;
  readonly publicKeys: readonly string[];
  readonly acceptUnsigned: boolean;
};

/** Throws `UsageError` without keys, unless unsigned paths are accepted. */
export function openBinaryCache(text: string, options: BinaryCacheOptions): OpenStore {
  const parsed = ServiceUrl.parse(text);
  const inQuery = parsed.query.filter(([key]) => key.replaceAll('-', '_') === 'trusted_public_keys');
  const keys = [...options.publicKeys, ...inQuery.flatMap(([, value]) => value.split(/\s+/))];
  if (keys.length === 0 && !options.acceptUnsigned) {
    throw new UsageError(
      `nobody says which signatures of ${parsed} are trusted; give --trusted-public-key, or --no-check-signatures`,
    );
  }
  const bare = parsed.withoutQuery();
  const { target } = options;
  const cache = openHttpCache({
    url: (bare.type === 'nix' ? (bare.inner ?? bare) : bare).text,
    blobs: target.blobs,
    directories: target.directories,
    publicKeys: options.acceptUnsigned ? [] : keys.map(parsePublicKey),
    acceptUnsigned: options.acceptUnsigned,
    store: new StoreDirectory(options.storeDir, nodeHashes),
    http: httpCacheSettings(),
  });
  return {
    blobs: target.blobs,
    directories: target.directories,
    pathInfos: cache,
    title: String(parsed),
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}
