import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import {
  StoreDirectory,
  parseSecretKey,
  parseStorePath,
  printSignature,
  publicKeyOf,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { parseDigest } from '@neve/bytes';
import {
  cachePathInfos,
  lruPathInfos,
  memoryPathInfos,
  priorityPathInfos,
  readOnlyPathInfos,
  signPathInfo,
  signingPathInfos,
  trustedPathInfos,
} from './index.ts';
import type { PathInfo, PathInfoService } from './index.ts';
import { lmdbPathInfos } from './node/index.ts';
import { pathInfoCompliance, samplePath, samplePathInfo, sampleSignature } from './testing/index.ts';
import type { PathInfoTraits } from './testing/index.ts';

const owner: PathInfoTraits = { puts: true, lists: true, hasInventory: true };
const store = new StoreDirectory('/nix/store', nodeHashes);

let folder: string;
let folders = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-path-infos-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe.each<[string, PathInfoTraits, () => PathInfoService | Promise<PathInfoService>]>([
  ['memory', owner, () => memoryPathInfos()],
  ['LMDB', owner, () => lmdbPathInfos(join(folder, `${folders++}`))],
  ['LRU', { ...owner, hasInventory: false }, () => lruPathInfos({ capacity: 1000 })],
  [
    'cache',
    { ...owner, hasInventory: false },
    () => cachePathInfos({ near: memoryPathInfos(), far: memoryPathInfos() }),
  ],
  [
    'cache over what is read only',
    { ...owner, hasInventory: false },
    () =>
      cachePathInfos({
        near: memoryPathInfos(),
        far: readOnlyPathInfos(memoryPathInfos()),
        absenceTtlMs: 1e6,
      }),
  ],
  [
    'priority',
    { ...owner, hasInventory: false },
    () => priorityPathInfos([memoryPathInfos(), readOnlyPathInfos(memoryPathInfos())]),
  ],
  [
    'read only',
    { puts: false, lists: true, hasInventory: false },
    () => readOnlyPathInfos(memoryPathInfos()),
  ],
  [
    'signing by no key',
    owner,
    () => signingPathInfos(memoryPathInfos(), { keys: [], store, ed25519: nodeEd25519 }),
  ],
])('%s', (_, traits, open) => {
  for (const it of pathInfoCompliance) test(it.name, () => it.run(async () => open(), traits));
});

test('LMDB: two services of one folder, and what was stored is there later', async () => {
  const path = join(folder, `${folders++}`);
  const pathInfo = samplePathInfo('kept');
  {
    await using first = await lmdbPathInfos(path);
    await using second = await lmdbPathInfos(path);
    await first.put(pathInfo);
    expect(await second.get(pathInfo.storePath.hashPart)).toEqual(pathInfo);
  }
  await using again = await lmdbPathInfos(path);
  expect(await again.get(pathInfo.storePath.hashPart)).toEqual(pathInfo);
});

test('LRU: what was not used for longest goes', async () => {
  await using service = lruPathInfos({ capacity: 2 });
  await service.put(samplePathInfo('a'));
  await service.put(samplePathInfo('b'));
  await service.get(samplePath('a').hashPart);
  await service.put(samplePathInfo('c'));
  const has = (seed: string): Promise<boolean> => service.has(samplePath(seed).hashPart);
  expect([await has('a'), await has('b'), await has('c')]).toEqual([true, false, true]);
  expect(() => lruPathInfos({ capacity: 0 })).toThrow('capacity of 0');
});

describe('a cache', () => {
  const { hashPart } = samplePath('a');

  test('fills the near service', async () => {
    const [near, far] = [memoryPathInfos(), memoryPathInfos()];
    await using cache = cachePathInfos({ near, far });
    await far.put(samplePathInfo('a'));
    expect(await cache.has(hashPart)).toBe(true);
    expect(await near.has(hashPart)).toBe(false);
    expect(await cache.get(hashPart)).toEqual(samplePathInfo('a'));
    expect(await near.get(hashPart)).toEqual(samplePathInfo('a'));
  });

  test('writes to both', async () => {
    const [near, far] = [memoryPathInfos(), memoryPathInfos()];
    await cachePathInfos({ near, far }).put(samplePathInfo('a'));
    expect([await near.has(hashPart), await far.has(hashPart)]).toEqual([true, true]);
  });

  test('lists what is in both once', async () => {
    const [near, far] = [memoryPathInfos(), memoryPathInfos()];
    await near.put(samplePathInfo('a'));
    await far.put(samplePathInfo('a'));
    await far.put(samplePathInfo('b'));
    const listed = await collect(cachePathInfos({ near, far }).list());
    expect(listed.map((it) => it.storePath.name)).toEqual(['a', 'b']);
  });

  test('believes an absence for a while', async () => {
    const [near, far] = [memoryPathInfos(), memoryPathInfos()];
    let now = 0;
    await using cache = cachePathInfos({ near, far, absenceTtlMs: 100, now: () => now });
    expect(await cache.get(hashPart)).toBeUndefined();
    await far.put(samplePathInfo('a'));
    now = 99;
    expect([await cache.get(hashPart), await cache.has(hashPart)]).toEqual([undefined, false]);
    now = 100;
    expect(await cache.get(hashPart)).toEqual(samplePathInfo('a'));
  });

  test('does not believe an absence of what it has put', async () => {
    const [near, far] = [memoryPathInfos(), memoryPathInfos()];
    await using cache = cachePathInfos({ near, far, absenceTtlMs: 1e6 });
    await cache.get(hashPart);
    await cache.put(samplePathInfo('a'));
    expect(await cache.get(hashPart)).toEqual(samplePathInfo('a'));
  });
});

test('priority: the first that has it answers', async () => {
  const [first, second] = [memoryPathInfos(), memoryPathInfos()];
  const other = samplePathInfo('a', { narSize: 1 });
  await second.put(samplePathInfo('a'));
  const service = priorityPathInfos([first, second]);
  expect(await service.get(samplePath('a').hashPart)).toEqual(samplePathInfo('a'));
  await service.put(other);
  expect(await service.get(samplePath('a').hashPart)).toEqual(other);
  expect(await collect(service.list())).toEqual([other]);
  expect(() => priorityPathInfos([])).toThrow(RangeError);
});

// Made by Nix 2.34.8: a tree added to a store, signed by `nix store sign` with a key of `nix key generate-secret`.
const signedByNix = {
  path: 'z06rkcs1vc7hahgw8c8xmn7qap5fm3i1-tree',
  narHash: 'sha256-kbLn+mbGdvaCrQmgoZnu8I++FHHZPlgN7qaVeYC18CE=',
  narSize: 301_992,
  secretKey:
    'test-1:sbujXqLaU9GPOj/9pMSolZzlIIG6R528y9NKJ0ewkUbwB4p/H5JmgkmDi/8WnI+VeJbbf0/DTks9Wor8ZgAuPQ==',
  signature:
    'test-1:Yxbk6aUGFmRq4MoIQg9WVXN2pf0ezp2gMLklnscaqgD0WpuxDZvX8tuIuyWmvdMATMuQ6QRZCVj7If+QoH9hBg==',
};

function readSigned(): PathInfo {
  return samplePathInfo('signed', {
    storePath: parseStorePath(signedByNix.path),
    narHash: parseDigest(signedByNix.narHash),
    narSize: signedByNix.narSize,
    references: [],
    signatures: [],
    deriver: undefined,
  });
}

describe('signing', () => {
  const key = parseSecretKey(signedByNix.secretKey, nodeEd25519);
  const signer = { keys: [key], store, ed25519: nodeEd25519 };

  test('gives the signature of Nix', () => {
    const { signatures } = signPathInfo(readSigned(), signer);
    expect(signatures.map(printSignature)).toEqual([signedByNix.signature]);
  });

  test('keeps signatures by others and replaces its own', async () => {
    const signatures = [sampleSignature('other-1'), sampleSignature(key.name)];
    const stored = await signingPathInfos(memoryPathInfos(), signer).put({ ...readSigned(), signatures });
    expect(stored.signatures.map(({ keyName }) => keyName).sort()).toEqual([key.name, 'other-1'].sort());
    expect(stored.signatures.map(printSignature)).toContain(signedByNix.signature);
  });

  describe('trust', () => {
    const signed = signPathInfo(readSigned(), signer);
    const trust = { keys: [publicKeyOf(key)], store, ed25519: nodeEd25519 };
    const { hashPart } = signed.storePath;

    async function check(pathInfo: PathInfo, isTrusted: boolean): Promise<void> {
      const inner = memoryPathInfos();
      const service = trustedPathInfos(inner, trust);
      if (isTrusted) {
        expect(await service.put(pathInfo)).toEqual(pathInfo);
        expect(await service.get(hashPart)).toEqual(pathInfo);
      } else {
        await expect(service.put(pathInfo)).rejects.toMatchObject({ code: 'untrusted' });
        expect(await inner.has(hashPart)).toBe(false);
        await inner.put(pathInfo);
        await expect(service.get(hashPart)).rejects.toMatchObject({ code: 'untrusted' });
      }
      expect(await service.has(hashPart)).toBe(isTrusted);
      expect(await collect(service.list())).toEqual(isTrusted ? [pathInfo] : []);
    }

    test('what is signed', () => check(signed, true));
    test('what is signed among others', () =>
      check({ ...signed, signatures: [sampleSignature('x-1'), ...signed.signatures] }, true));
    test('what is not signed', () => check({ ...signed, signatures: [] }, false));
    test('what others signed', () => check({ ...signed, signatures: [sampleSignature('x-1')] }, false));
    test('a wrong signature by a key of that name', () =>
      check({ ...signed, signatures: [sampleSignature(key.name)] }, false));
    test('a signature of other contents', () => check({ ...signed, narSize: signed.narSize + 1 }, false));
    test('a signature of other references', () =>
      check({ ...signed, references: [samplePath('reference')] }, false));
    test('a content address that is true', () => {
      const contentAddress = { method: 'nar', digest: signed.narHash } as const;
      return check({ ...signed, signatures: [], contentAddress }, true);
    });
    test('a content address that gives another path', () => {
      const { narHash } = samplePathInfo('different');
      return check(
        { ...signed, signatures: [], narHash, contentAddress: { method: 'nar', digest: narHash } },
        false,
      );
    });
    test('a content address that is not that of the contents', () => {
      const { narHash } = samplePathInfo('different');
      const contentAddress = { method: 'nar', digest: signed.narHash } as const;
      return check({ ...signed, signatures: [], narHash, contentAddress }, false);
    });
  });
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
