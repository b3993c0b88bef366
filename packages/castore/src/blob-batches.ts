/** Batches for blob services that have none: single calls, some of them at the same time. */
import type { B3Digest } from './b3-digest.ts';
import type { BlobBatches, BlobService } from './blob-service.ts';
import { OrderedWindow } from './ordered-window.ts';

const maxCalls = 32;

/** Those that the service has, or else single calls of it. */
export function batchesOf(blobs: BlobService): BlobBatches {
  return blobs.batch ?? singleCalls(blobs);
}

/** Batches by single calls of `blobs`, whether it has others or not. */
export function singleCalls(blobs: Pick<BlobService, 'has' | 'put' | 'open'>): BlobBatches {
  return {
    hasAll: (digests, signal) => collect(inOrder(digests, (digest) => blobs.has(digest, signal))),
    putAll: (all, signal) => collect(inOrder(all, (bytes) => blobs.put(bytes, signal))),
    readAll: (digests, maxBytes, signal) =>
      inOrder(digests, (digest) => readWhole(blobs, { digest, maxBytes }, signal)),
  };
}

type Wanted = { readonly digest: B3Digest; readonly maxBytes: number };

async function readWhole(
  blobs: Pick<BlobService, 'open'>,
  { digest, maxBytes }: Wanted,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  await using reader = await blobs.open(digest, signal);
  if (reader === undefined || reader.size > maxBytes) return undefined;
  return await reader.read(0, reader.size, signal);
}

async function* inOrder<T, R>(
  items: readonly T[],
  call: (item: T) => Promise<R>,
): AsyncGenerator<R, void, void> {
  await using window = new OrderedWindow<R>({ maxItems: maxCalls, maxCost: maxCalls });
  for (const item of items) {
    if (window.isFull) yield await window.shift();
    window.push(call(item), 1);
  }
  while (!window.isEmpty) yield await window.shift();
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
