// Sets of byte values: what a bracket expression, a character class or "." matches, and the bytes that may come next.
//
// A set is one bit of a plane. A plane has one byte for each of the 256 byte values and holds eight sets, so that
// membership is one load, a shift and a mask. The handle of a set is the address of its plane (8-aligned) plus the
// number of its bit. Sets are permanent, as compiled patterns are.

import { allocatePermanent } from "../memory/permanent";

export type ByteSet = usize;

const PLANE_SIZE: u32 = 256;
const SETS_PER_PLANE: u32 = 8;

const LOWEST_BITS: u64 = 0x0101010101010101;

let plane: usize = 0;
let usedSets: u32 = SETS_PER_PLANE;
let anyByte: ByteSet = 0;

/** A new empty set. */
export function newByteSet(): ByteSet {
  if (usedSets == SETS_PER_PLANE) {
    plane = allocatePermanent(PLANE_SIZE);
    usedSets = 0;
  }
  return plane + usedSets++;
}

/** What "." matches in a POSIX grammar: every byte but NUL. */
export function anyByteSet(): ByteSet {
  if (anyByte == 0) {
    anyByte = newByteSet();
    addRange(anyByte, 1, 255);
  }
  return anyByte;
}

@inline
export function hasByte(set: ByteSet, byte: u32): bool {
  return ((load<u8>((set & ~7) + byte) >>> <u8>(set & 7)) & 1) != 0;
}

export function addByte(set: ByteSet, byte: u32): void {
  const at = (set & ~7) + byte;
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(set & 7)));
}

/** Adds the bytes `first` to `last`, both included, as unsigned values. */
export function addRange(set: ByteSet, first: u32, last: u32): void {
  for (let byte = first; byte <= last; byte++) addByte(set, byte);
}

/** Adds all members of `other`. */
export function addSet(set: ByteSet, other: ByteSet): void {
  for (let word: u32 = 0; word < PLANE_SIZE; word += 8) setWord(set, word, wordOf(set, word) | wordOf(other, word));
}

/** Turns a set into its complement. */
export function complement(set: ByteSet): void {
  for (let word: u32 = 0; word < PLANE_SIZE; word += 8) setWord(set, word, wordOf(set, word) ^ LOWEST_BITS);
}

/** Empties the newest set, so that its bit can be given out again. */
export function dropNewestSet(set: ByteSet): void {
  for (let word: u32 = 0; word < PLANE_SIZE; word += 8) setWord(set, word, 0);
  usedSets--;
}

export function setsEqual(a: ByteSet, b: ByteSet): bool {
  for (let word: u32 = 0; word < PLANE_SIZE; word += 8) if (wordOf(a, word) != wordOf(b, word)) return false;
  return true;
}

export function setsIntersect(a: ByteSet, b: ByteSet): bool {
  for (let word: u32 = 0; word < PLANE_SIZE; word += 8) if ((wordOf(a, word) & wordOf(b, word)) != 0) return true;
  return false;
}

/** Membership of the eight bytes from `word` on, a multiple of 8: the lowest bit of each byte. */
@inline
function wordOf(set: ByteSet, word: u32): u64 {
  return (load<u64>((set & ~7) + word) >>> <u64>(set & 7)) & LOWEST_BITS;
}

@inline
function setWord(set: ByteSet, word: u32, members: u64): void {
  const at = (set & ~7) + word;
  const shift = <u64>(set & 7);
  store<u64>(at, (load<u64>(at) & ~(LOWEST_BITS << shift)) | (members << shift));
}
