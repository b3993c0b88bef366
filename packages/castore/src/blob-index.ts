/**
 * What an object store keeps for each blob: its chunks, and its outboard where that is small.
 *
 *     StatBlobResponse { repeated ChunkMeta chunks = 2; bytes bao = 3; }
 *     ChunkMeta        { bytes digest = 1; uint64 size = 2; }
 *
 * The list is empty when the blob is one chunk, whose digest is that of the blob. `bao` is the outboard as `outboard.ts` has
 * it: stores of others leave it out, and ignore it. Unknown fields are skipped.
 */
import { BytesError, ProtobufReader, ProtobufWriter } from '@neve/bytes';
import { B3Digest, b3DigestLength } from './b3-digest.ts';
import type { ChunkMeta } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';

export type BlobIndex = {
  readonly chunks: readonly ChunkMeta[];
  /** `undefined` where it is elsewhere or nowhere. An empty one cannot be told from none. */
  readonly outboard?: Uint8Array;
};

export function encodeBlobIndex({ chunks, outboard }: BlobIndex): Uint8Array {
  const writer = new ProtobufWriter(64 + chunks.length * 48 + (outboard?.length ?? 0));
  for (const { digest, size } of chunks) {
    const meta = new ProtobufWriter(48);
    meta.bytes(1, digest.bytes);
    meta.integer(2, size);
    writer.message(2, meta.finish());
  }
  if (outboard !== undefined) writer.bytes(3, outboard);
  return writer.finish();
}

/** Throws `CastoreError` (`corrupt`). Digests and the outboard are copies. */
export function decodeBlobIndex(bytes: Uint8Array): BlobIndex {
  try {
    const chunks: ChunkMeta[] = [];
    let outboard: Uint8Array | undefined;
    let total = 0;
    const reader = new ProtobufReader(bytes);
    while (reader.next()) {
      if (reader.field === 2) {
        const chunk = decodeChunkMeta(reader.bytes());
        total += chunk.size;
        if (!Number.isSafeInteger(total)) throw corrupt('its chunks are longer than a blob can be');
        chunks.push(chunk);
      } else if (reader.field === 3) outboard = reader.bytes().slice();
      else skip(reader);
    }
    return outboard === undefined ? { chunks } : { chunks, outboard };
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw corrupt(cause.message, cause);
  }
}

function decodeChunkMeta(bytes: Uint8Array): ChunkMeta {
  let digest: B3Digest | undefined;
  let size = 0;
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) {
      const value = reader.bytes();
      if (value.length !== b3DigestLength) throw corrupt(`a chunk has a digest of ${value.length} bytes`);
      digest = new B3Digest(value.slice());
    } else if (reader.field === 2) size = reader.integer();
    else skip(reader);
  }
  if (digest === undefined) throw corrupt('a chunk has no digest');
  return { digest, size };
}

function skip(reader: ProtobufReader): void {
  if (reader.wireType === 0) reader.integer();
  else reader.bytes();
}

function corrupt(problem: string, cause?: unknown): CastoreError {
  return new CastoreError('corrupt', `the index of a blob is damaged: ${problem}`, { cause });
}
