/**
 * The files of a binary cache, wherever they are. Paths are relative to its root, or absolute URLs where there are such.
 * Methods throw `StoreError` (`io`) when a file could not be asked for.
 */
export interface CacheFiles extends AsyncDisposable {
  /** A file as a user would name it, without passwords. */
  describe(path: string): string;

  /** All of a small file. `undefined` when there is none; `io` for one that has more than `maxBytes`. */
  read(path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>;

  /** A file as a stream, which must be read, or left after its first piece was asked for. `undefined` when there is none. */
  open(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}
