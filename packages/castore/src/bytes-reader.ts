/** A blob that is all in memory. */
import type { BlobReader, ByteRange } from './blob-service.ts';

/** Longer pieces would only make its readers wait. */
const pieceBytes = 1 << 20;

/** The bytes must not change as long as it is used. */
export function bytesReader(bytes: Uint8Array): BlobReader {
  return new BytesReader(bytes);
}

class BytesReader implements BlobReader {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    return this.#bytes.subarray(offset, offset + length);
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const wanted = this.#bytes.subarray(range.start ?? 0, range.end ?? this.size);
    for (let at = 0; at < wanted.length; at += pieceBytes) {
      signal?.throwIfAborted();
      yield wanted.subarray(at, at + pieceBytes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is nothing to give back.
  }
}
