// Attribute sets. Names and positions are apart from values, in a key set that many sets share: all that one literal
// makes, and what `mapAttrs` makes of them. A lookup that meets the same key set again knows the index at once.
//
//   ATTRS  [header][keys][values, padded to 8]
//   KEYS   [header][count][order or 0][unused][symbols, count words][positions, count words]
//   ORDER  [header][count][indices, count words, padded to 8]
//
// Symbols ascend strictly within KEYS. ORDER lists the indices so that the names ascend bytewise; it is made when
// somebody first asks. A key set never changes, but for its order.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { compress, decompress } from "../memory/pointers";
import { EMPTY_ATTRS, EMPTY_KEYS } from "./constants";
import { KIND_ATTRS, KIND_KEYS, Value, cellHeader } from "./value";

export type Keys = usize;

// Counters of NIX_SHOW_STATS.
export let setCount: u32 = 0;
export let setAttrCount: u64 = 0;

const ATTRS_HEADER: u32 = 8;
const KEYS_HEADER: u32 = 16;

@inline
export function keysOf(attrs: Value): Keys {
  return decompress(load<u32>(attrs, 4));
}

@inline
export function keysCount(keys: Keys): u32 {
  return load<u32>(keys, 4);
}

@inline
export function attrsCount(attrs: Value): u32 {
  return keysCount(keysOf(attrs));
}

@inline
export function attrValue(attrs: Value, index: u32): Value {
  return decompress(load<u32>(attrs + (index << 2), ATTRS_HEADER));
}

@inline
export function setAttrValue(attrs: Value, index: u32, value: Value): void {
  store<u32>(attrs + (index << 2), compress(value), ATTRS_HEADER);
}

/** The address of the first value; values are adjacent words. */
@inline
export function attrsValues(attrs: Value): Address {
  return attrs + ATTRS_HEADER;
}

@inline
export function keySymbol(keys: Keys, index: u32): u32 {
  return load<u32>(keys + (index << 2), KEYS_HEADER);
}

/** Where the attribute was defined: a position (syntax/positions.ts), 0 if nowhere. */
@inline
export function keyPosition(keys: Keys, index: u32): u32 {
  return load<u32>(keys + ((keysCount(keys) + index) << 2), KEYS_HEADER);
}

@inline
export function setKey(keys: Keys, index: u32, symbol: u32, position: u32): void {
  store<u32>(keys + (index << 2), symbol, KEYS_HEADER);
  store<u32>(keys + ((keysCount(keys) + index) << 2), position, KEYS_HEADER);
}

@inline
export function keysSymbols(keys: Keys): Address {
  return keys + KEYS_HEADER;
}

@inline
export function keysPositions(keys: Keys): Address {
  return keys + KEYS_HEADER + (keysCount(keys) << 2);
}

/** The ORDER cell, or 0 while nobody has asked for it (attr-order.ts). */
@inline
export function keysOrder(keys: Keys): Address {
  return decompress(load<u32>(keys, 8));
}

@inline
export function setKeysOrder(keys: Keys, order: Address): void {
  store<u32>(keys, compress(order), 8);
}

@inline
export function attrsCellSize(count: u32): u32 {
  return (ATTRS_HEADER + (count << 2) + 7) & ~7;
}

@inline
export function keysCellSize(count: u32): u32 {
  return KEYS_HEADER + (count << 3);
}

/** A key set with room for `count` keys, which the caller sets in ascending order of symbols. */
export function makeKeys(count: u32): Keys {
  if (count == 0) return EMPTY_KEYS;
  return initializeKeys(allocate(keysCellSize(count)), count);
}

/** A key set of the code: never moved or freed. */
export function makePermanentKeys(count: u32): Keys {
  if (count == 0) return EMPTY_KEYS;
  return initializeKeys(allocatePermanent(keysCellSize(count)), count);
}

/** A set over `keys`, whose values the caller must set before the machine goes on. */
export function makeAttrs(keys: Keys): Value {
  const count = keysCount(keys);
  if (count == 0) return EMPTY_ATTRS;
  const size = attrsCellSize(count);
  const attrs = allocate(size);
  setCount++;
  setAttrCount += count;
  store<u32>(attrs + size - 4, 0);
  store<u32>(attrs, cellHeader(KIND_ATTRS));
  store<u32>(attrs, compress(keys), 4);
  return attrs;
}

/** What `findKey` says of a name that is not there. */
export const NO_INDEX: i32 = -1;

/** The index of `symbol` in `keys`, or NO_INDEX. Binary search. */
export function findKey(keys: Keys, symbol: u32): i32 {
  const symbols = keys + KEYS_HEADER;
  let low: u32 = 0;
  let high = keysCount(keys);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = load<u32>(symbols + (middle << 2));
    if (at < symbol) low = middle + 1;
    else if (at > symbol) high = middle;
    else return <i32>middle;
  }
  return NO_INDEX;
}

/** The value of the attribute, or 0 when there is none. It may be a thunk. */
export function findAttr(attrs: Value, symbol: u32): Value {
  const index = findKey(keysOf(attrs), symbol);
  return index < 0 ? 0 : attrValue(attrs, <u32>index);
}

function initializeKeys(keys: Keys, count: u32): Keys {
  store<u32>(keys, cellHeader(KIND_KEYS));
  store<u32>(keys, count, 4);
  store<u64>(keys, 0, 8);
  return keys;
}
