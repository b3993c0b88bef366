/** The compliance suite with several limits for what goes into the database, and what local blobs alone promise. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { B3Digest } from '../b3-digest.ts';
import { Blake3TreeHasher, hashBlake3 } from '../blake3.ts';
import { lastUsedPrecisionMs } from '../blob-service.ts';
import { blobCompliance, bytesFor } from '../testing/blob-compliance.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';
import { LocalBlobTable, type LocalBlobRecord } from './local-blob-table.ts';
import { type LocalBlobs, openLocalBlobs } from './local-blobs.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-blobs-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe.each([0, 1000, 32 * 1024, 1 << 20])('local blobs, in the database up to %i bytes', (inlineLimit) => {
  for (const testCase of blobCompliance) {
    test(testCase.name, () =>
      testCase.run(() => openLocalBlobs({ path: folder, inlineLimit }), { splits: false, outboards: true }),
    );
  }
});

test.each([0, 1, 999, 1000, 1001, 100_000, 1 << 18, (1 << 18) + 1])(
  'a blob of %i bytes is at hand if it is in the database, or a moderate file',
  async (size) => {
    await using blobs = await openLocalBlobs({ path: folder, inlineLimit: 1000, blockingReads: true });
    const bytes = bytesFor(size, 'at hand');
    const digest = digestOf(bytes);
    expect(blobs.atHand.maxBytes).toBe(1 << 18);
    expect(blobs.atHand.view(digest)).toBeUndefined();
    await blobs.put(bytes);
    await blobs.put(bytesFor(500, 'another'));
    // A copy: what is given is good for a moment only.
    const view = blobs.atHand.view(digest)?.slice();
    expect(view && Buffer.from(view)).toEqual(size <= 1 << 18 ? Buffer.from(bytes) : undefined);
    await blobs.inventory.remove([digest], { unusedSinceMs: Infinity });
    expect(blobs.atHand.view(digest)).toBeUndefined();
  },
);

test('a file is at hand without waiting for a disk once one was opened, where the system can tell', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const bytes = bytesFor(100_000, 'cached');
  const digest = await blobs.put(bytes);
  expect(blobs.atHand.view(digest)).toBeUndefined();
  await (await blobs.open(digest))?.[Symbol.asyncDispose]();
  const view = blobs.atHand.view(digest);
  // A file system may have no such reads; then nothing is at hand, and never something wrong.
  if (view !== undefined) expect(Buffer.from(view)).toEqual(Buffer.from(bytes));
  for (const length of [99_999, 100_001]) {
    await chmod(fileOf(digest), 0o644);
    truncateSync(fileOf(digest), length);
    expect(blobs.atHand.view(digest)).toBeUndefined();
    await expect(blobs.open(digest)).rejects.toThrow('is damaged');
  }
});

const large = bytesFor(100_000, 'large');
const small = bytesFor(100, 'small');

function fileOf({ hex }: B3Digest, suffix = ''): string {
  return join(folder, 'blobs', hex.slice(0, 2), hex.slice(2) + suffix);
}

function digestOf(bytes: Uint8Array): B3Digest {
  return new B3Digest(hashBlake3(bytes));
}

function filesIn(path: string): readonly string[] {
  const entries = readdirSync(join(folder, path), { recursive: true, withFileTypes: true });
  return entries.filter((it) => it.isFile()).map(({ name }) => name);
}

/** Behind the back of the service. */
async function edit(
  digest: B3Digest,
  change: (record: LocalBlobRecord) => LocalBlobRecord | undefined,
): Promise<void> {
  await using environment = await LmdbEnvironment.open(join(folder, 'db'));
  const table = new LocalBlobTable(environment);
  await environment.write(() => {
    const record = table.get(digest);
    if (record === undefined) throw new Error('there is no such record');
    const changed = change(record);
    if (changed === undefined) table.delete(digest);
    else table.set(digest, changed);
  });
}

/** Flips a bit of a small blob. */
async function damageContents(digest: B3Digest): Promise<void> {
  await using environment = await LmdbEnvironment.open(join(folder, 'db'));
  const table = new LocalBlobTable(environment);
  await environment.write(() => {
    const [record, bytes] = [table.get(digest), table.contents(digest)];
    if (record === undefined || bytes === undefined) throw new Error('there is no such blob');
    table.set(
      digest,
      record,
      bytes.map((byte, i) => (i === 50 ? byte ^ 1 : byte)),
    );
  });
}

