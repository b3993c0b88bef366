import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Composition, Registry, composeFromUrls, optionsFromUrl } from '@neve/compose';
import { memoryPathInfos } from '../memory-path-infos.ts';
import { pathInfoKind } from '../service-kinds.ts';
import { registerStoreServices } from './register-store-services.ts';

// Of `nix key generate-secret`.
const secretKey =
  'test-1:sbujXqLaU9GPOj/9pMSolZzlIIG6R528y9NKJ0ewkUbwB4p/H5JmgkmDi/8WnI+VeJbbf0/DTks9Wor8ZgAuPQ==';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-register-'));
  await writeFile(join(folder, 'key'), secretKey);
});

afterAll(() => rm(folder, { recursive: true }));

test.each<[string, number]>([
  ['cache:?near=counted:&far=counted:', 2],
  ['priority:?1=counted:&2=counted:', 2],
  ['keyfile-signing:?inner=counted:&keyfile=KEY', 1],
  ['trusted:?inner=counted:&public_keys=', 1],
  ['read-only:?inner=counted:', 1],
  ['read-only:?inner=trusted:%3Finner=counted:%26public_keys=', 1],
])('%s leaves what it wraps to the composition, which closes it once', async (url, inner) => {
  let opened = 0;
  let closed = 0;
  const registry = new Registry().register({
    kind: pathInfoKind,
    type: 'counted',
    description: '',
    options: {},
    fromUrl: (it) => optionsFromUrl(it),
    build: () => {
      opened++;
      return Object.assign(memoryPathInfos(), {
        [Symbol.asyncDispose]: async () => {
          closed++;
        },
      });
    },
  });
  registerStoreServices(registry);
  const urls = { pathinfo: url.replace('KEY', join(folder, 'key')) };
  const composition = new Composition(composeFromUrls(urls, registry));
  const service = await composition.get(pathInfoKind);
  await service[Symbol.asyncDispose]();
  expect([opened, closed]).toEqual([inner, 0]);
  await composition[Symbol.asyncDispose]();
  expect(closed).toBe(inner);
});
