// Symbols: names and context elements, interned. A symbol is a number from 1 on; equal bytes have equal numbers for the
// life of the module. Each has a permanent string, so that asking for its name allocates nothing.
//
//   names  growing table: symbol -> its STRING
//   slots  open-addressing hash table: symbol or 0

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { bytesEqual, hashBytes32 } from "../memory/bytes";
import { Value, isString } from "../values/value";
import { cachedSymbol, compareStrings, makePermanentString, setCachedSymbol, stringBytes, stringLength } from "../values/string";

export type Symbol = u32;

const INITIAL_SYMBOLS: u32 = 1 << 14;
const SCRATCH_SIZE: u32 = 256;

let names: Address = 0;
let capacity: u32 = 0;
let slots: Address = 0;
let slotMask: u32 = 0;
let count: u32 = 1;
const scratch: Address = memory.data(256);

export function initializeSymbols(): void {
  capacity = INITIAL_SYMBOLS;
  names = allocatePermanent(capacity << 2);
  slotMask = (INITIAL_SYMBOLS << 1) - 1;
  slots = allocatePermanent((slotMask + 1) << 2);
}

/** The symbol with these bytes. */
export function internBytes(bytes: Address, length: u32): Symbol {
  let slot = hashBytes32(bytes, length) & slotMask;
  while (true) {
    const symbol = load<u32>(slots + (slot << 2));
    if (symbol == 0) break;
    const name = load<u32>(names + (symbol << 2));
    if (stringLength(name) == length && bytesEqual(stringBytes(name), bytes, length)) return symbol;
    slot = (slot + 1) & slotMask;
  }
  return addSymbol(slot, makePermanentString(bytes, length));
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
  let slot = hashBytes32(bytes, length) & slotMask;
  while (true) {
    const symbol = load<u32>(slots + (slot << 2));
    if (symbol == 0) return 0;
    const name = load<u32>(names + (symbol << 2));
    if (stringLength(name) == length && bytesEqual(stringBytes(name), bytes, length)) {
      if (isString(string)) setCachedSymbol(string, symbol);
      return symbol;
    }
    slot = (slot + 1) & slotMask;
  }
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

export function symbolCount(): u32 {
  return count - 1;
}

/** Compares the names bytewise. */
export function compareSymbols(a: Symbol, b: Symbol): i32 {
  return compareStrings(symbolName(a), symbolName(b));
}

function addSymbol(slot: u32, name: Value): Symbol {
  const symbol = count++;
  setCachedSymbol(name, symbol);
  store<u32>(names + (symbol << 2), name);
  store<u32>(slots + (slot << 2), symbol);
  if (count == capacity) grow();
  return symbol;
}

function grow(): void {
  const larger = allocatePermanent(capacity << 3);
  memory.copy(larger, names, capacity << 2);
  names = larger;
  capacity <<= 1;
  slotMask = (slotMask << 1) | 1;
  slots = allocatePermanent((slotMask + 1) << 2);
  for (let symbol: u32 = 1; symbol < count; symbol++) {
    const name = symbolName(symbol);
    let slot = hashBytes32(stringBytes(name), stringLength(name)) & slotMask;
    while (load<u32>(slots + (slot << 2)) != 0) slot = (slot + 1) & slotMask;
    store<u32>(slots + (slot << 2), symbol);
  }
}
