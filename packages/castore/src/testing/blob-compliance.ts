/**
 * What every blob service must do, for the tests of all of them. Each case gets a service of its own, empty, from `open`,
 * disposes of it, and throws an `Error` that says what is wrong. Where services may differ, `BlobTraits` says how this one
 * does, and the case expects that; what concerns the inventory is expected of a service that has one.
 */
import { compareBytes, concatBytes } from '@neve/bytes';
import { B3Digest } from '../b3-digest.ts';
import { hashBlake3 } from '../blake3.ts';
import {
  lastUsedPrecisionMs,
  type BlobBatches,
  type BlobInventory,
  type BlobReader,
  type BlobService,
  type ByteRange,
} from '../blob-service.ts';
import { OutboardVerifier } from '../verified-range.ts';

export type BlobTraits = {
  /** Whether a blob of some MiB is stored in several chunks. */
  readonly splits: boolean;
  /** Whether there is an outboard for each blob. */
  readonly outboards: boolean;
};

export type BlobComplianceCase = {
  readonly name: string;
  run(open: () => Promise<BlobService>, traits: BlobTraits): Promise<void>;
};

type Check = (service: BlobService, traits: BlobTraits) => Promise<void>;

const kib = 1024;
const mib = 1024 * kib;

/** Around the sizes at which trees and chunkers do something else. */
const sizes: readonly number[] = [
  ...[0, 1, 1023, 1024, 1025],
  ...[16, 128, 256, 512].flatMap((n) => [n * kib - 1, n * kib, n * kib + 1]),
  3 * mib + 5,
];

const reading: Readonly<Record<string, Check>> = {
  'a digest that is not there is unknown': async (service) => {
    const digest = digestOf(bytesFor(100, 'absent'));
    expect(!(await service.has(digest)), 'it has a blob that was never stored');
    expect((await service.open(digest)) === undefined, 'it opens a blob that was never stored');
    expect((await service.chunks(digest)) === undefined, 'it knows chunks of a blob that was never stored');
    expect(
      (await service.outboard(digest)) === undefined,
      'it has an outboard of a blob that was never stored',
    );
  },
  'blobs of all sizes are put and read': async (service) => {
    for (const size of sizes) {
      const bytes = bytesFor(size);
      const digest = await service.put(bytes);
      same(digest, digestOf(bytes));
      expect(await service.has(digest), `a blob of ${size} bytes was put and is not there`);
      await expectBlob(service, bytes);
    }
  },
  'a blob is written in pieces of any size': async (service) => {
    for (const size of sizes) {
      const bytes = bytesFor(size, 'pieces');
      same(await write(service, bytes, size), digestOf(bytes));
      await expectBlob(service, bytes);
    }
  },
  'bytes that change after a write do not change the blob': async (service) => {
    const bytes = bytesFor(700 * kib, 'change');
    await using writer = await service.create();
    const buffer = new Uint8Array(50_000);
    for (let at = 0; at < bytes.length; at += buffer.length) {
      const piece = bytes.subarray(at, at + buffer.length);
      buffer.set(piece);
      await writer.write(buffer.subarray(0, piece.length));
    }
    buffer.fill(0);
    same(await writer.close(), digestOf(bytes));
    await expectBlob(service, bytes);
  },
  'random parts are read, also beyond the end': async (service) => {
    const bytes = bytesFor(3 * mib + 77, 'parts');
    const digest = await service.put(bytes);
    await using reader = await mustOpen(service, digest);
    const random = randomNumbers(7);
    for (let i = 0; i < 60; i++) {
      const offset = random(bytes.length + 1);
      const length = random(i % 3 === 0 ? mib : 40_000);
      const part = await reader.read(offset, length);
      expectBytes(part, bytes.subarray(offset, offset + length), `${length} bytes at ${offset}`);
    }
    for (const [offset, length] of [
      [bytes.length, 10],
      [bytes.length + 5, 10],
      [bytes.length - 5, 100],
      [0, 0],
      [5, 0],
    ] as const) {
      const part = await reader.read(offset, length);
      expectBytes(part, bytes.subarray(offset, offset + length), `${length} bytes at ${offset}`);
    }
  },
  'parts are streamed': async (service) => {
    const bytes = bytesFor(2 * mib + 3, 'stream');
    await using reader = await mustOpen(service, await service.put(bytes));
    const ranges: readonly ByteRange[] = [
      {},
      { start: 0, end: 0 },
      { start: 1 },
      { end: bytes.length - 1 },
      { start: 16_383, end: 16_385 },
      { start: 100_000, end: 900_001 },
      { start: bytes.length - 1 },
      { start: bytes.length },
      { start: 10, end: bytes.length + 10 },
    ];
    for (const range of ranges) {
      const shown = JSON.stringify(range);
      expectBytes(await collect(reader, range), bytes.subarray(range.start, range.end), shown);
    }
  },
  'a stream that is left early leaves the reader usable': async (service) => {
    const bytes = bytesFor(3 * mib, 'left');
    await using reader = await mustOpen(service, await service.put(bytes));
    // oxlint-disable-next-line no-unreachable-loop -- that is the point
    for await (const piece of reader.stream()) {
      expectBytes(piece, bytes.subarray(0, piece.length), 'the first piece');
      break;
    }
    expectBytes(await reader.read(2 * mib, 10), bytes.subarray(2 * mib, 2 * mib + 10), 'a later read');
  },
  'an abort ends a stream': async (service) => {
    const digest = await service.put(bytesFor(6 * mib, 'abort'));
    const controller = new AbortController();
    const reason = new Error('enough');
    await using reader = await mustOpen(service, digest);
    let thrown: unknown;
    try {
      for await (const _ of reader.stream({}, controller.signal)) controller.abort(reason);
    } catch (error) {
      thrown = error;
    }
    expect(thrown === reason, 'a stream went on, or failed otherwise, after its signal was aborted');
  },
};

