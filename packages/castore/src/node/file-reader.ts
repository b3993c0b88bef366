/**
 * Random access to a blob that is a file. What it gives is no `Buffer`, of which `slice` would not be a copy. With a page cache
 * to ask, no thread is troubled for what is in memory.
 */
import { type Stats, close, closeSync, fstat, fstatSync, open, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import type { BlobReader, ByteRange } from '../blob-service.ts';
import { CastoreError } from '../castore-error.ts';
import type { PageCache } from './page-cache.ts';
import { allocateReadBuffer } from './read-buffer.ts';

/** Pieces of a stream; two of them are in use, one read while the other is being looked at. */
const pieceSize = 1 << 20;

/** What is copied from memory is best looked at while it is in the processor's cache. */
const cachedPieceSize = 1 << 18;

/** Buffers of streams that ended: a new one costs as much as filling it. */
const idleBuffers: Uint8Array[] = [];
const maxIdleBuffers = 16;

const openFile = promisify(open);
const statFile = promisify(fstat) as (file: number) => Promise<Stats>;
const readFile = promisify(read);
const closeFile = promisify(close);

function takeBuffer(): Uint8Array {
  const idle = idleBuffers.pop();
  return idle ?? allocateReadBuffer(pieceSize);
}

export class FileReader implements BlobReader {
  readonly size: number;
  readonly #file: number;
  readonly #cache: PageCache | undefined;

  private constructor(file: number, size: number, cache: PageCache | undefined) {
    this.#file = file;
    this.size = size;
    this.#cache = cache;
  }

  /** `size` is what the file must have. Throws `CastoreError`: `io`, or `corrupt` for another size. */
  static async open(path: string, size: number, cache?: PageCache): Promise<FileReader> {
    const file = await openToRead(path, cache).catch((cause: unknown) => {
      throw new CastoreError('io', `the file of a blob cannot be opened: ${String(cause)}`, { cause });
    });
    const { size: found } = cache === undefined ? await statFile(file) : fstatSync(file);
    if (found === size) return new FileReader(file, size, cache);
    closeSync(file);
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
    if (this.#cache === undefined) await closeFile(this.#file);
    else closeSync(this.#file);
  }

  async #readPiece(buffer: Uint8Array, position: number, end: number): Promise<Uint8Array> {
    const size = this.#cache === undefined ? buffer.length : cachedPieceSize;
    const piece = buffer.subarray(0, Math.min(size, end - position));
    await this.#fill(piece, position);
    return piece;
  }

  async #fill(buffer: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < buffer.length) {
      const count =
        this.#cache?.read(this.#file, buffer.subarray(done), position + done) ??
        (await readFile(this.#file, buffer, done, buffer.length - done, position + done)).bytesRead;
      if (count === 0) throw new CastoreError('corrupt', 'the file of a blob was cut while it was read');
      done += count;
    }
  }
}

/** Names and sizes of files are in memory more often than their contents, and are short to wait for. */
// oxlint-disable-next-line typescript/require-await -- one of the two waits
async function openToRead(path: string, cache: PageCache | undefined): Promise<number> {
  return cache === undefined ? openFile(path, 'r') : openSync(path, 'r');
}
