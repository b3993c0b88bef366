// Sorting tables of attributes and formals by their symbols. Stable: what has the same symbol keeps its order.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { Table, tableCount } from "./ast";

const SMALL: u32 = 12;

/** Sorts a table of cells whose first word is a symbol. */
export function sortBySymbol(table: Table): void {
  const count = tableCount(table);
  if (count < 2 || isSorted(table + 4, count)) return;
  if (count <= SMALL) insertionSort(table + 4, count);
  else mergeSort(table + 4, count);
}

@inline
function symbolAt(items: Address, index: u32): u32 {
  return load<u32>(load<u32>(items + (index << 2)));
}

function isSorted(items: Address, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) if (symbolAt(items, i - 1) > symbolAt(items, i)) return false;
  return true;
}

function insertionSort(items: Address, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    const item = load<u32>(items + (i << 2));
    const symbol = load<u32>(item);
    let at = i;
    while (at > 0 && symbolAt(items, at - 1) > symbol) {
      store<u32>(items + (at << 2), load<u32>(items + ((at - 1) << 2)));
      at--;
    }
    store<u32>(items + (at << 2), item);
  }
}

/** Bottom up, between the table and a copy of it. */
function mergeSort(items: Address, count: u32): void {
  let from = items;
  let to = allocateInArena(count << 2);
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let low: u32 = 0; low < count; low += width << 1) {
      const middle = low + width < count ? low + width : count;
      const high = middle + width < count ? middle + width : count;
      merge(from, to, low, middle, high);
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != items) memory.copy(items, from, count << 2);
}

function merge(from: Address, to: Address, low: u32, middle: u32, high: u32): void {
  let left = low;
  let right = middle;
  for (let i = low; i < high; i++) {
    const takeLeft = left < middle && (right >= high || symbolAt(from, left) <= symbolAt(from, right));
    store<u32>(to + (i << 2), load<u32>(from + ((takeLeft ? left++ : right++) << 2)));
  }
}
