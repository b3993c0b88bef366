// What a printer has met before: a set of lists and key-value cells, each a 32-bit word, for «repeated».
//
// An open-addressing table in a buffer of its own. It is emptied before every print and given back when one has made it
// large.

import { Address, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";

/** Slots cleared at the beginning of a print: most values are small. */
const INITIAL_SLOTS: u32 = 256;

let table: Address = 0;
let slots: u32 = 0;
let tableChunks: u32 = 0;
let count: u32 = 0;

/** Forgets everything. */
export function clearSeen(): void {
  if (tableChunks > 1) {
    returnChunks(table, tableChunks);
    tableChunks = 0;
  }
  if (tableChunks == 0) {
    table = takeChunks(1, OWNER_BUFFER);
    tableChunks = 1;
  }
  slots = INITIAL_SLOTS;
  count = 0;
  memory.fill(table, 0, slots << 2);
}

/** Adds `word`, which is not 0; false when it was there already. */
export function addSeen(word: u32): bool {
  let slot = slotOf(word);
  while (true) {
    const there = load<u32>(table + (slot << 2));
    if (there == word) return false;
    if (there == 0) break;
    slot = (slot + 1) & (slots - 1);
  }
  store<u32>(table + (slot << 2), word);
  count++;
  if (count > slots >>> 1) grow();
  return true;
}

@inline
function slotOf(word: u32): u32 {
  return ((word * 0x9e3779b1) >>> 8) & (slots - 1);
}

function grow(): void {
  const old = table;
  const oldSlots = slots;
  const oldChunks = tableChunks;
  slots <<= 2;
  tableChunks = chunksFor(slots << 2);
  table = takeChunks(tableChunks, OWNER_BUFFER);
  memory.fill(table, 0, slots << 2);
  for (let i: u32 = 0; i < oldSlots; i++) {
    const word = load<u32>(old + (i << 2));
    if (word == 0) continue;
    let slot = slotOf(word);
    while (load<u32>(table + (slot << 2)) != 0) slot = (slot + 1) & (slots - 1);
    store<u32>(table + (slot << 2), word);
  }
  returnChunks(old, oldChunks);
}
