// SHA-256 (FIPS 180-4, sections 4.1.2 and 6.2).
//
// The names of the eight working variables rotate from round to round, and the message schedule lives in sixteen local
// variables which are renewed every sixteen rounds, so that a round moves nothing: sixteen rounds are written out
// twice, for the block itself and for the schedule made from it.

import { Address } from "../memory/chunks";
import { rotateRight32, swapBytes32 } from "../numbers/bits";
import {
  BLOCK_STREAM_SIZE, beginStream, chainingValue, padBlocks, readyBlockCount, readyBlocks, takeBlocks,
} from "./block-stream";

/** Bytes of a digest. */
export const SHA256_SIZE: u32 = 32;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const SHA256_STATE_SIZE: u32 = BLOCK_STREAM_SIZE;

const BLOCK_SIZE: u32 = 64;

/** Writes the digest of `length` bytes to `out`. Neither address need be aligned. */
export function sha256(input: Address, length: u32, out: Address): void {
  sha256Begin(ONE_SHOT);
  sha256Update(ONE_SHOT, input, length);
  sha256End(ONE_SHOT, out);
}

export function sha256Begin(state: Address): void {
  beginStream(state);
  memory.copy(chainingValue(state), INITIAL, SHA256_SIZE);
}

export function sha256Update(state: Address, input: Address, length: u32): void {
  while (length > 0) {
    const taken = takeBlocks(state, BLOCK_SIZE, input, length);
    compress(chainingValue(state), readyBlocks(), readyBlockCount());
    input += taken;
    length -= taken;
  }
}

/** Writes the digest to `out`, which need not be aligned. The state is used up. */
export function sha256End(state: Address, out: Address): void {
  const chaining = chainingValue(state);
  padBlocks(state, BLOCK_SIZE, 8, true);
  compress(chaining, readyBlocks(), readyBlockCount());
  let at: u32 = 0;
  while (at < SHA256_SIZE) {
    store<u32>(chaining + at, swapBytes32(load<u32>(chaining + at)));
    at += 4;
  }
  memory.copy(out, chaining, SHA256_SIZE);
}

