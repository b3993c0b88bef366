import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import { type Node, SymlinkTarget, memoryBlobs } from '@neve/castore';
import { LmdbEnvironment } from '@neve/castore/node';
import type { UploadedNar } from '../uploaded-nars.ts';
import { lmdbCacheDocuments } from './lmdb-cache-documents.ts';
import { lmdbUploadedNars } from './lmdb-uploaded-nars.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-tables-'));
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (byte: number) => nodeHashes.hash('sha256', Uint8Array.of(byte));

async function sample(): Promise<readonly UploadedNar[]> {
  const digest = await memoryBlobs().put(new Uint8Array(3));
  const nodes: readonly Node[] = [
    { kind: 'file', digest, size: 3, executable: true },
    { kind: 'directory', digest, size: 8 },
    { kind: 'symlink', target: new SymlinkTarget(new Uint8Array(4000).fill(0x61)) },
  ];
  return nodes.map((node, index) => ({
    fileHash: sha256(index),
    fileSize: 2 ** 40 + index,
    compression: (['none', 'zstd', 'bzip2'] as const)[index] ?? 'none',
    narHash: sha256(100 + index),
    narSize: 2 ** 41 + index,
    node,
  }));
}

test('uploads outlive the process, and expire', async () => {
  let nowMs = 1000;
  const options = { now: () => nowMs };
  const rows = await sample();
  {
    await using table = await lmdbUploadedNars(folder, options);
    for (const row of rows) await table.put(row, 2000);
    const [first] = rows;
    if (first !== undefined) {
      await table.put(first, 5000);
      // An earlier time does not count.
      await table.put(first, 3000);
    }
  }
  await using table = await lmdbUploadedNars(folder, options);
  for (const row of rows) expect(await table.find(row.fileHash)).toEqual(row);
  expect(await table.find(sha256(50))).toBeUndefined();
  nowMs = 2000;
  const found = await Promise.all(rows.map(({ fileHash }) => table.find(fileHash)));
  expect(found).toEqual([rows[0], undefined, undefined]);
});

test('what has expired is removed', async () => {
  const [, row] = await sample();
  if (row === undefined) return expect.unreachable();
  {
    await using table = await lmdbUploadedNars(folder, { now: () => 1000 });
    await table.put(row, 2000);
  }
  await (await lmdbUploadedNars(folder, { now: () => 3000 }))[Symbol.asyncDispose]();
  await using environment = await LmdbEnvironment.open(folder);
  expect(environment.table('uploaded-nars').keys()).toEqual([]);
});

test('a damaged row is none', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const damaged = Buffer.alloc(20);
  damaged.writeDoubleBE(Infinity);
  await environment.write(() => environment.table('uploaded-nars').put(sha256(1).bytes, damaged));
  await using table = await lmdbUploadedNars(folder);
  expect(await table.find(sha256(1))).toBeUndefined();
});

test('documents outlive the process', async () => {
  {
    await using documents = await lmdbCacheDocuments(folder);
    await documents.put(new Map([['a/b', Uint8Array.of(1)]]));
    await documents.put(
      new Map([
        ['a/b', Uint8Array.of(2)],
        ['c', new Uint8Array()],
      ]),
    );
  }
  await using documents = await lmdbCacheDocuments(folder);
  expect(await documents.get('a/b')).toEqual(Uint8Array.of(2));
  expect(await documents.get('c')).toEqual(new Uint8Array());
  expect(await documents.get('d')).toBeUndefined();
});
