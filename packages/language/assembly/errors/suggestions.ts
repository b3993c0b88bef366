// "Did you mean …?": the names that are nearest to one that does not exist.
//
// The distance is Levenshtein's, with the usual two rows. At most five names within a distance of two are kept, nearest
// first and then bytewise.

import { Address } from "../memory/chunks";
import { formalAt, formalSymbol, formalsCount } from "../compile/code";
import { Symbol, symbolName } from "../symbols/symbols";
import { Keys, keySymbol, keysCount } from "../values/attrs";
import { listLength, makeList, setListItem } from "../values/list";
import { compareStrings, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const MAXIMUM_DISTANCE: u32 = 2;
const MAXIMUM_MATCHES: u32 = 5;
/** Longer names are not compared. */
const MAXIMUM_LENGTH: u32 = 255;

/** Two rows of distances. */
const rows: Address = memory.data(2048);
/** Matches so far: [symbol][distance], best first. */
const matches: Address = memory.data(48);
let matchCount: u32 = 0;

/** The best matches for `symbol` among the names of a set: a LIST of STRING. */
export function bestMatchesInKeys(keys: Keys, symbol: Symbol): Value {
  matchCount = 0;
  const count = keysCount(keys);
  for (let i: u32 = 0; i < count; i++) consider(keySymbol(keys, i), symbol);
  return takeMatches();
}

/** The best matches among formals. */
export function bestMatchesInFormals(formals: Address, symbol: Symbol): Value {
  matchCount = 0;
  const count = formalsCount(formals);
  for (let i: u32 = 0; i < count; i++) consider(formalSymbol(formalAt(formals, i)), symbol);
  return takeMatches();
}

function consider(candidate: Symbol, wanted: Symbol): void {
  const a = symbolName(wanted);
  const b = symbolName(candidate);
  const aLength = stringLength(a);
  const bLength = stringLength(b);
  if (aLength > MAXIMUM_LENGTH || bLength > MAXIMUM_LENGTH) return;
  if ((aLength > bLength ? aLength - bLength : bLength - aLength) > MAXIMUM_DISTANCE) return;
  const distance = levenshtein(stringBytes(a), aLength, stringBytes(b), bLength);
  if (distance <= MAXIMUM_DISTANCE) insertMatch(candidate, distance);
}

function levenshtein(a: Address, aLength: u32, b: Address, bLength: u32): u32 {
  let previous = rows;
  let current = rows + 1024;
  for (let j: u32 = 0; j <= bLength; j++) store<u32>(previous + (j << 2), j);
  for (let i: u32 = 0; i < aLength; i++) {
    store<u32>(current, i + 1);
    for (let j: u32 = 0; j < bLength; j++) {
      const same = load<u8>(a + i) == load<u8>(b + j);
      const substitution = load<u32>(previous + (j << 2)) + (same ? 0 : 1);
      const deletion = load<u32>(previous + (j << 2), 4) + 1;
      const insertion = load<u32>(current + (j << 2)) + 1;
      store<u32>(current + (j << 2), min(substitution, min(deletion, insertion)), 4);
    }
    const swapped = previous;
    previous = current;
    current = swapped;
  }
  return load<u32>(previous + (bLength << 2));
}

function insertMatch(symbol: Symbol, distance: u32): void {
  let at = matchCount;
  while (at > 0 && isBetter(symbol, distance, at - 1)) at--;
  if (at >= MAXIMUM_MATCHES) return;
  if (matchCount < MAXIMUM_MATCHES) matchCount++;
  for (let i = matchCount - 1; i > at; i--) store<u64>(matches + (i << 3), load<u64>(matches + ((i - 1) << 3)));
  store<u32>(matches + (at << 3), symbol);
  store<u32>(matches + (at << 3), distance, 4);
}

function isBetter(symbol: Symbol, distance: u32, index: u32): bool {
  const other = load<u32>(matches + (index << 3), 4);
  if (distance != other) return distance < other;
  return compareStrings(symbolName(symbol), symbolName(load<u32>(matches + (index << 3)))) < 0;
}

function takeMatches(): Value {
  const list = makeList(matchCount);
  for (let i: u32 = 0; i < listLength(list); i++) setListItem(list, i, symbolName(load<u32>(matches + (i << 3))));
  return list;
}