const structure: Readonly<Record<string, Check>> = {
  'the chunks of a blob make the blob': async (service, { splits }) => {
    for (const size of sizes) {
      const bytes = bytesFor(size, 'chunks');
      const digest = await service.put(bytes);
      const chunks = await service.chunks(digest);
      if (chunks === undefined) throw new Error(`a blob of ${size} bytes has no list of chunks`);
      if (size > mib)
        expect(chunks.length > 1 === splits, `a blob of ${size} bytes has ${chunks.length} chunks`);
      if (chunks.length === 0) continue;
      const pieces: Uint8Array[] = [];
      for (const chunk of chunks) {
        await using reader = await mustOpen(service, chunk.digest);
        expect(reader.size === chunk.size, `a chunk has ${reader.size} bytes and not ${chunk.size}`);
        expect(await service.has(chunk.digest), 'a chunk can be opened and is not there');
        pieces.push((await reader.read(0, reader.size)).slice());
      }
      expectBytes(concatBytes(pieces), bytes, 'all chunks');
    }
  },
  'the outboard verifies the blob': async (service, { outboards }) => {
    for (const size of [...sizes, 20 * mib + 1]) {
      const bytes = bytesFor(size, 'outboard');
      const digest = await service.put(bytes);
      const outboard = await service.outboard(digest);
      expect(
        (outboard !== undefined) === outboards,
        `a blob of ${size} bytes has ${outboards ? 'no' : 'an'} outboard`,
      );
      if (outboard !== undefined) new OutboardVerifier(digest.bytes, size, outboard).verify(0, bytes);
      // Those who keep large outboards elsewhere read this part by it.
      await using reader = await mustOpen(service, digest);
      const start = Math.floor(size / 2);
      expectBytes(await reader.read(start, 20_000), bytes.subarray(start, start + 20_000), 'the middle');
    }
  },
};

