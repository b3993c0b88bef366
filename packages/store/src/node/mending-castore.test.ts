/** Local blobs whose files are changed behind the back of the service. */
import { mkdtempSync, readdirSync, rmSync, chmodSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type B3Digest, type BlobService, memoryDirectories } from '@neve/castore';
import { openLocalBlobs } from '@neve/castore/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mendingCastore } from '../mending-castore.ts';
import { findBlobDamage } from '../node-damage.ts';

const bytes = new Uint8Array(300_000).fill(7);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-mending-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** There is one blob, and so one file of its size. */
function damage(): void {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const [name = ''] = names.filter((it) => /blobs\/[0-9a-f]{2}\/[0-9a-f]{62}$/.test(it));
  chmodSync(join(folder, name), 0o644);
  writeFileSync(join(folder, name), new Uint8Array(bytes.length));
}

async function write(blobs: BlobService): Promise<B3Digest> {
  await using writer = await blobs.create();
  await writer.write(bytes.subarray(0, 1000));
  await writer.write(bytes.subarray(1000));
  return await writer.close();
}

test.each<[string, (blobs: BlobService) => Promise<B3Digest>]>([
  ['in one piece', (blobs) => blobs.put(bytes)],
  ['by a writer', write],
])('a damaged blob is replaced when it is stored %s', async (_, store) => {
  await using blobs = await openLocalBlobs({ path: folder });
  const castore = { blobs, directories: memoryDirectories() };
  const digest = await blobs.put(bytes);
  damage();
  await store(blobs);
  // What seems to be there is not written.
  expect(await findBlobDamage(digest, castore)).toHaveLength(1);
  const mending = mendingCastore(castore);
  expect((await store(mending.blobs)).equals(digest)).toBe(true);
  expect(mending.mendedBlobs()).toBe(1);
  expect(await findBlobDamage(digest, castore)).toEqual([]);
  await store(mending.blobs);
  expect(mending.mendedBlobs()).toBe(1);
});