async function contents(blobs: LocalBlobs, digest: B3Digest): Promise<Uint8Array | undefined> {
  await using reader = await blobs.open(digest);
  return await reader?.read(0, reader.size);
}

async function problems(blobs: LocalBlobs): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { digest, problem } of blobs.inventory.verify()) found.push(`${digest.hex} ${problem}`);
  return found;
}

async function count(blobs: LocalBlobs): Promise<number> {
  let all = 0;
  for await (const _ of blobs.inventory.list()) all++;
  return all;
}

test('what is longer than the limit has a file', async () => {
  await using blobs = await openLocalBlobs({ path: folder, inlineLimit: 1000 });
  for (const [length, hasFile] of [
    [0, false],
    [999, false],
    [1000, false],
    [1001, true],
  ] as const) {
    const put = await blobs.put(bytesFor(length, 'put'));
    await using writer = await blobs.create();
    const written = bytesFor(length, 'written');
    for (const byte of [written.subarray(0, 500), written.subarray(500, 1000), written.subarray(1000)]) {
      await writer.write(byte);
    }
    for (const digest of [put, await writer.close()]) {
      expect([length, existsSync(fileOf(digest))]).toEqual([length, hasFile]);
      expect((await contents(blobs, digest))?.length).toBe(length);
    }
  }
  expect(filesIn('tmp')).toEqual([]);
});

test('a limit may change', async () => {
  {
    await using blobs = await openLocalBlobs({ path: folder, inlineLimit: 0 });
    await blobs.put(small);
  }
  await using blobs = await openLocalBlobs({ path: folder });
  expect(await contents(blobs, digestOf(small))).toEqual(small);
  await blobs.put(small);
  expect(await problems(blobs)).toEqual([]);
});

test('a buffer that changes after it was written', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  await using writer = await blobs.create();
  const buffer = Buffer.from('first ');
  await writer.write(buffer);
  buffer.write('second');
  await writer.write(buffer);
  buffer.fill(0);
  const digest = await writer.close();
  expect(digest).toEqual(digestOf(Buffer.from('first second')));
  expect(Buffer.from((await contents(blobs, digest)) ?? []).toString()).toBe('first second');
});

test('files are read-only and have the modification time 1', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const digest = await blobs.put(large);
  expect(await blobs.filePath(digest, false)).toBe(fileOf(digest));
  const executable = await blobs.filePath(digest, true);
  expect(executable).toBe(fileOf(digest, '.x'));
  expect(await blobs.filePath(digest, true)).toBe(executable);
  for (const [path, mode] of [
    [fileOf(digest), 0o444],
    [fileOf(digest, '.x'), 0o555],
  ] as const) {
    const stats = statSync(path);
    expect([stats.mode & 0o7777, stats.mtimeMs]).toEqual([mode, 1000]);
    expect(new Uint8Array(readFileSync(path))).toEqual(large);
  }
  expect(await blobs.filePath(await blobs.put(small), false)).toBeUndefined();
  expect(await blobs.filePath(digestOf(bytesFor(5)), true)).toBeUndefined();
  await blobs.inventory.remove([digest], { unusedSinceMs: Infinity });
  expect(filesIn('blobs')).toEqual([]);
  expect(await blobs.filePath(digest, true)).toBeUndefined();
});

test('an outboard is kept beside a file, and goes with it', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const digest = await blobs.put(large);
  const { outboard } = new Blake3TreeHasher().update(large).finish();
  expect(existsSync(fileOf(digest, '.bao'))).toBe(false);
  for (let i = 0; i < 2; i++) expect(await blobs.outboard(digest)).toEqual(outboard);
  expect(new Uint8Array(readFileSync(fileOf(digest, '.bao')))).toEqual(outboard);
  // One that was cut by a crash is made anew.
  truncateSync(fileOf(digest, '.bao'), 64);
  expect(await blobs.outboard(digest)).toEqual(outboard);
  expect(await problems(blobs)).toEqual([]);
  const inDatabase = bytesFor(20_000);
  expect((await blobs.outboard(await blobs.put(inDatabase)))?.length).toBe(64);
  await blobs.inventory.remove([digest, digestOf(inDatabase)], { unusedSinceMs: Infinity });
  expect(filesIn('blobs')).toEqual([]);
  expect(await blobs.outboard(digest)).toBeUndefined();
});

test('a damaged blob gives no outboard', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const digest = await blobs.put(large);
  await damageFile(fileOf(digest));
  await expect(blobs.outboard(digest)).rejects.toMatchObject({ code: 'corrupt' });
  expect(filesIn('blobs')).toHaveLength(1);
});

