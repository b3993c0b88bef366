import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { parseStorePath } from '@neve/nix-compat';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BuildLogs } from './build-logs.ts';
import { lmdbWorkLocks } from './lmdb-work-locks.ts';

const derivation = parseStorePath('00000000000000000000000000000000-hello.drv');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-realise-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function readAll(logs: BuildLogs): Promise<Buffer | undefined> {
  const stream = await logs.read(derivation);
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(new Uint8Array(chunk));
  return Buffer.from(concatBytes(chunks));
}

test('a log is read as it was written, and replaced by that of the next build', async () => {
  const logs = new BuildLogs(folder);
  expect(await readAll(logs)).toBeUndefined();
  // Several frames; what a writer was given may change afterwards.
  const parts = Array.from({ length: 40 }, () => new Uint8Array(randomBytes(20_000)));
  const expected = Buffer.concat(parts);
  const writer = await logs.start(derivation);
  for (const part of parts) {
    writer.write(part);
    part.fill(0);
  }
  expect(await readAll(logs)).toBeUndefined();
  await writer.end();
  expect((await readAll(logs))?.equals(expected)).toBe(true);
  const second = await logs.start(derivation);
  second.write(encodeUtf8('again\n'));
  await second.end();
  expect((await readAll(logs))?.toString()).toBe('again\n');
  expect(await readdir(join(folder, '00'))).toEqual(['000000000000000000000000000000-hello.drv.zst']);
});

test('a build that printed nothing has an empty log', async () => {
  const logs = new BuildLogs(folder);
  await (await logs.start(derivation)).end();
  expect((await readAll(logs))?.length).toBe(0);
});

test('a lock is held by one at a time, all of its keys or none', async () => {
  await using locks = await lmdbWorkLocks(folder);
  const order: string[] = [];
  const work = async (name: string, keys: readonly string[]): Promise<void> => {
    await using _held = await locks.acquire(keys, { onWait: () => order.push(`${name} waits`) });
    order.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 60));
    order.push(`${name} ends`);
  };
  const first = work('first', ['a', 'b']);
  await vi.waitUntil(() => order.includes('first begins'), { interval: 1, timeout: 15_000 });
  await Promise.all([first, work('second', ['b', 'c']), work('third', ['d'])]);
  expect(order.filter((it) => it.startsWith('third'))).toEqual(['third begins', 'third ends']);
  expect(order.filter((it) => !it.startsWith('third'))).toEqual([
    'first begins',
    'second waits',
    'first ends',
    'second begins',
    'second ends',
  ]);
});

test('waiting for a lock can be given up', async () => {
  await using locks = await lmdbWorkLocks(folder);
  await using _held = await locks.acquire(['a']);
  await expect(locks.acquire(['a'], { signal: AbortSignal.timeout(50) })).rejects.toThrow();
});
