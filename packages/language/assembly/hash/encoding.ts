// Bytes as text: base16 (lower case), nix32 (Nix's base 32) and base64 (RFC 4648, section 4, padded).
//
// Encoders write exactly `…EncodedLength` characters. Decoders return the number of bytes they wrote, or a negative
// reason; they accept only what an encoder writes (and upper case in base16), so that a text has one meaning and bytes
// one text. `base64DecodeLoosely` is the exception that Nix makes for hashes. Input and output must not overlap;
// neither need be aligned.
//
// nix32 writes the bytes as one number, the first byte being the least significant, its most significant digit first.

import { Address } from "../memory/chunks";

/** A decoder's reason: a character that is no digit of the base, or stands where it may not. */
export const BAD_CHARACTER: i32 = -1;
/** A decoder's reason: no bytes have a text of this length. */
export const BAD_LENGTH: i32 = -2;
/** A decoder's reason: the bits of the last digit that belong to no byte are not zero. */
export const BAD_LEFTOVER: i32 = -3;

const BASE16_DIGITS = "0123456789abcdef";
const NIX32_DIGITS = "0123456789abcdfghijklmnpqrsvwxyz";
const BASE64_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** What the digit functions answer to any other character. */
const NO_DIGIT: u32 = 0xff;

const CHARACTER_0: u32 = 0x30;
const CHARACTER_A: u32 = 0x41;
const CHARACTER_LOWER_A: u32 = 0x61;
const CHARACTER_LOWER_F: u32 = 0x66;
const CHARACTER_LOWER_P: u32 = 0x70;
const CHARACTER_LOWER_V: u32 = 0x76;
const CHARACTER_PLUS: u32 = 0x2b;
const CHARACTER_SLASH: u32 = 0x2f;
const CHARACTER_EQUALS: u32 = 0x3d;
const CHARACTER_NEWLINE: u32 = 0x0a;

@inline
export function base16EncodedLength(length: u32): u32 {
  return length << 1;
}

export function base16Encode(input: Address, length: u32, out: Address): void {
  let i: u32 = 0;
  while (i < length) {
    const byte = <u32>load<u8>(input + i);
    store<u8>(out + (i << 1), character(BASE16_DIGITS, byte >> 4), 0);
    store<u8>(out + (i << 1), character(BASE16_DIGITS, byte & 15), 1);
    i++;
  }
}

export function base16Decode(text: Address, length: u32, out: Address): i32 {
  if ((length & 1) != 0) return BAD_LENGTH;
  const size = length >> 1;
  let i: u32 = 0;
  while (i < size) {
    const high = base16Digit(load<u8>(text + (i << 1), 0));
    const low = base16Digit(load<u8>(text + (i << 1), 1));
    if (high == NO_DIGIT || low == NO_DIGIT) return BAD_CHARACTER;
    store<u8>(out + i, <u8>((high << 4) | low));
    i++;
  }
  return <i32>size;
}

@inline
export function nix32EncodedLength(length: u32): u32 {
  return (length * 8 + 4) / 5;
}

export function nix32Encode(input: Address, length: u32, out: Address): void {
  let end = out + nix32EncodedLength(length);
  let pending: u32 = 0;
  let pendingBits: u32 = 0;
  let i: u32 = 0;
  while (i < length) {
    pending |= <u32>load<u8>(input + i) << pendingBits;
    pendingBits += 8;
    while (pendingBits >= 5) {
      end -= 1;
      store<u8>(end, character(NIX32_DIGITS, pending & 31));
      pending >>= 5;
      pendingBits -= 5;
    }
    i++;
  }
  if (pendingBits > 0) store<u8>(out, character(NIX32_DIGITS, pending));
}

export function nix32Decode(text: Address, length: u32, out: Address): i32 {
  let pending: u32 = 0;
  let pendingBits: u32 = 0;
  let size: u32 = 0;
  let i = length;
  while (i > 0) {
    i--;
    const digit = nix32Digit(load<u8>(text + i));
    if (digit == NO_DIGIT) return BAD_CHARACTER;
    pending |= digit << pendingBits;
    pendingBits += 5;
    if (pendingBits >= 8) {
      store<u8>(out + size, <u8>pending);
      size++;
      pending >>= 8;
      pendingBits -= 8;
    }
  }
  if (pendingBits >= 5) return BAD_LENGTH;
  if (pending != 0) return BAD_LEFTOVER;
  return <i32>size;
}

@inline
export function base64EncodedLength(length: u32): u32 {
  return (length + 2) / 3 * 4;
}

