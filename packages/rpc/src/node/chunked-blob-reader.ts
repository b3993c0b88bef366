/**
 * A blob that a server has in chunks. All of it is read by one call and checked against its digest; a part of it is made
 * of the chunks that hold it, each checked against its own digest, and several of them fetched at once. The chunks used
 * last are kept for readers that ask for one small range after the other.
 */
import { OrderedWindow, abortable, type BlobReader, type ByteRange, type ChunkMeta } from '@neve/castore';
import { collectBlob, readVerified, type BlobSource } from './read-verified.ts';

/** What may be under way, and what is kept. Chunks have 256 KiB on average. */
const readAhead = { maxCost: 4 * 1024 * 1024, maxItems: 16 } as const;
const maxKeptBytes = 4 * 1024 * 1024;

type Chunk = ChunkMeta & { readonly start: number };

export class ChunkedBlobReader implements BlobReader {
  readonly size: number;
  readonly #source: BlobSource & { readonly size: number };
  readonly #chunks: readonly Chunk[];
  /** By their places in the list; the one used last is at the end. */
  readonly #kept = new Map<number, { readonly bytes: Promise<Uint8Array>; readonly size: number }>();
  #keptBytes = 0;
  /** The last chunk of the last `read`. */
  #lastRead = -1;
  readonly #disposal = new AbortController();

  /** The sizes of `chunks` add up to that of the blob. */
  constructor(source: BlobSource & { readonly size: number }, chunks: readonly ChunkMeta[]) {
    this.size = source.size;
    this.#source = source;
    let start = 0;
    this.#chunks = chunks.map((chunk) => {
      const placed = { ...chunk, start };
      start += chunk.size;
      return placed;
    });
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = Math.min(this.size, offset + length);
    if (offset >= end) return new Uint8Array();
    const isSequential = this.#indexOf(offset) - this.#lastRead <= 1;
    const bytes = new Uint8Array(end - offset);
    let at = 0;
    for await (const piece of this.#pieces(offset, end, signal)) {
      if (piece.length === bytes.length) return this.#remember(end, isSequential, piece);
      bytes.set(piece, at);
      at += piece.length;
    }
    return this.#remember(end, isSequential, bytes);
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const start = range.start ?? 0;
    const end = Math.min(this.size, range.end ?? this.size);
    if (start >= end) return;
    if (start === 0 && end === this.size) yield* readVerified(this.#source, signal);
    else yield* this.#pieces(start, end, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new Error('the reader of a blob was disposed of'));
    this.#kept.clear();
    return Promise.resolve();
  }

  /** Who reads on in order finds the next chunk on its way. */
  #remember(end: number, isSequential: boolean, bytes: Uint8Array): Uint8Array {
    this.#lastRead = this.#indexOf(end - 1);
    if (isSequential && this.#lastRead + 1 < this.#chunks.length) void this.#fetch(this.#lastRead + 1);
    return bytes;
  }

  async *#pieces(start: number, end: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const window = new OrderedWindow<Uint8Array>(readAhead);
    let begun = this.#indexOf(start);
    for (let index = begun; index < this.#chunks.length; index++) {
      signal?.throwIfAborted();
      for (; !window.isFull && begun < this.#chunks.length; begun++) {
        const next = this.#chunks[begun];
        if (next === undefined || next.start >= end) break;
        window.push(this.#fetch(begun), next.size);
      }
      const chunk = this.#chunks[index];
      if (chunk === undefined || chunk.start >= end) return;
      const bytes = await abortable(window.shift(), signal);
      const piece = bytes.subarray(Math.max(0, start - chunk.start), end - chunk.start);
      if (piece.length > 0) yield piece;
    }
  }

  /** A chunk that is kept, or a new call, which ends with the reader. */
  #fetch(index: number): Promise<Uint8Array> {
    const kept = this.#kept.get(index);
    if (kept !== undefined) {
      this.#kept.delete(index);
      this.#kept.set(index, kept);
      return kept.bytes;
    }
    const chunk = this.#chunks[index];
    if (chunk === undefined) throw new Error('there is no such chunk');
    const { digest, size } = chunk;
    const bytes = collectBlob({ ...this.#source, digest, size }, this.#disposal.signal);
    this.#keep(index, bytes, size);
    return bytes;
  }

  #keep(index: number, bytes: Promise<Uint8Array>, size: number): void {
    this.#kept.set(index, { bytes, size });
    this.#keptBytes += size;
    bytes.catch(() => this.#forget(index));
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= maxKeptBytes || oldest === index) return;
      this.#forget(oldest);
    }
  }

  #forget(index: number): void {
    this.#keptBytes -= this.#kept.get(index)?.size ?? 0;
    this.#kept.delete(index);
  }

  /** The chunk that holds the byte at `offset`, which is in the blob. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
