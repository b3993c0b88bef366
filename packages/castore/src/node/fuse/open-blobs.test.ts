import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BlobReader, BlobService } from '../../blob-service.ts';
import { hashBlake3 } from '../../blake3.ts';
import { B3Digest } from '../../b3-digest.ts';
import { memoryBlobs } from '../../memory-blobs.ts';
import { OpenBlobs } from './open-blobs.ts';

type Log = { readonly reads: [number, number][]; open: number; mostOpen: number };

/** A memory store that counts its readers and remembers what they read. */
function watched(log: Log): BlobService {
  const blobs = memoryBlobs();
  const watchedOpen = async (digest: B3Digest): Promise<BlobReader | undefined> => {
    const reader = await blobs.open(digest);
    if (reader === undefined) return undefined;
    log.open++;
    log.mostOpen = Math.max(log.mostOpen, log.open);
    return {
      size: reader.size,
      stream: (...args) => reader.stream(...args),
      read: async (offset, length) => {
        log.reads.push([offset, length]);
        await new Promise((resolve) => setImmediate(resolve));
        return await reader.read(offset, length);
      },
      [Symbol.asyncDispose]: async () => {
        log.open--;
        await reader[Symbol.asyncDispose]();
      },
    };
  };
  return new Proxy(blobs, {
    get: (target, name): unknown => {
      if (name === 'open') return watchedOpen;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7 + seed) & 0xff);
}

describe('open blobs', () => {
  test('whatever is read in whatever order, alone or at the same time, is what the blob has there', async () => {
    const contents = [pattern(10_000, 1), pattern(3, 2), pattern(5000, 3), new Uint8Array(0)];
    const blobs = memoryBlobs();
    const digests = await Promise.all(contents.map((it) => blobs.put(it)));
    const read = fc.record({
      blob: fc.nat(contents.length - 1),
      /** On from where the last one ended when it is absent. */
      offset: fc.option(fc.nat(11_000), { nil: undefined, freq: 2 }),
      length: fc.integer({ min: 1, max: 3000 }),
      wait: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(read, { maxLength: 60 }), async (reads) => {
        await using open = new OpenBlobs(blobs, { limit: 2, readAheadBytes: 1024, idleMs: 1000 });
        const position = contents.map(() => 0);
        const pending: Promise<void>[] = [];
        for (const { blob, offset = position[blob] ?? 0, length, wait } of reads) {
          const expected = contents[blob]?.slice(offset, offset + length);
          position[blob] = offset + length;
          const digest = digests[blob];
          if (digest === undefined) throw new Error('a digest for every blob');
          const done = open.read(digest, offset, length).then((bytes) => expect(bytes).toEqual(expected));
          pending.push(done);
          if (wait) await done;
        }
        await Promise.all(pending);
      }),
    );
  });

  test('a blob that is read from the beginning is fetched in growing windows, each byte once', async () => {
    const log: Log = { reads: [], open: 0, mostOpen: 0 };
    const blobs = watched(log);
    const digest = await blobs.put(pattern(100_000, 5));
    await using open = new OpenBlobs(blobs, { limit: 4, readAheadBytes: 16_000, idleMs: 1000 });
    for (let at = 0; at < 100_000; at += 1000) await open.read(digest, at, 1000);
    const lengths = log.reads.map(([, length]) => length);
    expect(log.reads.map(([start]) => start)).toEqual(
      lengths.map((_, at) => lengths.slice(0, at).reduce((sum, it) => sum + it, 0)),
    );
    expect(lengths.slice(0, 6)).toEqual([1000, 2000, 4000, 8000, 16_000, 16_000]);
    expect(lengths.reduce((sum, it) => sum + it, 0)).toBe(100_000);
  });

  test('reads here and there fetch nothing else', async () => {
    const log: Log = { reads: [], open: 0, mostOpen: 0 };
    const blobs = watched(log);
    const digest = await blobs.put(pattern(100_000, 6));
    await using open = new OpenBlobs(blobs, { limit: 4, readAheadBytes: 16_000, idleMs: 1000 });
    for (const at of [50_000, 20_000, 70_000]) await open.read(digest, at, 100);
    expect(log.reads).toEqual([50_000, 20_000, 70_000].map((at) => [at, 100]));
  });

  test('never more readers than allowed, and none afterwards', async () => {
    const log: Log = { reads: [], open: 0, mostOpen: 0 };
    const blobs = watched(log);
    const contents = Array.from({ length: 40 }, (_, at) => pattern(500, at));
    const digests = await Promise.all(contents.map((it) => blobs.put(it)));
    {
      await using open = new OpenBlobs(blobs, { limit: 3, readAheadBytes: 1024, idleMs: 1000 });
      const read = await Promise.all(digests.map((it) => open.read(it, 0, 500)));
      expect(read).toEqual(contents);
      // Closing is not waited for by the next reader.
      expect(log.mostOpen).toBeLessThanOrEqual(6);
    }
    expect(log.open).toBe(0);
  });

  test('idle readers are closed', async () => {
    const log: Log = { reads: [], open: 0, mostOpen: 0 };
    const blobs = watched(log);
    const digest = await blobs.put(pattern(10, 1));
    await using open = new OpenBlobs(blobs, { limit: 3, readAheadBytes: 1024, idleMs: 20 });
    await open.read(digest, 0, 10);
    expect(log.open).toBe(1);
    await expect.poll(() => log.open).toBe(0);
  });

  test('a blob that is not there is looked for again', async () => {
    const blobs = memoryBlobs();
    const bytes = pattern(10, 1);
    const digest = new B3Digest(hashBlake3(bytes));
    await using open = new OpenBlobs(blobs, { limit: 1, readAheadBytes: 1024, idleMs: 1000 });
    expect(await open.read(digest, 0, 10)).toBeUndefined();
    await blobs.put(bytes);
    expect(await open.read(digest, 0, 10)).toEqual(bytes);
  });
});
