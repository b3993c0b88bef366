/**
 * Documents of a cache in an LMDB environment, which may be that of its other tables.
 *
 *     table 'documents'   name → bytes
 */
import { LmdbEnvironment } from '@neve/castore/node';
import type { CacheDocuments } from '../cache-documents.ts';

/** Opens the environment in the folder `path`. Throws `CastoreError` (`io`). */
export async function lmdbCacheDocuments(path: string): Promise<CacheDocuments> {
  const environment = await LmdbEnvironment.open(path);
  const table = environment.table('documents');
  return {
    async get(name) {
      const value = table.get(Buffer.from(name));
      return value === undefined ? undefined : new Uint8Array(value);
    },
    put: (documents) =>
      environment.write(() => {
        for (const [name, bytes] of documents) table.put(Buffer.from(name), bytes);
      }),
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
  };
}
