/**
 * `BlobBatchService` for others: many small blobs in a call. Whoever stores is told the digests that the service here has
 * computed; whoever reads gets messages of about `messageSize`, one after the other as they are taken.
 */
import { batchesOf, type BlobService } from '@neve/castore';
import { readDigest } from './blob-handlers.ts';
import { answer, answerMany, type Handler } from './handler.ts';
import { blobBatchMethods } from './services.ts';

/** The contents in a message are at least this, and below it and one more blob. */
const messageSize = 512 * 1024;

/** Longer blobs are left out of batches. */
const maxBlobSize = 1024 * 1024;

export function blobBatchHandlers(blobs: BlobService): readonly Handler[] {
  const batch = batchesOf(blobs);
  return [
    answer(blobBatchMethods.has, async ({ digests }, signal) => {
      return { found: [...(await batch.hasAll(digests.map(readDigest), signal))] };
    }),
    answer(blobBatchMethods.put, async (request, signal) => {
      return { digests: (await batch.putAll(request.blobs, signal)).map(({ bytes }) => bytes) };
    }),
    answerMany(blobBatchMethods.get, async function* ({ digests, maxBytes }, signal) {
      const limit = maxBytes < BigInt(maxBlobSize) ? Number(maxBytes) : maxBlobSize;
      yield* inMessages(batch.readAll(digests.map(readDigest), limit, signal));
    }),
  ];
}

type Blob = { readonly contents?: Uint8Array };

async function* inMessages(
  all: AsyncIterable<Uint8Array | undefined>,
): AsyncGenerator<{ blobs: Blob[] }, void, void> {
  let blobs: Blob[] = [];
  let size = 0;
  for await (const contents of all) {
    blobs.push(contents === undefined ? {} : { contents });
    size += contents?.length ?? 0;
    if (size < messageSize) continue;
    yield { blobs };
    blobs = [];
    size = 0;
  }
  if (blobs.length > 0) yield { blobs };
}
