// Working memory that grows by doubling and is kept for the next use: the automaton under construction, the
// backtracking stack, the memory of what was tried. Each user holds an address and a capacity in bytes.

import { CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";

/** The capacity that `growBuffer` gives a buffer of `capacity` bytes which must hold `needed`. */
export function grownCapacity(capacity: u32, needed: u32): u32 {
  let wanted = capacity == 0 ? CHUNK_SIZE : capacity << 1;
  while (wanted < needed) wanted <<= 1;
  return wanted;
}

/** Moves a buffer to a place with `wanted` bytes and returns its address. Bytes past the old capacity are not cleared. */
export function growBuffer(address: usize, capacity: u32, wanted: u32): usize {
  const moved = takeChunks(chunksFor(wanted), OWNER_BUFFER);
  if (capacity != 0) {
    memory.copy(moved, address, capacity);
    returnChunks(address, chunksFor(capacity));
  }
  return moved;
}
