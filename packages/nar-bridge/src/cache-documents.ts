/**
 * Small documents that a cache keeps beside its paths, by name: build traces that were put, and which path has the debug
 * information of a build. Names are those of the cache's files, as `realisations/sha256:….doi`.
 */
export interface CacheDocuments extends AsyncDisposable {
  get(name: string): Promise<Uint8Array | undefined>;

  /** All of them or none; durable when it is fulfilled. A document takes the place of an earlier one. */
  put(documents: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

export function memoryCacheDocuments(): CacheDocuments {
  const documents = new Map<string, Uint8Array>();
  return {
    get: async (name) => documents.get(name),
    async put(added) {
      for (const [name, bytes] of added) documents.set(name, bytes.slice());
    },
    async [Symbol.asyncDispose]() {
      documents.clear();
    },
  };
}