const writing: Readonly<Record<string, Check>> = {
  'a blob is there when it is closed, and not before': async (service) => {
    const bytes = bytesFor(100_000, 'closed');
    await using writer = await service.create();
    await writer.write(bytes);
    expect(!(await service.has(digestOf(bytes))), 'a blob is there that was not closed');
    await writer.close();
    expect(await service.has(digestOf(bytes)), 'a blob was closed and is not there');
  },
  'closing twice gives the same digest': async (service) => {
    for (const size of [0, 10, 2 * mib]) {
      await using writer = await service.create();
      const bytes = bytesFor(size, 'twice');
      await writer.write(bytes);
      const [first, second] = await Promise.all([writer.close(), writer.close()]);
      same(first, digestOf(bytes));
      same(second, first);
      same(await writer.close(), first);
    }
  },
  'a writer that is not closed leaves nothing': async (service) => {
    const bytes = bytesFor(3 * mib, 'abandoned');
    const small = bytesFor(1000, 'abandoned');
    for (const abandoned of [bytes, small]) {
      const writer = await service.create();
      await writer.write(abandoned);
      await writer[Symbol.asyncDispose]();
      expect(!(await service.has(digestOf(abandoned))), 'an abandoned blob is there');
      expect((await service.open(digestOf(abandoned))) === undefined, 'an abandoned blob can be opened');
    }
    if (service.inventory !== undefined) await expectListed(service.inventory, []);
    same(await write(service, bytes, 5), digestOf(bytes));
    await expectBlob(service, bytes);
  },
  'storing again what is there changes nothing': async (service) => {
    const bytes = bytesFor(mib, 'again');
    for (let i = 0; i < 3; i++) same(await service.put(bytes), digestOf(bytes));
    same(await write(service, bytes, 1), digestOf(bytes));
    await expectBlob(service, bytes);
    if (service.inventory !== undefined) await expectListed(service.inventory, [digestOf(bytes)]);
  },
  'fifty writers at the same time': async (service) => {
    const blobs = Array.from({ length: 20 }, (_, i) => bytesFor(1 + ((i % 10) * 777_777) / 10, `${i}`));
    const writers = Array.from({ length: 50 }, async (_, i) => {
      const bytes = blobs[i % blobs.length] ?? new Uint8Array();
      same(await write(service, bytes, i), digestOf(bytes));
    });
    await Promise.all(writers);
    for (const bytes of blobs) await expectBlob(service, bytes);
  },
  'fifty readers at the same time': async (service) => {
    const bytes = bytesFor(mib + 9, 'readers');
    const digest = await service.put(bytes);
    const readers = Array.from({ length: 50 }, async (_, i) => {
      await using reader = await mustOpen(service, digest);
      if (i % 5 === 0) return expectBytes(await collect(reader), bytes, 'a stream among others');
      const part = await reader.read(i * 20_000, 100_000);
      expectBytes(part, bytes.subarray(i * 20_000, i * 20_000 + 100_000), 'a part among others');
    });
    await Promise.all(readers);
  },
};

const owning: Readonly<Record<string, (service: BlobService, inventory: BlobInventory) => Promise<void>>> = {
  'everything stored is listed once': async (service, inventory) => {
    await expectListed(inventory, []);
    const before = Date.now() - lastUsedPrecisionMs;
    const digests = await putSamples(service);
    await expectListed(inventory, digests);
    for await (const { sizeBytes, lastUsedMs } of inventory.list()) {
      expect(sizeBytes > 0, 'a blob that shares nothing would free nothing');
      expect(lastUsedMs >= before && lastUsedMs <= Date.now() + 1000, `it was used at ${lastUsedMs}`);
    }
  },
  'what is named is removed, and nothing else': async (service, inventory) => {
    const [first, ...others] = await putSamples(service);
    if (first === undefined) throw new Error('there is no sample');
    const freed = await inventory.remove([first], { unusedSinceMs: Infinity });
    expect(freed > 0, 'a blob was removed and nothing freed');
    expect(!(await service.has(first)), 'a removed blob is there');
    expect((await service.open(first)) === undefined, 'a removed blob can be opened');
    await expectListed(inventory, others);
    const again = await inventory.remove([first], { unusedSinceMs: Infinity });
    expect(again === 0, 'a blob was removed twice');
    for (const digest of others) expect(await service.has(digest), 'a blob has gone that was not named');
    await inventory.remove(others, { unusedSinceMs: Infinity });
    await expectListed(inventory, []);
  },
  'what was used since stays': async (service, inventory) => {
    const since = Date.now() - lastUsedPrecisionMs;
    const digests = await putSamples(service);
    const freed = await inventory.remove(digests, { unusedSinceMs: since });
    expect(freed === 0, `${freed} bytes are freed of blobs that were just stored`);
    await expectListed(inventory, digests);
    for (const digest of digests) expect(await service.has(digest), 'a blob has gone that was just stored');
  },
  'removing a blob leaves others whole that are like it': async (service, inventory) => {
    const bytes = bytesFor(3 * mib, 'alike');
    const longer = concatBytes([bytes, bytesFor(mib, 'more')]);
    const [first, second] = [await service.put(bytes), await service.put(longer)];
    await inventory.remove([first], { unusedSinceMs: Infinity });
    expect((await service.open(first)) === undefined, 'a removed blob can be opened');
    await expectBlob(service, longer);
    same(await service.put(bytes), first);
    await inventory.remove([second], { unusedSinceMs: Infinity });
    await expectBlob(service, bytes);
  },
  'a removed blob can be stored again': async (service, inventory) => {
    for (const size of [100, 2 * mib]) {
      const bytes = bytesFor(size, 'return');
      const digest = await service.put(bytes);
      await inventory.remove([digest], { unusedSinceMs: Infinity });
      same(await write(service, bytes, 3), digest);
      await expectBlob(service, bytes);
    }
  },
  'nothing is damaged, and nothing left over': async (service, inventory) => {
    const digests = await putSamples(service);
    for await (const { what, problem } of inventory.verify()) throw new Error(`damaged ${what}: ${problem}`);
    for (const digest of digests) {
      for await (const { problem } of inventory.verifyBlob(digest)) throw new Error(`damaged: ${problem}`);
    }
    await inventory.removeLeftovers?.();
    await expectListed(inventory, digests);
    for (const digest of digests) expect(await service.has(digest), 'a blob was taken for a leftover');
  },
};

