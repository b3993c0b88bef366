/**
 * Random access to a blob that is a file, without another thread: reading from the page cache takes less time than asking
 * somebody else to do it. For programs that have nothing else to do meanwhile.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { BlobReader, ByteRange } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import { allocateReadBuffer } from './read-buffer.ts';

/** What fits into the processor's cache is read, looked at and forgotten there. */
const pieceSize = 1 << 18;

/** Of streams that ended: a new one costs more than filling it. */
const idleBuffers: Uint8Array[] = [];
const maxIdleBuffers = 8;

export class BlockingFileReader implements BlobReader {
  readonly size: number;
  #file: number | undefined;

  /** `size` is what the file must have. Throws `CastoreError`: `io`, or `corrupt` for another size. */
  constructor(path: string, size: number) {
    this.size = size;
    try {
      this.#file = openSync(path, 'r');
    } catch (cause) {
      throw new CastoreError('io', `the file of a blob cannot be opened: ${String(cause)}`, { cause });
    }
    const { size: found } = fstatSync(this.#file);
    if (found === size) return;
    closeSync(this.#file);
    throw new CastoreError(
      'corrupt',
      `'${path}' is damaged: it has ${found} bytes, but the blob has ${size}`,
    );
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    this.#fill(bytes, offset);
    return bytes;
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async *stream(range: ByteRange = {}, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const end = Math.min(range.end ?? this.size, this.size);
    const buffer = idleBuffers.pop() ?? allocateReadBuffer(pieceSize);
    try {
      for (let position = range.start ?? 0; position < end; position += buffer.length) {
        signal?.throwIfAborted();
        const piece = buffer.subarray(0, Math.min(buffer.length, end - position));
        this.#fill(piece, position);
        yield piece;
      }
    } finally {
      if (idleBuffers.length < maxIdleBuffers) idleBuffers.push(buffer);
    }
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #fill(buffer: Uint8Array, position: number): void {
    if (this.#file === undefined) throw new Error('a reader is used after it was disposed of');
    for (let done = 0; done < buffer.length;) {
      const count = readSync(this.#file, buffer, done, buffer.length - done, position + done);
      if (count === 0) throw new CastoreError('corrupt', 'the file of a blob was cut while it was read');
      done += count;
    }
  }
}
