/**
 * Decodes LZMA as xz and lzip have it in files of their own, by liblzma (lzma-native), which must be installed.
 *
 *     .lzma   properties: 1 | size of the dictionary: 4 | size of the content or -1: 8 | data
 *     .lz     "LZIP" | version 1 | size of the dictionary: 1 | data | CRC-32: 4 | size: 8 | size of the member: 8
 *
 * The data is the same: that of lzip gets the head of the other. The format of lzip is described in the manual of lzip. A stream
 * of several members (plzip) is refused, since liblzma does not tell where one ends.
 */
import type { Liblzma } from 'lzma-native';
import { CastoreError } from '../castore-error.ts';
import { liblzmaMemory, sliced } from './decode-xz.ts';
import { throughTransform } from './through-transform.ts';

/** Throws `CastoreError` (`unsupported`), or what liblzma throws. */
export async function* decodeLzma(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const lzma = await loadLiblzma();
  yield* throughTransform(sliced(source), lzma.createStream('aloneDecoder', { memlimit: liblzmaMemory }));
}

const headLength = 6;
const trailerLength = 20;
const plainProperties = 0x5d; // lc = 3, lp = 0, pb = 2

/** Throws also a plain `Error` whose message fits behind "damaged: ". */
export async function* decodeLzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const lzma = await loadLiblzma();
  const member = new LzipMember(source);
  let [size, checksum] = [0, 0];
  for await (const piece of decodeLzma(member)) {
    size += piece.length;
    checksum = lzma.crc32(piece, checksum);
    yield piece;
  }
  const { trailer, length } = member;
  if (trailer.length < trailerLength) throw new Error('it ends in the middle of a member');
  const memberSize = Number(trailer.readBigUInt64LE(12));
  if (memberSize !== length) {
    if (memberSize < length)
      throw new CastoreError('unsupported', 'an lzip stream of several members is not read here');
    throw new Error('a member has another length than it says');
  }
  if (Number(trailer.readBigUInt64LE(4)) !== size)
    throw new Error('the content has another size than it says');
  if (trailer.readUInt32LE(0) !== checksum >>> 0) throw new Error('the checksum of the content is wrong');
}

/** A stream of lzip with the head of a `.lzma` file, and without its trailer, which is there at the end. */
class LzipMember implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  trailer: Buffer = Buffer.alloc(0);
  /** Of everything. */
  length = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    let head: Buffer | undefined = Buffer.alloc(0);
    for await (const chunk of this.#source) {
      this.length += chunk.length;
      let bytes = Buffer.concat([head ?? this.trailer, chunk]);
      if (head !== undefined) {
        head = bytes;
        if (bytes.length < headLength) continue;
        yield lzmaHead(bytes);
        head = undefined;
        bytes = bytes.subarray(headLength);
      }
      const end = Math.max(0, bytes.length - trailerLength);
      this.trailer = bytes.subarray(end);
      if (end > 0) yield bytes.subarray(0, end);
    }
    if (head !== undefined) throw new Error('it ends in the middle of a head');
  }
}

function lzmaHead(head: Buffer): Uint8Array {
  const [version, code = 0] = head.subarray(4);
  const bits = code & 0x1f;
  if (version !== 1 || bits < 12 || bits > 29) throw new Error('it is of an unknown version');
  const lzma = Buffer.alloc(13, 0xff);
  lzma.writeUInt8(plainProperties, 0);
  lzma.writeUInt32LE(2 ** bits - (2 ** bits / 16) * (code >> 5), 1);
  return lzma;
}

async function loadLiblzma(): Promise<Liblzma> {
  try {
    return (await import('lzma-native')).default;
  } catch (cause) {
    throw new CastoreError('unsupported', 'reading lzma and lzip needs the package lzma-native: install it', {
      cause,
    });
  }
}
