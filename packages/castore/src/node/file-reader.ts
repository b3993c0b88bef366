/** Random access to a blob that is a file. What it gives is no `Buffer`, of which `slice` would not be a copy. */
import { type FileHandle, open } from 'node:fs/promises';
import type { BlobReader, ByteRange } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import { allocateReadBuffer } from './read-buffer.ts';

/** Pieces of a stream; two of them are in use, one read while the other is being looked at. */
const pieceSize = 1 << 20;

/** Buffers of streams that ended: a new one costs as much as filling it. */
const idleBuffers: Uint8Array[] = [];
const maxIdleBuffers = 16;

function takeBuffer(): Uint8Array {
  const idle = idleBuffers.pop();
  return idle ?? allocateReadBuffer(pieceSize);
}

export class FileReader implements BlobReader {
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** `size` is what the file must have. Throws `CastoreError`: `io`, or `corrupt` for another size. */
  static async open(path: string, size: number): Promise<FileReader> {
    const handle = await open(path).catch((cause: unknown) => {
      throw new CastoreError('io', `the file of a blob cannot be opened: ${String(cause)}`, { cause });
    });
    const { size: found } = await handle.stat();
    if (found === size) return new FileReader(handle, size);
    await handle.close();
    throw new CastoreError(
      'corrupt',
      `'${path}' is damaged: it has ${found} bytes, but the blob has ${size}`,
    );
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    await this.#fill(bytes, offset);
    return bytes;
  }

  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const end = Math.min(range.end ?? this.size, this.size);
    let position = range.start ?? 0;
    if (position >= end) return;
    let [current, other] = [takeBuffer(), takeBuffer()];
    let next = this.#readPiece(current, position, end);
    try {
      while (true) {
        // Nobody waits for it when the consumer stops early.
        next.catch(() => {});
        signal?.throwIfAborted();
        const piece = await next;
        position += piece.length;
        if (position < end) next = this.#readPiece(other, position, end);
        yield piece;
        if (position >= end) return;
        [current, other] = [other, current];
      }
    } finally {
      // A read that is under way still writes to its buffer.
      await next.catch(() => {});
      idleBuffers.push(...[current, other].slice(0, maxIdleBuffers - idleBuffers.length));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #readPiece(buffer: Uint8Array, position: number, end: number): Promise<Uint8Array> {
    const piece = buffer.subarray(0, Math.min(buffer.length, end - position));
    await this.#fill(piece, position);
    return piece;
  }

  async #fill(buffer: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, done, buffer.length - done, position + done);
      if (bytesRead === 0) throw new CastoreError('corrupt', 'the file of a blob was cut while it was read');
      done += bytesRead;
    }
  }
}
