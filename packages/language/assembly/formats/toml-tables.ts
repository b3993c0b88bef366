// The tables of a TOML text while it is read: which of them may still be added to, and by what.
//
//   IMPLICIT   made by the header of a table below it: a header of its own may come once
//   DOTTED     made by a dotted key: only dotted keys of the same table add to it
//   EXPLICIT   has had its header, or is the root
//   VALUE      anything after an equals sign: complete. Inline tables and arrays of them are told apart for messages.
//   ARRAY      made by [[headers]]: its newest table is the one that is meant
//
// A table is a number: the index of its node, and a name within it leads to an entry through one hash table for all.
//
//   node   [first entry][last entry][count][form]
//   entry  [table][name][kind][value, table, or first link of an array][next entry in table][last link][length][0]
//   link   [table][next link]: an element of an ARRAY, in the node store

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { Symbol } from "../symbols/symbols";
import { makeList, setListItem } from "../values/list";
import { Value } from "../values/value";
import { makeObject } from "./object-shapes";
import { dropWords, pushWord, wordCount, wordsAt } from "./word-stack";

export const IMPLICIT: u32 = 0;
export const DOTTED: u32 = 1;
export const EXPLICIT: u32 = 2;

export const ENTRY_TABLE: u32 = 0;
export const ENTRY_ARRAY: u32 = 1;
export const ENTRY_VALUE: u32 = 2;
export const ENTRY_INLINE_TABLE: u32 = 3;
export const ENTRY_INLINE_ARRAY: u32 = 4;

const CELL_SIZE: u32 = 32;
let cells: Address = 0;
let cellsCapacity: u32 = 0;
let cellsUsed: u32 = 0;
let slots: Address = 0;
let slotCount: u32 = 0;
let entryCount: u32 = 0;

const INITIAL_SLOTS: u32 = 1 << 12;

/** Forgets everything. */
export function clearTables(): void {
  // Cell 0 is none.
  cellsUsed = 1;
  entryCount = 0;
  if (slotCount > INITIAL_SLOTS << 4) {
    returnChunks(slots, chunksFor(slotCount << 2));
    slotCount = 0;
  }
  if (slotCount == 0) allocateSlots(INITIAL_SLOTS);
  else memory.fill(slots, 0, slotCount << 2);
}

@inline
function cellAt(index: u32): Address {
  return cells + index * CELL_SIZE;
}

@inline
function cellWord(index: u32, word: u32): u32 {
  return load<u32>(cellAt(index) + (word << 2));
}

@inline
function setCellWord(index: u32, word: u32, value: u32): void {
  store<u32>(cellAt(index) + (word << 2), value);
}

function makeCell(): u32 {
  if (cellsUsed >= cellsCapacity) growCells();
  const index = cellsUsed++;
  memory.fill(cellAt(index), 0, CELL_SIZE);
  return index;
}

function growCells(): void {
  const size = cellsCapacity * CELL_SIZE;
  const larger = size == 0 ? CHUNK_SIZE : size << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (size != 0) {
    memory.copy(place, cells, size);
    returnChunks(cells, chunksFor(size));
  }
  cells = place;
  cellsCapacity = larger / CELL_SIZE;
}

// ── Tables ──

const TABLE_FIRST: u32 = 0;
const TABLE_LAST: u32 = 1;
const TABLE_COUNT: u32 = 2;
const TABLE_FORM: u32 = 3;

export function makeTable(form: u32): u32 {
  const table = makeCell();
  setCellWord(table, TABLE_FORM, form);
  return table;
}

export function tableForm(table: u32): u32 {
  return cellWord(table, TABLE_FORM);
}

export function setTableForm(table: u32, form: u32): void {
  setCellWord(table, TABLE_FORM, form);
}

// ── Entries ──

const ENTRY_OWNER: u32 = 0;
const ENTRY_NAME: u32 = 1;
const ENTRY_KIND: u32 = 2;
const ENTRY_CONTENT: u32 = 3;
const ENTRY_NEXT: u32 = 4;
const ENTRY_LAST_LINK: u32 = 5;
const ENTRY_LENGTH: u32 = 6;

const LINK_TABLE: u32 = 0;
const LINK_NEXT: u32 = 1;

/** The entry with this name, or 0. */
export function findEntry(table: u32, name: Symbol): u32 {
  return load<u32>(slots + (findSlot(table, name) << 2));
}

