/**
 * Blobs from a web server, for reading only: the files of an object store in the layout of `object-store-layout.ts` below a
 * base URL, as any server of static files gives them. What it sends is verified as in any object store, which leaves
 * ranges of large blobs without an outboard; whoever does not trust the server wraps this (`verifiedBlobs`).
 */
import type { BlobService } from '../blob-service.ts';
import { readOnlyBlobs } from '../read-only-blobs.ts';
import { httpObjectStore, type HttpObjectStoreOptions } from './http-object-store.ts';
import { openObjectStoreBlobs } from './object-store-blobs.ts';

/** `url` is `http:` or `https:`, without the `blobs/b3` of the layout. */
export async function openHttpBlobs(url: string, options?: HttpObjectStoreOptions): Promise<BlobService> {
  const blobs = await openObjectStoreBlobs({ store: httpObjectStore(url, options) });
  return { ...readOnlyBlobs(blobs), [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose]() };
}
