import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import { LmdbEnvironment } from '@neve/castore/node';
import { StoreDirectory } from '@neve/nix-compat';
import { memoryPins } from '../index.ts';
import type { Pins } from '../index.ts';
import { sampleNodes, samplePath, samplePathInfo } from '../testing/index.ts';
import { Leases, addIndirectRoot, lmdbPathInfos, lmdbPins, readLinkRoots } from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-roots-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe.each<[string, () => Promise<Pins & Partial<AsyncDisposable>>]>([
  ['memory', async () => memoryPins()],
  ['LMDB', () => lmdbPins(folder)],
])('pins in %s', (_, open) => {
  test('are set, changed, listed and removed', async () => {
    const pins = await open();
    const [node] = sampleNodes();
    if (node === undefined) throw new Error('there are samples');
    await pins.set({ name: 'system/é', root: { kind: 'node', node } });
    await pins.set({ name: 'home', root: { kind: 'path', storePath: samplePath('old') } });
    await pins.set({ name: 'home', root: { kind: 'path', storePath: samplePath('new') } });
    expect(await pins.list()).toEqual([
      { name: 'home', root: { kind: 'path', storePath: samplePath('new') } },
      { name: 'system/é', root: { kind: 'node', node } },
    ]);
    expect(await pins.get('home')).toEqual({ kind: 'path', storePath: samplePath('new') });
    expect([await pins.remove('home'), await pins.remove('home')]).toEqual([true, false]);
    expect(await pins.get('home')).toBeUndefined();
    await pins[Symbol.asyncDispose]?.();
  });
});

test('every kind of node can be pinned, and a damaged pin is an error', async () => {
  await using pins = await lmdbPins(folder);
  for (const [index, node] of sampleNodes().entries()) {
    await pins.set({ name: `node-${index}`, root: { kind: 'node', node } });
    expect(await pins.get(`node-${index}`)).toEqual({ kind: 'node', node });
  }
  await expect(
    pins.set({ name: '', root: { kind: 'path', storePath: samplePath('a') } }),
  ).rejects.toMatchObject({
    code: 'unsupported',
  });
  await using environment = await LmdbEnvironment.open(folder);
  await environment.write(() =>
    environment.table('pins').put(Buffer.from('broken'), Buffer.from('nonsense')),
  );
  await expect(pins.list()).rejects.toThrow("the pin 'broken' is damaged");
});

describe('links', () => {
  test('into the store, indirect ones, and those that lead nowhere', async () => {
    const roots = join(folder, 'gcroots');
    await mkdir(join(roots, 'profiles', 'deep'), { recursive: true });
    const target = store.print(samplePath('direct'));
    await symlink(`${target}/bin/hello`, join(roots, 'profiles', 'deep', 'direct'));
    await symlink('/etc/passwd', join(roots, 'elsewhere'));
    await writeFile(join(roots, 'file'), '');
    const link = join(folder, 'result');
    await addIndirectRoot(samplePath('indirect'), { folder: roots, store, link });
    expect(await readlink(link)).toBe(store.print(samplePath('indirect')));
    const read = await readLinkRoots({ folder: roots, store });
    expect(read.stale).toEqual([]);
    expect(new Map(read.roots.map((it) => [it.link, it.storePath]))).toEqual(
      new Map([
        [join(roots, 'profiles', 'deep', 'direct'), samplePath('direct')],
        [link, samplePath('indirect')],
      ]),
    );
    await rm(link);
    const planned = await readLinkRoots({ folder: roots, store, dryRun: true });
    expect(planned.roots).toHaveLength(1);
    expect(planned.stale).toHaveLength(1);
    expect(await readdir(join(roots, 'auto'))).toHaveLength(1);
    expect((await readLinkRoots({ folder: roots, store })).stale).toEqual(planned.stale);
    expect(await readdir(join(roots, 'auto'))).toEqual([]);
    expect(await readdir(roots)).toContain('elsewhere');
  });

  test('a link is replaced, a file is not', async () => {
    const link = join(folder, 'result');
    const options = { folder: join(folder, 'gcroots'), store, link };
    await addIndirectRoot(samplePath('one'), options);
    await addIndirectRoot(samplePath('two'), options);
    expect((await readLinkRoots(options)).roots).toEqual([{ link, storePath: samplePath('two') }]);
    await rm(link);
    await writeFile(link, 'mine');
    await expect(addIndirectRoot(samplePath('one'), options)).rejects.toMatchObject({ code: 'io' });
  });

  test('no folder is no roots', async () => {
    expect(await readLinkRoots({ folder: join(folder, 'none'), store })).toEqual({ roots: [], stale: [] });
  });
});

