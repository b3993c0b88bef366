import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { blobKind, directoryKind, memoryBlobs, memoryDirectories } from '@neve/castore';
import { Composition, Registry, composeFromUrls, parseComposition } from '@neve/compose';
import { pathInfoKind } from '../service-kinds.ts';
import type { Substituter } from '../substituter.ts';
import { registerHttpCache } from './register-http-cache.ts';

const hashPart = '0123456789abcdfghijklmnpqrsvwxyz';
const key = 'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=';

const registry = new Registry()
  .register({
    kind: blobKind,
    type: 'memory',
    description: 'x',
    options: {},
    fromUrl: () => ({}),
    build: () => memoryBlobs(),
  })
  .register({
    kind: directoryKind,
    type: 'memory',
    description: 'x',
    options: {},
    fromUrl: () => ({}),
    build: () => memoryDirectories(),
  });
registerHttpCache(registry);

const folders: string[] = [];

afterEach(async () => {
  for (const it of folders.splice(0)) await rm(it, { recursive: true });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'neve-register-'));
  folders.push(folder);
  return folder;
}

async function open(url: string): Promise<Composition> {
  return new Composition(composeFromUrls({ blob: 'memory:', directory: 'memory:', pathinfo: url }, registry));
}

async function cacheOf(composition: Composition): Promise<Substituter> {
  return (await composition.get(pathInfoKind)) as Substituter;
}

test('by the URL that Snix has', async () => {
  const url = `nix+https://cache.nixos.org?trusted-public-keys=${encodeURIComponent(`${key} ${key}`)}&priority=10&blob_service=&root&directory_service=&root`;
  await using composition = await open(url);
  const cache = await cacheOf(composition);
  expect(cache.name).toBe('https://cache.nixos.org');
  expect(await cache.priority()).toBe(10);
});

test('by a file, with everything', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'netrc'), 'machine cache.example.org login a password b');
  const text = `
    [blobservices]
    root = "memory:"
    [directoryservices]
    root = "memory:"
    [pathinfoservices.root]
    type = "nix"
    base_url = "https://user:secret@cache.example.org/x"
    public_keys = ["${key}"]
    priority = 3
    netrc_file = "${folder}/netrc"
    narinfo_cache = "${folder}/narinfos"
  `;
  await using composition = new Composition(parseComposition(text, 'store.toml', registry));
  const cache = await cacheOf(composition);
  expect(cache.name).toBe('https://user:***@cache.example.org/x');
  expect(await cache.priority()).toBe(3);
});

test('a folder', async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, 'nix-cache-info'), 'StoreDir: /nix/store\nPriority: 7\n');
  await using composition = await open(`nix+${pathToFileURL(folder).href}?accept-unsigned=1`);
  const cache = await cacheOf(composition);
  expect(await cache.priority()).toBe(7);
  expect(await cache.has(hashPart)).toBe(false);
});

test.each([
  ['nix:', /inner URL/],
  ['nix+https://h?trusted-public-keys=nonsense', /public key 'nonsense'/],
  ['nix+ftp://h', /not an http or https URL/],
  ['nix+https://h?priority=high', /whole number/],
  ['nix+https://h?colour=blue', /unknown option/],
  [
    'nix+https://h?netrc-file=/does/not/exist',
    /the file of netrc_file, '\/does\/not\/exist', cannot be read/,
  ],
  [`nix+https://h?accept-unsigned&trusted-public-keys=${encodeURIComponent(key)}`, /leave out one of them/],
])('refuses %s', async (url, problem) => {
  const opening = (async () => {
    await using composition = await open(url);
    await composition.get(pathInfoKind);
  })();
  await expect(opening).rejects.toThrow(problem);
});
