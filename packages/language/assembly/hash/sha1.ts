// SHA-1 (FIPS 180-4, sections 4.1.1 and 6.1).
//
// The names of the five working variables rotate, so that a round moves nothing: five rounds are written out for each
// of the four functions. The message schedule of a block stands in static memory.

import { Address } from "../memory/chunks";
import { rotateLeft32, swapBytes32 } from "../numbers/bits";
import {
  BLOCK_STREAM_SIZE, beginStream, chainingValue, padBlocks, readyBlockCount, readyBlocks, takeBlocks,
} from "./block-stream";

/** Bytes of a digest. */
export const SHA1_SIZE: u32 = 20;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const SHA1_STATE_SIZE: u32 = BLOCK_STREAM_SIZE;

const BLOCK_SIZE: u32 = 64;
const SCHEDULE_SIZE: u32 = 320;
/** Bytes of the schedule that twenty rounds take. */
const PHASE_SIZE: u32 = 80;

/** Writes the digest of `length` bytes to `out`. Neither address need be aligned. */
export function sha1(input: Address, length: u32, out: Address): void {
  sha1Begin(ONE_SHOT);
  sha1Update(ONE_SHOT, input, length);
  sha1End(ONE_SHOT, out);
}

export function sha1Begin(state: Address): void {
  beginStream(state);
  memory.copy(chainingValue(state), INITIAL, SHA1_SIZE);
}

export function sha1Update(state: Address, input: Address, length: u32): void {
  while (length > 0) {
    const taken = takeBlocks(state, BLOCK_SIZE, input, length);
    compress(chainingValue(state), readyBlocks(), readyBlockCount());
    input += taken;
    length -= taken;
  }
}

/** Writes the digest to `out`, which need not be aligned. The state is used up. */
export function sha1End(state: Address, out: Address): void {
  const chaining = chainingValue(state);
  padBlocks(state, BLOCK_SIZE, 8, true);
  compress(chaining, readyBlocks(), readyBlockCount());
  let at: u32 = 0;
  while (at < SHA1_SIZE) {
    store<u32>(chaining + at, swapBytes32(load<u32>(chaining + at)));
    at += 4;
  }
  memory.copy(out, chaining, SHA1_SIZE);
}

