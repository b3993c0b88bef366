/** Processes that are killed, and processes that write at the same time. They run a bundle of this package's sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeHex } from '@neve/bytes';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

const sources = dirname(fileURLToPath(import.meta.url));
// Below the workspace, so that the bundle finds the native packages.
const cache = join(sources, '../../../../node_modules/.cache');

let bundle: string;
let folder: string;

beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  bundle = join(await mkdtemp(join(cache, 'neve-blobs-crash-')), 'child.mjs');
  folder = await mkdtemp(join(tmpdir(), 'neve-blobs-crash-'));
  await build({
    stdin: { contents: program, resolveDir: sources, sourcefile: 'child.ts', loader: 'ts' },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['source'],
    external: ['lmdb', '@napi-rs/blake-hash'],
    logLevel: 'error',
  });
});

afterAll(async () => {
  await rm(dirname(bundle), { recursive: true });
  await rm(folder, { recursive: true });
});

type Child = { readonly process: ChildProcess; readonly lines: string[]; readonly ended: Promise<unknown> };

function start(...args: readonly string[]): Child {
  const child = spawn(process.execPath, [bundle, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { process: child, lines, ended: once(child, 'close') };
}

/** Waits for a line, so that the kill does not hit the start. */
async function firstLine({ lines, process: child }: Child): Promise<void> {
  while (lines.length === 0 && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What was stored and not removed, as `program` told. */
function storedBy(lines: readonly string[]): readonly string[] {
  const stored = new Set<string>();
  for (const line of lines) {
    if (line.startsWith('+')) stored.add(line.slice(1));
    else stored.delete(line.slice(1));
  }
  return [...stored];
}

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
  for (let round = 0; round < 20; round++) {
    const child = start(path, `round ${round}`);
    await firstLine(child);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    child.process.kill('SIGKILL');
    await child.ended;
    expect(child.process.signalCode).toBe('SIGKILL');
    acknowledged.push(...storedBy(child.lines));
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
  const children = ['first', 'second', 'third'].map((name) => start(path, name, '60'));
  await using blobs = await openLocalBlobs({ path });
  // They are read, and cleaned up behind, meanwhile.
  for (const child of children) {
    await firstLine(child);
    await expectSound(blobs, storedBy(child.lines));
    await blobs.inventory.removeLeftovers();
  }
  await Promise.all(children.map(({ ended }) => ended));
  expect(children.map(({ process: child }) => child.exitCode)).toEqual([0, 0, 0]);
  const stored = children.flatMap(({ lines }) => storedBy(lines));
  expect(stored.length).toBeGreaterThanOrEqual(3 * 60);
  await expectSound(blobs, stored);
  expect(await readdir(join(path, 'tmp'))).toEqual([]);
}, 120_000);
