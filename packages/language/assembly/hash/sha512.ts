// SHA-512 (FIPS 180-4, sections 4.1.3 and 6.4).
//
// The names of the eight working variables rotate from round to round, and the message schedule lives in sixteen local
// variables which are renewed every sixteen rounds, so that a round moves nothing: sixteen rounds are written out
// twice, for the block itself and for the schedule made from it.

import { Address } from "../memory/chunks";
import { rotateRight64, swapBytes32, swapBytes64 } from "../numbers/bits";
import {
  BLOCK_STREAM_SIZE, beginStream, chainingValue, padBlocks, readyBlockCount, readyBlocks, takeBlocks,
} from "./block-stream";

/** Bytes of a digest. */
export const SHA512_SIZE: u32 = 64;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const SHA512_STATE_SIZE: u32 = BLOCK_STREAM_SIZE;

const BLOCK_SIZE: u32 = 128;

/** Writes the digest of `length` bytes to `out`. Neither address need be aligned. */
export function sha512(input: Address, length: u32, out: Address): void {
  sha512Begin(ONE_SHOT);
  sha512Update(ONE_SHOT, input, length);
  sha512End(ONE_SHOT, out);
}

export function sha512Begin(state: Address): void {
  beginStream(state);
  memory.copy(chainingValue(state), INITIAL, SHA512_SIZE);
}

export function sha512Update(state: Address, input: Address, length: u32): void {
  while (length > 0) {
    const taken = takeBlocks(state, BLOCK_SIZE, input, length);
    compress(chainingValue(state), readyBlocks(), readyBlockCount());
    input += taken;
    length -= taken;
  }
}

/** Writes the digest to `out`, which need not be aligned. The state is used up. */
export function sha512End(state: Address, out: Address): void {
  const chaining = chainingValue(state);
  padBlocks(state, BLOCK_SIZE, 16, true);
  compress(chaining, readyBlocks(), readyBlockCount());
  let at: u32 = 0;
  while (at < SHA512_SIZE) {
    store<u64>(chaining + at, swapBytes64(load<u64>(chaining + at)));
    at += 8;
  }
  memory.copy(out, chaining, SHA512_SIZE);
}

