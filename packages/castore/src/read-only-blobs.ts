/** Blobs of another service, for reading only: nothing can be written, listed or removed through it. */
import type { BlobService } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';

/** Disposing of it leaves `inner` open. `create` and `put` throw `CastoreError` (`unsupported`). */
export function readOnlyBlobs(inner: BlobService): BlobService {
  const refuse = async (): Promise<never> => {
    throw new CastoreError('unsupported', 'this blob service is opened for reading only');
  };
  return {
    has: (digest, signal) => inner.has(digest, signal),
    open: (digest, signal) => inner.open(digest, signal),
    chunks: (digest, signal) => inner.chunks(digest, signal),
    outboard: (digest, signal) => inner.outboard(digest, signal),
    create: refuse,
    put: refuse,
    [Symbol.asyncDispose]: async () => {},
  };
}
