import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownIdentity } from '@neve/castore/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FetchCache } from './fetch-cache.ts';
import { lockProcess } from './process-lock.ts';

let folder: string;
let cache: FetchCache;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-lock-test-'));
  cache = new FetchCache(folder);
});

afterEach(async () => {
  await cache[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('one at a time has it, by its name', async () => {
  let inside = 0;
  let most = 0;
  const work = async (name: string): Promise<void> => {
    await using _lock = await lockProcess(cache, name, undefined);
    most = Math.max(most, ++inside);
    await sleep(5);
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => work('a')));
  expect(most).toBe(1);
  await Promise.all(['a', 'b', 'c'].map(work));
  expect(most).toBeGreaterThan(1);
});

test('that of a process which has ended is taken, by one of those who wait', async () => {
  const ended = spawnSync('true').pid;
  await cache.change('a', () => undefined);
  const identity = { ...(await ownIdentity()), pid: ended };
  await cache.change('a', () => ({ id: 'dead', ...identity, sinceMs: Date.now() }));
  let inside = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      await using _lock = await lockProcess(cache, 'a', undefined);
      expect(++inside).toBe(1);
      await sleep(5);
      inside--;
    }),
  );
});

test('waiting can be given up', async () => {
  await using _lock = await lockProcess(cache, 'a', undefined);
  const controller = new AbortController();
  const waiting = lockProcess(cache, 'a', controller.signal);
  setTimeout(() => controller.abort(new Error('enough')), 30);
  await expect(waiting).rejects.toThrow('enough');
});