type BatchCheck = (service: BlobService, batch: BlobBatches) => Promise<void>;

const batching: Readonly<Record<string, BatchCheck>> = {
  'a batch is stored and read in order': async (service, batch) => {
    const blobs = [0, 1, 100, 5000, 40_000, 16 * kib, 64 * kib, 100].map((size, i) =>
      bytesFor(size, String(i)),
    );
    // One of them twice, and one that is there.
    const all = [...blobs, blobs[2] ?? new Uint8Array()];
    await service.put(blobs[4] ?? new Uint8Array());
    const digests = await batch.putAll(all);
    expect(digests.length === all.length, `${all.length} blobs have ${digests.length} digests`);
    for (const [i, bytes] of all.entries()) same(digests[i] ?? digestOf(new Uint8Array()), digestOf(bytes));
    for (const bytes of blobs) await expectBlob(service, bytes);
    await expectBatch(batch, { digests, maxBytes: 64 * kib }, all);
    expect((await batch.hasAll(digests)).every(Boolean), 'a blob of a batch was stored and is not there');
  },
  'a batch leaves out what is not there or is too large': async (service, batch) => {
    const [small, large] = [bytesFor(1000, 'small'), bytesFor(1001, 'large')];
    await service.put(small);
    await service.put(large);
    const digests = [bytesFor(7, 'absent'), small, large, bytesFor(8, 'absent'), small].map(digestOf);
    const there = await batch.hasAll(digests);
    expect(there.join() === 'false,true,true,false,true', `of a batch there is ${there.join()}`);
    await expectBatch(batch, { digests, maxBytes: 1000 }, [undefined, small, undefined, undefined, small]);
    await expectBatch(batch, { digests: digests.slice(2, 3), maxBytes: 1001 }, [large]);
  },
  'nothing is a batch': async (_, batch) => {
    expect((await batch.hasAll([])).length === 0, 'of nothing there is something');
    expect((await batch.putAll([])).length === 0, 'nothing has digests');
    await expectBatch(batch, { digests: [], maxBytes: 10 }, []);
  },
  'a batch of some MiB in two thousand blobs': async (_, batch) => {
    const blobs = Array.from({ length: 2000 }, (_, i) => bytesFor((i * 7919) % 6000, String(i)));
    const digests = await batch.putAll(blobs);
    expect((await batch.hasAll(digests)).every(Boolean), 'a blob of a batch was stored and is not there');
    await expectBatch(batch, { digests, maxBytes: 6000 }, blobs);
  },
  'a batch may be left early, and ends with its signal': async (_, batch) => {
    const blobs = Array.from({ length: 600 }, (_, i) => bytesFor(5000, String(i)));
    const digests = await batch.putAll(blobs);
    // oxlint-disable-next-line no-unreachable-loop -- that is the point
    for await (const bytes of batch.readAll(digests, 5000)) {
      expectBytes(bytes ?? new Uint8Array(), blobs[0] ?? new Uint8Array(), 'the first of a batch');
      break;
    }
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    for (const call of [
      () => batch.hasAll(digests, signal),
      () => batch.putAll(blobs, signal),
      () => collectAll(batch.readAll(digests, 5000, signal)),
    ]) {
      const thrown = await call().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(thrown === reason, 'a batch went on, or failed otherwise, after its signal was aborted');
    }
  },
};

