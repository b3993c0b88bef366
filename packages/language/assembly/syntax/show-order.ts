// The order in which sets and formals are shown: by name, not by symbol; what is inherited from expressions by the
// expression first.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { compareSymbols } from "../symbols/symbols";
import { StaticAttr, Table, makeTable, setTableItem, tableCount, tableItem } from "./ast";

/** A copy of a table of attributes or formals (their first word is a symbol), in the order of the names. */
export function orderedByName(table: Table): Table {
  return ordered(table, false);
}

/** A copy of a table of attributes that are in the order of names already, in the order of what they come from. */
export function orderedByOrigin(table: Table): Table {
  return ordered(table, true);
}

function ordered(table: Table, byOrigin: bool): Table {
  const count = tableCount(table);
  const copy = makeTable(count);
  for (let i: u32 = 0; i < count; i++) setTableItem(copy, i, tableItem(table, i));
  let from = copy + 4;
  let to = allocateInArena(count << 2);
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let low: u32 = 0; low < count; low += width << 1) {
      const middle = low + width < count ? low + width : count;
      const high = middle + width < count ? middle + width : count;
      let left = low;
      let right = middle;
      for (let i = low; i < high; i++) {
        const takeLeft = left < middle && (right >= high || !follows(itemAt(from, left), itemAt(from, right), byOrigin));
        store<u32>(to + (i << 2), itemAt(from, takeLeft ? left++ : right++));
      }
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != copy + 4) memory.copy(copy + 4, from, count << 2);
  return copy;
}

function itemAt(items: Address, index: u32): Address {
  return load<u32>(items + (index << 2));
}

function follows(a: Address, b: Address, byOrigin: bool): bool {
  if (byOrigin) return changetype<StaticAttr>(a).from > changetype<StaticAttr>(b).from;
  return compareSymbols(load<u32>(a), load<u32>(b)) > 0;
}
