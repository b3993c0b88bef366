import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BuildFolders, removeAnyTree } from './build-folders.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-build-folders-'));
});

afterEach(() => removeAnyTree(folder));

test('who looks for what is abandoned takes nothing from those who begin', async () => {
  const [builds, others] = [await BuildFolders.open(folder), await BuildFolders.open(folder)];
  const done = new AbortController();
  const sweeps = Array.from({ length: 8 }, async () => {
    while (!done.signal.aborted) {
      await others.removeAbandoned();
      await others.oldestStart();
    }
  });
  try {
    for (let round = 0; round < 30; round++) {
      await using made = await builds.create();
      expect((await stat(join(made.path, 'lock'))).isFile()).toBe(true);
      expect(await others.oldestStart()).toBeDefined();
    }
  } finally {
    done.abort();
    await Promise.all(sweeps);
  }
  expect(await readdir(folder)).toEqual([]);
});
