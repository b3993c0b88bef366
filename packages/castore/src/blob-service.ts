/**
 * Blobs: byte strings of any length, named by the BLAKE3 digest of their bytes.
 *
 * An implementation shows a blob only when all of it is stored and durable, and answers for the contents: what it gives is
 * what the digest names, or it throws `corrupt`. Whoever does not trust an implementation wraps it (`verifiedBlobs`).
 * Methods throw `CastoreError`: `io` when the world behind the service fails, `unsupported` where a method says so.
 */
import type { B3Digest } from './b3-digest.ts';

export interface BlobService extends AsyncDisposable {
  /** Whether the blob can be opened. For chunks of a blob the answer may be true as well. */
  has(digest: B3Digest, signal?: AbortSignal): Promise<boolean>;

  /** A reader for random access; `undefined` when there is no such blob. The caller disposes of it. */
  open(digest: B3Digest, signal?: AbortSignal): Promise<BlobReader | undefined>;

  /** Begins a new blob. `unsupported` by a service that cannot be written to. */
  create(signal?: AbortSignal): Promise<BlobWriter>;

  /** Stores bytes that are all there, which must not change until the promise is fulfilled. For small blobs. */
  put(bytes: Uint8Array, signal?: AbortSignal): Promise<B3Digest>;

  /**
   * The chunks that the blob is stored as, in order: each of them can be opened as a blob of its own. Empty when the blob is
   * not split; `undefined` when there is no such blob.
   */
  chunks(digest: B3Digest, signal?: AbortSignal): Promise<readonly ChunkMeta[] | undefined>;

  /**
   * The BLAKE3 tree over groups of 16 KiB (`outboard.ts`), with which ranges of the blob are verified. Empty when the blob
   * has at most 16 KiB; `undefined` when there is no such blob, or the service does not keep trees.
   */
  outboard(digest: B3Digest, signal?: AbortSignal): Promise<Uint8Array | undefined>;

  /** For services that own what they store: what garbage collection and `verify` need. */
  readonly inventory?: BlobInventory;

  /** For services where a call costs more than a small blob. `batchesOf` gives the same by single calls. */
  readonly batch?: BlobBatches;

  /** For services that have small blobs in memory, or as good as that. */
  readonly atHand?: BlobsAtHand;

  /** For services that need not hash what the caller has hashed. */
  readonly trusting?: TrustingBlobs;
}

/** Many small blobs in one call. How much one call may hold is up to the caller, who holds the bytes too. */
export interface BlobBatches {
  /** Whether each of them is there, as `has`. */
  hasAll(digests: readonly B3Digest[], signal?: AbortSignal): Promise<readonly boolean[]>;

  /**
   * Stores bytes that must not change until the promise is fulfilled, and gives their digests in the same order. Some may be
   * stored when it fails.
   */
  putAll(blobs: readonly Uint8Array[], signal?: AbortSignal): Promise<readonly B3Digest[]>;

  /**
   * The bytes for each digest, in order. `undefined` for a blob that is not there or has more than `maxBytes`, and for one
   * that the service gives only by `open`; so whoever gets none asks there. The bytes stay as they are.
   */
  readAll(
    digests: readonly B3Digest[],
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array | undefined>;
}

/** Small blobs without waiting. */
export interface BlobsAtHand {
  /** Larger ones are never at hand. */
  readonly maxBytes: number;

  /**
   * All bytes of the blob; they are good until the service is asked for anything else, or something is waited for.
   * `undefined` for a blob that is not at hand, so that `open` has to be asked.
   */
  view(digest: B3Digest): Uint8Array | undefined;
}

/** Stores blobs whose digests the caller has computed; a wrong one damages the store, or is refused (`corrupt`). */
export interface TrustingBlobs {
  /** The bytes must not change until the promise is fulfilled. Some may be stored when it fails. For small blobs. */
  putAll(blobs: readonly HashedBlob[], signal?: AbortSignal): Promise<void>;
  create(signal?: AbortSignal): Promise<TrustingBlobWriter>;
  /** Whether wrong digests are refused, so that the caller need not have computed them. */
  readonly refusesWrongDigests: boolean;
}

export type HashedBlob = { readonly digest: B3Digest; readonly bytes: Uint8Array };

export interface TrustingBlobWriter extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  close(digest: B3Digest): Promise<void>;
}

/** `size` is in bytes. */
export type ChunkMeta = { readonly digest: B3Digest; readonly size: number };

export interface BlobReader extends AsyncDisposable {
  /** Of the blob, in bytes. */
  readonly size: number;

  /** The bytes from `offset` on: `length` of them, or fewer where the blob ends. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;

  /** The bytes from `start` (0) to `end` (the end) in pieces. A piece is valid until the next one is asked for. */
  stream(range?: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** In bytes; `end` is exclusive. */
export type ByteRange = { readonly start?: number; readonly end?: number };

/** Disposing of a writer that was not closed leaves nothing behind. */
export interface BlobWriter extends AsyncDisposable {
  /** Appends; the bytes must not change until the promise is fulfilled. */
  write(bytes: Uint8Array): Promise<void>;

  /** Ends the blob and makes it visible. Calling it again gives the same digest. */
  close(): Promise<B3Digest>;
}

/** What an owner of blobs can say and do about all of them. */
export interface BlobInventory {
  /** Every stored blob once, in no order; those added or removed meanwhile may be missing. */
  list(signal?: AbortSignal): AsyncIterable<StoredBlob>;

  /** Removes blobs unless they were stored or asked for (`has`, `put`) since `unusedSinceMs`; gives the bytes freed. */
  remove(digests: Iterable<B3Digest>, condition: RemovalCondition, signal?: AbortSignal): Promise<number>;

  /** Reads everything that is stored and names what is damaged. `remove` also takes what is damaged. */
  verify(signal?: AbortSignal): AsyncIterable<DamagedObject>;

  /** As `verify`, of one blob and what it is made of. Nothing when it is not there. */
  verifyBlob(digest: B3Digest, signal?: AbortSignal): AsyncIterable<DamagedObject>;

  /**
   * Garbage is being collected since `startedMs`: what is found from now on gets a time of last use after that. Without it, times
   * are only as precise as `lastUsedPrecisionMs`.
   */
  announceCollection?(startedMs: number): Promise<void>;

  /** Removes what interrupted writers left behind; gives the bytes freed. */
  removeLeftovers?(signal?: AbortSignal): Promise<number>;
}

/** `sizeBytes` is what removing it would free, which may be 0 where chunks are shared. */
export type StoredBlob = {
  readonly digest: B3Digest;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
};

/**
 * A stored object knows when it was last used (stored, or found by `has` or `put`) only as precisely as this, so that
 * finding it again does not write every time. Whoever has to keep what was used since some time subtracts it.
 */
export const lastUsedPrecisionMs = 60_000;

/** Objects used after this time (milliseconds since 1970) stay. `Infinity` removes whatever was named. */
export type RemovalCondition = { readonly unusedSinceMs: number };

/** `what` names the kind of the object in words, `problem` what is wrong with it. */
export type DamagedObject = { readonly digest: B3Digest; readonly what: string; readonly problem: string };
