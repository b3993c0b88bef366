// BLAKE3's compression function, and what it makes of a chunk ("BLAKE3: one function, fast everywhere", sections 2.1 to
// 2.4). Two modules are compiled with it: the language core hashes strings with nothing else, and castore hashes what its
// four lanes leave over. So it imports nothing that has memory of its own, and needs no SIMD.

import { rotateRight32 } from "../numbers/bits";

export const CHUNK_SIZE: u32 = 1024;
export const BLOCK_SIZE: u32 = 64;
export const CHAINING_SIZE: u32 = 32;

export const CHUNK_START: u32 = 1;
export const CHUNK_END: u32 = 2;
export const PARENT: u32 = 4;
export const ROOT: u32 = 8;

/**
 * Writes the chaining value of a 4-aligned chunk, or the digest if `root` is `ROOT`. A last block that is not whole is
 * filled with zeros, behind the chunk.
 */
export function hashChunk(chunk: usize, length: u32, index: u64, root: u32, out: usize): void {
  let start = CHUNK_START;
  let chaining = INITIAL;
  while (length > BLOCK_SIZE) {
    compress(chaining, chunk, BLOCK_SIZE, index, start, out);
    start = 0;
    chaining = out;
    chunk += BLOCK_SIZE;
    length -= BLOCK_SIZE;
  }
  clear(chunk + length, chunk + BLOCK_SIZE);
  compress(chaining, chunk, length, index, start | CHUNK_END | root, out);
}

/** Zeros up to `end`, which is 4-aligned. (`memory.fill` takes a microsecond: V8 leaves WebAssembly for it.) */
function clear(at: usize, end: usize): void {
  while (at & 3) {
    store<u8>(at, 0);
    at += 1;
  }
  while (at < end) {
    store<u32>(at, 0);
    at += 4;
  }
}

/** The compression function, seven rounds; `s` walks over the order in which they take the words of the block. */
export function compress(chaining: usize, block: usize, length: u32, index: u64, flags: u32, out: usize): void {
  let v0 = load<u32>(chaining, 0);
  let v1 = load<u32>(chaining, 4);
  let v2 = load<u32>(chaining, 8);
  let v3 = load<u32>(chaining, 12);
  let v4 = load<u32>(chaining, 16);
  let v5 = load<u32>(chaining, 20);
  let v6 = load<u32>(chaining, 24);
  let v7 = load<u32>(chaining, 28);
  let v8 = load<u32>(INITIAL, 0);
  let v9 = load<u32>(INITIAL, 4);
  let v10 = load<u32>(INITIAL, 8);
  let v11 = load<u32>(INITIAL, 12);
  let v12 = <u32>index;
  let v13 = <u32>(index >> 32);
  let v14 = length;
  let v15 = flags;
  let s = ORDER;
  while (s < ORDER + 112) {
    v0 += v4 + word(block, s, 0); v12 = rotateRight32(v12 ^ v0, 16); v8 += v12; v4 = rotateRight32(v4 ^ v8, 12);
    v0 += v4 + word(block, s, 1); v12 = rotateRight32(v12 ^ v0, 8); v8 += v12; v4 = rotateRight32(v4 ^ v8, 7);
    v1 += v5 + word(block, s, 2); v13 = rotateRight32(v13 ^ v1, 16); v9 += v13; v5 = rotateRight32(v5 ^ v9, 12);
    v1 += v5 + word(block, s, 3); v13 = rotateRight32(v13 ^ v1, 8); v9 += v13; v5 = rotateRight32(v5 ^ v9, 7);
    v2 += v6 + word(block, s, 4); v14 = rotateRight32(v14 ^ v2, 16); v10 += v14; v6 = rotateRight32(v6 ^ v10, 12);
    v2 += v6 + word(block, s, 5); v14 = rotateRight32(v14 ^ v2, 8); v10 += v14; v6 = rotateRight32(v6 ^ v10, 7);
    v3 += v7 + word(block, s, 6); v15 = rotateRight32(v15 ^ v3, 16); v11 += v15; v7 = rotateRight32(v7 ^ v11, 12);
    v3 += v7 + word(block, s, 7); v15 = rotateRight32(v15 ^ v3, 8); v11 += v15; v7 = rotateRight32(v7 ^ v11, 7);
    v0 += v5 + word(block, s, 8); v15 = rotateRight32(v15 ^ v0, 16); v10 += v15; v5 = rotateRight32(v5 ^ v10, 12);
    v0 += v5 + word(block, s, 9); v15 = rotateRight32(v15 ^ v0, 8); v10 += v15; v5 = rotateRight32(v5 ^ v10, 7);
    v1 += v6 + word(block, s, 10); v12 = rotateRight32(v12 ^ v1, 16); v11 += v12; v6 = rotateRight32(v6 ^ v11, 12);
    v1 += v6 + word(block, s, 11); v12 = rotateRight32(v12 ^ v1, 8); v11 += v12; v6 = rotateRight32(v6 ^ v11, 7);
    v2 += v7 + word(block, s, 12); v13 = rotateRight32(v13 ^ v2, 16); v8 += v13; v7 = rotateRight32(v7 ^ v8, 12);
    v2 += v7 + word(block, s, 13); v13 = rotateRight32(v13 ^ v2, 8); v8 += v13; v7 = rotateRight32(v7 ^ v8, 7);
    v3 += v4 + word(block, s, 14); v14 = rotateRight32(v14 ^ v3, 16); v9 += v14; v4 = rotateRight32(v4 ^ v9, 12);
    v3 += v4 + word(block, s, 15); v14 = rotateRight32(v14 ^ v3, 8); v9 += v14; v4 = rotateRight32(v4 ^ v9, 7);
    s += 16;
  }
  store<u32>(out, v0 ^ v8, 0);
  store<u32>(out, v1 ^ v9, 4);
  store<u32>(out, v2 ^ v10, 8);
  store<u32>(out, v3 ^ v11, 12);
  store<u32>(out, v4 ^ v12, 16);
  store<u32>(out, v5 ^ v13, 20);
  store<u32>(out, v6 ^ v14, 24);
  store<u32>(out, v7 ^ v15, 28);
}

/** The word of the block that stands at place `i` in this round's order. */
@inline
function word(block: usize, order: usize, i: usize): u32 {
  return load<u32>(block + load<u8>(order + i));
}

export const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Offsets into the block, sixteen a round: each round permutes the order of the one before it (table 2). */
export const ORDER: usize = memory.data<u8>([
  0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60,
  8, 24, 12, 40, 28, 0, 16, 52, 4, 44, 48, 20, 36, 56, 60, 32,
  12, 16, 40, 48, 52, 8, 28, 56, 24, 20, 36, 0, 44, 60, 32, 4,
  40, 28, 48, 36, 56, 12, 52, 60, 16, 0, 44, 8, 20, 32, 4, 24,
  48, 52, 36, 44, 60, 40, 56, 32, 28, 8, 20, 12, 0, 4, 24, 16,
  36, 56, 44, 20, 32, 48, 60, 4, 52, 12, 0, 40, 8, 24, 16, 28,
  44, 60, 20, 0, 4, 36, 32, 24, 56, 40, 8, 48, 12, 16, 28, 52,
]);