test('runs of zeroes are holes', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  await using writer = await blobs.create();
  const zeroes = new Uint8Array(1 << 20);
  const hasher = new Blake3TreeHasher();
  const parts = [
    zeroes,
    large,
    ...Array.from({ length: 40 }, () => zeroes),
    small,
    ...Array.from({ length: 20 }, () => zeroes),
  ];
  for (const part of parts) {
    hasher.update(part);
    await writer.write(part);
  }
  const digest = await writer.close();
  const { size, blocks } = statSync(fileOf(digest));
  expect([digest, size]).toEqual([
    new B3Digest(hasher.finish().digest),
    (61 << 20) + large.length + small.length,
  ]);
  expect(blocks * 512).toBeLessThan(1 << 20);
  expect(await problems(blobs)).toEqual([]);
});

async function damageFile(path: string): Promise<void> {
  await chmod(path, 0o644);
  const bytes = readFileSync(path);
  bytes.writeUInt8((bytes[70_000 % bytes.length] ?? 0) ^ 4, 70_000 % bytes.length);
  writeFileSync(path, bytes);
}

test('verify names what is damaged, and remove takes it', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const [flipped, cut, gone, outboard, copy, longer, sound] = await Promise.all(
    ['flipped', 'cut', 'gone', 'outboard', 'copy', 'longer', 'sound'].map((seed) =>
      blobs.put(bytesFor(80_000, seed)),
    ),
  );
  if (!flipped || !cut || !gone || !outboard || !copy || !longer || !sound)
    throw new Error('put gave nothing');
  const record = await blobs.put(small);
  await blobs.put(bytesFor(200));
  for (const digest of [outboard, sound]) await blobs.outboard(digest);
  for (const digest of [copy, sound]) await blobs.filePath(digest, true);
  expect(await problems(blobs)).toEqual([]);

  await damageFile(fileOf(flipped));
  truncateSync(fileOf(cut), 79_999);
  rmSync(fileOf(gone));
  await damageFile(fileOf(outboard, '.bao'));
  await damageFile(fileOf(copy, '.x'));
  truncateSync(fileOf(longer), 80_001);
  await damageContents(record);

  const named = await problems(blobs);
  const damaged = [flipped, cut, gone, outboard, copy, longer, record];
  expect(named.map((it) => it.slice(0, 64)).sort()).toEqual(damaged.map(({ hex }) => hex).sort());
  const single = [];
  for (const digest of [...damaged, sound]) {
    for await (const it of blobs.inventory.verifyBlob(digest)) single.push(it.digest.hex);
  }
  expect(single).toEqual(damaged.map(({ hex }) => hex));
  expect(named.find((it) => it.startsWith(cut.hex))).toMatch(/it has 79999 bytes, but the blob has 80000/);
  await expect(blobs.open(cut)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(blobs.open(gone)).rejects.toMatchObject({ code: 'io' });
  await blobs.inventory.remove(damaged, { unusedSinceMs: Infinity });
  expect(await problems(blobs)).toEqual([]);
  expect(await count(blobs)).toBe(2);
  await blobs.put(bytesFor(80_000, 'flipped'));
  expect(await contents(blobs, flipped)).toEqual(bytesFor(80_000, 'flipped'));
});

test('leftovers of those who are gone are removed, those of the living stay', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const digest = await blobs.put(large);
  await blobs.outboard(digest);
  await using writer = await blobs.create();
  await writer.write(bytesFor(200_000, 'living'));
  const [living = ''] = filesIn('tmp');
  // Of this process's number, but of one that started at another time.
  const reused = living.replace(/^(\d+)\.\d+/, '$1.1');
  for (const name of [reused, '999999999.5.abc-0', 'rubbish'])
    writeFileSync(join(folder, 'tmp', name), small);
  const unknown = digestOf(bytesFor(9));
  mkdirSync(dirname(fileOf(unknown)), { recursive: true });
  for (const suffix of ['', '.bao', '.x']) writeFileSync(fileOf(unknown, suffix), small);
  expect(await blobs.inventory.removeLeftovers()).toBe(600);
  expect(filesIn('tmp')).toEqual([living]);
  expect(existsSync(fileOf(unknown))).toBe(false);
  expect(existsSync(fileOf(digest, '.bao'))).toBe(true);
  await blobs.put(large);
  expect(await contents(blobs, await writer.close())).toEqual(bytesFor(200_000, 'living'));
  expect(filesIn('tmp')).toEqual([]);
});

