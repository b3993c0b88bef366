/**
 * Directories by their digests.
 *
 * A closure is a directory and all below it. Closures are stored leaves first, so that a directory is only visible when all
 * below it are; they are read root first, each directory once. Both orders are checked while they stream
 * (`directory-order.ts`). Methods throw `CastoreError`: `invalid-directory` for a closure that breaks the order, is
 * incomplete or has a wrong size; `corrupt`, `io` and `unsupported` as blobs do.
 */
import type { B3Digest } from './b3-digest.ts';
import type { DamagedObject, RemovalCondition } from './blob-service.ts';
import type { Directory } from './directory.ts';

export interface DirectoryService extends AsyncDisposable {
  /** `undefined` when it is not there. Some services find only roots of closures. */
  get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined>;

  /** The closure, root first, every directory once and after one that refers to it. Empty when the root is not there. */
  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory>;

  /** Stores one directory. What it refers to must be there; a service may refuse directories that refer to others. */
  put(directory: Directory, signal?: AbortSignal): Promise<B3Digest>;

  /** Begins to store a closure, leaves first. */
  putClosure(signal?: AbortSignal): DirectoryPutter;

  /** For services that own what they store. */
  readonly inventory?: DirectoryInventory;
}

/**
 * The root is not visible before `close`; of a large closure, complete parts below it may be. Disposing of a putter that was
 * not closed leaves at most such parts behind, for garbage collection.
 */
export interface DirectoryPutter extends AsyncDisposable {
  /** Directories that it refers to were put before. The same directory may come again. */
  put(directory: Directory): Promise<void>;

  /** The digest of the one root, which every other directory is below. Calling it again gives the same digest. */
  close(): Promise<B3Digest>;
}

export interface DirectoryInventory {
  /** Every stored directory (for some services: root) once, in no order. */
  list(signal?: AbortSignal): AsyncIterable<StoredDirectory>;
  /** Removes directories unless they were used since; gives the bytes freed. */
  remove(digests: Iterable<B3Digest>, condition: RemovalCondition, signal?: AbortSignal): Promise<number>;
  verify(signal?: AbortSignal): AsyncIterable<DamagedObject>;
  /** As `BlobInventory.announceCollection`. */
  announceCollection?(startedMs: number): Promise<void>;
}

export type StoredDirectory = {
  readonly digest: B3Digest;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
};
