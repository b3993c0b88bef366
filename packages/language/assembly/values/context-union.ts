// The union of many contexts at once, in time that grows with their sizes and not with the square of their number:
// contexts of about equal size are merged with one another, as bits are carried in a binary counter.
//
// Unions may nest, and none lives across an await.
//
//   entry on the stack: [context][rank: how many merges deep it is]

import { Address } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { mergeContexts } from "./context";
import { Value } from "./value";

const ENTRY_SIZE: u32 = 8;
const STACK_SIZE: u32 = 16384;
const stack: Address = memory.data(16384);
let used: u32 = 0;

/** Begins a union; the result is the mark that the other two want. */
@inline
export function beginUnion(): u32 {
  return used;
}

/** Adds a context, which may be 0. */
@inline
export function addToUnion(mark: u32, context: Value): void {
  if (context != 0) carry(mark, context);
}

/** Ends the union and returns it: a context or 0. */
export function endUnion(mark: u32): Value {
  let union: Value = 0;
  while (used > mark) {
    used -= ENTRY_SIZE;
    union = mergeContexts(union, decompress(load<u32>(stack + used)));
  }
  return union;
}

function carry(mark: u32, context: Value): void {
  let merged = context;
  let rank: u32 = 0;
  while (used > mark) {
    const top = stack + used - ENTRY_SIZE;
    if (decompress(load<u32>(top)) == merged) return;
    if (load<u32>(top, 4) > rank) break;
    merged = mergeContexts(decompress(load<u32>(top)), merged);
    used -= ENTRY_SIZE;
    rank++;
  }
  assert(used < STACK_SIZE, "unions nest a few levels, each of at most 32 entries");
  store<u32>(stack + used, compress(merged));
  store<u32>(stack + used, rank, 4);
  used += ENTRY_SIZE;
}