test('a removal that was interrupted is finished, unless the blob came back', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const digests = [await blobs.put(large), await blobs.put(bytesFor(100_000, 'back'))];
  for (const digest of digests) await edit(digest, (record) => ({ ...record, state: 'dying' }));
  for (const digest of digests) {
    expect(await blobs.has(digest)).toBe(false);
    expect(await blobs.open(digest)).toBeUndefined();
    expect(await blobs.chunks(digest)).toBeUndefined();
    expect(await blobs.outboard(digest)).toBeUndefined();
    expect(await blobs.filePath(digest, false)).toBeUndefined();
  }
  expect(await count(blobs)).toBe(0);
  expect(await problems(blobs)).toEqual([]);
  await blobs.put(bytesFor(100_000, 'back'));
  await blobs.inventory.removeLeftovers();
  expect(await Promise.all(digests.map((digest) => blobs.has(digest)))).toEqual([false, true]);
  expect(filesIn('blobs')).toHaveLength(1);
});

test('what was not used for a while is removed, what was asked for is not', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const before = Date.now() - 10 * lastUsedPrecisionMs;
  const stored = await Promise.all([large, small, bytesFor(50_000), bytesFor(50)].map((it) => blobs.put(it)));
  for (const digest of stored) await edit(digest, (record) => ({ ...record, lastUsedMs: before }));
  const [unused, unusedSmall, asked, put] = stored;
  if (!unused || !unusedSmall || !asked || !put) throw new Error('put gave nothing');
  expect(await blobs.has(asked)).toBe(true);
  await blobs.put(bytesFor(50));
  const since = Date.now() - lastUsedPrecisionMs;
  expect(await blobs.inventory.remove(stored, { unusedSinceMs: before })).toBe(0);
  expect(await blobs.inventory.remove(stored, { unusedSinceMs: since })).toBe(large.length + small.length);
  expect(await Promise.all(stored.map((digest) => blobs.has(digest)))).toEqual([false, false, true, true]);
});

test('a failure of others in the same transaction does not matter', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  await using environment = await LmdbEnvironment.open(join(folder, 'db'));
  const state = { isDone: false };
  let failures = 0;
  const fail = async (): Promise<void> => {
    while (!state.isDone) {
      await environment
        .write(() => {
          throw new Error('changed my mind');
        })
        .catch(() => failures++);
    }
  };
  const failing = fail();
  const written = Array.from({ length: 20 }, (_, i) => bytesFor(50_000, `${i % 10}`));
  const digests = await Promise.all(written.map((it) => blobs.put(it)));
  const freed = await blobs.inventory.remove(digests.slice(0, 5), { unusedSinceMs: Infinity });
  state.isDone = true;
  await failing;
  expect(failures).toBeGreaterThan(3);
  expect(freed).toBe(250_000);
  expect(await count(blobs)).toBe(5);
  expect(await problems(blobs)).toEqual([]);
  expect(filesIn('tmp')).toEqual([]);
});

test('a blob that could not be written is not stored', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  await using writer = await blobs.create();
  await writer.write(small);
  rmSync(join(folder, 'tmp'), { recursive: true });
  await expect(writer.write(large)).rejects.toMatchObject({ code: 'io' });
  await expect(writer.write(small)).rejects.toMatchObject({ code: 'io' });
  await expect(writer.close()).rejects.toMatchObject({ code: 'io' });
  expect(await count(blobs)).toBe(0);
});

test('an abort ends a writer and leaves nothing', async () => {
  await using blobs = await openLocalBlobs({ path: folder });
  const reason = new Error('enough');
  for (const abortAt of ['write', 'close']) {
    const controller = new AbortController();
    await using writer = await blobs.create(controller.signal);
    await writer.write(large);
    controller.abort(reason);
    await expect(abortAt === 'write' ? writer.write(large) : writer.close()).rejects.toBe(reason);
  }
  expect([filesIn('tmp'), filesIn('blobs')]).toEqual([[], []]);
  const signal = AbortSignal.abort(reason);
  const digest = await blobs.put(large);
  for (const act of [
    () => blobs.has(digest, signal),
    () => blobs.open(digest, signal),
    () => blobs.create(signal),
    () => blobs.put(large, signal),
    () => blobs.outboard(digest, signal),
  ]) {
    await expect(act()).rejects.toBe(reason);
  }
});
