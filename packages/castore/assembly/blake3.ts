// BLAKE3 with four lanes ("BLAKE3: one function, fast everywhere", sections 2.1 to 2.5 and 5.3).
//
// The unit of the host is the chunk group: 16 chunks of 1 KiB, a subtree of four levels, of which only the root's
// chaining value leaves this module. Four chunks, or four parents, are hashed at once: every vector holds one word of
// the state of each. What is left over (a last chunk, a lonely parent) takes the plain way, one word at a time.
//
// A level of a tree is a row of chaining values. Neighbours are merged in place and an odd last one moves up as it is,
// which gives BLAKE3's tree, where left subtrees are the largest powers of two.

import {
  BLOCK_SIZE, CHAINING_SIZE, CHUNK_END, CHUNK_SIZE, CHUNK_START, INITIAL, ORDER, PARENT, ROOT, compress, hashChunk,
} from "../../language/assembly/hash/blake3-compression";
import { Address, INPUT, OUTPUT } from "./buffers";

const BLOCKS_PER_CHUNK: u32 = 16;
const CHUNKS_PER_GROUP: u32 = 16;

/** Writes the chaining values of up to four whole groups, which are not the only ones of their blob. */
export function hashGroups(groups: u32, firstGroup: f64): void {
  let nodes = groups * CHUNKS_PER_GROUP;
  hashWholeChunks(INPUT, nodes, <u64>firstGroup * CHUNKS_PER_GROUP, OUTPUT);
  while (nodes > groups) {
    nodes >>>= 1;
    hashPairs(OUTPUT, nodes, 0, OUTPUT);
  }
}

/** Writes the chaining value of a group of 0 to 16384 bytes, or the digest if it is the whole blob. */
export function hashLastGroup(length: u32, group: f64, isRoot: bool): void {
  const firstChunk = <u64>group * CHUNKS_PER_GROUP;
  const root = isRoot ? ROOT : 0;
  const before = length == 0 ? 0 : (length - 1) / CHUNK_SIZE;
  hashWholeChunks(INPUT, before, firstChunk, OUTPUT);
  const last = INPUT + before * CHUNK_SIZE;
  const chunkIsRoot = before == 0 ? root : 0;
  hashChunk(last, length - before * CHUNK_SIZE, firstChunk + before, chunkIsRoot, OUTPUT + before * CHAINING_SIZE);
  let nodes = before + 1;
  while (nodes > 1) {
    const pairs = nodes >>> 1;
    hashPairs(OUTPUT, pairs, nodes == 2 ? root : 0, OUTPUT);
    if (nodes & 1) memory.copy(OUTPUT + pairs * CHAINING_SIZE, OUTPUT + 2 * pairs * CHAINING_SIZE, CHAINING_SIZE);
    nodes -= pairs;
  }
}

/** Writes the chaining values of parents whose pairs of children are at INPUT, or the digest if it is the root. */
export function hashParents(pairs: u32, isRoot: bool): void {
  hashPairs(INPUT, pairs, isRoot ? ROOT : 0, OUTPUT);
}

/** Merges neighbours. `out` may be `children`: no pair is overwritten before it is read, nor an odd child behind them. */
function hashPairs(children: Address, pairs: u32, root: u32, out: Address): void {
  while (pairs >= 2) {
    const merged = min<u32>(pairs, 4);
    hash4(children, BLOCK_SIZE, 1, i32x4.splat(0), i32x4.splat(0), PARENT, 0, 0, out);
    children += 4 * BLOCK_SIZE;
    out += 4 * CHAINING_SIZE;
    pairs -= merged;
  }
  if (pairs == 1) compress(INITIAL, children, BLOCK_SIZE, 0, PARENT | root, out);
}

