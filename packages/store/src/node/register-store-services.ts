/** The types of path info services that this package offers to a composition, under the names that Snix uses where it has them. */
import { readFile } from 'node:fs/promises';
import { nodeHashes } from '@neve/bytes/node';
import { type Registry, option, optionsFromUrl } from '@neve/compose';
import { type SecretKey, StoreDirectory, parsePublicKey, parseSecretKey } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { cachePathInfos } from '../cache-path-infos.ts';
import { lruPathInfos } from '../lru-path-infos.ts';
import { memoryPathInfos } from '../memory-path-infos.ts';
import { priorityPathInfos } from '../priority-path-infos.ts';
import { readOnlyPathInfos } from '../read-only-path-infos.ts';
import { pathInfoKind } from '../service-kinds.ts';
import { signingPathInfos } from '../signing-path-infos.ts';
import { StoreError } from '../store-error.ts';
import { trustedPathInfos } from '../trusted-path-infos.ts';
import { lmdbPathInfos } from './lmdb-path-infos.ts';
import { type HttpCacheDefaults, registerHttpCache } from './register-http-cache.ts';

const storeDir = option.path().default('/nix/store');

export function registerStoreServices(registry: Registry, httpCache: HttpCacheDefaults = {}): void {
  registerOwners(registry);
  registerWrappers(registry);
  registerHttpCache(registry, httpCache);
}

function registerOwners(registry: Registry): void {
  registry
    .register({
      kind: pathInfoKind,
      type: 'memory',
      description: 'Path infos in the memory of the process',
      options: {},
      fromUrl: (url) => optionsFromUrl(url),
      build: () => memoryPathInfos(),
    })
    .register({
      kind: pathInfoKind,
      type: 'lmdb',
      description: 'Path infos in a local database, which several processes may use',
      options: { path: option.path() },
      fromUrl: (url) => optionsFromUrl(url, { path: 'path' }),
      build: ({ path }) => lmdbPathInfos(path),
    })
    .register({
      kind: pathInfoKind,
      type: 'lru',
      description: 'The path infos that were used last, in memory',
      options: { capacity: option.integer({ min: 1 }) },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ capacity }) => lruPathInfos({ capacity }),
    });
}

function registerWrappers(registry: Registry): void {
  const inner = option.reference(pathInfoKind);
  registry
    .register({
      kind: pathInfoKind,
      type: 'cache',
      description: 'A near store that is filled from a far one',
      options: { near: inner, far: inner, absence_ttl: option.seconds().optional() },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ near, far, absence_ttl: ttl }) =>
        cachePathInfos({ near, far, ...(ttl !== undefined && { absenceTtlMs: ttl * 1000 }) }),
    })
    .register({
      kind: pathInfoKind,
      type: 'priority',
      description: 'Several stores, asked in ascending order of their numbers',
      options: { services: option.priorities(pathInfoKind) },
      fromUrl: (url) => optionsFromUrl(url, { query: 'services' }),
      build: ({ services }) => priorityPathInfos(services.map(({ service }) => service)),
    })
    .register({
      kind: pathInfoKind,
      type: 'keyfile-signing',
      description: 'Signs every path info that is stored',
      options: {
        inner,
        keyfile: option.path().optional(),
        keyfiles: option.textList().default([]),
        store_dir: storeDir,
      },
      fromUrl: (url) => optionsFromUrl(url),
      build: async ({ inner: service, keyfile, keyfiles, store_dir: path }) => {
        const files = [...(keyfile === undefined ? [] : [keyfile]), ...keyfiles];
        if (files.length === 0) {
          throw new StoreError('unsupported', 'a signing service needs a key; give keyfile or keyfiles');
        }
        const keys = await Promise.all(files.map(readSecretKey));
        const store = new StoreDirectory(path, nodeHashes);
        return signingPathInfos(service, { keys, store, ed25519: nodeEd25519 });
      },
    })
    .register({
      kind: pathInfoKind,
      type: 'trusted',
      description:
        'Shows only what a trusted key has signed, or what vouches for itself by its content address',
      options: { inner, public_keys: option.textList(), store_dir: storeDir },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner: service, public_keys: keys, store_dir: path }) =>
        trustedPathInfos(service, {
          keys: keys.map(parsePublicKey),
          store: new StoreDirectory(path, nodeHashes),
          ed25519: nodeEd25519,
        }),
    })
    .register({
      kind: pathInfoKind,
      type: 'read-only',
      description: 'Refuses to write',
      options: { inner },
      fromUrl: (url) => optionsFromUrl(url),
      build: ({ inner: service }) => readOnlyPathInfos(service),
    });
}

async function readSecretKey(file: string): Promise<SecretKey> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('io', `the key file '${file}' cannot be read: ${reason}`, { cause });
  }
  return parseSecretKey(text.trim(), nodeEd25519);
}
