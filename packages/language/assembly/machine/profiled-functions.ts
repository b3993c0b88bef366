// The functions that were called while the profiler was on: a hash table from the address of a block or a builtin, both
// permanent, to an entry.
//
//   [function or 0][calls][outermost][0]…   a power of two of entries, at most half of them in use
//
// Of `x: y: …`, the inner function is known by the outermost one, whose place and name people know, and a call that only
// gives the inner function is not counted.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";

type Entry = usize;

const ENTRY: u32 = 16;
const INITIAL_ENTRIES: u32 = 4096;

let table: Address = 0;
let entries: u32 = 0;
let used: u32 = 0;

export function countCallOf(address: Address): void {
  const entry = entryOf(address);
  store<u32>(entry, load<u32>(entry, 4) + 1, 4);
}

/** The function that `address` is known by. */
export function outermostOf(address: Address): Address {
  return load<u32>(entryOf(address), 8);
}

export function setOutermost(address: Address, outermost: Address): void {
  store<u32>(entryOf(address), <u32>outermost, 8);
}

export function profiledFunctionsStart(): Address {
  return table;
}

/** Entries of the table; those of a function 0 are free. */
export function profiledFunctionsEntries(): u32 {
  return entries;
}

/** Valid until the next function is met. */
function entryOf(address: Address): Entry {
  if (used << 1 >= entries) grow();
  const entry = placeOf(address);
  if (load<u32>(entry) == 0) {
    store<u32>(entry, <u32>address);
    store<u32>(entry, <u32>address, 8);
    used++;
  }
  return entry;
}

function placeOf(address: Address): Entry {
  const mask = entries - 1;
  let index = ((<u32>address >>> 3) * 0x9e3779b1) >>> 8;
  while (true) {
    const entry = table + (index & mask) * ENTRY;
    const found = load<u32>(entry);
    if (found == 0 || found == <u32>address) return entry;
    index++;
  }
}

/** The old table stays where it is: permanent memory is never given back. */
function grow(): void {
  const old = table;
  const oldEntries = entries;
  entries = old == 0 ? INITIAL_ENTRIES : oldEntries << 1;
  table = allocatePermanent(entries * ENTRY);
  for (let i: u32 = 0; i < oldEntries; i++) {
    const from = old + i * ENTRY;
    if (load<u32>(from) != 0) memory.copy(placeOf(load<u32>(from)), from, ENTRY);
  }
}
