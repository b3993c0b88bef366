// Tables that grow: the parser adds items one by one and leaves an ordinary table of the tree behind.
//
// A growing table has room for 1, 3, 7, 15 … items, the largest being known from the count alone: it is full when the
// count plus one is a power of two. No table is 0.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { Table, setTableItem, tableCount, tableItem } from "./ast";

export { Table, setTableItem, tableCount, tableItem };

/** Adds an item and returns the table, which may have moved. Only for tables that began here. */
export function appendToTable(table: Table, item: Address): Table {
  const count = tableCount(table);
  let to = table;
  if (((count + 1) & count) == 0) {
    to = allocateInArena(((count << 1) + 2) << 2);
    if (count != 0) memory.copy(to + 4, table + 4, count << 2);
  }
  store<u32>(to, count + 1);
  setTableItem(to, count, item);
  return to;
}
