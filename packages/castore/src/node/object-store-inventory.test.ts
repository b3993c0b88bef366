/** Removal from an object store while others write to it, and what interrupted writers leave. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes } from '@neve/bytes';
import { afterAll, expect, test } from 'vitest';
import type { BlobService } from '../blob-service.ts';
import { memoryObjectStore, type ObjectStore } from '../object-store.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { directoryObjectStore } from './directory-object-store.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';

const mib = 1024 * 1024;
const folder = await mkdtemp(join(tmpdir(), 'object-store-inventory-'));
afterAll(() => rm(folder, { recursive: true }));

async function keys(store: ObjectStore): Promise<readonly string[]> {
  const result: string[] = [];
  for await (const { key } of store.list('')) result.push(key);
  return result.sort();
}

async function expectSound(service: BlobService): Promise<void> {
  for await (const { what, problem } of service.inventory?.verify() ?? [])
    throw new Error(`${what}: ${problem}`);
}

test('the last blob leaves an empty store', async () => {
  const store = memoryObjectStore();
  const service = await openObjectStoreBlobs({ store });
  const bytes = bytesFor(20 * mib, 'last');
  const digests = [
    await service.put(bytes),
    await service.put(bytes.subarray(0, 3 * mib)),
    await service.put(bytes.subarray(0, 5)),
  ];
  let listed = 0;
  for await (const { sizeBytes } of service.inventory?.list() ?? []) listed += sizeBytes;
  let stored = 0;
  for await (const { size } of store.list('')) stored += size;
  // Chunks that two blobs have are counted for neither.
  expect(listed).toBeLessThan(stored);
  const freed = await service.inventory?.remove(digests, { unusedSinceMs: Infinity });
  expect(freed).toBe(stored);
  expect(await keys(store)).toEqual([]);
});

test('blobs that are written while others with the same chunks are removed stay whole', async () => {
  const inner = memoryObjectStore();
  // Every request takes a while, another one each time.
  let turn = 0;
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, (turn++ * 7) % 5));
  const store: ObjectStore = {
    label: inner.label,
    get: async (key) => (await pause(), inner.get(key)),
    getRange: async (key, range) => (await pause(), inner.getRange(key, range)),
    put: async (key, bytes) => (await pause(), inner.put(key, bytes)),
    head: async (key) => (await pause(), inner.head(key)),
    list: (prefix) => inner.list(prefix),
    delete: async (key) => (await pause(), inner.delete(key)),
    [Symbol.asyncDispose]: async () => {},
  };
  const service = await openObjectStoreBlobs({ store });
  const shared = bytesFor(2 * mib, 'shared');
  for (let round = 0; round < 12; round++) {
    const old = await service.put(shared);
    const next = concatBytes([shared, bytesFor(1000, `${round}`)]);
    const removing = service.inventory?.remove([old], { unusedSinceMs: Infinity });
    await new Promise((resolve) => setTimeout(resolve, round * 3));
    const [written] = await Promise.all([service.put(next), removing]);
    await expectSound(service);
    expect(await service.has(written)).toBe(true);
    await service.inventory?.remove([written], { unusedSinceMs: Infinity });
  }
});

test('a blob that is stored while it is removed is there afterwards, or was used in time', async () => {
  const service = await openObjectStoreBlobs({ store: memoryObjectStore() });
  for (const size of [10, mib]) {
    for (let round = 0; round < 12; round++) {
      const bytes = bytesFor(size, `${round}`);
      const digest = await service.put(bytes);
      const removing = service.inventory?.remove([digest], { unusedSinceMs: Infinity });
      for (let i = 0; i < round; i++) await Promise.resolve();
      await Promise.all([service.put(bytes), removing]);
      expect(await service.has(digest)).toBe(true);
    }
    await expectSound(service);
  }
});

test('chunks of an interrupted writer are left over when they are a day old', async () => {
  const path = join(folder, randomUUID());
  const store = directoryObjectStore(path);
  const service = await openObjectStoreBlobs({ store });
  const kept = await service.put(bytesFor(3 * mib, 'kept'));
  const before = await keys(store);
  const writer = await service.create();
  await writer.write(bytesFor(3 * mib, 'interrupted'));
  await writer[Symbol.asyncDispose]();
  const left = (await keys(store)).filter((key) => !before.includes(key));
  expect(left.length).toBeGreaterThan(2);
  expect(await service.inventory?.removeLeftovers?.()).toBe(0);
  for (const key of [...left, ...before]) await utimes(join(path, key), 1, 1);
  expect(await service.inventory?.removeLeftovers?.()).toBeGreaterThan(2 * mib);
  expect(await keys(store)).toEqual(before);
  expect(await service.has(kept)).toBe(true);
  await expectSound(service);
});