/** Absorbs `count` 4-aligned blocks. `w` walks over the schedule. */
function compress(chaining: Address, block: Address, count: u32): void {
  let a = load<u32>(chaining, 0);
  let b = load<u32>(chaining, 4);
  let c = load<u32>(chaining, 8);
  let d = load<u32>(chaining, 12);
  let e = load<u32>(chaining, 16);
  while (count > 0) {
    expand(block);
    let w = SCHEDULE;
    while (w < SCHEDULE + PHASE_SIZE) {
      e += rotateLeft32(a, 5) + choose(b, c, d) + load<u32>(w, 0) + 0x5a827999; b = rotateLeft32(b, 30);
      d += rotateLeft32(e, 5) + choose(a, b, c) + load<u32>(w, 4) + 0x5a827999; a = rotateLeft32(a, 30);
      c += rotateLeft32(d, 5) + choose(e, a, b) + load<u32>(w, 8) + 0x5a827999; e = rotateLeft32(e, 30);
      b += rotateLeft32(c, 5) + choose(d, e, a) + load<u32>(w, 12) + 0x5a827999; d = rotateLeft32(d, 30);
      a += rotateLeft32(b, 5) + choose(c, d, e) + load<u32>(w, 16) + 0x5a827999; c = rotateLeft32(c, 30);
      w += 20;
    }
    while (w < SCHEDULE + 2 * PHASE_SIZE) {
      e += rotateLeft32(a, 5) + (b ^ c ^ d) + load<u32>(w, 0) + 0x6ed9eba1; b = rotateLeft32(b, 30);
      d += rotateLeft32(e, 5) + (a ^ b ^ c) + load<u32>(w, 4) + 0x6ed9eba1; a = rotateLeft32(a, 30);
      c += rotateLeft32(d, 5) + (e ^ a ^ b) + load<u32>(w, 8) + 0x6ed9eba1; e = rotateLeft32(e, 30);
      b += rotateLeft32(c, 5) + (d ^ e ^ a) + load<u32>(w, 12) + 0x6ed9eba1; d = rotateLeft32(d, 30);
      a += rotateLeft32(b, 5) + (c ^ d ^ e) + load<u32>(w, 16) + 0x6ed9eba1; c = rotateLeft32(c, 30);
      w += 20;
    }
    while (w < SCHEDULE + 3 * PHASE_SIZE) {
      e += rotateLeft32(a, 5) + majority(b, c, d) + load<u32>(w, 0) + 0x8f1bbcdc; b = rotateLeft32(b, 30);
      d += rotateLeft32(e, 5) + majority(a, b, c) + load<u32>(w, 4) + 0x8f1bbcdc; a = rotateLeft32(a, 30);
      c += rotateLeft32(d, 5) + majority(e, a, b) + load<u32>(w, 8) + 0x8f1bbcdc; e = rotateLeft32(e, 30);
      b += rotateLeft32(c, 5) + majority(d, e, a) + load<u32>(w, 12) + 0x8f1bbcdc; d = rotateLeft32(d, 30);
      a += rotateLeft32(b, 5) + majority(c, d, e) + load<u32>(w, 16) + 0x8f1bbcdc; c = rotateLeft32(c, 30);
      w += 20;
    }
    while (w < SCHEDULE + SCHEDULE_SIZE) {
      e += rotateLeft32(a, 5) + (b ^ c ^ d) + load<u32>(w, 0) + 0xca62c1d6; b = rotateLeft32(b, 30);
      d += rotateLeft32(e, 5) + (a ^ b ^ c) + load<u32>(w, 4) + 0xca62c1d6; a = rotateLeft32(a, 30);
      c += rotateLeft32(d, 5) + (e ^ a ^ b) + load<u32>(w, 8) + 0xca62c1d6; e = rotateLeft32(e, 30);
      b += rotateLeft32(c, 5) + (d ^ e ^ a) + load<u32>(w, 12) + 0xca62c1d6; d = rotateLeft32(d, 30);
      a += rotateLeft32(b, 5) + (c ^ d ^ e) + load<u32>(w, 16) + 0xca62c1d6; c = rotateLeft32(c, 30);
      w += 20;
    }
    store<u32>(chaining, a += load<u32>(chaining, 0), 0);
    store<u32>(chaining, b += load<u32>(chaining, 4), 4);
    store<u32>(chaining, c += load<u32>(chaining, 8), 8);
    store<u32>(chaining, d += load<u32>(chaining, 12), 12);
    store<u32>(chaining, e += load<u32>(chaining, 16), 16);
    block += BLOCK_SIZE;
    count -= 1;
  }
}

/**
 * Makes the message schedule of a block. A word depends on the third before it, so the last three are kept at hand:
 * `x`, `y` and `z` stand 12, 8 and 4 bytes before the next one, which is 64 bytes behind `w`.
 */
function expand(block: Address): void {
  let at: u32 = 0;
  while (at < BLOCK_SIZE) {
    store<u32>(SCHEDULE + at, swapBytes32(load<u32>(block + at)));
    at += 4;
  }
  let w = SCHEDULE;
  let x = load<u32>(w, 52);
  let y = load<u32>(w, 56);
  let z = load<u32>(w, 60);
  while (w < SCHEDULE + SCHEDULE_SIZE - BLOCK_SIZE) {
    const next = rotateLeft32(x ^ load<u32>(w, 32) ^ load<u32>(w, 8) ^ load<u32>(w, 0), 1);
    x = rotateLeft32(y ^ load<u32>(w, 36) ^ load<u32>(w, 12) ^ load<u32>(w, 4), 1);
    y = rotateLeft32(z ^ load<u32>(w, 40) ^ load<u32>(w, 16) ^ load<u32>(w, 8), 1);
    z = rotateLeft32(next ^ load<u32>(w, 44) ^ load<u32>(w, 20) ^ load<u32>(w, 12), 1);
    store<u32>(w, next, 64);
    store<u32>(w, x, 68);
    store<u32>(w, y, 72);
    store<u32>(w, z, 76);
    w += 16;
  }
}

@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

@inline
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}

/** The state of one-shot hashing. */
const ONE_SHOT: Address = memory.data(200, 8);

const SCHEDULE: Address = memory.data(320, 16);

const INITIAL: Address = memory.data<u32>([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
