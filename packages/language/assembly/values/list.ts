// Lists.
//
//   LIST  [header][length][items, padded to 8]
//
// Items may be thunks. A list is filled by whoever makes it and never changes afterwards.

import { allocate } from "../memory/heap";
import { clearBytes } from "../memory/words";
import { Address } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { EMPTY_LIST } from "./constants";
import { KIND_LIST, Value, cellHeader } from "./value";

const LIST_HEADER: u32 = 8;

@inline
export function listLength(list: Value): u32 {
  return load<u32>(list, 4);
}

@inline
export function listItem(list: Value, index: u32): Value {
  return decompress(load<u32>(list + (index << 2), LIST_HEADER));
}

@inline
export function setListItem(list: Value, index: u32, item: Value): void {
  store<u32>(list + (index << 2), compress(item), LIST_HEADER);
}

/** The address of the first item; items are adjacent words. */
@inline
export function listItems(list: Value): Address {
  return list + LIST_HEADER;
}

@inline
export function listCellSize(length: u32): u32 {
  return (LIST_HEADER + (length << 2) + 7) & ~7;
}

// Counters of NIX_SHOW_STATS.
export let listCount: u32 = 0;
export let listItemCount: u64 = 0;

/** A list of `length` items, which the caller must set before the machine goes on: until then they are 0. */
export function makeList(length: u32): Value {
  if (length == 0) return EMPTY_LIST;
  const size = listCellSize(length);
  const list = allocate(size);
  listCount++;
  listItemCount += length;
  clearBytes(list + LIST_HEADER, size - LIST_HEADER);
  store<u32>(list, cellHeader(KIND_LIST));
  store<u32>(list, length, 4);
  return list;
}
