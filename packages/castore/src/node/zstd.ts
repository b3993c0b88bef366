/**
 * zstd of whole byte strings, off the main thread: with node:zlib where it can (Node 22.15 and later), else with
 * @mongodb-js/zstd. What is decompressed may come from a stranger. Its frames need not say how large they are, and
 * can lie; so what its blocks can expand to is computed before, and where that is much, the decoder that can be
 * stopped is used instead of the fast one.
 */
import { concatBytes } from '@neve/bytes';
import { zstdOutputBound } from '../archive/zstd-frames.ts';
import { CastoreError } from '../castore-error.ts';
import { decodeZstdInJavaScript } from './decode-zstd.ts';
import { nativeZstd } from './native-zstd.ts';

/** Compressed blocks may be smaller than they could be; up to so much more than allowed is decoded to see it. */
const boundSlack = 8 * 2 ** 20;

export async function zstdCompress(bytes: Uint8Array, level = 3): Promise<Uint8Array> {
  const native = nativeZstd();
  if (native !== undefined) return native.compress(bytes, level);
  const { default: zstd } = await import('@mongodb-js/zstd');
  return zstd.compress(asBuffer(bytes), level);
}

/**
 * All frames of `bytes`. Throws `CastoreError`: `corrupt` if it is no zstd, is cut off or damaged, `limit-exceeded` if
 * there is more in it than `maxSize` bytes.
 */
export async function zstdDecompress(bytes: Uint8Array, maxSize: number): Promise<Uint8Array> {
  let result: Uint8Array;
  try {
    const bound = zstdOutputBound(bytes);
    if (bound === undefined) throw new Error('it is not a sequence of whole frames');
    const native = nativeZstd();
    if (native !== undefined) {
      result = await native.decompress(bytes, maxSize);
    } else if (bound > maxSize + boundSlack) {
      result = await decodeUpTo(bytes, maxSize);
    } else {
      const { default: zstd } = await import('@mongodb-js/zstd');
      result = await zstd.decompress(asBuffer(bytes));
    }
  } catch (error) {
    if (error instanceof CastoreError) throw error;
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(maxSize);
    const problem = error instanceof Error ? error.message : String(error);
    throw new CastoreError('corrupt', `zstd data are cut off or damaged: ${problem}`, { cause: error });
  }
  if (result.length > maxSize) throw tooLarge(maxSize);
  return result;
}

async function decodeUpTo(bytes: Uint8Array, maxSize: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of decodeZstdInJavaScript(once(bytes))) {
    total += piece.length;
    if (total > maxSize) throw tooLarge(maxSize);
    pieces.push(piece);
  }
  return concatBytes(pieces);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tooLarge(maxSize: number): CastoreError {
  return new CastoreError(
    'limit-exceeded',
    `zstd data expand to more than the ${maxSize} bytes that are allowed`,
  );
}
