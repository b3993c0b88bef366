/** The administration of the caches in a folder of this machine. Servers that use the folder see what is changed. */
import { randomBytes } from 'node:crypto';
import {
  generateSecretKey,
  parseSecretKey,
  printPublicKey,
  printSecretKey,
  publicKeyOf,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import type {
  CacheAdministration,
  CacheDescription,
  CacheUsage,
} from '../../tenants/cache-administration.ts';
import { checkCacheName } from '../../tenants/cache-name.ts';
import { type CacheRecord, defaultCacheSettings, describeCache } from '../../tenants/cache-record.ts';
import { noSuchCache } from '../../tenants/cache-registry.ts';
import { collectCaches } from './collect-caches.ts';
import type { ServerFolder } from './server-folder.ts';

export function localAdministration(folder: ServerFolder): CacheAdministration {
  const { registry } = folder;
  const find = async (name: string): Promise<CacheRecord> => {
    const record = await registry.get(name);
    if (record === undefined) throw noSuchCache(name);
    return record;
  };
  return {
    list: async () => (await registry.list()).map(describe),
    describe: async (name) => describe(await find(name)),
    usage: async (name) => usageOf(folder, await find(name)),
    async create(name, settings) {
      const record: CacheRecord = {
        ...defaultCacheSettings,
        signingKeys: [printSecretKey(generateSecretKey(`${checkCacheName(name)}-1`, nodeEd25519))],
        ...settings,
        name,
        id: randomBytes(8).toString('hex'),
        createdAtMs: Date.now(),
      };
      await registry.create(record);
      return describe(record);
    },
    configure: async (name, settings) =>
      describe(await registry.update(name, (record) => ({ ...record, ...settings }))),
    async remove(name) {
      if ((await registry.remove(name)) === undefined) throw noSuchCache(name);
    },
    async collect(options) {
      if (options.name !== undefined) await find(options.name);
      return collectCaches({ folder, ...options });
    },
    revoke: (token) => registry.revoke(token),
  };
}

/** `NAME:BASE64` of the keys by which the signatures of a cache are checked. */
export function publicKeysOf({ signingKeys }: Pick<CacheRecord, 'signingKeys'>): readonly string[] {
  return signingKeys.map((text) => printPublicKey(publicKeyOf(parseSecretKey(text, nodeEd25519))));
}

function describe(record: CacheRecord): CacheDescription {
  return { ...describeCache(record), name: record.name, publicKeys: publicKeysOf(record) };
}

async function usageOf(folder: ServerFolder, record: CacheRecord): Promise<CacheUsage> {
  await using storage = await folder.openCache(record);
  let [paths, narBytes] = [0, 0];
  for await (const { read } of storage.pathInfos.inventory.list()) {
    paths++;
    narBytes += read().narSize;
  }
  return { paths, narBytes, pins: (await storage.pins.list()).length };
}
