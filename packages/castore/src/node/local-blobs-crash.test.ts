/** Processes that are killed, and processes that write at the same time. They run a bundle of this package's sources. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeHex } from '@neve/bytes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChildProgram, storedBy } from '../../tests/child-program.ts';
import { B3Digest } from '../b3-digest.ts';
import { type LocalBlobs, openLocalBlobs } from './local-blobs.ts';

/**
 * Stores blobs for ever, four at a time: in the database, in files, and some that other processes store as well. `+<digest>`
 * is printed when one is stored, `-<digest>` before one is removed. With a count, it ends after so many and removes nothing.
 */
const program = `
  import { writeSync } from 'node:fs';
  import { bytesFor } from '../testing/blob-compliance.ts';
  import { openLocalBlobs } from './local-blobs.ts';

  const [path, seed, count = 'Infinity'] = process.argv.slice(2);
  const blobs = await openLocalBlobs({ path, inlineLimit: 4000 });
  let round = 0;
  const work = async () => {
    while (round < Number(count)) {
      const own = ++round;
      const name = own % 3 === 0 ? 'shared ' + own : seed + ' ' + own;
      const size = own % 3 === 0 ? 50000 : 100 + Math.floor(Math.exp(Math.random() * 14));
      const writer = await blobs.create();
      const bytes = bytesFor(size, name);
      for (let at = 0; at < size; at += 60000) await writer.write(bytes.subarray(at, at + 60000));
      const digest = await writer.close();
      await writer[Symbol.asyncDispose]();
      if (own % 5 === 0) await Promise.all([blobs.outboard(digest), blobs.filePath(digest, true)]);
      writeSync(1, '+' + digest.hex + '\\n');
      if (count !== 'Infinity' || own % 3 === 0 || Math.random() < 0.6) continue;
      writeSync(1, '-' + digest.hex + '\\n');
      await blobs.inventory.remove([digest], { unusedSinceMs: Infinity });
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  await blobs[Symbol.asyncDispose]();
`;

let child: ChildProgram;
let folder: string;

beforeAll(async () => {
  child = await ChildProgram.bundle(program);
  folder = await mkdtemp(join(tmpdir(), 'neve-blobs-crash-'));
});

afterAll(async () => {
  await child[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function expectSound(blobs: LocalBlobs, stored: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for await (const { digest, problem } of blobs.inventory.verify())
    problems.push(`${digest.hex}: ${problem}`);
  expect(problems).toEqual([]);
  for (const hex of stored) {
    expect([hex, await blobs.has(new B3Digest(decodeHex(hex)))]).toEqual([hex, true]);
  }
}

test('a process that is killed while it stores and removes leaves everything sound', async () => {
  const path = join(folder, 'killed');
  const acknowledged: string[] = [];
  let leftovers = 0;
  // On a busy machine few get far before they are killed.
  for (let round = 0; round < 20 || (round < 80 && acknowledged.length <= 40); round++) {
    const writer = child.start(path, `round ${round}`);
    await writer.started;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    writer.kill();
    expect(await writer.ended).toEqual({ code: null, signal: 'SIGKILL' });
    acknowledged.push(...storedBy(writer));
    await using blobs = await openLocalBlobs({ path });
    await expectSound(blobs, acknowledged);
    leftovers += await blobs.inventory.removeLeftovers();
    await expectSound(blobs, acknowledged);
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    expect(await blobs.inventory.removeLeftovers()).toBe(0);
  }
  expect(acknowledged.length).toBeGreaterThan(40);
  // Otherwise the kills came too late to prove anything.
  expect(leftovers).toBeGreaterThan(0);
}, 120_000);

test('processes that write at the same time lose nothing', async () => {
  const path = join(folder, 'shared');
  const writers = ['first', 'second', 'third'].map((name) => child.start(path, name, '60'));
  await using blobs = await openLocalBlobs({ path });
  // They are read, and cleaned up behind, meanwhile.
  for (const writer of writers) {
    await writer.started;
    await expectSound(blobs, storedBy(writer));
    await blobs.inventory.removeLeftovers();
  }
  const ends = await Promise.all(writers.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  const stored = writers.flatMap(storedBy);
  expect(stored.length).toBeGreaterThanOrEqual(3 * 60);
  await expectSound(blobs, stored);
  expect(await readdir(join(path, 'tmp'))).toEqual([]);
}, 120_000);
