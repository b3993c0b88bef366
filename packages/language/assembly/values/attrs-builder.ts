// Making attribute sets whose names are not known when the code is compiled.
//
// `beginAttrs` … `addAttr` … `endAttrs` collects pairs in any order on a scratch stack (builders may nest) and makes the
// sorted set. Of several pairs with one name the first is kept, as `listToAttrs` wants.

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { Symbol } from "../symbols/symbols";
import { EMPTY_ATTRS } from "./constants";
import { makeAttrs, makeKeys, setAttrValue, setKey } from "./attrs";
import { Value } from "./value";

/** [symbol][value][position][order of arrival] */
const ENTRY_SIZE: u32 = 16;
let base: Address = 0;
let capacity: u32 = 0;
let used: u32 = 0;

/** Begins a set; the result is the mark that `endAttrs` wants. */
export function beginAttrs(): u32 {
  return used;
}

/** Drops what builders that never ended left behind. */
export function rewindAttrs(mark: u32): void {
  used = mark;
}

export function addAttr(symbol: Symbol, value: Value, position: u32 = 0): void {
  if (used + ENTRY_SIZE > capacity) grow();
  const entry = base + used;
  store<u32>(entry, symbol);
  store<u32>(entry, compress(value), 4);
  store<u32>(entry, position, 8);
  store<u32>(entry, used, 12);
  used += ENTRY_SIZE;
}

/** The set of all that was added since `mark`. */
export function endAttrs(mark: u32): Value {
  const count = (used - mark) / ENTRY_SIZE;
  used = mark;
  if (count == 0) return EMPTY_ATTRS;
  const entries = base + mark;
  sortEntries(entries, count);
  const distinct = dropDuplicates(entries, count);
  const keys = makeKeys(distinct);
  const attrs = makeAttrs(keys);
  for (let i: u32 = 0; i < distinct; i++) {
    const entry = entries + i * ENTRY_SIZE;
    setKey(keys, i, load<u32>(entry), load<u32>(entry, 8));
    setAttrValue(attrs, i, decompress(load<u32>(entry, 4)));
  }
  return attrs;
}

/** Keeps the first arrival of every name; returns how many are left. */
function dropDuplicates(entries: Address, count: u32): u32 {
  let kept: u32 = 1;
  for (let i: u32 = 1; i < count; i++) {
    const entry = entries + i * ENTRY_SIZE;
    const last = entries + (kept - 1) * ENTRY_SIZE;
    if (load<u32>(entry) == load<u32>(last)) continue;
    if (kept != i) memory.copy(last + ENTRY_SIZE, entry, ENTRY_SIZE);
    kept++;
  }
  return kept;
}

@inline
function isBefore(a: Address, b: Address): bool {
  const left = load<u32>(a);
  const right = load<u32>(b);
  return left < right || (left == right && load<u32>(a, 12) < load<u32>(b, 12));
}

function sortEntries(entries: Address, count: u32): void {
  if (count <= 16) insertionSort(entries, count);
  else heapSort(entries, count);
}

function insertionSort(entries: Address, count: u32): void {
  for (let i: u32 = 1; i < count; i++) {
    let at = entries + i * ENTRY_SIZE;
    while (at > entries && isBefore(at, at - ENTRY_SIZE)) {
      swap(at, at - ENTRY_SIZE);
      at -= ENTRY_SIZE;
    }
  }
}

function heapSort(entries: Address, count: u32): void {
  let root = count >>> 1;
  while (root > 0) siftDown(entries, --root, count);
  let end = count;
  while (end > 1) {
    end--;
    swap(entries, entries + end * ENTRY_SIZE);
    siftDown(entries, 0, end);
  }
}

function siftDown(entries: Address, from: u32, count: u32): void {
  let root = from;
  while (true) {
    let child: u32 = (root << 1) + 1;
    if (child >= count) return;
    if (child + 1 < count && isBefore(entries + child * ENTRY_SIZE, entries + (child + 1) * ENTRY_SIZE)) child++;
    if (!isBefore(entries + root * ENTRY_SIZE, entries + child * ENTRY_SIZE)) return;
    swap(entries + root * ENTRY_SIZE, entries + child * ENTRY_SIZE);
    root = child;
  }
}

@inline
function swap(a: Address, b: Address): void {
  const a0 = load<u64>(a);
  const a1 = load<u64>(a, 8);
  store<u64>(a, load<u64>(b));
  store<u64>(a, load<u64>(b, 8), 8);
  store<u64>(b, a0);
  store<u64>(b, a1, 8);
}

function grow(): void {
  const larger = capacity == 0 ? CHUNK_SIZE : capacity << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (used != 0) memory.copy(place, base, used);
  if (capacity != 0) returnChunks(base, chunksFor(capacity));
  base = place;
  capacity = larger;
}
