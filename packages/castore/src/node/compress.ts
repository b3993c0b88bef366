/**
 * Compression of streams, in bounded memory. Without a level each format has its program's own default.
 *
 * zstd is that of node:zlib; before Node 22.15 the input is cut into pieces of 4 MiB, each a frame of its own, which
 * every decoder reads as one stream. xz, lzma and lzip need the package lzma-native; bzip2, grzip and lrzip the programs of
 * those names. lz4 and lzop are not compressed at all: their blocks hold the bytes as they are, for readers that know no other
 * format.
 */
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Liblzma } from 'lzma-native';
import { ByteSource } from '../archive/byte-source.ts';
import type { CompressionFormat } from '../archive/compression-format.ts';
import { encodeLzw } from '../archive/encode-lzw.ts';
import { storeLzop } from '../archive/lzop-file.ts';
import { storeLz4 } from '../archive/store-lz4.ts';
import { CastoreError } from '../castore-error.ts';
import { throughProgram } from './compression-program.ts';
import { encodeLzip } from './encode-lzip.ts';
import { nativeZstd } from './native-zstd.ts';
import { throughTransform } from './through-transform.ts';
import { zstdCompress } from './zstd.ts';

const outputSize = 1 << 16;
const frameSize = 4 * 2 ** 20;

/**
 * A piece of the source is used until the next one is asked for. Throws `CastoreError` (`unsupported`) if the compressor is not
 * there. What the source throws goes through.
 */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  format: CompressionFormat,
  level?: number,
): AsyncGenerator<Uint8Array, void, void> {
  switch (format) {
    case 'none':
      yield* source;
      return;
    case 'lz4':
      yield* storeLz4(source);
      return;
    case 'lzop':
      yield* storeLzop(source);
      return;
    case 'compress':
      yield* encodeLzw(source);
      return;
    case 'lzip':
      yield* encodeLzip(source, await lzmaEncoder(level));
      return;
    case 'bzip2':
    case 'grzip':
    case 'lrzip':
      yield* throughProgram(source, { name: format, action: 'write', level });
      return;
    case 'zstd': {
      const native = nativeZstd();
      if (native === undefined) yield* compressFrames(source, level);
      else yield* throughTransform(source, native.compressor(level ?? 3));
      return;
    }
    case 'gzip':
    case 'brotli':
    case 'xz':
    case 'lzma':
      yield* throughTransform(source, await compressor(format, level));
  }
}

async function compressor(
  format: 'gzip' | 'brotli' | 'xz' | 'lzma',
  level: number | undefined,
): Promise<Duplex> {
  const { constants } = zlib;
  switch (format) {
    case 'gzip':
      return zlib.createGzip({ chunkSize: outputSize, ...(level === undefined ? {} : { level }) });
    case 'brotli': {
      const params = level === undefined ? {} : { [constants.BROTLI_PARAM_QUALITY]: level };
      return zlib.createBrotliCompress({ chunkSize: outputSize, params });
    }
    case 'xz': {
      const { default: lzma } = await loadLiblzma();
      return lzma.createStream('easyEncoder', { preset: level ?? 6, check: lzma.CHECK_CRC64 });
    }
    case 'lzma':
      return await lzmaEncoder(level);
  }
}

async function lzmaEncoder(level = 6): Promise<Duplex> {
  const { default: lzma } = await loadLiblzma();
  return lzma.createStream('aloneEncoder', { preset: level });
}

async function loadLiblzma(): Promise<{ readonly default: Liblzma }> {
  try {
    return await import('lzma-native');
  } catch (error) {
    throw new CastoreError(
      'unsupported',
      'writing xz, lzma and lzip needs the package lzma-native: install it, or choose zstd',
      {
        cause: error,
      },
    );
  }
}

/** A frame is made of several pieces, and compressed while the source has ended. */
async function* copiesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of source) yield new Uint8Array(piece);
}

async function* compressFrames(
  source: AsyncIterable<Uint8Array>,
  level: number | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(copiesOf(source));
  try {
    for (let first = true; ; first = false) {
      const bytes = await input.read(frameSize);
      // An empty stream is one empty frame.
      if (bytes.length === 0 && !first) return;
      yield await zstdCompress(bytes, level);
      if (bytes.length < frameSize) return;
    }
  } finally {
    await input.close();
  }
}
