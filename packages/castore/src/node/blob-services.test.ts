/** The compliance suite on every blob service that needs no server. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { BlobService } from '../blob-service.ts';
import { cacheBlobs } from '../cache-blobs.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryObjectStore } from '../object-store.ts';
import { readOnlyBlobs } from '../read-only-blobs.ts';
import { blobCompliance, type BlobTraits } from '../testing/blob-compliance.ts';
import { verifiedBlobs } from '../verified-blobs.ts';
import { directoryObjectStore } from './directory-object-store.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';

type Case = readonly [name: string, open: () => Promise<BlobService>, traits: BlobTraits];

const inMemory = (): Promise<BlobService> => openObjectStoreBlobs({ store: memoryObjectStore() });

const cases: readonly Case[] = [
  ['memory', async () => memoryBlobs(), { splits: false, outboards: true }],
  ['objectstore (memory)', inMemory, { splits: true, outboards: true }],
  ['objectstore (folder)', inFolder, { splits: true, outboards: true }],
  [
    'cache (memory before objectstore)',
    async () => cacheBlobs(memoryBlobs(), await inMemory()),
    { splits: false, outboards: true },
  ],
  ['verified (objectstore)', async () => verifiedBlobs(await inMemory()), { splits: true, outboards: true }],
  [
    'cache filled on reading (objectstore)',
    async () => filledByReading(memoryBlobs(), await inMemory()),
    { splits: true, outboards: true },
  ],
  [
    'cache filled on reading (memory)',
    async () => filledByReading(await inMemory(), memoryBlobs()),
    { splits: false, outboards: true },
  ],
];

describe.each(cases)('%s', (_, open, traits) => {
  test.each(blobCompliance)('$name', (it) => it.run(open, traits));
});

/** Writes go to the far service only, so that every first read has to fill the near one. */
function filledByReading(near: BlobService, far: BlobService): BlobService {
  const cache = cacheBlobs(near, far);
  return {
    has: (digest, signal) => cache.has(digest, signal),
    open: (digest, signal) => cache.open(digest, signal),
    chunks: (digest, signal) => far.chunks(digest, signal),
    outboard: (digest, signal) => cache.outboard(digest, signal),
    create: (signal) => far.create(signal),
    put: (bytes, signal) => far.put(bytes, signal),
    [Symbol.asyncDispose]: async () => {
      await cache[Symbol.asyncDispose]();
    },
  };
}

const folders = await mkdtemp(join(tmpdir(), 'object-store-'));
afterAll(() => rm(folders, { recursive: true }));

function inFolder(): Promise<BlobService> {
  return openObjectStoreBlobs({ store: directoryObjectStore(join(folders, randomUUID())) });
}

test('a service for reading only refuses to write', async () => {
  const inner = memoryBlobs();
  const digest = await inner.put(Uint8Array.of(1, 2));
  const service = readOnlyBlobs(inner);
  await expect(service.put(Uint8Array.of(1))).rejects.toMatchObject({ code: 'unsupported' });
  await expect(service.create()).rejects.toMatchObject({ code: 'unsupported' });
  expect(service.inventory).toBeUndefined();
  await using reader = await service.open(digest);
  expect(await reader?.read(0, 2)).toEqual(Uint8Array.of(1, 2));
});
