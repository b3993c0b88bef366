// BLAKE3, plain hashing to 32 bytes ("BLAKE3: one function, fast everywhere", section 2).
//
// The input is cut into chunks of 1024 bytes, the leaves of a binary tree whose left subtrees are full. The roots of
// the finished subtrees wait on a stack, the largest first: one for every bit set in the number of chunks finished.
// A chunk is hashed only when it is known not to be the last one, since the root of the tree is hashed in its own way.
//
//   STATE  [chunks finished: u64][bytes in the tail: u32][unused: u32][tail: 1024 bytes][stack: 55 × 32 bytes]
//          8-aligned

import { Address } from "../memory/chunks";
import { BLOCK_SIZE, CHAINING_SIZE, CHUNK_SIZE, INITIAL, PARENT, ROOT, compress, hashChunk } from "./blake3-compression";

/** Bytes of a digest. */
export const BLAKE3_SIZE: u32 = 32;
/** Bytes of a state. A state is 8-aligned, and a copy of it is a fork. */
export const BLAKE3_STATE_SIZE: u32 = 2800;

const TAIL_OFFSET: u32 = 16;
const STACK_OFFSET: u32 = 1040;

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