/** Absorbs `count` 4-aligned blocks. `k` walks over the constants, `w0` to `w15` are the schedule. */
function compress(chaining: Address, block: Address, count: u32): void {
  let a = load<u32>(chaining, 0);
  let b = load<u32>(chaining, 4);
  let c = load<u32>(chaining, 8);
  let d = load<u32>(chaining, 12);
  let e = load<u32>(chaining, 16);
  let f = load<u32>(chaining, 20);
  let g = load<u32>(chaining, 24);
  let h = load<u32>(chaining, 28);
  while (count > 0) {
    let k = CONSTANTS;
    let w0 = bigEndian(block, 0);
    h += sum1(e) + choose(e, f, g) + w0 + load<u32>(k, 0); d += h; h += sum0(a) + majority(a, b, c);
    let w1 = bigEndian(block, 4);
    g += sum1(d) + choose(d, e, f) + w1 + load<u32>(k, 4); c += g; g += sum0(h) + majority(h, a, b);
    let w2 = bigEndian(block, 8);
    f += sum1(c) + choose(c, d, e) + w2 + load<u32>(k, 8); b += f; f += sum0(g) + majority(g, h, a);
    let w3 = bigEndian(block, 12);
    e += sum1(b) + choose(b, c, d) + w3 + load<u32>(k, 12); a += e; e += sum0(f) + majority(f, g, h);
    let w4 = bigEndian(block, 16);
    d += sum1(a) + choose(a, b, c) + w4 + load<u32>(k, 16); h += d; d += sum0(e) + majority(e, f, g);
    let w5 = bigEndian(block, 20);
    c += sum1(h) + choose(h, a, b) + w5 + load<u32>(k, 20); g += c; c += sum0(d) + majority(d, e, f);
    let w6 = bigEndian(block, 24);
    b += sum1(g) + choose(g, h, a) + w6 + load<u32>(k, 24); f += b; b += sum0(c) + majority(c, d, e);
    let w7 = bigEndian(block, 28);
    a += sum1(f) + choose(f, g, h) + w7 + load<u32>(k, 28); e += a; a += sum0(b) + majority(b, c, d);
    let w8 = bigEndian(block, 32);
    h += sum1(e) + choose(e, f, g) + w8 + load<u32>(k, 32); d += h; h += sum0(a) + majority(a, b, c);
    let w9 = bigEndian(block, 36);
    g += sum1(d) + choose(d, e, f) + w9 + load<u32>(k, 36); c += g; g += sum0(h) + majority(h, a, b);
    let w10 = bigEndian(block, 40);
    f += sum1(c) + choose(c, d, e) + w10 + load<u32>(k, 40); b += f; f += sum0(g) + majority(g, h, a);
    let w11 = bigEndian(block, 44);
    e += sum1(b) + choose(b, c, d) + w11 + load<u32>(k, 44); a += e; e += sum0(f) + majority(f, g, h);
    let w12 = bigEndian(block, 48);
    d += sum1(a) + choose(a, b, c) + w12 + load<u32>(k, 48); h += d; d += sum0(e) + majority(e, f, g);
    let w13 = bigEndian(block, 52);
    c += sum1(h) + choose(h, a, b) + w13 + load<u32>(k, 52); g += c; c += sum0(d) + majority(d, e, f);
    let w14 = bigEndian(block, 56);
    b += sum1(g) + choose(g, h, a) + w14 + load<u32>(k, 56); f += b; b += sum0(c) + majority(c, d, e);
    let w15 = bigEndian(block, 60);
    a += sum1(f) + choose(f, g, h) + w15 + load<u32>(k, 60); e += a; a += sum0(b) + majority(b, c, d);
    let group: u32 = 3;
    while (group > 0) {
      k += 64;
      w0 += sigma0(w1) + w9 + sigma1(w14);
      h += sum1(e) + choose(e, f, g) + w0 + load<u32>(k, 0); d += h; h += sum0(a) + majority(a, b, c);
      w1 += sigma0(w2) + w10 + sigma1(w15);
      g += sum1(d) + choose(d, e, f) + w1 + load<u32>(k, 4); c += g; g += sum0(h) + majority(h, a, b);
      w2 += sigma0(w3) + w11 + sigma1(w0);
      f += sum1(c) + choose(c, d, e) + w2 + load<u32>(k, 8); b += f; f += sum0(g) + majority(g, h, a);
      w3 += sigma0(w4) + w12 + sigma1(w1);
      e += sum1(b) + choose(b, c, d) + w3 + load<u32>(k, 12); a += e; e += sum0(f) + majority(f, g, h);
      w4 += sigma0(w5) + w13 + sigma1(w2);
      d += sum1(a) + choose(a, b, c) + w4 + load<u32>(k, 16); h += d; d += sum0(e) + majority(e, f, g);
      w5 += sigma0(w6) + w14 + sigma1(w3);
      c += sum1(h) + choose(h, a, b) + w5 + load<u32>(k, 20); g += c; c += sum0(d) + majority(d, e, f);
      w6 += sigma0(w7) + w15 + sigma1(w4);
      b += sum1(g) + choose(g, h, a) + w6 + load<u32>(k, 24); f += b; b += sum0(c) + majority(c, d, e);
      w7 += sigma0(w8) + w0 + sigma1(w5);
      a += sum1(f) + choose(f, g, h) + w7 + load<u32>(k, 28); e += a; a += sum0(b) + majority(b, c, d);
      w8 += sigma0(w9) + w1 + sigma1(w6);
      h += sum1(e) + choose(e, f, g) + w8 + load<u32>(k, 32); d += h; h += sum0(a) + majority(a, b, c);
      w9 += sigma0(w10) + w2 + sigma1(w7);
      g += sum1(d) + choose(d, e, f) + w9 + load<u32>(k, 36); c += g; g += sum0(h) + majority(h, a, b);
      w10 += sigma0(w11) + w3 + sigma1(w8);
      f += sum1(c) + choose(c, d, e) + w10 + load<u32>(k, 40); b += f; f += sum0(g) + majority(g, h, a);
      w11 += sigma0(w12) + w4 + sigma1(w9);
      e += sum1(b) + choose(b, c, d) + w11 + load<u32>(k, 44); a += e; e += sum0(f) + majority(f, g, h);
      w12 += sigma0(w13) + w5 + sigma1(w10);
      d += sum1(a) + choose(a, b, c) + w12 + load<u32>(k, 48); h += d; d += sum0(e) + majority(e, f, g);
      w13 += sigma0(w14) + w6 + sigma1(w11);
      c += sum1(h) + choose(h, a, b) + w13 + load<u32>(k, 52); g += c; c += sum0(d) + majority(d, e, f);
      w14 += sigma0(w15) + w7 + sigma1(w12);
      b += sum1(g) + choose(g, h, a) + w14 + load<u32>(k, 56); f += b; b += sum0(c) + majority(c, d, e);
      w15 += sigma0(w0) + w8 + sigma1(w13);
      a += sum1(f) + choose(f, g, h) + w15 + load<u32>(k, 60); e += a; a += sum0(b) + majority(b, c, d);
      group -= 1;
    }
    store<u32>(chaining, a += load<u32>(chaining, 0), 0);
    store<u32>(chaining, b += load<u32>(chaining, 4), 4);
    store<u32>(chaining, c += load<u32>(chaining, 8), 8);
    store<u32>(chaining, d += load<u32>(chaining, 12), 12);
    store<u32>(chaining, e += load<u32>(chaining, 16), 16);
    store<u32>(chaining, f += load<u32>(chaining, 20), 20);
    store<u32>(chaining, g += load<u32>(chaining, 24), 24);
    store<u32>(chaining, h += load<u32>(chaining, 28), 28);
    block += BLOCK_SIZE;
    count -= 1;
  }
}

@inline
function bigEndian(block: Address, offset: usize): u32 {
  return swapBytes32(load<u32>(block + offset));
}

@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

@inline
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y));
}

@inline
function sum0(x: u32): u32 {
  return rotateRight32(x, 2) ^ rotateRight32(x, 13) ^ rotateRight32(x, 22);
}

@inline
function sum1(x: u32): u32 {
  return rotateRight32(x, 6) ^ rotateRight32(x, 11) ^ rotateRight32(x, 25);
}

@inline
function sigma0(x: u32): u32 {
  return rotateRight32(x, 7) ^ rotateRight32(x, 18) ^ (x >> 3);
}

@inline
function sigma1(x: u32): u32 {
  return rotateRight32(x, 17) ^ rotateRight32(x, 19) ^ (x >> 10);
}

/** The state of one-shot hashing. */
const ONE_SHOT: Address = memory.data(200, 8);

/** The first 32 bits of the fractional parts of the square roots of the first 8 primes. */
const INITIAL: Address = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS: Address = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