/** In the order in which a new implementation meets them. */
export const blobCompliance: readonly BlobComplianceCase[] = [
  ...Object.entries({ ...reading, ...structure, ...writing }).map(([name, check]) => caseOf(name, check)),
  ...Object.entries(owning).map(([name, check]) =>
    caseOf(name, async (service) => {
      if (service.inventory !== undefined) await check(service, service.inventory);
    }),
  ),
  ...Object.entries(batching).map(([name, check]) =>
    caseOf(name, async (service) => {
      if (service.batch !== undefined) await check(service, service.batch);
    }),
  ),
];

/** Bytes that do not compress and never repeat, the same for the same arguments. */
export function bytesFor(length: number, seed = ''): Uint8Array {
  const size = Math.floor(length);
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = 0x9e3779b9 ^ size;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

function caseOf(name: string, check: Check): BlobComplianceCase {
  return {
    name,
    run: async (open, traits) => {
      await using service = await open();
      await check(service, traits);
    },
  };
}

function digestOf(bytes: Uint8Array): B3Digest {
  return new B3Digest(hashBlake3(bytes));
}

/** Numbers below a bound, the same for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function putSamples(service: BlobService): Promise<readonly B3Digest[]> {
  const digests: B3Digest[] = [];
  for (const size of [1, 40_000, 300 * kib, 3 * mib]) {
    digests.push(await service.put(bytesFor(size, 'sample')));
  }
  return digests;
}

/** In pieces whose sizes depend on `seed`. */
async function write(service: BlobService, bytes: Uint8Array, seed: number): Promise<B3Digest> {
  const random = randomNumbers(seed);
  await using writer = await service.create();
  for (let at = 0; at < bytes.length;) {
    const length = random([3000, 100_000, 1_500_000][random(3)] ?? 1);
    await writer.write(bytes.subarray(at, at + length));
    at += length;
  }
  return await writer.close();
}

async function mustOpen(service: BlobService, digest: B3Digest): Promise<BlobReader> {
  const reader = await service.open(digest);
  if (reader === undefined) throw new Error(`the blob ${digest.toString()} cannot be opened`);
  return reader;
}

async function collect(reader: BlobReader, range?: ByteRange): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of reader.stream(range)) pieces.push(piece.slice());
  return concatBytes(pieces);
}

/** Read at once and streamed. */
async function expectBlob(service: BlobService, bytes: Uint8Array): Promise<void> {
  await using reader = await mustOpen(service, digestOf(bytes));
  expect(reader.size === bytes.length, `a blob of ${bytes.length} bytes says that it has ${reader.size}`);
  expectBytes(await reader.read(0, bytes.length), bytes, `all ${bytes.length} bytes`);
  expectBytes(await collect(reader), bytes, `a stream of ${bytes.length} bytes`);
}

type Wanted = { readonly digests: readonly B3Digest[]; readonly maxBytes: number };

async function expectBatch(
  batch: BlobBatches,
  { digests, maxBytes }: Wanted,
  expected: readonly (Uint8Array | undefined)[],
): Promise<void> {
  const actual = await collectAll(batch.readAll(digests, maxBytes));
  expect(actual.length === expected.length, `a batch of ${expected.length} gives ${actual.length}`);
  for (const [i, bytes] of expected.entries()) {
    const given = actual[i];
    if (bytes === undefined) expect(given === undefined, `number ${i} of a batch is given`);
    else if (given === undefined) throw new Error(`number ${i} of a batch is not given`);
    else expectBytes(given, bytes, `number ${i} of a batch`);
  }
}

async function collectAll<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function expectListed(inventory: BlobInventory, digests: readonly B3Digest[]): Promise<void> {
  const listed: string[] = [];
  for await (const { digest } of inventory.list()) listed.push(digest.hex);
  const expected = digests.map(({ hex }) => hex);
  const isSame = listed.sort().join() === expected.sort().join();
  expect(isSame, `${listed.length} blobs are listed, not the ${expected.length} that are stored`);
}

function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (compareBytes(actual, expected) === 0) return;
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  throw new Error(`${what}: ${actual.length} bytes and not ${expected.length}, other ones from ${at} on`);
}

function same(actual: B3Digest, expected: B3Digest): void {
  expect(actual.equals(expected), `the digest is ${actual.toString()} and not ${expected.toString()}`);
}

function expect(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}
