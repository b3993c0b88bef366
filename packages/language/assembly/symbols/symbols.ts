// Symbols: names and context elements, interned. A symbol is a number from 1 on; equal bytes have equal numbers for the
// life of the module. Each has a permanent string, so that asking for its name allocates nothing.
//
//   names  growing table: symbol -> its STRING
//   slots  open-addressing hash table: [hash][symbol or 0]

import { Address } from "../memory/chunks";
import { REGION_SHARED, region } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { bytesEqual, hashBytes32 } from "../memory/bytes";
import { Value, isString } from "../values/value";
import { cachedSymbol, compareStrings, makePermanentString, setCachedSymbol, stringBytes, stringLength } from "../values/string";

export type Symbol = u32;

const INITIAL_SYMBOLS: u32 = 1 << 14;
const SCRATCH_SIZE: u32 = 256;
const SLOT_SIZE: u32 = 8;

let names: Address = 0;
let capacity: u32 = 0;
let slots: Address = 0;
let slotMask: u32 = 0;
let count: u32 = 1;
const scratch: Address = memory.data(256);

export function initializeSymbols(): void {
  capacity = INITIAL_SYMBOLS;
  names = allocatePermanent(capacity << 2);
  makeSlots(INITIAL_SYMBOLS << 1);
}

/** The symbol with these bytes. */
export function internBytes(bytes: Address, length: u32): Symbol {
  const hash = hashBytes32(bytes, length);
  const slot = findSlot(bytes, length, hash);
  const symbol = slotSymbol(slot);
  if (symbol == clockName || symbol == globalClockName) noteClock(symbol);
  return symbol != 0 ? symbol : addSymbol(slot, hash, makePermanentString(bytes, length));
}

// ── The clock ──
//
// `builtins.currentTime` is a constant, which nobody is asked for. What names it may depend on it.

let clockName: Symbol = 0;
let globalClockName: Symbol = 0;
/** Whether something of the shared region of the heap has named the clock. */
export let isClockNamed: bool = false;

/** Looks from now on whether the clock is named. */
export function watchClock(): void {
  clockName = internText("currentTime");
  globalClockName = internText("__currentTime");
}

function noteClock(symbol: Symbol): void {
  if (symbol != 0 && region == REGION_SHARED) isClockNamed = true;
}

/** The symbol of a string, whatever its context. */
export function internString(string: Value): Symbol {
  const known = cachedSymbol(string);
  if (known != 0) return known;
  const symbol = internBytes(stringBytes(string), stringLength(string));
  if (isString(string)) setCachedSymbol(string, symbol);
  return symbol;
}

/** The symbol with these bytes if there is one, else 0: a name that nobody has interned is no attribute of anything. */
export function findSymbol(string: Value): Symbol {
  const known = cachedSymbol(string);
  if (known != 0) return known;
  const bytes = stringBytes(string);
  const length = stringLength(string);
  const symbol = slotSymbol(findSlot(bytes, length, hashBytes32(bytes, length)));
  if (symbol != 0 && isString(string)) setCachedSymbol(string, symbol);
  return symbol;
}

/** The symbol of a literal of this source, ASCII and at most 256 bytes long. */
export function internText(text: string): Symbol {
  const length = <u32>text.length;
  assert(length <= SCRATCH_SIZE, "a known symbol is short");
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < length; i++) store<u8>(scratch + i, load<u8>(from + (i << 1)));
  return internBytes(scratch, length);
}

/** The name of a symbol: a permanent string without context. */
@inline
export function symbolName(symbol: Symbol): Value {
  return load<u32>(names + (symbol << 2));
}

/** The lengths of all names. */
export function symbolBytes(): u32 {
  let bytes: u32 = 0;
  for (let symbol: Symbol = 1; symbol < count; symbol++) bytes += stringLength(symbolName(symbol));
  return bytes;
}

export function symbolCount(): u32 {
  return count - 1;
}

/** Compares the names bytewise. */
export function compareSymbols(a: Symbol, b: Symbol): i32 {
  return compareStrings(symbolName(a), symbolName(b));
}

/** The slot that holds the symbol with these bytes, or the free one where it belongs. */
function findSlot(bytes: Address, length: u32, hash: u32): Address {
  let slot = slotAt(hash);
  while (true) {
    const symbol = slotSymbol(slot);
    if (symbol == 0) return slot;
    if (load<u32>(slot) == hash) {
      const name = symbolName(symbol);
      if (stringLength(name) == length && bytesEqual(stringBytes(name), bytes, length)) return slot;
    }
    slot = nextSlot(slot);
  }
}

function addSymbol(slot: Address, hash: u32, name: Value): Symbol {
  const symbol = count++;
  setCachedSymbol(name, symbol);
  store<u32>(names + (symbol << 2), name);
  setSlot(slot, hash, symbol);
  if (count == capacity) grow();
  return symbol;
}

function grow(): void {
  const larger = allocatePermanent(capacity << 3);
  memory.copy(larger, names, capacity << 2);
  names = larger;
  const old = slots;
  const oldEnd = old + (slotMask + 1) * SLOT_SIZE;
  capacity <<= 1;
  makeSlots(capacity << 1);
  for (let slot = old; slot < oldEnd; slot += SLOT_SIZE) {
    const symbol = slotSymbol(slot);
    if (symbol == 0) continue;
    const hash = load<u32>(slot);
    let free = slotAt(hash);
    while (slotSymbol(free) != 0) free = nextSlot(free);
    setSlot(free, hash, symbol);
  }
}

function makeSlots(size: u32): void {
  slots = allocatePermanent(size * SLOT_SIZE);
  slotMask = size - 1;
}

/** The first slot to look at for a hash. */
@inline
function slotAt(hash: u32): Address {
  return slots + (hash & slotMask) * SLOT_SIZE;
}

@inline
function nextSlot(slot: Address): Address {
  return slotAt(<u32>((slot - slots) / SLOT_SIZE) + 1);
}

@inline
function slotSymbol(slot: Address): Symbol {
  return load<u32>(slot, 4);
}

@inline
function setSlot(slot: Address, hash: u32, symbol: Symbol): void {
  store<u32>(slot, hash);
  store<u32>(slot, symbol, 4);
}
