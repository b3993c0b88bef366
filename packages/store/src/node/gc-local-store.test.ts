/** Garbage collection on the backends of the local store, where a use is recorded only now and then. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import { lmdbDirectories, openLocalBlobs } from '@neve/castore/node';
import { collectGarbage, memoryPins, renderNar } from '../index.ts';
import type { PathInfo, PathInfoService, StoreServices } from '../index.ts';
import { putSamplePath, putSampleTree } from '../testing/index.ts';
import { lmdbPathInfos } from './lmdb-path-infos.ts';

let folder: string;
let store: StoreServices;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-gc-'));
  const database = join(folder, 'db');
  store = {
    blobs: await openLocalBlobs({ path: folder, databasePath: database }),
    directories: await lmdbDirectories(database),
    pathInfos: await lmdbPathInfos(database),
  };
});

afterEach(async () => {
  for (const service of Object.values(store)) await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Stores a path, and lets its time pass. */
async function putPath(seed: string): Promise<PathInfo> {
  const pathInfo = await putSamplePath({ seed, shared: ['x'] }, store, nodeHashes);
  await setTimeout(5);
  return pathInfo;
}

async function count(items: AsyncIterable<unknown> | undefined): Promise<number> {
  let result = 0;
  for await (const _ of items ?? []) result++;
  return result;
}

test('what was stored a moment ago goes when nobody is writing', async () => {
  await putPath('old');
  const { paths } = await collectGarbage({ store, roots: async () => [] });
  expect(paths.map(({ name }) => name)).toEqual(['old']);
  expect(await count(store.pathInfos.list())).toBe(0);
  expect(await count(store.directories.inventory?.list())).toBe(0);
  expect(await count(store.blobs.inventory?.list())).toBe(0);
});

test('what was stored a moment ago stays while somebody is writing', async () => {
  const startedMs = Date.now();
  await putPath('new');
  const { paths } = await collectGarbage({
    store,
    roots: async () => [],
    oldestWriterMs: async () => startedMs,
  });
  expect(paths).toEqual([]);
});

test('what is found after the collection began stays, although its use was recorded a moment ago', async () => {
  const { node } = await putPath('same');
  const { inventory } = store.pathInfos;
  if (inventory === undefined) throw new Error('a database has an inventory');
  const pathInfos: PathInfoService = Object.assign(Object.create(store.pathInfos), {
    inventory: {
      ...inventory,
      async *list(signal?: AbortSignal) {
        // Everything of it is there already, so that nothing is written but times.
        await putSampleTree({ seed: 'same', shared: ['x'] }, store);
        yield* inventory.list(signal);
      },
    },
  });
  const { paths } = await collectGarbage({ store: { ...store, pathInfos }, roots: async () => [] });
  expect(paths.map(({ name }) => name)).toEqual(['same']);
  expect(await count(renderNar(node, store))).toBeGreaterThan(0);
});

test('what a writer makes a root before it ends stays, whenever that is', async () => {
  const { storePath } = await putPath('kept');
  await putPath('gone');
  const pins = memoryPins();
  const { paths } = await collectGarbage({
    store,
    // The last moment of a writer that found the path long ago.
    oldestWriterMs: async () => {
      await pins.set({ name: 'root', root: { kind: 'path', storePath } });
      return undefined;
    },
    roots: async () => (await pins.list()).map(({ root }) => root),
  });
  expect(paths.map(({ name }) => name)).toEqual(['gone']);
});

test('a collection by a clock that was ahead keeps nobody from storing', async () => {
  await putPath('before');
  const now = (): number => Date.now() + 3_600_000;
  await collectGarbage({ store, roots: async () => [], now });
  const { node } = await putSamplePath({ seed: 'after', shared: ['x'] }, store, nodeHashes);
  await putSampleTree({ seed: 'after', shared: ['x'] }, store);
  expect(await count(renderNar(node, store))).toBeGreaterThan(0);
});
