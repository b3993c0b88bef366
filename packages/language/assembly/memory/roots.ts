// Roots: words outside of the heap and the stack that hold values. The collector keeps what they refer to and writes
// the new addresses back. Caches of the machine and the host's handles are roots.

import { Address, isEvacuated } from "./chunks";
import { allocatePermanent } from "./permanent";
import { decompress } from "./pointers";

/** Blocks of [link to the block before][roots …]. */
const BLOCK_SIZE: u32 = 4096;
let block: Address = 0;
let next: Address = 0;
let end: Address = 0;
/** Given-back roots: each holds the tagged address of the next one, so that the collector skips it. */
let free: Address = 0;

/** A word that holds 0 and is a root until `releaseRoot`. */
export function takeRoot(): Address {
  if (free != 0) {
    const root = free;
    free = load<u32>(root) & ~1;
    store<u32>(root, 0);
    return root;
  }
  if (next == end) {
    const larger = allocatePermanent(BLOCK_SIZE);
    store<u32>(larger, block);
    block = larger;
    next = larger + 8;
    end = larger + BLOCK_SIZE;
  }
  const root = next;
  next += 4;
  return root;
}

export function releaseRoot(root: Address): void {
  store<u32>(root, <u32>free | 1);
  free = root;
}

/** The first block of roots; `rootBlockStart` … `rootBlockEnd` are its words, `previousRootBlock` the next to look at. */
export function newestRootBlock(): Address {
  return block;
}

export function previousRootBlock(at: Address): Address {
  return load<u32>(at);
}

export function rootBlockStart(at: Address): Address {
  return at + 8;
}

export function rootBlockEnd(at: Address): Address {
  return at == block ? next : at + BLOCK_SIZE;
}

/**
 * Makes all roots 0 but those whose words refer to what a collection for an image has found (collect.ts). Handles of the host
 * and caches lose what they held.
 */
export function clearRoots(): void {
  let at = block;
  while (at != 0) {
    const last = rootBlockEnd(at);
    for (let word = rootBlockStart(at); word < last; word += 4) {
      const value = decompress(load<u32>(word));
      if ((value & 1) == 0 && isEvacuated(value)) store<u32>(word, 0);
    }
    at = load<u32>(at);
  }
}
