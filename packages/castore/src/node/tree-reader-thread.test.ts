import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTreeInThread } from './tree-reader-thread.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-reader-thread-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What comes of a thread with another script. */
async function readWith(text: string): Promise<number> {
  const path = join(folder, `${Math.random()}.mjs`);
  await writeFile(path, `import { parentPort } from 'node:worker_threads';\n${text}\n`);
  let batches = 0;
  for await (const { release } of readTreeInThread({ script: pathToFileURL(path), root: Buffer.from('/') })) {
    release();
    batches++;
  }
  return batches;
}

const batch =
  "parentPort.postMessage({ kind: 'batch', records: new Uint8Array(1), count: 1, bytes: new Uint8Array(1) });";

test('what a thread says before its end is all there', async () => {
  expect(await readWith(`${batch}${batch} parentPort.postMessage({ kind: 'end' });`)).toBe(2);
});

test('a thread that ends too early is a failure, and not waited for', async () => {
  await expect(readWith(`${batch} process.exit(3);`)).rejects.toThrow('ended with code 3 before');
  await expect(readWith(batch)).rejects.toThrow('ended with code 0 before');
  await expect(readWith("throw new Error('broken');")).rejects.toThrow('broken');
});
