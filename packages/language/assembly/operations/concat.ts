// `++` and its relatives: lists made of other lists' items. A list is shared where the result would equal it.

import { Address } from "../memory/chunks";
import { outOfMemory } from "../memory/chunks";
import { copyWords } from "../memory/words";
import { EMPTY_LIST } from "../values/constants";
import { listItem, listItems, listLength, makeList } from "../values/list";
import { Value, resolve } from "../values/value";

/** More items than this do not fit into the memory, with what they refer to. */
export const MAXIMUM_LENGTH: u32 = 1 << 28;

/** `a ++ b`. */
export function concatLists2(a: Value, b: Value): Value {
  const aLength = listLength(a);
  if (aLength == 0) return b;
  const bLength = listLength(b);
  if (bLength == 0) return a;
  const list = makeLongList(<u64>aLength + <u64>bLength);
  copyWords(listItems(list), listItems(a), aLength);
  copyWords(listItems(list) + (aLength << 2), listItems(b), bLength);
  return list;
}

/** The items of the first `count` lists in the list `lists`, which must be forced, one after the other. */
export function concatAll(lists: Value, count: u32 = listLength(lists)): Value {
  let total: u64 = 0;
  let last: Value = EMPTY_LIST;
  for (let i: u32 = 0; i < count; i++) {
    const list = resolve(listItem(lists, i));
    if (listLength(list) == 0) continue;
    total += listLength(list);
    last = list;
  }
  if (total == listLength(last)) return last;
  const result = makeLongList(total);
  let to: Address = listItems(result);
  for (let i: u32 = 0; i < count; i++) {
    const list = resolve(listItem(lists, i));
    copyWords(to, listItems(list), listLength(list));
    to += listLength(list) << 2;
  }
  return result;
}

/** `count` items of `list` from `from` on, as a list of their own. */
export function sliceList(list: Value, from: u32, count: u32): Value {
  if (count == listLength(list)) return list;
  const slice = makeList(count);
  copyWords(listItems(slice), listItems(list) + (from << 2), count);
  return slice;
}

/** A list with the same items, to work in: nobody else sees it. */
export function copyList(list: Value): Value {
  const length = listLength(list);
  const copy = makeList(length);
  copyWords(listItems(copy), listItems(list), length);
  return copy;
}

/** As `makeList`; the evaluation ends when that many items cannot be. */
export function makeLongList(length: u64): Value {
  if (length > <u64>MAXIMUM_LENGTH) outOfMemory();
  return makeList(<u32>length);
}
