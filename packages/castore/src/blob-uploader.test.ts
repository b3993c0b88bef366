import { describe, expect, test } from 'vitest';
import { B3Digest } from './b3-digest.ts';
import type { BlobService } from './blob-service.ts';
import { hashBlake3 } from './blake3.ts';
import { BlobUploader, type BlobSource } from './blob-uploader.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { bytesFor } from './testing/blob-compliance.ts';
import { WeightedSemaphore } from './weighted-semaphore.ts';

function source(bytes: Uint8Array, size: number = bytes.length): BlobSource {
  return { size, contents: [bytes.subarray(0, 100), bytes.subarray(100)], name: 'a file' };
}

/** Memory that counts; `put` waits for `gate`. */
function counting(gate: Promise<unknown> = Promise.resolve()) {
  const memory = memoryBlobs();
  const counts = { puts: 0, creates: 0, waiting: 0, most: 0 };
  const blobs: BlobService = {
    has: (digest) => memory.has(digest),
    open: (digest) => memory.open(digest),
    chunks: (digest) => memory.chunks(digest),
    outboard: (digest) => memory.outboard(digest),
    create: () => (counts.creates++, memory.create()),
    put: async (bytes) => {
      counts.puts++;
      counts.most = Math.max(counts.most, ++counts.waiting);
      await gate;
      counts.waiting--;
      return memory.put(bytes);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { blobs, counts };
}

test('small and large blobs are there after finish, with their digests', async () => {
  const { blobs, counts } = counting();
  await using uploader = new BlobUploader(blobs, { largeBytes: 10_000 });
  const all = [0, 1, 500, 9999, 10_000, 50_000].map((size) => bytesFor(size, 'upload'));
  const digests = await Promise.all(all.map((bytes) => uploader.upload(source(bytes))));
  await uploader.finish();
  for (const [i, bytes] of all.entries()) {
    expect(digests[i]?.hex).toBe(new B3Digest(hashBlake3(bytes)).hex);
    expect(await blobs.has(digests[i] as B3Digest)).toBe(true);
  }
  // The empty blob is there without being stored.
  expect(counts).toMatchObject({ puts: 3, creates: 2 });
});

test('known small blobs are not sent, and equal ones once', async () => {
  const { blobs, counts } = counting();
  await using uploader = new BlobUploader(blobs);
  const bytes = bytesFor(5000);
  await Promise.all(Array.from({ length: 20 }, () => uploader.upload(source(bytes))));
  await uploader.finish();
  await uploader.upload(source(bytes));
  await uploader.finish();
  expect(counts.puts).toBe(1);
});

test('bytes in memory and uploads at the same time are bounded', async () => {
  for (const options of [{ bufferBytes: 4000 }, { concurrency: 4 }]) {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const { blobs, counts } = counting(gate);
    await using uploader = new BlobUploader(blobs, options);
    const uploads = Promise.all(
      Array.from({ length: 30 }, (_, i) => uploader.upload(source(bytesFor(1000, `${i}`)))),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(counts.waiting).toBe(4);
    open();
    await uploads;
    await uploader.finish();
    expect(counts).toMatchObject({ puts: 30, most: 4 });
  }
});

describe('failures', () => {
  test('the first one is thrown by finish and by later uploads', async () => {
    const { blobs } = counting(Promise.reject(new Error('full')));
    const uploader = new BlobUploader(blobs);
    await uploader.upload(source(bytesFor(10)));
    await expect(uploader.finish()).rejects.toThrow('full');
    await expect(uploader.upload(source(bytesFor(11)))).rejects.toThrow('full');
    await uploader[Symbol.asyncDispose]();
  });

  test('a blob of another size than announced', async () => {
    const { blobs } = counting();
    await using uploader = new BlobUploader(blobs, { largeBytes: 1000 });
    for (const [size, announced] of [
      [500, 499],
      [500, 501],
      [2000, 1999],
      [2000, 2001],
    ] as const) {
      const upload = uploader.upload(source(bytesFor(size), announced));
      await expect(upload).rejects.toMatchObject({
        code: 'io',
        message: expect.stringContaining("'a file'"),
      });
    }
    await uploader.finish();
  });

  test('a failed read gives its memory back', async () => {
    const { blobs } = counting();
    await using uploader = new BlobUploader(blobs, { bufferBytes: 1000 });
    async function* broken(): AsyncGenerator<Uint8Array, void, void> {
      yield new Uint8Array(10);
      throw new Error('unreadable');
    }
    for (let i = 0; i < 5; i++) {
      const upload = uploader.upload({ size: 900, contents: broken(), name: 'broken' });
      await expect(upload).rejects.toThrow('unreadable');
    }
    await uploader.upload(source(bytesFor(900)));
    await uploader.finish();
  });
});

test('a semaphore wakes in order, and a large weight is not overtaken', async () => {
  const semaphore = new WeightedSemaphore(10);
  const order: string[] = [];
  const take = async (name: string, weight: number): Promise<() => void> => {
    const release = await semaphore.acquire(weight);
    order.push(name);
    return release;
  };
  const first = await take('first', 6);
  const large = take('large', 100);
  const small = take('small', 1);
  await Promise.resolve();
  expect(order).toEqual(['first']);
  first();
  first();
  const releaseLarge = await large;
  expect(order).toEqual(['first', 'large']);
  releaseLarge();
  (await small)();
  expect(order).toEqual(['first', 'large', 'small']);
  (await semaphore.acquire(10))();
});
