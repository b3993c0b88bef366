/** Services that lie: what they give is refused, by the digest of the blob, and nothing of it is handed out or kept. */
import { concatBytes } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { B3Digest } from '../b3-digest.ts';
import { hashBlake3 } from '../blake3.ts';
import { decodeBlobIndex, encodeBlobIndex, type BlobIndex } from '../blob-index.ts';
import type { BlobReader, BlobService } from '../blob-service.ts';
import { bytesReader } from '../bytes-reader.ts';
import { cacheBlobs } from '../cache-blobs.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryObjectStore, type ObjectStore } from '../object-store.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { verifiedBlobs } from '../verified-blobs.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';
import { blobKey, chunkKey, outboardKey } from './object-store-layout.ts';
import { zstdCompress } from './zstd.ts';

const mib = 1024 * 1024;

type Lie = (honest: BlobService) => Partial<BlobService>;

/** The methods of `honest`, some replaced. */
function lying(honest: BlobService, lie: Lie): BlobService {
  return {
    has: (digest, signal) => honest.has(digest, signal),
    open: (digest, signal) => honest.open(digest, signal),
    chunks: (digest, signal) => honest.chunks(digest, signal),
    outboard: (digest, signal) => honest.outboard(digest, signal),
    create: (signal) => honest.create(signal),
    put: (bytes, signal) => honest.put(bytes, signal),
    [Symbol.asyncDispose]: () => honest[Symbol.asyncDispose](),
    ...lie(honest),
  };
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A service whose readers have other bytes than the blob. */
function otherBytes(change: (bytes: Uint8Array) => Uint8Array): Lie {
  return (honest) => ({
    open: async (digest) => {
      const reader = await honest.open(digest);
      return reader && bytesReader(change(await reader.read(0, reader.size)));
    },
  });
}

/** A reader that says another size than it has bytes, in both directions. */
function falseSize(reader: BlobReader, size: number): BlobReader {
  return {
    size,
    read: (offset, length) => reader.read(offset, length),
    stream: (range) => reader.stream(range),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function refused(action: () => Promise<unknown>, digest: B3Digest): Promise<void> {
  const error: unknown = await action().then(
    () => undefined,
    (it: unknown) => it,
  );
  expect(error).toMatchObject({ code: 'corrupt' });
  const { message, cause } = error as Error;
  expect(
    [message, String(cause)].some((it) => it.includes(digest.hex) || it.includes(digest.toString())),
  ).toBe(true);
}

/** Everything that is handed out before an error is a part of `bytes`. */
async function streamOf(reader: BlobReader, bytes: Uint8Array): Promise<void> {
  let at = 0;
  for await (const piece of reader.stream()) {
    expect(Buffer.compare(piece, bytes.subarray(at, at + piece.length))).toBe(0);
    at += piece.length;
  }
  expect(at).toBe(bytes.length);
}

const lies: readonly [string, Lie][] = [
  ['the first byte is false', otherBytes((bytes) => changed(bytes, 0))],
  ['a byte in the middle is false', otherBytes((bytes) => changed(bytes, bytes.length >> 1))],
  ['the last byte is false', otherBytes((bytes) => changed(bytes, bytes.length - 1))],
  ['it is cut off', otherBytes((bytes) => bytes.subarray(0, bytes.length - 1))],
  ['it is cut off at a group', otherBytes((bytes) => bytes.subarray(0, (bytes.length - 1) & ~16_383))],
  ['it is too long', otherBytes((bytes) => concatBytes([bytes, Uint8Array.of(0)]))],
  ['it is too long by a group', otherBytes((bytes) => concatBytes([bytes, new Uint8Array(16_384)]))],
  ['it is empty', otherBytes(() => new Uint8Array())],
  [
    'its halves are swapped',
    otherBytes((bytes) => {
      const half = bytes.length >> 1;
      return concatBytes([bytes.subarray(half), bytes.subarray(0, half)]);
    }),
  ],
  [
    'it says a smaller size',
    (honest) => ({
      open: async (digest) => {
        const reader = await honest.open(digest);
        return reader && falseSize(reader, reader.size - 1);
      },
    }),
  ],
  [
    'it says a larger size',
    (honest) => ({
      open: async (digest) => {
        const reader = await honest.open(digest);
        return reader && falseSize(reader, reader.size + 1);
      },
    }),
  ],
];

describe.each([
  ['with an outboard', {}],
  ['without an outboard', { outboard: async () => undefined }],
] as [string, Partial<BlobService>][])('verified blobs %s', (_, overrides) => {
  test.each(lies)('%s', async (__, lie) => {
    const honest = memoryBlobs();
    for (const size of [5, 3 * mib + 5]) {
      const bytes = bytesFor(size, 'lie');
      const digest = await honest.put(bytes);
      const service = verifiedBlobs(lying(honest, (it) => ({ ...lie(it), ...overrides })));
      await refused(async () => {
        await using reader = await service.open(digest);
        if (reader !== undefined) await streamOf(reader, bytes);
      }, digest);
      await refused(async () => {
        await using reader = await service.open(digest);
        await reader?.read(0, reader.size);
      }, digest);
    }
  });
});

test('verified blobs: a range is given when it is true, whatever the rest is', async () => {
  const honest = memoryBlobs();
  const bytes = bytesFor(2 * mib, 'range');
  const digest = await honest.put(bytes);
  const service = verifiedBlobs(
    lying(
      honest,
      otherBytes((it) => changed(it, mib)),
    ),
  );
  await using reader = await service.open(digest);
  expect(await reader?.read(100, 1000)).toEqual(bytes.subarray(100, 1100));
  await refused(async () => reader?.read(mib - 10, 20), digest);
});

test('verified blobs: false outboards are refused, wherever they are false', async () => {
  const honest = memoryBlobs();
  const bytes = bytesFor(10 * 16_384 + 5, 'outboard');
  const digest = await honest.put(bytes);
  const outboard = (await honest.outboard(digest)) ?? new Uint8Array();
  expect(await verifiedBlobs(honest).outboard(digest)).toEqual(outboard);
  await fc.assert(
    fc.asyncProperty(fc.nat(outboard.length - 1), async (at) => {
      const service = verifiedBlobs(lying(honest, () => ({ outboard: async () => changed(outboard, at) })));
      await refused(() => service.outboard(digest), digest);
    }),
    { numRuns: 40 },
  );
  for (const wrong of [
    new Uint8Array(),
    outboard.subarray(64),
    concatBytes([outboard, new Uint8Array(64)]),
  ]) {
    const service = verifiedBlobs(lying(honest, () => ({ outboard: async () => wrong })));
    await refused(() => service.open(digest), digest);
    await refused(() => service.outboard(digest), digest);
  }
});

test('verified blobs: a list of chunks of another length is refused, and so is a wrong answer to a write', async () => {
  const honest = await openObjectStoreBlobs({ store: memoryObjectStore() });
  const bytes = bytesFor(2 * mib, 'chunks');
  const digest = await honest.put(bytes);
  const chunks = (await honest.chunks(digest)) ?? [];
  expect(chunks.length).toBeGreaterThan(2);
  const shorter = verifiedBlobs(lying(honest, () => ({ chunks: async () => chunks.slice(1) })));
  await refused(() => shorter.chunks(digest), digest);
  const other = new B3Digest(hashBlake3(Uint8Array.of(1)));
  const wrong = verifiedBlobs(lying(honest, () => ({ put: async () => other })));
  await refused(() => wrong.put(bytes), digest);
});

test('verified blobs: one that is too long without an outboard is refused before it is read', async () => {
  const honest = memoryBlobs();
  const digest = await honest.put(bytesFor(100_000));
  const service = verifiedBlobs(
    lying(honest, () => ({ outboard: async () => undefined })),
    { maxWholeBytes: 99_999 },
  );
  await expect(service.open(digest)).rejects.toMatchObject({ code: 'limit-exceeded' });
});

describe('a cache before a service that lies keeps nothing false', () => {
  test.each(lies)('not split: %s', async (_, lie) => {
    for (const maxWholeBytes of [8 * mib, mib]) {
      const honest = memoryBlobs();
      const bytes = bytesFor(3 * mib + 5, 'cached');
      const digest = await honest.put(bytes);
      const near = memoryBlobs();
      await using cache = cacheBlobs(near, lying(honest, lie), { maxWholeBytes });
      const action = async (): Promise<void> => {
        await using reader = await cache.open(digest);
        for await (const __ of reader?.stream() ?? []);
      };
      // A reader that only says a wrong size may give all bytes.
      await action().catch((error: unknown) => expect(error).toMatchObject({ code: 'corrupt' }));
      await expectTrue(near);
      const got = await near.open(digest);
      if (got !== undefined) expect(Buffer.compare(await got.read(0, got.size), bytes)).toBe(0);
    }
  });

  test.each(lies)('split, chunks lie: %s', async (_, lie) => {
    const honest = await openObjectStoreBlobs({ store: memoryObjectStore() });
    const bytes = bytesFor(3 * mib + 5, 'cached');
    const digest = await honest.put(bytes);
    const near = memoryBlobs();
    await using cache = cacheBlobs(near, lying(honest, lie));
    await expect(
      (async () => {
        await using reader = await cache.open(digest);
        if (reader !== undefined) await streamOf(reader, bytes);
      })(),
    ).rejects.toMatchObject({ code: 'corrupt' });
    await expectTrue(near);
    expect(await near.has(digest)).toBe(false);
  });

  test('the list of chunks is that of another blob', async () => {
    const honest = await openObjectStoreBlobs({ store: memoryObjectStore() });
    const bytes = bytesFor(3 * mib, 'mine');
    const [mine, other] = [await honest.put(bytes), await honest.put(bytesFor(3 * mib, 'other'))];
    const chunks = (await honest.chunks(other)) ?? [];
    for (const outboards of [true, false]) {
      const near = memoryBlobs();
      const far = lying(honest, () => ({
        chunks: async (digest) => (digest.equals(mine) ? chunks : honest.chunks(digest)),
        ...(!outboards && { outboard: async () => undefined }),
      }));
      await using cache = cacheBlobs(near, far);
      await refused(async () => {
        await using reader = await cache.open(mine);
        for await (const _ of reader?.stream() ?? []);
      }, mine);
      if (outboards) {
        await using reader = await cache.open(mine);
        await refused(async () => reader?.read(1000, 10), mine);
      }
      expect(await near.has(mine)).toBe(false);
      await expectTrue(near);
    }
  });

  async function expectTrue(near: BlobService): Promise<void> {
    for await (const { problem } of near.inventory?.verify() ?? []) throw new Error(problem);
  }
});

describe('a damaged object store', () => {
  const bytes = bytesFor(20 * mib + 3, 'damaged');

  async function damaged(damage: (store: ObjectStore, digest: B3Digest, index: BlobIndex) => Promise<void>) {
    const store = memoryObjectStore();
    const service = await openObjectStoreBlobs({ store });
    const digest = await service.put(bytes);
    const index = decodeBlobIndex((await store.get(blobKey(digest))) ?? new Uint8Array());
    await damage(store, digest, index);
    return { store, service, digest, index };
  }

  async function stream(service: BlobService, digest: B3Digest): Promise<void> {
    await using reader = await service.open(digest);
    if (reader !== undefined) await streamOf(reader, bytes);
  }

  async function problems(service: BlobService): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { digest, what } of service.inventory?.verify() ?? [])
      found.push(`${what} ${digest.hex}`);
    return found;
  }

  test.each([
    ['is not zstd', async () => Uint8Array.of(1, 2, 3)],
    ['has other bytes', async () => zstdCompress(bytesFor(300_000, 'other'))],
    ['is a bomb', async () => zstdCompress(new Uint8Array(64 * mib))],
  ] as [string, () => Promise<Uint8Array>][])('a chunk %s', async (_, contents) => {
    const { service, digest, index } = await damaged(async (store, __, { chunks }) => {
      await store.put(chunkKey((chunks[3] as { digest: B3Digest }).digest), await contents());
    });
    const chunk = index.chunks[3]?.digest as B3Digest;
    await refused(() => stream(service, digest), chunk);
    expect(await problems(service)).toEqual([`chunk ${chunk.hex}`, `blob ${digest.hex}`]);
    // What is damaged is removed, and then it can be stored again.
    await service.inventory?.remove([chunk, digest], { unusedSinceMs: Infinity });
    await service.put(bytes);
    await stream(service, digest);
    expect(await problems(service)).toEqual([]);
  });

  test('a chunk is missing', async () => {
    const { service, digest } = await damaged(async (store, _, { chunks }) => {
      await store.delete(chunkKey((chunks[2] as { digest: B3Digest }).digest));
    });
    await expect(stream(service, digest)).rejects.toMatchObject({ code: 'not-found' });
    expect(await problems(service)).toEqual([`blob ${digest.hex}`]);
  });

  test('the index names chunks in another order, or fewer', async () => {
    for (const change of [
      (chunks: BlobIndex['chunks']) => chunks.toReversed(),
      (chunks: BlobIndex['chunks']) => chunks.slice(1),
      (chunks: BlobIndex['chunks']) => chunks.slice(0, -1),
    ]) {
      const { service, digest } = await damaged((store, it, { chunks }) =>
        store.put(blobKey(it), encodeBlobIndex({ chunks: change(chunks) })),
      );
      // The list turns out to be false at the end of the stream, of which the last piece is withheld.
      let received = 0;
      await refused(async () => {
        await using reader = await service.open(digest);
        for await (const piece of reader?.stream() ?? []) received += piece.length;
      }, digest);
      expect(received).toBeLessThan(bytes.length);
      await refused(async () => {
        await using reader = await service.open(digest);
        await reader?.read(reader.size - 10, 10);
      }, digest);
      expect(await problems(service)).toEqual([`blob ${digest.hex}`]);
    }
  });

  test('the outboard is false, or cut off', async () => {
    for (const contents of [new Uint8Array(81_920), new Uint8Array(100)]) {
      const { service, digest } = await damaged((store, it) => store.put(outboardKey(it), contents));
      await refused(async () => {
        await using reader = await service.open(digest);
        await reader?.read(mib, 1000);
      }, digest);
      expect(await problems(service)).toEqual([`blob ${digest.hex}`]);
    }
  });

  test('the index is no message', async () => {
    const { service, digest } = await damaged((store, it) => store.put(blobKey(it), Uint8Array.of(0xff)));
    await refused(() => stream(service, digest), digest);
    expect(await problems(service)).toEqual([`blob ${digest.hex}`]);
  });
});