export function base64Encode(input: Address, length: u32, out: Address): void {
  const whole = length - length % 3;
  let i: u32 = 0;
  while (i < whole) {
    writeBase64Group(out, byteAt(input, i) << 16 | byteAt(input, i + 1) << 8 | byteAt(input, i + 2));
    out += 4;
    i += 3;
  }
  if (whole == length) return;
  const second: u32 = whole + 1 < length ? byteAt(input, whole + 1) : 0;
  writeBase64Group(out, byteAt(input, whole) << 16 | second << 8);
  store<u8>(out, <u8>CHARACTER_EQUALS, 3);
  if (whole + 1 == length) store<u8>(out, <u8>CHARACTER_EQUALS, 2);
}

export function base64Decode(text: Address, length: u32, out: Address): i32 {
  if ((length & 3) != 0) return BAD_LENGTH;
  let digits = length;
  if (length > 0 && byteAt(text, length - 1) == CHARACTER_EQUALS) {
    digits -= byteAt(text, length - 2) == CHARACTER_EQUALS ? 2 : 1;
  }
  let pending: u32 = 0;
  let pendingBits: u32 = 0;
  let size: u32 = 0;
  let i: u32 = 0;
  while (i < digits) {
    const digit = base64Digit(byteAt(text, i));
    if (digit == NO_DIGIT) return BAD_CHARACTER;
    pending = pending << 6 | digit;
    pendingBits += 6;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      store<u8>(out + size, <u8>(pending >> pendingBits));
      size++;
    }
    i++;
  }
  if ((pending & ((1 << pendingBits) - 1)) != 0) return BAD_LEFTOVER;
  return <i32>size;
}

/**
 * Decodes as Nix does where it reads a hash: padding may be missing, what follows the first `=` is not looked at, line
 * feeds are skipped, leftover bits may be anything. Returns how many bytes there are, of which it wrote at most
 * `capacity`, or `BAD_CHARACTER`.
 */
export function base64DecodeLoosely(text: Address, length: u32, out: Address, capacity: u32): i32 {
  let pending: u32 = 0;
  let pendingBits: u32 = 0;
  let size: u32 = 0;
  let i: u32 = 0;
  while (i < length) {
    const byte = byteAt(text, i);
    i++;
    if (byte == CHARACTER_EQUALS) break;
    if (byte == CHARACTER_NEWLINE) continue;
    const digit = base64Digit(byte);
    if (digit == NO_DIGIT) return BAD_CHARACTER;
    pending = pending << 6 | digit;
    pendingBits += 6;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      if (size < capacity) store<u8>(out + size, <u8>(pending >> pendingBits));
      size++;
    }
  }
  return <i32>size;
}

/** Four digits for 24 bits. */
function writeBase64Group(out: Address, bits: u32): void {
  store<u8>(out, character(BASE64_DIGITS, bits >> 18), 0);
  store<u8>(out, character(BASE64_DIGITS, (bits >> 12) & 63), 1);
  store<u8>(out, character(BASE64_DIGITS, (bits >> 6) & 63), 2);
  store<u8>(out, character(BASE64_DIGITS, bits & 63), 3);
}

/** The character at a place of a literal, which is ASCII in UTF-16. */
@inline
function character(literal: string, i: u32): u8 {
  return load<u8>(changetype<usize>(literal) + (i << 1));
}

@inline
function byteAt(address: Address, i: u32): u32 {
  return load<u8>(address + i);
}

function base16Digit(character: u32): u32 {
  if (character - CHARACTER_0 < 10) return character - CHARACTER_0;
  const lower = character | 0x20;
  return lower - CHARACTER_LOWER_A < 6 ? lower - CHARACTER_LOWER_A + 10 : NO_DIGIT;
}

/** The letters e, o, t and u are no digits. */
function nix32Digit(character: u32): u32 {
  if (character - CHARACTER_0 < 10) return character - CHARACTER_0;
  if (character - CHARACTER_LOWER_A < 4) return character - CHARACTER_LOWER_A + 10;
  if (character - CHARACTER_LOWER_F < 9) return character - CHARACTER_LOWER_F + 14;
  if (character - CHARACTER_LOWER_P < 4) return character - CHARACTER_LOWER_P + 23;
  return character - CHARACTER_LOWER_V < 5 ? character - CHARACTER_LOWER_V + 27 : NO_DIGIT;
}

function base64Digit(character: u32): u32 {
  if (character - CHARACTER_A < 26) return character - CHARACTER_A;
  if (character - CHARACTER_LOWER_A < 26) return character - CHARACTER_LOWER_A + 26;
  if (character - CHARACTER_0 < 10) return character - CHARACTER_0 + 52;
  if (character == CHARACTER_PLUS) return 62;
  return character == CHARACTER_SLASH ? 63 : NO_DIGIT;
}