/** The chaining values of whole chunks, none of which is a root. May write up to three more, of what is behind them. */
function hashWholeChunks(input: Address, chunks: u32, index: u64, out: Address): void {
  while (chunks >= 2) {
    const low = i64x2.add(i64x2.splat(index), i64x2(0, 1));
    const high = i64x2.add(i64x2.splat(index), i64x2(2, 3));
    const indexLow = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    const indexHigh = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
    hash4(input, CHUNK_SIZE, BLOCKS_PER_CHUNK, indexLow, indexHigh, 0, CHUNK_START, CHUNK_END, out);
    const hashed = min<u32>(chunks, 4);
    input += 4 * CHUNK_SIZE;
    out += 4 * CHAINING_SIZE;
    index += 4;
    chunks -= hashed;
  }
  if (chunks == 1) hashChunk(input, CHUNK_SIZE, index, 0, out);
}

/**
 * Hashes four runs of blocks, which begin `stride` bytes after each other. `flags` are those of all blocks, `first` and
 * `last` are added for these. All is read before anything is written.
 */
function hash4(
  input: Address, stride: u32, blocks: u32, indexLow: v128, indexHigh: v128,
  flags: u32, first: u32, last: u32, out: Address,
): void {
  let c0 = v128.load32_splat(INITIAL, 0);
  let c1 = v128.load32_splat(INITIAL, 4);
  let c2 = v128.load32_splat(INITIAL, 8);
  let c3 = v128.load32_splat(INITIAL, 12);
  let c4 = v128.load32_splat(INITIAL, 16);
  let c5 = v128.load32_splat(INITIAL, 20);
  let c6 = v128.load32_splat(INITIAL, 24);
  let c7 = v128.load32_splat(INITIAL, 28);
  let blockFlags = flags | first;
  while (blocks > 0) {
    if (blocks == 1) blockFlags |= last;
    transposeBlock(input, stride, 0);
    transposeBlock(input, stride, 16);
    transposeBlock(input, stride, 32);
    transposeBlock(input, stride, 48);
    let v0 = c0;
    let v1 = c1;
    let v2 = c2;
    let v3 = c3;
    let v4 = c4;
    let v5 = c5;
    let v6 = c6;
    let v7 = c7;
    let v8 = v128.load32_splat(INITIAL, 0);
    let v9 = v128.load32_splat(INITIAL, 4);
    let v10 = v128.load32_splat(INITIAL, 8);
    let v11 = v128.load32_splat(INITIAL, 12);
    let v12 = indexLow;
    let v13 = indexHigh;
    let v14 = i32x4.splat(BLOCK_SIZE);
    let v15 = i32x4.splat(blockFlags);
    let s = ORDER;
    while (s < ORDER + 112) {
      v0 = add3(v0, v4, words(s, 0)); v12 = xorRotate16(v12, v0); v8 = i32x4.add(v8, v12); v4 = xorRotate12(v4, v8);
      v0 = add3(v0, v4, words(s, 1)); v12 = xorRotate8(v12, v0); v8 = i32x4.add(v8, v12); v4 = xorRotate7(v4, v8);
      v1 = add3(v1, v5, words(s, 2)); v13 = xorRotate16(v13, v1); v9 = i32x4.add(v9, v13); v5 = xorRotate12(v5, v9);
      v1 = add3(v1, v5, words(s, 3)); v13 = xorRotate8(v13, v1); v9 = i32x4.add(v9, v13); v5 = xorRotate7(v5, v9);
      v2 = add3(v2, v6, words(s, 4)); v14 = xorRotate16(v14, v2); v10 = i32x4.add(v10, v14); v6 = xorRotate12(v6, v10);
      v2 = add3(v2, v6, words(s, 5)); v14 = xorRotate8(v14, v2); v10 = i32x4.add(v10, v14); v6 = xorRotate7(v6, v10);
      v3 = add3(v3, v7, words(s, 6)); v15 = xorRotate16(v15, v3); v11 = i32x4.add(v11, v15); v7 = xorRotate12(v7, v11);
      v3 = add3(v3, v7, words(s, 7)); v15 = xorRotate8(v15, v3); v11 = i32x4.add(v11, v15); v7 = xorRotate7(v7, v11);
      v0 = add3(v0, v5, words(s, 8)); v15 = xorRotate16(v15, v0); v10 = i32x4.add(v10, v15); v5 = xorRotate12(v5, v10);
      v0 = add3(v0, v5, words(s, 9)); v15 = xorRotate8(v15, v0); v10 = i32x4.add(v10, v15); v5 = xorRotate7(v5, v10);
      v1 = add3(v1, v6, words(s, 10)); v12 = xorRotate16(v12, v1); v11 = i32x4.add(v11, v12); v6 = xorRotate12(v6, v11);
      v1 = add3(v1, v6, words(s, 11)); v12 = xorRotate8(v12, v1); v11 = i32x4.add(v11, v12); v6 = xorRotate7(v6, v11);
      v2 = add3(v2, v7, words(s, 12)); v13 = xorRotate16(v13, v2); v8 = i32x4.add(v8, v13); v7 = xorRotate12(v7, v8);
      v2 = add3(v2, v7, words(s, 13)); v13 = xorRotate8(v13, v2); v8 = i32x4.add(v8, v13); v7 = xorRotate7(v7, v8);
      v3 = add3(v3, v4, words(s, 14)); v14 = xorRotate16(v14, v3); v9 = i32x4.add(v9, v14); v4 = xorRotate12(v4, v9);
      v3 = add3(v3, v4, words(s, 15)); v14 = xorRotate8(v14, v3); v9 = i32x4.add(v9, v14); v4 = xorRotate7(v4, v9);
      s += 16;
    }
    c0 = v128.xor(v0, v8);
    c1 = v128.xor(v1, v9);
    c2 = v128.xor(v2, v10);
    c3 = v128.xor(v3, v11);
    c4 = v128.xor(v4, v12);
    c5 = v128.xor(v5, v13);
    c6 = v128.xor(v6, v14);
    c7 = v128.xor(v7, v15);
    blockFlags = flags;
    input += BLOCK_SIZE;
    blocks -= 1;
  }
  storeTransposed(c0, c1, c2, c3, out);
  storeTransposed(c4, c5, c6, c7, out + 16);
}

