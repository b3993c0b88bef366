/**
 * Decompression of streams, in constant memory and only as fast as the result is taken. All members of a stream that
 * consists of several are decoded (pigz, pbzip2, pixz, pzstd write those). A decoder is loaded when it is first used; those of
 * grzip and lrzip are the programs of those names.
 *
 * Input that is cut off or damaged is an error naming the format; `maxBytes` is the guard against streams that expand
 * without end. Leaving the loop ends the decoder and closes the source.
 */
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { ByteSource } from '../archive/byte-source.ts';
import { type CompressionFormat, detectCompression, detectionLength } from '../archive/compression-format.ts';
import { decodeBzip2 } from '../archive/decode-bzip2.ts';
import { decodeLz4 } from '../archive/decode-lz4.ts';
import { decodeLzw } from '../archive/decode-lzw.ts';
import { decodeLzop } from '../archive/lzop-file.ts';
import { CastoreError } from '../castore-error.ts';
import { throughProgram } from './compression-program.ts';
import { decodeLzip, decodeLzma } from './decode-lzma.ts';
import { decodeXz } from './decode-xz.ts';
import { decodeZstd } from './decode-zstd.ts';
import { throughTransform } from './through-transform.ts';

export type DecompressOptions = {
  /** Of the result. No limit unless given. */
  readonly maxBytes?: number;
};

const outputSize = 1 << 16;

/**
 * The decompressed bytes; `auto` goes by the first bytes of the stream. Throws `CastoreError`: `invalid-archive`,
 * `limit-exceeded`, `unsupported`. What the source throws goes through.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  format: CompressionFormat | 'auto',
  { maxBytes = Infinity }: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const watched = new WatchedSource(source);
  const input = new ByteSource(watched);
  let name = format;
  try {
    const head = format === 'auto' ? (await input.read(detectionLength)).slice() : undefined;
    name = head === undefined ? format : detectCompression(head);
    let total = 0;
    for await (const piece of decode(withHead(head, input), name)) {
      total += piece.length;
      if (total > maxBytes) {
        const what = name === 'none' ? 'the stream has' : `the ${name} stream expands to`;
        throw new CastoreError('limit-exceeded', `${what} more than the ${maxBytes} bytes that are allowed`);
      }
      yield piece;
    }
  } catch (error) {
    if (watched.failure !== undefined) throw watched.failure.error;
    if (error instanceof CastoreError) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    throw new CastoreError('invalid-archive', `the ${name} stream is cut off or damaged: ${problem}`, {
      cause: error,
    });
  } finally {
    await input.close();
  }
}

async function* withHead(
  head: Uint8Array | undefined,
  input: ByteSource,
): AsyncGenerator<Uint8Array, void, void> {
  if (head !== undefined && head.length > 0) yield head;
  yield* input.rest();
}

function decode(
  source: AsyncIterable<Uint8Array>,
  format: CompressionFormat | 'auto',
): AsyncIterable<Uint8Array> {
  switch (format) {
    case 'gzip':
      return throughTransform(source, createGunzip({ chunkSize: outputSize }));
    case 'brotli':
      return throughTransform(source, createBrotliDecompress({ chunkSize: outputSize }));
    case 'bzip2':
      return decodeBzip2(source);
    case 'xz':
      return decodeXz(source);
    case 'zstd':
      return decodeZstd(source);
    case 'lz4':
      return decodeLz4(source);
    case 'lzip':
      return decodeLzip(source);
    case 'lzma':
      return decodeLzma(source);
    case 'compress':
      return decodeLzw(source);
    case 'lzop':
      return decodeLzop(source);
    case 'grzip':
    case 'lrzip':
      return throughProgram(source, { name: format, action: 'read' });
    case 'none':
    case 'auto':
      return source;
  }
}

/** Tells failures of the source from those of the decoder that reads it. */
class WatchedSource implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const chunk of this.#source) if (chunk.length > 0) yield chunk;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
