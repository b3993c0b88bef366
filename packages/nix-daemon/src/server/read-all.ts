/** The contents of a file as one array: for what is read as a whole anyway, such as derivations. */
import type { BlobService, FileNode } from '@neve/castore';
import { StoreError } from '@neve/store';

/** Throws `StoreError` (`not-found`). */
export async function readAll(
  { digest, size }: FileNode,
  blobs: BlobService,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  await using reader = await blobs.open(digest, signal);
  if (reader === undefined) throw new StoreError('not-found', `the blob ${digest.toString()} is missing`);
  return await reader.read(0, size);
}
