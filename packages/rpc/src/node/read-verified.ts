/**
 * Blobs that are read from their beginning, from somebody who is not trusted. The bytes are hashed as they come, and the
 * last piece is given out when the digest is right: who has read to the end has read what the digest names. A consumer
 * that stops earlier knows nothing about what it has.
 */
import { CastoreError, type B3Digest } from '@neve/castore';
import { concatBytes, equalBytes } from '@neve/bytes';
import type { Blake3 } from '@neve/castore/node';

export type BlobSource = {
  readonly digest: B3Digest;
  /** In bytes; `undefined` when nobody said. */
  readonly size: number | undefined;
  /** The bytes of a blob or a chunk as they come, not checked. */
  readonly read: (digest: B3Digest, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly blake3: Blake3;
};

/** Throws `CastoreError` (`corrupt`). A piece is not touched any more after it was given out. */
export async function* readVerified(source: BlobSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { digest, size, read, blake3 } = source;
  const hasher = blake3.createHasher();
  let received = 0;
  let last: Uint8Array | undefined;
  for await (const piece of read(digest, signal)) {
    if (piece.length === 0) continue;
    received += piece.length;
    if (size !== undefined && received > size) throw wrongBytes(source, `more than the ${size} bytes`);
    hasher.update(piece);
    if (last !== undefined) yield last;
    last = piece;
  }
  if (!equalBytes(hasher.digest(), digest.bytes)) throw wrongBytes(source, `${received} other bytes`);
  if (size !== undefined && received !== size) {
    throw new CastoreError(
      'corrupt',
      `the server says that ${digest.toString()} has ${size} bytes, and it has ${received}`,
    );
  }
  if (last !== undefined) yield last;
}

/** All bytes of a blob, whose size is known. */
export async function collectBlob(
  source: BlobSource & { readonly size: number },
  signal?: AbortSignal,
): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  let at = 0;
  for await (const piece of readVerified(source, signal)) {
    if (bytes === undefined && piece.length === source.size) return piece;
    bytes ??= new Uint8Array(source.size);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes ?? new Uint8Array();
}

/** Reads a blob to its end: its size, and all of its bytes if they are at most `limit`. */
export async function measureBlob(
  pieces: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<{ readonly size: number; readonly bytes: Uint8Array | undefined }> {
  let kept: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size <= limit) kept.push(piece);
    else kept = [];
  }
  return { size, bytes: size <= limit ? concatBytes(kept) : undefined };
}

function wrongBytes({ digest }: BlobSource, what: string): CastoreError {
  return new CastoreError('corrupt', `instead of ${digest.toString()} the server sent ${what}`);
}