/** Adds an entry for a name that has none. `content` is the word of a value, or a table. */
export function addEntry(table: u32, name: Symbol, kind: u32, content: u32): u32 {
  const entry = makeCell();
  setCellWord(entry, ENTRY_OWNER, table);
  setCellWord(entry, ENTRY_NAME, name);
  setCellWord(entry, ENTRY_KIND, kind);
  setCellWord(entry, ENTRY_CONTENT, content);
  const last = cellWord(table, TABLE_LAST);
  if (last == 0) setCellWord(table, TABLE_FIRST, entry);
  else setCellWord(last, ENTRY_NEXT, entry);
  setCellWord(table, TABLE_LAST, entry);
  setCellWord(table, TABLE_COUNT, cellWord(table, TABLE_COUNT) + 1);
  store<u32>(slots + (findSlot(table, name) << 2), entry);
  entryCount++;
  if (entryCount << 1 > slotCount) growSlots();
  return entry;
}

export function entryKind(entry: u32): u32 {
  return cellWord(entry, ENTRY_KIND);
}

/** The table of an ENTRY_TABLE, or the newest one of an ENTRY_ARRAY. */
export function entryTable(entry: u32): u32 {
  if (entryKind(entry) == ENTRY_TABLE) return cellWord(entry, ENTRY_CONTENT);
  return cellWord(cellWord(entry, ENTRY_LAST_LINK), LINK_TABLE);
}

/** Adds a table to an ENTRY_ARRAY. */
export function appendTable(entry: u32, table: u32): void {
  const link = makeCell();
  setCellWord(link, LINK_TABLE, table);
  const last = cellWord(entry, ENTRY_LAST_LINK);
  if (last == 0) setCellWord(entry, ENTRY_CONTENT, link);
  else setCellWord(last, LINK_NEXT, link);
  setCellWord(entry, ENTRY_LAST_LINK, link);
  setCellWord(entry, ENTRY_LENGTH, cellWord(entry, ENTRY_LENGTH) + 1);
}

function findSlot(table: u32, name: Symbol): u32 {
  const mask = slotCount - 1;
  let slot = ((table * 0x9e3779b1) ^ (name * 0x85ebca6b)) * 0xc2b2ae35;
  slot = (slot ^ (slot >>> 15)) & mask;
  while (true) {
    const entry = load<u32>(slots + (slot << 2));
    if (entry == 0 || (cellWord(entry, ENTRY_OWNER) == table && cellWord(entry, ENTRY_NAME) == name)) return slot;
    slot = (slot + 1) & mask;
  }
}

function allocateSlots(count: u32): void {
  slots = takeChunks(chunksFor(count << 2), OWNER_BUFFER);
  slotCount = count;
  memory.fill(slots, 0, count << 2);
}

function growSlots(): void {
  const old = slots;
  const oldCount = slotCount;
  allocateSlots(oldCount << 1);
  for (let i: u32 = 0; i < oldCount; i++) {
    const entry = load<u32>(old + (i << 2));
    if (entry == 0) continue;
    store<u32>(slots + (findSlot(cellWord(entry, ENTRY_OWNER), cellWord(entry, ENTRY_NAME)) << 2), entry);
  }
  returnChunks(old, chunksFor(oldCount << 2));
}

// ── Values ──

/** The set that a table is. Tables nest as deep as their headers are long. */
export function tableValue(table: u32): Value {
  const first = wordCount();
  let entry = cellWord(table, TABLE_FIRST);
  while (entry != 0) {
    const value = entryValue(entry);
    pushWord(cellWord(entry, ENTRY_NAME));
    pushWord(compress(value));
    entry = cellWord(entry, ENTRY_NEXT);
  }
  const value = makeObject(wordsAt(first), (wordCount() - first) >>> 1);
  dropWords(first);
  return value;
}

function entryValue(entry: u32): Value {
  const kind = entryKind(entry);
  if (kind == ENTRY_TABLE) return tableValue(cellWord(entry, ENTRY_CONTENT));
  if (kind != ENTRY_ARRAY) return decompress(cellWord(entry, ENTRY_CONTENT));
  const list = makeList(cellWord(entry, ENTRY_LENGTH));
  let link = cellWord(entry, ENTRY_CONTENT);
  let i: u32 = 0;
  while (link != 0) {
    setListItem(list, i++, tableValue(cellWord(link, LINK_TABLE)));
    link = cellWord(link, LINK_NEXT);
  }
  return list;
}
