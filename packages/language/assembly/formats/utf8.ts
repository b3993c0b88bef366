// Checking UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.

import { Address } from "../memory/chunks";

/** What `checkUtf8` says of bytes that are all right. */
export const UTF8_VALID: i32 = -1;
/** What it says when the last sequence is cut off by the end. */
export const UTF8_INCOMPLETE: i32 = -2;

/** The index of the first byte that cannot stand where it stands, or UTF8_VALID, or UTF8_INCOMPLETE. */
export function checkUtf8(bytes: Address, length: u32): i32 {
  let i: u32 = 0;
  while (i < length) {
    const lead = <u32>load<u8>(bytes + i);
    i++;
    if (lead < 0x80) continue;
    let following = followingBytes(lead);
    if (following == 0) return <i32>(i - 1);
    let lowest = lowestSecond(lead);
    let highest = highestSecond(lead);
    while (following > 0) {
      if (i == length) return UTF8_INCOMPLETE;
      const byte = <u32>load<u8>(bytes + i);
      if (byte < lowest || byte > highest) return <i32>i;
      lowest = 0x80;
      highest = 0xbf;
      i++;
      following--;
    }
  }
  return UTF8_VALID;
}

/** Whether bytes from `i` begin with a whole, valid sequence: its length, else 0. */
export function utf8SequenceLength(bytes: Address, i: u32, length: u32): u32 {
  const lead = <u32>load<u8>(bytes + i);
  if (lead < 0x80) return 1;
  const size = followingBytes(lead) + 1;
  if (size == 1 || i + size > length) return 0;
  return checkUtf8(bytes + i, size) == UTF8_VALID ? size : 0;
}

/** Writes a code point at `at` and returns the number of bytes. It must not be above U+10FFFF. */
export function storeUtf8(at: Address, codePoint: u32): u32 {
  if (codePoint < 0x80) {
    store<u8>(at, <u8>codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(at, <u8>(0xc0 | (codePoint >>> 6)));
    store<u8>(at + 1, <u8>(0x80 | (codePoint & 0x3f)));
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(at, <u8>(0xe0 | (codePoint >>> 12)));
    store<u8>(at + 1, <u8>(0x80 | ((codePoint >>> 6) & 0x3f)));
    store<u8>(at + 2, <u8>(0x80 | (codePoint & 0x3f)));
    return 3;
  }
  store<u8>(at, <u8>(0xf0 | (codePoint >>> 18)));
  store<u8>(at + 1, <u8>(0x80 | ((codePoint >>> 12) & 0x3f)));
  store<u8>(at + 2, <u8>(0x80 | ((codePoint >>> 6) & 0x3f)));
  store<u8>(at + 3, <u8>(0x80 | (codePoint & 0x3f)));
  return 4;
}

/** How many bytes follow a lead byte from 0x80 on; 0 when it cannot lead. */
function followingBytes(lead: u32): u32 {
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  return lead < 0xf5 ? 3 : 0;
}

function lowestSecond(lead: u32): u32 {
  if (lead == 0xe0) return 0xa0;
  return lead == 0xf0 ? 0x90 : 0x80;
}

function highestSecond(lead: u32): u32 {
  if (lead == 0xed) return 0x9f;
  return lead == 0xf4 ? 0x8f : 0xbf;
}
