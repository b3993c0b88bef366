/** What of the far service gets near; that it complies and refuses lies is tested in `node/`. */
import { expect, test } from 'vitest';
import { B3Digest } from './b3-digest.ts';
import { hashBlake3 } from './blake3.ts';
import type { BlobService, ChunkMeta } from './blob-service.ts';
import { cacheBlobs } from './cache-blobs.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { bytesFor } from './testing/blob-compliance.ts';

const chunkBytes = 100_000;

/** A far service with one blob of ten chunks, which counts what is opened. */
async function farWithChunks() {
  const memory = memoryBlobs();
  const bytes = bytesFor(10 * chunkBytes, 'far');
  const digest = await memory.put(bytes);
  const chunks: ChunkMeta[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    chunks.push({ digest: await memory.put(bytes.subarray(at, at + chunkBytes)), size: chunkBytes });
  }
  const opened: string[] = [];
  const far: BlobService = {
    has: (it) => memory.has(it),
    open: async (it) => {
      opened.push(it.hex);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return memory.open(it);
    },
    chunks: async (it) => (it.equals(digest) ? chunks : memory.chunks(it)),
    outboard: (it) => memory.outboard(it),
    create: () => memory.create(),
    put: (it) => memory.put(it),
    [Symbol.asyncDispose]: async () => {},
  };
  return { far, digest, bytes, chunks, opened };
}

test('only the chunks that were read come near, and the blob when all of them are there', async () => {
  const { far, digest, bytes, chunks, opened } = await farWithChunks();
  const near = memoryBlobs();
  await using cache = cacheBlobs(near, far);
  const isNear = (): Promise<readonly boolean[]> => Promise.all(chunks.map((it) => near.has(it.digest)));
  {
    await using reader = await cache.open(digest);
    expect(await reader?.read(350_000, 10)).toEqual(bytes.subarray(350_000, 350_010));
  }
  expect((await isNear()).map(Number).join('')).toBe('0001000000');
  expect(await near.has(digest)).toBe(false);
  {
    await using reader = await cache.open(digest);
    for (let at = 5; at < bytes.length; at += chunkBytes) await reader?.read(at, 10);
  }
  expect(await isNear()).not.toContain(false);
  expect(await near.has(digest)).toBe(true);
  expect(opened.length).toBe(10);
  await using reader = await cache.open(digest);
  expect(Buffer.compare((await reader?.read(0, bytes.length)) ?? new Uint8Array(), bytes)).toBe(0);
  expect(opened.length).toBe(10);
});

test('reads at the same time share one download', async () => {
  const { far, digest, opened } = await farWithChunks();
  const whole = await far.put(bytesFor(5000, 'whole'));
  await using cache = cacheBlobs(memoryBlobs(), far);
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      await using reader = await cache.open(digest);
      for await (const _ of reader?.stream() ?? []);
    }),
  );
  expect(opened.length).toBe(10);
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      await using reader = await cache.open(whole);
      expect(reader?.size).toBe(5000);
    }),
  );
  expect(opened.length).toBe(11);
});

test('a small blob comes near as a whole, a long one when it is streamed', async () => {
  const far = memoryBlobs();
  const near = memoryBlobs();
  const [small, long] = [await far.put(bytesFor(1000)), await far.put(bytesFor(9000))];
  await using cache = cacheBlobs(near, far, { maxWholeBytes: 5000 });
  await (await cache.open(small))?.[Symbol.asyncDispose]();
  expect(await near.has(small)).toBe(true);
  await using reader = await cache.open(long);
  await reader?.read(0, 9000);
  expect(await near.has(long)).toBe(false);
  for await (const _ of reader?.stream() ?? []);
  expect(await near.has(long)).toBe(true);
});

test('writes go far first, and then near', async () => {
  const [near, far] = [memoryBlobs(), memoryBlobs()];
  await using cache = cacheBlobs(near, far);
  const digest = await cache.put(Uint8Array.of(1));
  await using writer = await cache.create();
  await writer.write(Uint8Array.of(2));
  const written = await writer.close();
  for (const it of [digest, written]) {
    expect(await near.has(it)).toBe(true);
    expect(await far.has(it)).toBe(true);
  }
  const refusing: BlobService = Object.assign(memoryBlobs(), {
    put: async () => {
      throw new Error('far away');
    },
  });
  const before = new B3Digest(hashBlake3(Uint8Array.of(3)));
  await expect(cacheBlobs(near, refusing).put(Uint8Array.of(3))).rejects.toThrow('far away');
  expect(await near.has(before)).toBe(false);
});

test('a reader that gives up does not end the download of others', async () => {
  const { far, digest, bytes } = await farWithChunks();
  await using cache = cacheBlobs(memoryBlobs(), far);
  await using first = await cache.open(digest);
  await using second = await cache.open(digest);
  const controller = new AbortController();
  const given = first?.read(0, 10, controller.signal);
  const kept = second?.read(0, 10);
  controller.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  expect(await kept).toEqual(bytes.subarray(0, 10));
});