/** Loads four words of each lane, from `offset` on, and puts them down at WORDS, one vector a word. */
@inline
function transposeBlock(input: Address, stride: u32, offset: u32): void {
  const a = v128.load(input + offset);
  const b = v128.load(input + stride + offset);
  const c = v128.load(input + 2 * stride + offset);
  const d = v128.load(input + 3 * stride + offset);
  const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  const words = WORDS + 4 * offset;
  v128.store(words, v128.shuffle<i64>(abLow, cdLow, 0, 2), 0);
  v128.store(words, v128.shuffle<i64>(abLow, cdLow, 1, 3), 16);
  v128.store(words, v128.shuffle<i64>(abHigh, cdHigh, 0, 2), 32);
  v128.store(words, v128.shuffle<i64>(abHigh, cdHigh, 1, 3), 48);
}

/** Writes four words of each lane, 32 bytes apart. */
@inline
function storeTransposed(w0: v128, w1: v128, w2: v128, w3: v128, out: Address): void {
  const low01 = v128.shuffle<i32>(w0, w1, 0, 4, 1, 5);
  const high01 = v128.shuffle<i32>(w0, w1, 2, 6, 3, 7);
  const low23 = v128.shuffle<i32>(w2, w3, 0, 4, 1, 5);
  const high23 = v128.shuffle<i32>(w2, w3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(low01, low23, 0, 2), 0);
  v128.store(out, v128.shuffle<i64>(low01, low23, 1, 3), 32);
  v128.store(out, v128.shuffle<i64>(high01, high23, 0, 2), 64);
  v128.store(out, v128.shuffle<i64>(high01, high23, 1, 3), 96);
}

/** The word of the blocks that stands at place `i` in this round's order. */
@inline
function words(order: Address, i: usize): v128 {
  return v128.load(WORDS + (<usize>load<u8>(order + i) << 2));
}

@inline
function add3(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(i32x4.add(a, b), c);
}

@inline
function xorRotate16(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function xorRotate12(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}

@inline
function xorRotate8(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

@inline
function xorRotate7(a: v128, b: v128): v128 {
  const x = v128.xor(a, b);
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}

/** The sixteen words of four blocks, one vector each. */
const WORDS: Address = memory.data(256, 16);
