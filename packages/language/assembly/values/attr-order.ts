// The bytewise order of a key set's names, computed once for each key set.

import { Address, isInHeap } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { copyWords } from "../memory/words";
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
  const order = isInHeap(keys) ? allocate(size) : allocatePermanent(size);
  store<u32>(order, cellHeader(KIND_ORDER));
  store<u32>(order, count, 4);
  const indices = order + ORDER_HEADER;
  for (let i: u32 = 0; i < count; i++) store<u32>(indices + (i << 2), i);
  sortByName(keys, indices, count);
  setKeysOrder(keys, order);
  return order;
}

const RUN: u32 = 8;

/** Merge sort, with a scratch cell for half of the indices that is garbage afterwards. */
function sortByName(keys: Keys, indices: Address, count: u32): void {
  if (count <= RUN) insertionSort(keys, indices, count);
  else sortHalves(keys, indices, count, allocate(((count << 1) + 7) & ~7));
}

/** It calls itself rather than looping over widths: engines replace code by faster code where a function is entered. */
function sortHalves(keys: Keys, indices: Address, count: u32, scratch: Address): void {
  if (count <= RUN) {
    insertionSort(keys, indices, count);
    return;
  }
  const half = count >>> 1;
  const right = indices + (half << 2);
  sortHalves(keys, indices, half, scratch);
  sortHalves(keys, right, count - half, scratch);
  if (compareKeys(keys, load<u32>(right - 4), load<u32>(right)) <= 0) return;
  copyWords(scratch, indices, half);
  mergeHalves(keys, indices, scratch, scratch + (half << 2), right, indices + (count << 2));
}

function insertionSort(keys: Keys, indices: Address, count: u32): void {
  const end = indices + (count << 2);
  for (let next = indices + 4; next < end; next += 4) {
    const moving = load<u32>(next);
    let at = next;
    while (at > indices && compareKeys(keys, moving, load<u32>(at - 4)) < 0) {
      store<u32>(at, load<u32>(at - 4));
      at -= 4;
    }
    store<u32>(at, moving);
  }
}

/** Merges `left` … `leftEnd` and `right` … `rightEnd` to `to`; the right half ends where the result does. */
function mergeHalves(keys: Keys, to: Address, left: Address, leftEnd: Address, right: Address, rightEnd: Address): void {
  let at = to;
  while (left < leftEnd && right < rightEnd) {
    const a = load<u32>(left);
    const b = load<u32>(right);
    if (compareKeys(keys, a, b) <= 0) {
      store<u32>(at, a);
      left += 4;
    } else {
      store<u32>(at, b);
      right += 4;
    }
    at += 4;
  }
  copyWords(at, left, <u32>(leftEnd - left) >>> 2);
}

@inline
function compareKeys(keys: Keys, a: u32, b: u32): i32 {
  return compareSymbols(keySymbol(keys, a), keySymbol(keys, b));
}
