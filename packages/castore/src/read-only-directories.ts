/** Directories of another service, for reading only: nothing can be put, listed or removed through it. */
import { CastoreError } from './castore-error.ts';
import type { DirectoryService } from './directory-service.ts';

/** `put` and `putClosure` throw `CastoreError` (`unsupported`). Disposing of it leaves `inner` open. */
export function readOnlyDirectories(inner: DirectoryService): DirectoryService {
  const refusal = (): CastoreError =>
    new CastoreError('unsupported', 'this directory service is opened for reading only');
  return {
    get: (digest, signal) => inner.get(digest, signal),
    closure: (digest, signal) => inner.closure(digest, signal),
    put: () => Promise.reject(refusal()),
    putClosure: () => {
      throw refusal();
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
