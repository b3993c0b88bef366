// Positions. Every source has a range of one 32-bit space to itself: a position is the start of its source plus a byte
// offset, and 0 is nowhere. Line and column are computed when an error is shown, by the host, from the source's text.
//
// A source has a number from 0 on; a table of [start, length, origin, name] tells which one a position belongs to.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Value } from "../values/value";

export type Position = u32;

/** Where a source came from. */
export const ORIGIN_FILE: u32 = 0;
export const ORIGIN_STRING: u32 = 1;
export const ORIGIN_STDIN: u32 = 2;
/** The source of the built-in `derivation`. */
export const ORIGIN_INTERNAL: u32 = 3;

@unmanaged
export class Source {
  /** The position of its first byte. */
  start: Position;
  length: u32;
  origin: u32;
  /** ORIGIN_FILE: a permanent PATH. ORIGIN_INTERNAL: the text, a permanent STRING. Otherwise 0. */
  path: Value;
}

const SOURCE_SIZE: u32 = <u32>offsetof<Source>();
let sources: Address = 0;
let capacity: u32 = 0;
let count: u32 = 0;
/** 0 is no position. */
let next: Position = 1;

/** Gives a source of `length` bytes its range and returns its number. */
export function addSource(origin: u32, path: Value, length: u32): u32 {
  if (count == capacity) grow();
  const source = sourceAt(count);
  source.start = next;
  source.length = length;
  source.origin = origin;
  source.path = path;
  // One more than its length: the end of the text is a position as well.
  next += length + 1;
  return count++;
}

/** The entry of a source by its number. */
export function sourceAt(index: u32): Source {
  return changetype<Source>(sources + index * SOURCE_SIZE);
}

export function sourceCount(): u32 {
  return count;
}

/** The number of the source that holds `position`, which must not be 0. */
export function sourceOf(position: Position): u32 {
  let low: u32 = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (sourceAt(middle).start <= position) low = middle;
    else high = middle;
  }
  return low;
}

function grow(): void {
  const larger = capacity == 0 ? 256 : capacity << 1;
  const table = allocatePermanent(larger * SOURCE_SIZE);
  if (count != 0) memory.copy(table, sources, count * SOURCE_SIZE);
  sources = table;
  capacity = larger;
}
