/**
 * A frame of LZ4 whose blocks hold the bytes as they are (`decode-lz4.ts` describes the format): as fast as copying, and as
 * large as the source.
 */
import { XxHash32 } from './xx-hash-32.ts';

const blockSize = 4 << 20;
const rawBlock = 0x8000_0000;
/** Version 1, blocks that stand for themselves and have up to 4 MiB. */
const descriptor = Uint8Array.of(0x60, 0x70);

/** Pieces of the source are given on as they are. */
export async function* storeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const checksum = (new XxHash32().update(descriptor).digest() >>> 8) & 0xff;
  yield Uint8Array.of(0x04, 0x22, 0x4d, 0x18, ...descriptor, checksum);
  for await (const piece of source) {
    for (let start = 0; start < piece.length; start += blockSize) {
      const block = piece.subarray(start, start + blockSize);
      yield numberBytes(rawBlock + block.length);
      yield block;
    }
  }
  yield numberBytes(0);
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