/** Absorbs `count` 4-aligned blocks. `k` walks over the constants, `w0` to `w15` are the schedule. */
function compress(chaining: Address, block: Address, count: u32): void {
  let a = load<u64>(chaining, 0);
  let b = load<u64>(chaining, 8);
  let c = load<u64>(chaining, 16);
  let d = load<u64>(chaining, 24);
  let e = load<u64>(chaining, 32);
  let f = load<u64>(chaining, 40);
  let g = load<u64>(chaining, 48);
  let h = load<u64>(chaining, 56);
  while (count > 0) {
    let k = CONSTANTS;
    let w0 = bigEndian(block, 0);
    h += sum1(e) + choose(e, f, g) + w0 + load<u64>(k, 0); d += h; h += sum0(a) + majority(a, b, c);
    let w1 = bigEndian(block, 8);
    g += sum1(d) + choose(d, e, f) + w1 + load<u64>(k, 8); c += g; g += sum0(h) + majority(h, a, b);
    let w2 = bigEndian(block, 16);
    f += sum1(c) + choose(c, d, e) + w2 + load<u64>(k, 16); b += f; f += sum0(g) + majority(g, h, a);
    let w3 = bigEndian(block, 24);
    e += sum1(b) + choose(b, c, d) + w3 + load<u64>(k, 24); a += e; e += sum0(f) + majority(f, g, h);
    let w4 = bigEndian(block, 32);
    d += sum1(a) + choose(a, b, c) + w4 + load<u64>(k, 32); h += d; d += sum0(e) + majority(e, f, g);
    let w5 = bigEndian(block, 40);
    c += sum1(h) + choose(h, a, b) + w5 + load<u64>(k, 40); g += c; c += sum0(d) + majority(d, e, f);
    let w6 = bigEndian(block, 48);
    b += sum1(g) + choose(g, h, a) + w6 + load<u64>(k, 48); f += b; b += sum0(c) + majority(c, d, e);
    let w7 = bigEndian(block, 56);
    a += sum1(f) + choose(f, g, h) + w7 + load<u64>(k, 56); e += a; a += sum0(b) + majority(b, c, d);
    let w8 = bigEndian(block, 64);
    h += sum1(e) + choose(e, f, g) + w8 + load<u64>(k, 64); d += h; h += sum0(a) + majority(a, b, c);
    let w9 = bigEndian(block, 72);
    g += sum1(d) + choose(d, e, f) + w9 + load<u64>(k, 72); c += g; g += sum0(h) + majority(h, a, b);
    let w10 = bigEndian(block, 80);
    f += sum1(c) + choose(c, d, e) + w10 + load<u64>(k, 80); b += f; f += sum0(g) + majority(g, h, a);
    let w11 = bigEndian(block, 88);
    e += sum1(b) + choose(b, c, d) + w11 + load<u64>(k, 88); a += e; e += sum0(f) + majority(f, g, h);
    let w12 = bigEndian(block, 96);
    d += sum1(a) + choose(a, b, c) + w12 + load<u64>(k, 96); h += d; d += sum0(e) + majority(e, f, g);
    let w13 = bigEndian(block, 104);
    c += sum1(h) + choose(h, a, b) + w13 + load<u64>(k, 104); g += c; c += sum0(d) + majority(d, e, f);
    let w14 = bigEndian(block, 112);
    b += sum1(g) + choose(g, h, a) + w14 + load<u64>(k, 112); f += b; b += sum0(c) + majority(c, d, e);
    let w15 = bigEndian(block, 120);
    a += sum1(f) + choose(f, g, h) + w15 + load<u64>(k, 120); e += a; a += sum0(b) + majority(b, c, d);
    let group: u32 = 4;
    while (group > 0) {
      k += 128;
      w0 += sigma0(w1) + w9 + sigma1(w14);
      h += sum1(e) + choose(e, f, g) + w0 + load<u64>(k, 0); d += h; h += sum0(a) + majority(a, b, c);
      w1 += sigma0(w2) + w10 + sigma1(w15);
      g += sum1(d) + choose(d, e, f) + w1 + load<u64>(k, 8); c += g; g += sum0(h) + majority(h, a, b);
      w2 += sigma0(w3) + w11 + sigma1(w0);
      f += sum1(c) + choose(c, d, e) + w2 + load<u64>(k, 16); b += f; f += sum0(g) + majority(g, h, a);
      w3 += sigma0(w4) + w12 + sigma1(w1);
      e += sum1(b) + choose(b, c, d) + w3 + load<u64>(k, 24); a += e; e += sum0(f) + majority(f, g, h);
      w4 += sigma0(w5) + w13 + sigma1(w2);
      d += sum1(a) + choose(a, b, c) + w4 + load<u64>(k, 32); h += d; d += sum0(e) + majority(e, f, g);
      w5 += sigma0(w6) + w14 + sigma1(w3);
      c += sum1(h) + choose(h, a, b) + w5 + load<u64>(k, 40); g += c; c += sum0(d) + majority(d, e, f);
      w6 += sigma0(w7) + w15 + sigma1(w4);
      b += sum1(g) + choose(g, h, a) + w6 + load<u64>(k, 48); f += b; b += sum0(c) + majority(c, d, e);
      w7 += sigma0(w8) + w0 + sigma1(w5);
      a += sum1(f) + choose(f, g, h) + w7 + load<u64>(k, 56); e += a; a += sum0(b) + majority(b, c, d);
      w8 += sigma0(w9) + w1 + sigma1(w6);
      h += sum1(e) + choose(e, f, g) + w8 + load<u64>(k, 64); d += h; h += sum0(a) + majority(a, b, c);
      w9 += sigma0(w10) + w2 + sigma1(w7);
      g += sum1(d) + choose(d, e, f) + w9 + load<u64>(k, 72); c += g; g += sum0(h) + majority(h, a, b);
      w10 += sigma0(w11) + w3 + sigma1(w8);
      f += sum1(c) + choose(c, d, e) + w10 + load<u64>(k, 80); b += f; f += sum0(g) + majority(g, h, a);
      w11 += sigma0(w12) + w4 + sigma1(w9);
      e += sum1(b) + choose(b, c, d) + w11 + load<u64>(k, 88); a += e; e += sum0(f) + majority(f, g, h);
      w12 += sigma0(w13) + w5 + sigma1(w10);
      d += sum1(a) + choose(a, b, c) + w12 + load<u64>(k, 96); h += d; d += sum0(e) + majority(e, f, g);
      w13 += sigma0(w14) + w6 + sigma1(w11);
      c += sum1(h) + choose(h, a, b) + w13 + load<u64>(k, 104); g += c; c += sum0(d) + majority(d, e, f);
      w14 += sigma0(w15) + w7 + sigma1(w12);
      b += sum1(g) + choose(g, h, a) + w14 + load<u64>(k, 112); f += b; b += sum0(c) + majority(c, d, e);
      w15 += sigma0(w0) + w8 + sigma1(w13);
      a += sum1(f) + choose(f, g, h) + w15 + load<u64>(k, 120); e += a; a += sum0(b) + majority(b, c, d);
      group -= 1;
    }
    store<u64>(chaining, a += load<u64>(chaining, 0), 0);
    store<u64>(chaining, b += load<u64>(chaining, 8), 8);
    store<u64>(chaining, c += load<u64>(chaining, 16), 16);
    store<u64>(chaining, d += load<u64>(chaining, 24), 24);
    store<u64>(chaining, e += load<u64>(chaining, 32), 32);
    store<u64>(chaining, f += load<u64>(chaining, 40), 40);
    store<u64>(chaining, g += load<u64>(chaining, 48), 48);
    store<u64>(chaining, h += load<u64>(chaining, 56), 56);
    block += BLOCK_SIZE;
    count -= 1;
  }
}

/** A word of the block, read as halves since the block is only 4-aligned. */
@inline
function bigEndian(block: Address, offset: usize): u64 {
  const high = swapBytes32(load<u32>(block + offset));
  const low = swapBytes32(load<u32>(block + offset + 4));
  return ((<u64>high) << 32) | <u64>low;
}

@inline
function choose(x: u64, y: u64, z: u64): u64 {
  return z ^ (x & (y ^ z));
}

@inline
function majority(x: u64, y: u64, z: u64): u64 {
  return (x & y) | (z & (x | y));
}

@inline
function sum0(x: u64): u64 {
  return rotateRight64(x, 28) ^ rotateRight64(x, 34) ^ rotateRight64(x, 39);
}

@inline
function sum1(x: u64): u64 {
  return rotateRight64(x, 14) ^ rotateRight64(x, 18) ^ rotateRight64(x, 41);
}

@inline
function sigma0(x: u64): u64 {
  return rotateRight64(x, 1) ^ rotateRight64(x, 8) ^ (x >> 7);
}

@inline
function sigma1(x: u64): u64 {
  return rotateRight64(x, 19) ^ rotateRight64(x, 61) ^ (x >> 6);
}

/** The state of one-shot hashing. */
const ONE_SHOT: Address = memory.data(200, 8);

/** The first 64 bits of the fractional parts of the square roots of the first 8 primes. */
const INITIAL: Address = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

/** The first 64 bits of the fractional parts of the cube roots of the first 80 primes. */
const CONSTANTS: Address = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
]);
