/**
 * A blob as the sequence of its chunks: a read fetches only the chunks that it needs.
 *
 * Chunks that are fetched, or were used last, are kept in a small cache, in which those that a longer read needs next are
 * fetched ahead. So at most `readAhead + keptChunks + 1` chunks are in memory, whatever is read.
 */
import { abortable } from './abortable.ts';
import type { B3Digest } from './b3-digest.ts';
import type { BlobReader, ByteRange, ChunkMeta } from './blob-service.ts';
import { CastoreError } from './castore-error.ts';

/** How many chunks stay besides those that are read ahead. */
const keptChunks = 3;

/** Gives the bytes that the chunk's digest stands for, or throws `CastoreError`. They are not changed. */
export type FetchChunk = (chunk: ChunkMeta, signal: AbortSignal) => Promise<Uint8Array>;

export type ChunkedReaderOptions = {
  /** Of the whole blob, for messages. */
  readonly digest: B3Digest;
  readonly chunks: readonly ChunkMeta[];
  readonly fetchChunk: FetchChunk;
  /** How many chunks are fetched before they are asked for; 4 by default. */
  readonly readAhead?: number;
};

export class ChunkedReader implements BlobReader {
  readonly size: number;
  readonly #options: ChunkedReaderOptions;
  readonly #readAhead: number;
  /** Where each chunk begins. */
  readonly #starts: readonly number[];
  /** By index of the chunk, those used last at the end. */
  readonly #cache: Map<number, Promise<Uint8Array>> = new Map();
  readonly #disposed: AbortController = new AbortController();

  constructor(options: ChunkedReaderOptions) {
    this.#options = options;
    this.#readAhead = options.readAhead ?? 4;
    const starts: number[] = [];
    let size = 0;
    for (const chunk of options.chunks) {
      starts.push(size);
      size += chunk.size;
    }
    if (!Number.isSafeInteger(size)) {
      throw new CastoreError('corrupt', `the chunks of blob ${options.digest.toString()} are too long`);
    }
    this.#starts = starts;
    this.size = size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const start = Math.min(offset, this.size);
    const end = Math.min(offset + length, this.size);
    const index = this.#chunkAt(start);
    const first = this.#options.chunks[index];
    const firstStart = this.#starts[index] ?? 0;
    if (first !== undefined && end <= firstStart + first.size) {
      const bytes = await abortable(this.#fetch(index), signal);
      return bytes.subarray(start - firstStart, end - firstStart);
    }
    const result = new Uint8Array(end - start);
    let at = 0;
    for await (const piece of this.stream({ start, end }, signal)) {
      result.set(piece, at);
      at += piece.length;
    }
    return result;
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { chunks } = this.#options;
    const start = Math.min(range.start ?? 0, this.size);
    const end = Math.min(range.end ?? this.size, this.size);
    for (let index = this.#chunkAt(start); index < chunks.length; index++) {
      const chunkStart = this.#starts[index] ?? 0;
      if (chunkStart >= end) return;
      signal?.throwIfAborted();
      const fetching = this.#fetch(index);
      for (let ahead = index + 1; ahead <= index + this.#readAhead; ahead++) {
        if ((this.#starts[ahead] ?? end) < end) void this.#fetch(ahead);
      }
      const bytes = await abortable(fetching, signal);
      yield bytes.subarray(Math.max(0, start - chunkStart), Math.min(bytes.length, end - chunkStart));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort(new CastoreError('io', 'the reader of a blob was disposed of during a read'));
    const fetching = [...this.#cache.values()];
    this.#cache.clear();
    await Promise.allSettled(fetching);
  }

  /** The last chunk that begins at or before `offset`. */
  #chunkAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Its failure is handled by whoever waits for it, if anybody does. */
  #fetch(index: number): Promise<Uint8Array> {
    const fetching = this.#cache.get(index) ?? this.#start(index);
    this.#cache.delete(index);
    this.#cache.set(index, fetching);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= this.#readAhead + keptChunks + 1) break;
      this.#cache.delete(oldest);
    }
    return fetching;
  }

  #start(index: number): Promise<Uint8Array> {
    const fetching = this.#fetchChecked(index);
    fetching.catch(() => {
      if (this.#cache.get(index) === fetching) this.#cache.delete(index);
    });
    return fetching;
  }

  async #fetchChecked(index: number): Promise<Uint8Array> {
    const { digest, chunks, fetchChunk } = this.#options;
    const chunk = chunks[index];
    if (chunk === undefined) throw new Error('a chunk is asked for that the blob does not have');
    this.#disposed.signal.throwIfAborted();
    const bytes = await fetchChunk(chunk, this.#disposed.signal);
    if (bytes.length === chunk.size) return bytes;
    const lengths = `${bytes.length} bytes and not ${chunk.size}`;
    throw new CastoreError(
      'corrupt',
      `the list of chunks of blob ${digest.toString()} is wrong: ${chunk.digest.toString()} has ${lengths}`,
    );
  }
}
