/** lzip out of what liblzma writes as `.lzma`: the same data between another head and a trailer (`decode-lzma.ts`). */
import type { Duplex } from 'node:stream';
import { ByteSource } from '../archive/byte-source.ts';
import { throughTransform } from './through-transform.ts';

const lzmaHeadLength = 13;
const lzipHeadLength = 6;
const trailerLength = 20;

/** `encoder` is one for `.lzma`, with a dictionary whose size is a power of two. */
export async function* encodeLzip(
  source: AsyncIterable<Uint8Array>,
  encoder: Duplex,
): AsyncGenerator<Uint8Array, void, void> {
  const { default: lzma } = await import('lzma-native');
  let [size, checksum] = [0, 0];
  const watched = (async function* () {
    for await (const piece of source) {
      size += piece.length;
      checksum = lzma.crc32(piece, checksum);
      yield piece;
    }
  })();
  const encoded = new ByteSource(throughTransform(watched, encoder));
  try {
    const head = await encoded.read(lzmaHeadLength);
    const dictionary = new DataView(head.buffer, head.byteOffset).getUint32(1, true);
    yield Buffer.from([...Buffer.from('LZIP'), 1, Math.log2(dictionary)]);
    let length = lzipHeadLength + trailerLength;
    for await (const piece of encoded.rest()) {
      length += piece.length;
      yield piece;
    }
    const trailer = Buffer.alloc(trailerLength);
    trailer.writeUInt32LE(checksum >>> 0, 0);
    trailer.writeBigUInt64LE(BigInt(size), 4);
    trailer.writeBigUInt64LE(BigInt(length), 12);
    yield trailer;
  } finally {
    await encoded.close();
  }
}
