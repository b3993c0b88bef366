/**
 * Decodes zstd, any number of frames one after another, as zstd and pzstd write them: with node:zlib where it can
 * (Node 22.15 and later), else with fzstd in JavaScript, block by block. fzstd does not look at the checksum of a
 * frame's contents; damage that leaves the format sound is then found by whoever knows the digest.
 */
import { concatBytes } from '@neve/bytes';
import { ByteSource } from '../archive/byte-source.ts';
import { readZstdPieces } from '../archive/zstd-frames.ts';
import { nativeZstd } from './native-zstd.ts';
import { throughTransform } from './through-transform.ts';

/** Throws errors whose messages fit behind "damaged: ". */
export function decodeZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const native = nativeZstd();
  return native === undefined
    ? decodeZstdInJavaScript(source)
    : throughTransform(source, native.decompressor());
}

export async function* decodeZstdInJavaScript(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const { Decompress } = await import('fzstd');
  const input = new ByteSource(source);
  const output: Uint8Array[] = [];
  let decoder = new Decompress();
  let head: Uint8Array = new Uint8Array(0);
  try {
    for await (const { kind, bytes } of readZstdPieces(input)) {
      if (kind === 'head') {
        decoder = new Decompress((piece) => output.push(piece));
        head = bytes;
        continue;
      }
      decoder.push(head.length > 0 ? concatBytes([head, bytes]) : bytes, kind === 'last');
      head = new Uint8Array(0);
      for (const piece of output) if (piece.length > 0) yield piece;
      output.length = 0;
    }
  } finally {
    await input.close();
  }
}
