// BLAKE3, plain hashing to 32 bytes ("BLAKE3: one function, fast everywhere", sections 2.1 to 2.6).
//
// The input is cut into chunks of 1024 bytes, the leaves of a binary tree whose left subtrees are full. The roots of
// the finished subtrees wait on a stack, the largest first: one for every bit set in the number of chunks finished.
// A chunk is hashed only when it is known not to be the last one, since the root of the tree is hashed in its own way.
//
//   STATE  [chunks finished: u64][bytes in the tail: u32][unused: u32][tail: 1024 bytes][stack: 55 × 32 bytes]
//          8-aligned

import { Address } from "../memory/chunks";
import { rotateRight32 } from "../numbers/bits";

/** Bytes of a digest. */
export const BLAKE3_SIZE: u32 = 32;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const BLAKE3_STATE_SIZE: u32 = 2800;

const TAIL_OFFSET: u32 = 16;
const STACK_OFFSET: u32 = 1040;

const CHUNK_SIZE: u32 = 1024;
const BLOCK_SIZE: u32 = 64;
const CHAINING_SIZE: u32 = 32;

const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;

/** Writes the digest of `length` bytes to `out`. Neither address need be aligned. */
export function blake3(input: Address, length: u32, out: Address): void {
  blake3Begin(ONE_SHOT);
  blake3Update(ONE_SHOT, input, length);
  blake3End(ONE_SHOT, out);
}

export function blake3Begin(state: Address): void {
  assert((state & 7) == 0, "a hash state is 8-aligned");
  setChunkCount(state, 0);
  setTailLength(state, 0);
}

export function blake3Update(state: Address, input: Address, length: u32): void {
  while (length > 0) {
    if (tailLength(state) == CHUNK_SIZE) {
      finishChunk(state, tailOf(state));
      setTailLength(state, 0);
    }
    let taken: u32;
    if (tailLength(state) == 0 && length > CHUNK_SIZE && (input & 3) == 0) {
      taken = CHUNK_SIZE;
      finishChunk(state, input);
    } else {
      taken = min<u32>(length, CHUNK_SIZE - tailLength(state));
      memory.copy(tailOf(state) + tailLength(state), input, taken);
      setTailLength(state, tailLength(state) + taken);
    }
    input += taken;
    length -= taken;
  }
}

/** Writes the digest to `out`, which need not be aligned. The state is used up. */
export function blake3End(state: Address, out: Address): void {
  const root = stackEntry(state, 0);
  let waiting = stackDepth(state);
  const chunkIsRoot = waiting == 0 ? ROOT : 0;
  hashChunk(tailOf(state), tailLength(state), chunkCount(state), chunkIsRoot, stackEntry(state, waiting));
  while (waiting > 0) {
    waiting -= 1;
    mergeEntries(stackEntry(state, waiting), waiting == 0 ? ROOT : 0);
  }
  memory.copy(out, root, BLAKE3_SIZE);
}

/** Pushes a whole chunk, then merges as many subtrees as it has made full. */
function finishChunk(state: Address, chunk: Address): void {
  let depth = stackDepth(state);
  hashChunk(chunk, CHUNK_SIZE, chunkCount(state), 0, stackEntry(state, depth));
  setChunkCount(state, chunkCount(state) + 1);
  const depthAfter = stackDepth(state);
  while (depth >= depthAfter) {
    depth -= 1;
    mergeEntries(stackEntry(state, depth), 0);
  }
}

/** Replaces two neighbours on the stack by their parent. */
function mergeEntries(left: Address, root: u32): void {
  compress(INITIAL, left, BLOCK_SIZE, 0, PARENT | root, left);
}

/** Writes the chaining value of a 4-aligned chunk. One that does not end with a block has room for zeros behind it. */
function hashChunk(chunk: Address, length: u32, index: u64, root: u32, out: Address): void {
  let start = CHUNK_START;
  let chaining = INITIAL;
  while (length > BLOCK_SIZE) {
    compress(chaining, chunk, BLOCK_SIZE, index, start, out);
    start = 0;
    chaining = out;
    chunk += BLOCK_SIZE;
    length -= BLOCK_SIZE;
  }
  if (length < BLOCK_SIZE) memory.fill(chunk + length, 0, BLOCK_SIZE - length);
  compress(chaining, chunk, length, index, start | CHUNK_END | root, out);
}

/** The compression function, seven rounds; `s` walks over the order in which they take the words of the block. */
function compress(chaining: Address, block: Address, length: u32, index: u64, flags: u32, out: Address): void {
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
function word(block: Address, order: Address, i: usize): u32 {
  return load<u32>(block + load<u8>(order + i));
}

@inline
function chunkCount(state: Address): u64 {
  return load<u64>(state);
}

@inline
function setChunkCount(state: Address, count: u64): void {
  store<u64>(state, count);
}

@inline
function tailLength(state: Address): u32 {
  return load<u32>(state, 8);
}

@inline
function setTailLength(state: Address, length: u32): void {
  store<u32>(state, length, 8);
}

@inline
function tailOf(state: Address): Address {
  return state + TAIL_OFFSET;
}

@inline
function stackDepth(state: Address): u32 {
  return <u32>popcnt<u64>(chunkCount(state));
}

@inline
function stackEntry(state: Address, i: u32): Address {
  return state + STACK_OFFSET + i * CHAINING_SIZE;
}

/** The state of one-shot hashing. */
const ONE_SHOT: Address = memory.data(2800, 8);

const INITIAL: Address = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Offsets into the block, sixteen a round: each round permutes the order of the one before it (table 2). */
const ORDER: Address = memory.data<u8>([
  0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60,
  8, 24, 12, 40, 28, 0, 16, 52, 4, 44, 48, 20, 36, 56, 60, 32,
  12, 16, 40, 48, 52, 8, 28, 56, 24, 20, 36, 0, 44, 60, 32, 4,
  40, 28, 48, 36, 56, 12, 52, 60, 16, 0, 44, 8, 20, 32, 4, 24,
  48, 52, 36, 44, 60, 40, 56, 32, 28, 8, 20, 12, 0, 4, 24, 16,
  36, 56, 44, 20, 32, 48, 60, 4, 52, 12, 0, 40, 8, 24, 16, 28,
  44, 60, 20, 0, 4, 36, 32, 24, 56, 40, 8, 48, 12, 16, 28, 52,
]);
