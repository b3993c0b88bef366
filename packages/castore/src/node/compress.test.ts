// What a stream is after compression is what it was before, also when its source has one buffer for all of its pieces.
import { expect, test } from 'vitest';
import type { CompressionFormat } from '../archive/compression-format.ts';
import { compress } from './compress.ts';
import { decompress } from './decompress.ts';

const pieces = 40;
const pieceSize = 50_000;

/** A piece is spoiled when the next one is asked for, and the last one at the end. */
async function* reusing(): AsyncGenerator<Uint8Array, void, void> {
  const buffer = Buffer.alloc(pieceSize);
  for (let index = 0; index < pieces; index++) {
    buffer.fill(index);
    yield buffer;
    buffer.fill(0xff);
  }
}

test.each<CompressionFormat>([
  'none',
  'zstd',
  'gzip',
  'brotli',
  'xz',
  'lz4',
  'lzip',
  'lzma',
  'compress',
  'lzop',
])('%s', async (format) => {
  let position = 0;
  for await (const piece of decompress(compress(reusing(), format), format, { maxBytes: Infinity })) {
    for (let index = 0; index < piece.length; index += 997) {
      expect(piece[index]).toBe(Math.floor((position + index) / pieceSize));
    }
    position += piece.length;
  }
  expect(position).toBe(pieces * pieceSize);
});
