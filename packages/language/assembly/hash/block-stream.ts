// A stream of bytes cut into the blocks of a Merkle–Damgård hash (md5, sha1, sha256, sha512).
//
// It knows nothing of compression: `takeBlocks` absorbs some input and says where whole blocks stand ready, 4-aligned,
// to be compressed; `padBlocks` makes the last ones. A block size is a power of two.
//
//   STREAM  [bytes absorbed: u64][chaining value: 64 bytes][tail: 128 bytes]        8-aligned
//
// The chaining value is words of the algorithm in native byte order. The tail is what was absorbed after the last whole
// block. Staging is shared by all streams: blocks must be compressed before the next call of either function.

import { Address } from "../memory/chunks";
import { swapBytes64 } from "../numbers/bits";

/** Bytes of a stream of any of the four algorithms. */
export const BLOCK_STREAM_SIZE: u32 = 200;

const CHAINING_OFFSET: u32 = 8;
const TAIL_OFFSET: u32 = 72;

const STAGING_SIZE: u32 = 4096;
const STAGING: Address = memory.data(4096, 16);

/** Address and number of the blocks to compress, as left by `takeBlocks` and `padBlocks`. */
let blocks: Address = 0;
let blockCount: u32 = 0;

@inline
export function readyBlocks(): Address {
  return blocks;
}

@inline
export function readyBlockCount(): u32 {
  return blockCount;
}

/** Address of the chaining value. */
@inline
export function chainingValue(stream: Address): Address {
  return stream + CHAINING_OFFSET;
}

/** Starts a stream; the caller then writes the chaining value. */
export function beginStream(stream: Address): void {
  assert((stream & 7) == 0, "a hash state is 8-aligned");
  setByteCount(stream, 0);
}

/**
 * Absorbs up to `length` bytes and returns how many; they are not zero unless `length` is.
 * `readyBlocks()` then names the blocks to compress (possibly none) before the next call.
 */
export function takeBlocks(stream: Address, blockSize: u32, input: Address, length: u32): u32 {
  const tailLength = tailLengthOf(stream, blockSize);
  let taken: u32;
  if (tailLength != 0 || length < blockSize) {
    taken = min<u32>(length, blockSize - tailLength);
    memory.copy(tailOf(stream) + tailLength, input, taken);
    ready(tailOf(stream), tailLength + taken == blockSize ? 1 : 0);
  } else if ((input & 3) == 0) {
    taken = length & ~(blockSize - 1);
    ready(input, taken / blockSize);
  } else {
    taken = min<u32>(length, STAGING_SIZE) & ~(blockSize - 1);
    memory.copy(STAGING, input, taken);
    ready(STAGING, taken / blockSize);
  }
  setByteCount(stream, byteCount(stream) + <u64>taken);
  return taken;
}

/**
 * Makes the last one or two blocks: the tail, a bit of one, zeros, and the number of bits absorbed in
 * the last `countSize` bytes (8 or 16, the upper half of 16 being zero), in the byte order asked for.
 */
export function padBlocks(stream: Address, blockSize: u32, countSize: u32, bigEndian: bool): void {
  const tailLength = tailLengthOf(stream, blockSize);
  const count: u32 = tailLength + 1 + countSize > blockSize ? 2 : 1;
  const size = count * blockSize;
  const bits = byteCount(stream) << 3;
  memory.copy(STAGING, tailOf(stream), tailLength);
  store<u8>(STAGING + tailLength, 0x80);
  memory.fill(STAGING + (tailLength + 1), 0, (size - tailLength - 1));
  store<u64>(STAGING + (size - 8), bigEndian ? swapBytes64(bits) : bits);
  ready(STAGING, count);
}

@inline
function ready(address: Address, count: u32): void {
  blocks = address;
  blockCount = count;
}

@inline
function byteCount(stream: Address): u64 {
  return load<u64>(stream);
}

@inline
function setByteCount(stream: Address, count: u64): void {
  store<u64>(stream, count);
}

@inline
function tailOf(stream: Address): Address {
  return stream + TAIL_OFFSET;
}

@inline
function tailLengthOf(stream: Address, blockSize: u32): u32 {
  return <u32>byteCount(stream) & (blockSize - 1);
}
