// What was derived from a pair of addresses, remembered: the key set that `//` made of two others, the key set without
// positions that `mapAttrs` made of one, the answer of `functionArgs`. Programs derive the same again and again, and
// what shares a key set is smaller and is looked up faster.
//
// A direct-mapped table of roots: [a][b][result]. The collector moves what they refer to and so an entry may stand
// where it is no longer looked for; it is lost then, never wrong. Only small things are remembered there, since an entry
// keeps them alive. Large key sets, of which a package collection makes the same at each of its stages, are remembered in a
// table that keeps nothing alive, and is forgotten when cells are moved.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { takeRoot } from "../memory/roots";
import { compress, decompress } from "../memory/pointers";
import { Value } from "../values/value";

/** Sets with more attributes are large. */
const LARGEST_SMALL: u32 = 256;

/** Second words for what is derived from one address: odd, and so no address. */
export const WITHOUT_POSITIONS: u32 = 1;
export const FUNCTION_ARGUMENTS: u32 = 3;

const ENTRY_BITS: u32 = 9;
const ROOTS_PER_ENTRY: u32 = 3;
const ENTRY_SIZE: u32 = 12;
/** The addresses of the roots, once something has been remembered. */
let entries: Address = 0;

/** As many large ones are known at a time, each three words; the oldest one makes room. */
const LARGE_COUNT: u32 = 64;
const large: Address = memory.data(LARGE_COUNT * ENTRY_SIZE);
let oldestLarge: u32 = 0;

/** What was derived from `a` and `b`, or 0. `size` is the larger one's number of attributes. */
export function findDerived(a: u32, b: u32, size: u32): Value {
  if (size > LARGEST_SMALL) return findLarge(a, b);
  if (entries == 0) return 0;
  const entry = entryOf(a, b);
  if (load<u32>(load<u32>(entry)) != a || load<u32>(load<u32>(entry, 4)) != b) return 0;
  return decompress(load<u32>(load<u32>(entry, 8)));
}

/** Remembers what was derived from `a` and `b`, which must be addresses of cells, of permanent memory, or odd; `size` as above. */
export function rememberDerived(a: u32, b: u32, size: u32, result: Value): void {
  if (size > LARGEST_SMALL) return rememberLarge(a, b, result);
  if (entries == 0) makeEntries();
  const entry = entryOf(a, b);
  store<u32>(load<u32>(entry), a);
  store<u32>(load<u32>(entry, 4), b);
  store<u32>(load<u32>(entry, 8), compress(result));
}

function findLarge(a: u32, b: u32): Value {
  for (let entry = large; entry < large + LARGE_COUNT * ENTRY_SIZE; entry += ENTRY_SIZE) {
    if (load<u32>(entry) == a && load<u32>(entry, 4) == b) return decompress(load<u32>(entry, 8));
  }
  return 0;
}

function rememberLarge(a: u32, b: u32, result: Value): void {
  const entry = large + oldestLarge * ENTRY_SIZE;
  store<u32>(entry, a);
  store<u32>(entry, b, 4);
  store<u32>(entry, compress(result), 8);
  oldestLarge = (oldestLarge + 1) % LARGE_COUNT;
}

/** Cells are about to be moved. */
export function forgetLarge(): void {
  memory.fill(large, 0, LARGE_COUNT * ENTRY_SIZE);
}

@inline
function entryOf(a: u32, b: u32): Address {
  const mixed = (a * 0x9e3779b1) ^ (b * 0x85ebca6b);
  return entries + ((mixed ^ (mixed >>> 15)) * 0xc2b2ae35 >>> (32 - ENTRY_BITS)) * ENTRY_SIZE;
}

function makeEntries(): void {
  const roots: u32 = ROOTS_PER_ENTRY << ENTRY_BITS;
  entries = allocatePermanent(roots << 2);
  for (let i: u32 = 0; i < roots; i++) store<u32>(entries + (i << 2), <u32>takeRoot());
}
