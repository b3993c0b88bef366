// A map from symbols to words, in permanent memory: open addressing over [symbol][word].
//
// A map is the address of [table][slots][count]; it grows by doubling and forgets no single entries.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Symbol } from "./symbols";

export type SymbolMap = usize;

const INITIAL_SLOTS: u32 = 64;

@unmanaged
class MapHeader {
  table: Address;
  slots: u32;
  count: u32;
}

export function makeSymbolMap(): SymbolMap {
  const map = allocatePermanent(<u32>offsetof<MapHeader>());
  const header = changetype<MapHeader>(map);
  header.slots = INITIAL_SLOTS;
  header.table = allocatePermanent(INITIAL_SLOTS << 3);
  return map;
}

/** The word of `symbol`, or 0. */
export function mapGet(map: SymbolMap, symbol: Symbol): u32 {
  return load<u32>(entryOf(changetype<MapHeader>(map), symbol), 4);
}

export function mapSet(map: SymbolMap, symbol: Symbol, word: u32): void {
  const header = changetype<MapHeader>(map);
  if (header.count * 2 >= header.slots) grow(header);
  const entry = entryOf(header, symbol);
  if (load<u32>(entry) == 0) header.count++;
  store<u32>(entry, symbol);
  store<u32>(entry, word, 4);
}

/** The number of slots; `mapWordAt` gives 0 for those that are empty. */
export function mapSlots(map: SymbolMap): u32 {
  return changetype<MapHeader>(map).slots;
}

export function mapWordAt(map: SymbolMap, slot: u32): u32 {
  return load<u32>(changetype<MapHeader>(map).table + (slot << 3), 4);
}

/** Forgets everything. */
export function clearMap(map: SymbolMap): void {
  const header = changetype<MapHeader>(map);
  memory.fill(header.table, 0, header.slots << 3);
  header.count = 0;
}

export function setMapWordAt(map: SymbolMap, slot: u32, word: u32): void {
  store<u32>(changetype<MapHeader>(map).table + (slot << 3), word, 4);
}

function entryOf(header: MapHeader, symbol: Symbol): Address {
  const mask = header.slots - 1;
  let slot = (symbol * 0x9e3779b1) >>> 8;
  while (true) {
    const entry = header.table + ((slot & mask) << 3);
    const there = load<u32>(entry);
    if (there == 0 || there == symbol) return entry;
    slot++;
  }
}

function grow(header: MapHeader): void {
  const old = header.table;
  const oldSlots = header.slots;
  header.slots = oldSlots << 1;
  header.table = allocatePermanent(header.slots << 3);
  for (let i: u32 = 0; i < oldSlots; i++) {
    const from = old + (i << 3);
    const symbol = load<u32>(from);
    if (symbol != 0) store<u64>(entryOf(header, symbol), load<u64>(from));
  }
}
