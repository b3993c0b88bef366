// Strings put one after the other, in one copy: the lengths are added up first.

import { Address, outOfMemory } from "../memory/chunks";
import { listItem, listLength } from "../values/list";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { makeStringOfLength, setStringContext, stringBytes, stringContext, stringLength } from "../values/string";
import { EMPTY_STRING } from "../values/constants";
import { Value, resolve } from "../values/value";

/** Longer strings do not fit into the memory beside what they are made of. */
const MAXIMUM_LENGTH: u64 = 1 << 30;

/** The strings in `strings`, a list that holds nothing else, with `separator` between them; contexts of all are united. */
export function joinStrings(strings: Value, separator: Value): Value {
  const count = listLength(strings);
  const gap = stringLength(separator);
  let length: u64 = count == 0 ? 0 : <u64>gap * <u64>(count - 1);
  const union = beginUnion();
  addToUnion(union, stringContext(separator));
  for (let i: u32 = 0; i < count; i++) {
    const item = resolve(listItem(strings, i));
    length += <u64>stringLength(item);
    addToUnion(union, stringContext(item));
  }
  const context = endUnion(union);
  if (length == 0 && context == 0) return EMPTY_STRING;
  if (length > MAXIMUM_LENGTH) outOfMemory();
  const result = makeStringOfLength(<u32>length);
  setStringContext(result, context);
  writeItems(strings, separator, stringBytes(result));
  return result;
}

function writeItems(strings: Value, separator: Value, start: Address): void {
  const count = listLength(strings);
  const gap = stringLength(separator);
  let to = start;
  for (let i: u32 = 0; i < count; i++) {
    const item = resolve(listItem(strings, i));
    const length = stringLength(item);
    memory.copy(to, stringBytes(item), length);
    to += length;
    if (gap == 0 || i + 1 == count) continue;
    memory.copy(to, stringBytes(separator), gap);
    to += gap;
  }
}
