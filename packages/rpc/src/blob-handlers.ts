/**
 * `BlobService` for others. Stat tells the chunks whoever asks, as Snix does. When they are asked for, a blob that is not
 * split is its own only chunk: so a client learns the size, and clients of Snix take one chunk as none.
 */
import { B3Digest } from '@neve/castore';
import type { BlobReader, BlobService, ChunkMeta } from '@neve/castore';
import { blobChunkSize } from './blob-chunk.ts';
import { answer, answerMany, gather, type Handler } from './handler.ts';
import { RpcError } from './rpc-error.ts';
import { blobMethods } from './services.ts';

/** A tree above this would be larger than the messages that clients take; they do without. */
const maxBaoSize = 60 * 1024 * 1024;

export function blobHandlers(blobs: BlobService): readonly Handler[] {
  return [
    answer(blobMethods.stat, async ({ digest, sendChunks, sendBao }, signal) => {
      const blob = readDigest(digest);
      const chunks = await blobs.chunks(blob, signal);
      if (chunks === undefined) throw notFound(blob);
      return {
        chunks: (sendChunks ? await describeChunks(blobs, blob, chunks) : chunks).map(printChunk),
        bao: sendBao ? await readBao(blobs, blob, signal) : new Uint8Array(),
      };
    }),
    answerMany(blobMethods.read, async function* ({ digest }, signal) {
      const blob = readDigest(digest);
      await using reader = await blobs.open(blob, signal);
      if (reader === undefined) throw notFound(blob);
      yield* messagesOf(reader, signal);
    }),
    gather(blobMethods.put, async (pieces, signal) => {
      await using writer = await blobs.create(signal);
      for await (const piece of pieces) await writer.write(piece);
      return { digest: (await writer.close()).bytes };
    }),
  ];
}

/** Throws `RpcError` (`invalid-argument`). */
export function readDigest(bytes: Uint8Array): B3Digest {
  if (bytes.length === 32) return new B3Digest(bytes);
  throw new RpcError('invalid-argument', `a digest has 32 bytes, not ${bytes.length}`);
}

async function describeChunks(
  blobs: BlobService,
  blob: B3Digest,
  chunks: readonly ChunkMeta[],
): Promise<readonly ChunkMeta[]> {
  if (chunks.length > 0) return chunks;
  await using reader = await blobs.open(blob);
  if (reader === undefined) throw notFound(blob);
  return [{ digest: blob, size: reader.size }];
}

function printChunk({ digest, size }: ChunkMeta): { digest: Uint8Array; size: bigint } {
  return { digest: digest.bytes, size: BigInt(size) };
}

async function readBao(blobs: BlobService, blob: B3Digest, signal: AbortSignal): Promise<Uint8Array> {
  const outboard = await blobs.outboard(blob, signal);
  return outboard === undefined || outboard.length > maxBaoSize ? new Uint8Array() : outboard;
}

/** The contents in pieces that are worth a message, whatever the pieces of the reader are. */
async function* messagesOf(reader: BlobReader, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const piece of reader.stream({}, signal)) {
    for (let at = 0; at < piece.length; at += blobChunkSize) yield piece.subarray(at, at + blobChunkSize);
  }
}

function notFound(blob: B3Digest): RpcError {
  return new RpcError('not-found', `there is no blob ${blob.toString()}`);
}
