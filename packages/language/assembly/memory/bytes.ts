// Comparing, searching and hashing runs of bytes.

import { Address } from "./chunks";

/** Whether two runs of `length` bytes are the same. Both may be unaligned. */
export function bytesEqual(a: Address, b: Address, length: u32): bool {
  let i: u32 = 0;
  while (i < length) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
    i++;
  }
  return true;
}

/** The same for 8-aligned runs, word by word. */
export function alignedBytesEqual(a: Address, b: Address, length: u32): bool {
  let i: u32 = 0;
  while (i + 8 <= length) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
  }
  while (i < length) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
    i++;
  }
  return true;
}

/** Negative, zero or positive as `a` sorts before, with or after `b` bytewise; a prefix sorts first. */
export function compareBytes(a: Address, aLength: u32, b: Address, bLength: u32): i32 {
  const shared = aLength < bLength ? aLength : bLength;
  let i: u32 = 0;
  while (i < shared) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference != 0) return difference;
    i++;
  }
  return <i32>(aLength > bLength) - <i32>(aLength < bLength);
}

/** Whether the run equals a literal of this source (ASCII). */
export function bytesEqualText(a: Address, length: u32, text: string): bool {
  if (<u32>text.length != length) return false;
  const from = changetype<usize>(text);
  let i: u32 = 0;
  while (i < length) {
    if (load<u8>(a + i) != load<u8>(from + (i << 1))) return false;
    i++;
  }
  return true;
}

/** The offset of the first `byte` at or after `from`, or `length`. */
export function findByte(a: Address, length: u32, byte: u32, from: u32): u32 {
  let i = from;
  while (i < length && <u32>load<u8>(a + i) != byte) i++;
  return i;
}

/** A 32-bit hash for tables inside the module: a multiplicative mix of four bytes at a time, the same wherever they lie. */
export function hashBytes32(a: Address, length: u32): u32 {
  let hash: u32 = length * 0x9e3779b1;
  let i: u32 = 0;
  if ((a & 3) == 0) {
    while (i + 4 <= length) {
      hash = mix(hash, load<u32>(a + i));
      i += 4;
    }
  } else {
    while (i + 4 <= length) {
      hash = mix(hash, fourBytes(a + i));
      i += 4;
    }
  }
  let rest: u32 = 0;
  while (i < length) {
    rest = (rest << 8) | <u32>load<u8>(a + i);
    i++;
  }
  hash = mix(hash, rest);
  hash ^= hash >>> 13;
  hash *= 0x85ebca6b;
  return hash ^ (hash >>> 16);
}

@inline
function mix(hash: u32, word: u32): u32 {
  const mixed = (hash ^ word) * 0xcc9e2d51;
  return mixed ^ (mixed >>> 15);
}

@inline
function fourBytes(a: Address): u32 {
  return (
    <u32>load<u8>(a) | (<u32>load<u8>(a, 1) << 8) | (<u32>load<u8>(a, 2) << 16) | (<u32>load<u8>(a, 3) << 24)
  );
}