describe('leases', () => {
  test('the oldest one counts, and none after its end', async () => {
    await using leases = await Leases.open(folder);
    expect(await leases.oldestMs()).toBeUndefined();
    const before = Date.now();
    {
      await using first = await leases.acquire();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await using second = await leases.acquire();
      expect(second.startedAtMs).toBeGreaterThan(first.startedAtMs);
      expect(first.startedAtMs).toBeGreaterThanOrEqual(before);
      expect(await leases.oldestMs()).toBe(first.startedAtMs);
    }
    expect(await leases.oldestMs()).toBeUndefined();
  });

  test('those of processes that have ended are forgotten', async () => {
    await using leases = await Leases.open(folder);
    await using environment = await LmdbEnvironment.open(folder);
    const table = environment.table('leases');
    const lease = await leases.acquire();
    const [own] = [...table.range()].map(
      ({ value }) => JSON.parse(value.toString()) as Record<string, unknown>,
    );
    await lease[Symbol.asyncDispose]();
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const running = await promisify(execFile)('cat', [`/proc/${child.pid}/stat`]);
    const startTime = running.stdout.slice(running.stdout.lastIndexOf(')') + 2).split(' ')[19];
    const add = (name: string, row: object): Promise<unknown> =>
      environment.write(() => table.put(Buffer.from(name), Buffer.from(JSON.stringify({ ...own, ...row }))));
    await add('number of another', { pid: child.pid, startTime: '1', startedAtMs: 1 });
    await add('before the boot', { bootId: 'other', startedAtMs: 2 });
    await add('other namespace, long ago', { namespace: 'pid:[1]', startedAtMs: 3 });
    await environment.write(() => table.put(Buffer.from('garbage'), Buffer.from('{')));
    expect(await leases.oldestMs()).toBeUndefined();
    expect(table.keys()).toEqual([]);
    await add('running', { pid: child.pid, startTime, startedAtMs: 4 });
    expect(await leases.oldestMs()).toBe(4);
    const recently = Date.now() - 1000;
    await add('other namespace, lately', { namespace: 'pid:[1]', startedAtMs: recently });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await leases.oldestMs()).toBe(recently);
  });
});

describe('path infos in LMDB', () => {
  test('times of use are written when they are older than their precision', async () => {
    await using service = await lmdbPathInfos(folder);
    await using environment = await LmdbEnvironment.open(folder);
    const pathInfo = samplePathInfo('a');
    const { hashPart } = pathInfo.storePath;
    const table = environment.table('path-infos');
    await service.put(pathInfo);
    const [row] = [...table.range()];
    if (row === undefined) throw new Error('it was not stored');
    const withTime = (timeMs: number): Buffer => {
      const value = Buffer.from(row.value);
      value.writeDoubleBE(timeMs);
      return value;
    };
    const time = (): number => table.get(row.key)?.readDoubleBE() ?? NaN;
    const recent = Date.now() - 30_000;
    await environment.write(() => table.put(row.key, withTime(recent)));
    await service.has(hashPart);
    expect(time()).toBe(recent);
    const before = Date.now();
    for (const use of ['has', 'get'] as const) {
      await environment.write(() => table.put(row.key, withTime(before - 61_000)));
      await service[use](hashPart);
      expect(time()).toBeGreaterThanOrEqual(before);
      expect(await service.get(hashPart)).toEqual(pathInfo);
    }
  });

  test('a damaged one is an error when it is read, can be removed and be put again', async () => {
    await using service = await lmdbPathInfos(folder);
    await using environment = await LmdbEnvironment.open(folder);
    const pathInfo = samplePathInfo('a');
    const { hashPart } = pathInfo.storePath;
    await service.put(pathInfo);
    const table = environment.table('path-infos');
    const [row] = [...table.range()];
    if (row === undefined) throw new Error('it was not stored');
    const damage = () => environment.write(() => table.put(row.key, row.value.subarray(0, -1)));
    await damage();
    await expect(service.get(hashPart)).rejects.toMatchObject({ code: 'corrupt' });
    for await (const { hashPart: listed, read } of service.inventory.list()) {
      expect(listed).toBe(hashPart);
      expect(read).toThrow(`the stored path info ${hashPart} is damaged`);
    }
    expect(await service.put(pathInfo)).toEqual(pathInfo);
    expect(await service.get(hashPart)).toEqual(pathInfo);
    await damage();
    expect(await service.inventory.remove(hashPart, { unusedSinceMs: Infinity })).toBe(true);
    expect(await service.get(hashPart)).toBeUndefined();
  });
});
