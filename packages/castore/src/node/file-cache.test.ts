import { type Stats, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { B3Digest } from '../b3-digest.ts';
import { FileCache } from './file-cache.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-file-cache-'));
});

afterEach(() => rm(folder, { recursive: true }));

const restedMs = Date.now();

/** A file that has been at rest for ten seconds. */
function statsOf(changes: Partial<Stats> = {}): Stats {
  const times = { mtimeMs: restedMs - 10_000, ctimeMs: restedMs - 10_000 };
  return Object.assign(statSync(import.meta.filename), times, { dev: 1, ino: 7, size: 5 }, changes);
}

test.each<[string, Partial<Stats>, boolean]>([
  ['nothing', {}, true],
  ['the inode', { ino: 8 }, false],
  ['the device', { dev: 2 }, false],
  ['the size', { size: 6 }, false],
  ['the time', { mtimeMs: restedMs - 9999 }, false],
  ['the time of the change', { ctimeMs: restedMs - 9999 }, false],
])('known after a change of %s', async (_, changes, isKnown) => {
  await using environment = await LmdbEnvironment.open(folder);
  const cache = new FileCache(environment);
  const file = { digest: new B3Digest(new Uint8Array(32).fill(1)), size: 5, executable: false };
  cache.set({ stats: statsOf(), startedMs: restedMs }, file);
  await cache.save();
  expect(cache.get(statsOf(changes))?.digest.hex).toBe(isKnown ? file.digest.hex : undefined);
});

test('files whose inodes cannot be told apart are not known', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const cache = new FileCache(environment);
  const [first, second] = [2n ** 62n, 2n ** 62n + 1n].map((it) => statsOf({ ino: Number(it) }));
  if (first === undefined || second === undefined) throw new Error('there are two');
  expect(first.ino).toBe(second.ino);
  const digest = new B3Digest(new Uint8Array(32));
  cache.set({ stats: first, startedMs: restedMs }, { digest, size: 5, executable: false });
  await cache.save();
  expect(cache.get(second)).toBeUndefined();
});
