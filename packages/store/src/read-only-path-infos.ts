/** Path infos of another service, for reading only: nothing can be written or removed through it. */
import type { PathInfoService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';

/** Disposing of it leaves `inner` open. `put` throws `StoreError` (`unsupported`). */
export function readOnlyPathInfos(inner: PathInfoService): PathInfoService {
  return {
    get: (hashPart, signal) => inner.get(hashPart, signal),
    has: (hashPart, signal) => inner.has(hashPart, signal),
    async put({ storePath }) {
      throw new StoreError(
        'unsupported',
        `the path info of ${storePath.baseName} cannot be stored: this service is opened for reading only`,
      );
    },
    list: (signal) => inner.list(signal),
    ...(inner.narCalculation === undefined ? {} : { narCalculation: inner.narCalculation }),
    [Symbol.asyncDispose]: async () => {},
  };
}
