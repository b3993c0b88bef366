/**
 * A blob that a server has in one piece. The protocol reads blobs from their beginning only, so a part of it costs all
 * that is before it, and, since only the end proves it, what is behind it as well. A small blob is kept when it was read.
 */
import type { BlobReader, ByteRange } from '@neve/castore';
import { collectBlob, readVerified, type BlobSource } from './read-verified.ts';

export class UnsplitBlobReader implements BlobReader {
  readonly size: number;
  readonly #source: BlobSource & { readonly size: number };
  readonly #keepsBytes: boolean;
  #kept: Uint8Array | undefined;

  constructor(source: BlobSource & { readonly size: number }, options: { readonly keepsBytes: boolean }) {
    this.size = source.size;
    this.#source = source;
    this.#keepsBytes = options.keepsBytes;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const end = Math.min(this.size, offset + length);
    if (offset >= end) return new Uint8Array();
    const kept = await this.#keep(signal);
    if (kept !== undefined) return kept.subarray(offset, end);
    const bytes = new Uint8Array(end - offset);
    let at = 0;
    for await (const piece of this.#range(offset, end, signal)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const start = range.start ?? 0;
    const end = Math.min(this.size, range.end ?? this.size);
    if (start >= end) return;
    const kept = await this.#keep(signal);
    if (kept !== undefined) yield kept.subarray(start, end);
    else yield* this.#range(start, end, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#kept = undefined;
    return Promise.resolve();
  }

  async #keep(signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    if (!this.#keepsBytes) return undefined;
    this.#kept ??= await collectBlob(this.#source, signal);
    return this.#kept;
  }

  /** The last piece of the range comes when all of the blob was read and is right. */
  async *#range(start: number, end: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    let at = 0;
    let last: Uint8Array | undefined;
    for await (const piece of readVerified(this.#source, signal)) {
      const wanted = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
      at += piece.length;
      if (wanted.length === 0) continue;
      if (last !== undefined) yield last;
      last = wanted;
    }
    if (last !== undefined) yield last;
  }
}
