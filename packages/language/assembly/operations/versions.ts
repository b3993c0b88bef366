// Version strings and package names, as the package manager compares and splits them.
//
// A version is components with dots and dashes between them: each is a run of digits, or of anything but digits, dots
// and dashes. "pre" sorts before everything, then nothing at all before a number, then words before numbers; numbers
// compare as such, words bytewise.

import { Address } from "../memory/chunks";
import { bytesEqualText, compareBytes } from "../memory/bytes";

/** The component that `nextComponent` found. */
export let componentStart: u32 = 0;
export let componentEnd: u32 = 0;

const DOT: u32 = 0x2e;
const DASH: u32 = 0x2d;
/** Runs of digits beyond this are words. */
const GREATEST_NUMBER: u64 = 0x7fffffff;
const NO_NUMBER: i64 = -1;

/** Finds the first component at or after `from`: `componentStart` … `componentEnd`, empty at the end of the version. */
export function nextComponent(version: Address, length: u32, from: u32): void {
  let at = from;
  while (at < length && isSeparator(<u32>load<u8>(version + at))) at++;
  componentStart = at;
  if (at < length && isDigit(<u32>load<u8>(version + at))) {
    while (at < length && isDigit(<u32>load<u8>(version + at))) at++;
  } else {
    while (at < length && isWordByte(<u32>load<u8>(version + at))) at++;
  }
  componentEnd = at;
}

/** -1, 0 or 1 as version `a` is older than, the same as, or newer than `b`. */
export function compareVersions(a: Address, aLength: u32, b: Address, bLength: u32): i32 {
  let i: u32 = 0;
  let j: u32 = 0;
  while (i < aLength || j < bLength) {
    nextComponent(a, aLength, i);
    const left = a + componentStart;
    const leftLength = componentEnd - componentStart;
    i = componentEnd;
    nextComponent(b, bLength, j);
    const right = b + componentStart;
    const rightLength = componentEnd - componentStart;
    j = componentEnd;
    if (isComponentLess(left, leftLength, right, rightLength)) return -1;
    if (isComponentLess(right, rightLength, left, leftLength)) return 1;
  }
  return 0;
}

/** The offset of the dash between name and version: the first one that no letter follows; `length` when there is none. */
export function versionDash(name: Address, length: u32): u32 {
  for (let i: u32 = 0; i + 1 < length; i++) {
    if (<u32>load<u8>(name + i) == DASH && !isLetter(<u32>load<u8>(name + i + 1))) return i;
  }
  return length;
}

function isComponentLess(a: Address, aLength: u32, b: Address, bLength: u32): bool {
  const left = numberOf(a, aLength);
  const right = numberOf(b, bLength);
  if (left != NO_NUMBER && right != NO_NUMBER) return left < right;
  if (aLength == 0 && right != NO_NUMBER) return true;
  const rightIsPre = bytesEqualText(b, bLength, "pre");
  if (bytesEqualText(a, aLength, "pre") && !rightIsPre) return true;
  if (rightIsPre) return false;
  if (right != NO_NUMBER) return true;
  if (left != NO_NUMBER) return false;
  return compareBytes(a, aLength, b, bLength) < 0;
}

function numberOf(component: Address, length: u32): i64 {
  if (length == 0 || !isDigit(<u32>load<u8>(component))) return NO_NUMBER;
  let number: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    number = number * 10 + <u64>(load<u8>(component + i) - 0x30);
    if (number > GREATEST_NUMBER) return NO_NUMBER;
  }
  return <i64>number;
}

@inline
function isSeparator(byte: u32): bool {
  return byte == DOT || byte == DASH;
}

@inline
function isDigit(byte: u32): bool {
  return byte >= 0x30 && byte <= 0x39;
}

@inline
function isWordByte(byte: u32): bool {
  return !isDigit(byte) && !isSeparator(byte);
}

@inline
function isLetter(byte: u32): bool {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}
