// MD5 (RFC 1321).
//
// A chain of 64 steps, each of which waits for the one before it: what a step adds besides (the word of the block that
// it takes, its constant) is computed meanwhile and costs nothing, so the four rounds are loops of four steps.

import { Address } from "../memory/chunks";
import { rotateLeft32 } from "../numbers/bits";
import {
  BLOCK_STREAM_SIZE, beginStream, chainingValue, padBlocks, readyBlockCount, readyBlocks, takeBlocks,
} from "./block-stream";

/** Bytes of a digest. */
export const MD5_SIZE: u32 = 16;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const MD5_STATE_SIZE: u32 = BLOCK_STREAM_SIZE;

const BLOCK_SIZE: u32 = 64;

/** Writes the digest of `length` bytes to `out`. Neither address need be aligned. */
export function md5(input: Address, length: u32, out: Address): void {
  md5Begin(ONE_SHOT);
  md5Update(ONE_SHOT, input, length);
  md5End(ONE_SHOT, out);
}

export function md5Begin(state: Address): void {
  beginStream(state);
  memory.copy(chainingValue(state), INITIAL, MD5_SIZE);
}

export function md5Update(state: Address, input: Address, length: u32): void {
  while (length > 0) {
    const taken = takeBlocks(state, BLOCK_SIZE, input, length);
    compress(chainingValue(state), readyBlocks(), readyBlockCount());
    input += taken;
    length -= taken;
  }
}

/** Writes the digest to `out`, which need not be aligned. The state is used up. */
export function md5End(state: Address, out: Address): void {
  padBlocks(state, BLOCK_SIZE, 8, false);
  compress(chainingValue(state), readyBlocks(), readyBlockCount());
  memory.copy(out, chainingValue(state), MD5_SIZE);
}

/** Absorbs `count` 4-aligned blocks. `i` is the number of the step as RFC 1321 counts, less one. */
function compress(chaining: Address, block: Address, count: u32): void {
  let a = load<u32>(chaining, 0);
  let b = load<u32>(chaining, 4);
  let c = load<u32>(chaining, 8);
  let d = load<u32>(chaining, 12);
  while (count > 0) {
    let i: u32 = 0;
    while (i < 16) {
      a = b + rotateLeft32(a + choose(b, c, d) + added(block, i, i), 7);
      d = a + rotateLeft32(d + choose(a, b, c) + added(block, i + 1, i + 1), 12);
      c = d + rotateLeft32(c + choose(d, a, b) + added(block, i + 2, i + 2), 17);
      b = c + rotateLeft32(b + choose(c, d, a) + added(block, i + 3, i + 3), 22);
      i += 4;
    }
    while (i < 32) {
      a = b + rotateLeft32(a + choose(d, b, c) + added(block, 5 * i + 1, i), 5);
      d = a + rotateLeft32(d + choose(c, a, b) + added(block, 5 * i + 6, i + 1), 9);
      c = d + rotateLeft32(c + choose(b, d, a) + added(block, 5 * i + 11, i + 2), 14);
      b = c + rotateLeft32(b + choose(a, c, d) + added(block, 5 * i + 16, i + 3), 20);
      i += 4;
    }
    while (i < 48) {
      a = b + rotateLeft32(a + (b ^ c ^ d) + added(block, 3 * i + 5, i), 4);
      d = a + rotateLeft32(d + (a ^ b ^ c) + added(block, 3 * i + 8, i + 1), 11);
      c = d + rotateLeft32(c + (d ^ a ^ b) + added(block, 3 * i + 11, i + 2), 16);
      b = c + rotateLeft32(b + (c ^ d ^ a) + added(block, 3 * i + 14, i + 3), 23);
      i += 4;
    }
    while (i < 64) {
      a = b + rotateLeft32(a + (c ^ (b | ~d)) + added(block, 7 * i, i), 6);
      d = a + rotateLeft32(d + (b ^ (a | ~c)) + added(block, 7 * i + 7, i + 1), 10);
      c = d + rotateLeft32(c + (a ^ (d | ~b)) + added(block, 7 * i + 14, i + 2), 15);
      b = c + rotateLeft32(b + (d ^ (c | ~a)) + added(block, 7 * i + 21, i + 3), 21);
      i += 4;
    }
    store<u32>(chaining, a += load<u32>(chaining, 0), 0);
    store<u32>(chaining, b += load<u32>(chaining, 4), 4);
    store<u32>(chaining, c += load<u32>(chaining, 8), 8);
    store<u32>(chaining, d += load<u32>(chaining, 12), 12);
    block += BLOCK_SIZE;
    count -= 1;
  }
}

/** What step `i` adds: a word of the block, counted modulo 16, and its constant. */
@inline
function added(block: Address, word: u32, i: u32): u32 {
  return load<u32>(block + ((word & 15) << 2)) + load<u32>(CONSTANTS + (i << 2));
}

@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

/** The state of one-shot hashing. */
const ONE_SHOT: Address = memory.data(200, 8);

const INITIAL: Address = memory.data<u32>([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);

/** The integer parts of 2³² |sin i| for i from 1 to 64. */
const CONSTANTS: Address = memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
]);
