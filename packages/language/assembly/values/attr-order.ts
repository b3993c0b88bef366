// The bytewise order of a key set's names, computed once for each key set.

import { Address, OWNER_HEAP, ownerOf } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { compareSymbols } from "../symbols/symbols";
import { Keys, keySymbol, keysCount, keysOrder, setKeysOrder } from "./attrs";
import { KIND_ORDER, cellHeader } from "./value";

const ORDER_HEADER: u32 = 8;

@inline
export function orderCellSize(count: u32): u32 {
  return (ORDER_HEADER + (count << 2) + 7) & ~7;
}

/** The ORDER cell of `keys`. */
export function orderOf(keys: Keys): Address {
  const known = keysOrder(keys);
  return known != 0 ? known : makeOrder(keys);
}

/** The index into the key set of the name at `rank`. */
@inline
export function indexAtRank(order: Address, rank: u32): u32 {
  return load<u32>(order + (rank << 2), ORDER_HEADER);
}

function makeOrder(keys: Keys): Address {
  const count = keysCount(keys);
  const size = orderCellSize(count);
  // A permanent key set must not point into the heap.
  const order = ownerOf(keys) == OWNER_HEAP ? allocate(size) : allocatePermanent(size);
  store<u32>(order, cellHeader(KIND_ORDER));
  store<u32>(order, count, 4);
  const indices = order + ORDER_HEADER;
  for (let i: u32 = 0; i < count; i++) store<u32>(indices + (i << 2), i);
  sortByName(keys, indices, count);
  setKeysOrder(keys, order);
  return order;
}

/** Merge sort, bottom up, between the indices and a scratch cell that is garbage afterwards. */
function sortByName(keys: Keys, indices: Address, count: u32): void {
  insertionSortRuns(keys, indices, count);
  if (count <= RUN) return;
  const scratch = allocate(((count << 2) + 7) & ~7);
  let from = indices;
  let to = scratch;
  let width = RUN;
  while (width < count) {
    let start: u32 = 0;
    while (start < count) {
      mergeRuns(keys, from, to, start, min(start + width, count), min(start + 2 * width, count));
      start += 2 * width;
    }
    const swapped = from;
    from = to;
    to = swapped;
    width *= 2;
  }
  if (from != indices) memory.copy(indices, from, count << 2);
}

const RUN: u32 = 8;

function insertionSortRuns(keys: Keys, indices: Address, count: u32): void {
  let start: u32 = 0;
  while (start < count) {
    const end = min(start + RUN, count);
    for (let i = start + 1; i < end; i++) {
      const moving = load<u32>(indices + (i << 2));
      let j = i;
      while (j > start && compareKeys(keys, moving, load<u32>(indices + ((j - 1) << 2))) < 0) {
        store<u32>(indices + (j << 2), load<u32>(indices + ((j - 1) << 2)));
        j--;
      }
      store<u32>(indices + (j << 2), moving);
    }
    start = end;
  }
}

function mergeRuns(keys: Keys, from: Address, to: Address, start: u32, middle: u32, end: u32): void {
  let i = start;
  let j = middle;
  for (let at = start; at < end; at++) {
    const takeLeft =
      j >= end || (i < middle && compareKeys(keys, load<u32>(from + (i << 2)), load<u32>(from + (j << 2))) <= 0);
    store<u32>(to + (at << 2), load<u32>(from + ((takeLeft ? i : j) << 2)));
    if (takeLeft) i++;
    else j++;
  }
}

@inline
function compareKeys(keys: Keys, a: u32, b: u32): i32 {
  return compareSymbols(keySymbol(keys, a), keySymbol(keys, b));
}
