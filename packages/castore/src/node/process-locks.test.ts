import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LmdbEnvironment } from './lmdb-environment.ts';
import { ownIdentity } from './process-identity.ts';
import { ProcessLocks } from './process-locks.ts';

let folder: string;
let environment: LmdbEnvironment;
let locks: ProcessLocks;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neve-lock-test-'));
  environment = await LmdbEnvironment.open(folder);
  locks = new ProcessLocks(environment, 'locks');
});

afterEach(async () => {
  await environment[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function lock(name: string, signal?: AbortSignal): Promise<AsyncDisposable> {
  return locks.acquire([Buffer.from(name)], { signal });
}

test('one at a time has it, by its name', async () => {
  let inside = 0;
  let most = 0;
  const work = async (name: string): Promise<void> => {
    await using _lock = await lock(name);
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
  const row = { ...(await ownIdentity()), pid: ended, sinceMs: Date.now(), token: 'dead' };
  await environment.write(() =>
    environment.table('locks').put(Buffer.from('a'), Buffer.from(JSON.stringify(row))),
  );
  let inside = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      await using _lock = await lock('a');
      expect(++inside).toBe(1);
      await sleep(5);
      inside--;
    }),
  );
});

test('waiting can be given up', async () => {
  await using _lock = await lock('a');
  const controller = new AbortController();
  const waiting = lock('a', controller.signal);
  setTimeout(() => controller.abort(new Error('enough')), 30);
  await expect(waiting).rejects.toThrow('enough');
});
