// Tables: working memory of builtins that must survive while they wait.
//
//   TABLE  [header][count][words, padded to 8]
//
// Every word is a value, 0 or odd.

import { allocate } from "../memory/heap";
import { compress, decompress } from "../memory/pointers";
import { KIND_TABLE, Value, cellHeader } from "./value";

const TABLE_HEADER: u32 = 8;

@inline
export function tableWords(table: Value): u32 {
  return load<u32>(table, 4);
}

@inline
export function tableWord(table: Value, index: u32): Value {
  return decompress(load<u32>(table + (index << 2), TABLE_HEADER));
}

@inline
export function setTableWord(table: Value, index: u32, word: Value): void {
  store<u32>(table + (index << 2), compress(word), TABLE_HEADER);
}

@inline
export function tableCellSize(table: Value): u32 {
  return (TABLE_HEADER + (tableWords(table) << 2) + 7) & ~7;
}

/** A table of `count` words, all 0. */
export function makeValueTable(count: u32): Value {
  const size = (TABLE_HEADER + (count << 2) + 7) & ~7;
  const table = allocate(size);
  memory.fill(table + TABLE_HEADER, 0, size - TABLE_HEADER);
  store<u32>(table, cellHeader(KIND_TABLE));
  store<u32>(table, count, 4);
  return table;
}
