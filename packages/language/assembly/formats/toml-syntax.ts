// What the tokens of TOML 1.0 look like. Every function takes an offset into the text and gives the offset behind the token
// that begins there, or NONE when none does.

import { Address } from "../memory/chunks";
import { utf8SequenceLength } from "./utf8";

export const NONE: u32 = 0xffffffff;

let text: Address = 0;
let length: u32 = 0;

/** Sets the text that the other functions look at. */
export function setTomlText(bytes: Address, size: u32): void {
  text = bytes;
  length = size;
}

/** The byte at an offset; 0 at the end and beyond. */
@inline
export function byteAt(at: u32): u32 {
  return at < length ? <u32>load<u8>(text + at) : 0;
}

@inline
export function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

export function isHexDigit(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 6;
}

export function isOctalDigit(byte: u32): bool {
  return byte - 0x30 < 8;
}

export function isBinaryDigit(byte: u32): bool {
  return byte - 0x30 < 2;
}

export function isBareKeyByte(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 26 || byte == 0x2d || byte == 0x5f;
}

/** The offset of the first byte from `at` on that is neither a space nor a tab. */
export function afterSpace(at: u32): u32 {
  let i = at;
  while (byteAt(i) == 0x20 || byteAt(i) == 9) i++;
  return i;
}

export function afterNewline(at: u32): u32 {
  const byte = byteAt(at);
  if (byte == 10) return at + 1;
  return byte == 13 && byteAt(at + 1) == 10 ? at + 2 : NONE;
}

/** A comment up to its line break, or to the first byte that it must not contain. */
export function afterComment(at: u32): u32 {
  if (byteAt(at) != 0x23) return NONE;
  let i = at + 1;
  while (i < length) {
    const size = printableLength(i);
    if (size == 0) break;
    i += size;
  }
  return i;
}

/** The length of the tab, printable character or UTF-8 sequence at `at`, else 0. */
export function printableLength(at: u32): u32 {
  const byte = byteAt(at);
  if (byte == 9) return 1;
  if (byte < 0x20 || byte == 0x7f) return 0;
  return byte < 0x80 ? 1 : utf8SequenceLength(text, at, length);
}

export function afterWord(at: u32, word: string): u32 {
  const size = <u32>word.length;
  for (let i: u32 = 0; i < size; i++) {
    if (byteAt(at + i) != <u32>load<u8>(changetype<usize>(word) + (i << 1))) return NONE;
  }
  return at + size;
}

// ── Numbers ──

/** Digits with single underscores between them, from one digit on. */
function afterDigits(at: u32, isOne: (byte: u32) => bool): u32 {
  if (!isOne(byteAt(at))) return NONE;
  let i = at + 1;
  while (true) {
    if (isOne(byteAt(i))) i++;
    else if (byteAt(i) == 0x5f && isOne(byteAt(i + 1))) i += 2;
    else return i;
  }
}

function afterSign(at: u32): u32 {
  const byte = byteAt(at);
  return byte == 0x2b || byte == 0x2d ? at + 1 : at;
}

/** A decimal integer: one digit, or several without a leading zero. */
export function afterDecimal(at: u32): u32 {
  const digits = afterSign(at);
  if (byteAt(digits) == 0x30) return digits + 1;
  return afterDigits(digits, isDigit);
}

export function afterHexadecimal(at: u32): u32 {
  const digits = afterWord(at, "0x");
  return digits == NONE ? NONE : afterDigits(digits, isHexDigit);
}

export function afterOctal(at: u32): u32 {
  const digits = afterWord(at, "0o");
  return digits == NONE ? NONE : afterDigits(digits, isOctalDigit);
}

export function afterBinary(at: u32): u32 {
  const digits = afterWord(at, "0b");
  return digits == NONE ? NONE : afterDigits(digits, isBinaryDigit);
}

export function afterInteger(at: u32): u32 {
  let end = afterHexadecimal(at);
  if (end == NONE) end = afterOctal(at);
  if (end == NONE) end = afterBinary(at);
  return end == NONE ? afterDecimal(at) : end;
}

export function afterFloat(at: u32): u32 {
  const whole = afterDecimal(at);
  if (whole == NONE) {
    const word = afterSign(at);
    const infinity = afterWord(word, "inf");
    return infinity == NONE ? afterWord(word, "nan") : infinity;
  }
  const exponent = afterExponent(whole);
  if (exponent != NONE) return exponent;
  if (byteAt(whole) != 0x2e) return NONE;
  const fraction = afterDigits(whole + 1, isDigit);
  if (fraction == NONE) return NONE;
  const end = afterExponent(fraction);
  return end == NONE ? fraction : end;
}

function afterExponent(at: u32): u32 {
  if ((byteAt(at) | 0x20) != 0x65) return NONE;
  return afterDigits(afterSign(at + 1), isDigit);
}

// ── Dates and times ──

function hasDigits(at: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (!isDigit(byteAt(at + i))) return false;
  return true;
}

/** yyyy-mm-dd */
export function afterDate(at: u32): u32 {
  const shaped = hasDigits(at, 4) && byteAt(at + 4) == 0x2d && hasDigits(at + 5, 2) && byteAt(at + 7) == 0x2d;
  return shaped && hasDigits(at + 8, 2) ? at + 10 : NONE;
}

/** hh:mm:ss, hh:mm:ss.fraction */
export function afterTime(at: u32): u32 {
  const shaped = hasDigits(at, 2) && byteAt(at + 2) == 0x3a && hasDigits(at + 3, 2) && byteAt(at + 5) == 0x3a;
  if (!shaped || !hasDigits(at + 6, 2)) return NONE;
  let end = at + 8;
  if (byteAt(end) != 0x2e || !isDigit(byteAt(end + 1))) return end;
  end += 2;
  while (isDigit(byteAt(end))) end++;
  return end;
}

/** Z, +hh:mm, -hh:mm */
export function afterOffset(at: u32): u32 {
  if ((byteAt(at) | 0x20) == 0x7a) return at + 1;
  if (afterSign(at) == at || !hasDigits(at + 1, 2) || byteAt(at + 3) != 0x3a) return NONE;
  return hasDigits(at + 4, 2) ? at + 6 : NONE;
}

export function isTimeDelimiter(byte: u32): bool {
  return byte == 0x20 || (byte | 0x20) == 0x74;
}

// ── Strings ──

/** A string on one line between double quotes, its escapes checked for their shape. */
export function afterBasicString(at: u32): u32 {
  if (byteAt(at) != 0x22) return NONE;
  let i = at + 1;
  while (byteAt(i) != 0x22) {
    const size = basicLength(i);
    if (size == 0) return NONE;
    i += size;
  }
  return i + 1;
}

/** The length of the character or escape at `at` within double quotes; 0 at a quote and at what is not allowed. */
export function basicLength(at: u32): u32 {
  const byte = byteAt(at);
  if (byte == 0x22) return 0;
  return byte == 0x5c ? escapeLength(at) : printableLength(at);
}

function escapeLength(at: u32): u32 {
  switch (byteAt(at + 1)) {
    case 0x22:
    case 0x5c:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 2;
    case 0x75:
      return hasHexDigits(at + 2, 4) ? 6 : 0;
    case 0x55:
      return hasHexDigits(at + 2, 8) ? 10 : 0;
    default:
      return 0;
  }
}

function hasHexDigits(at: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (!isHexDigit(byteAt(at + i))) return false;
  return true;
}

/** A string on one line between single quotes. */
export function afterLiteralString(at: u32): u32 {
  if (byteAt(at) != 0x27) return NONE;
  let i = at + 1;
  while (byteAt(i) != 0x27) {
    const size = printableLength(i);
    if (size == 0) return NONE;
    i += size;
  }
  return i + 1;
}

/** A string of several lines between three quotes, single or double; up to two more may come before the closing ones. */
export function afterMultilineString(at: u32, quote: u32): u32 {
  let i = at + 3;
  while (true) {
    if (byteAt(i) == quote) {
      let quotes: u32 = 1;
      while (quotes < 5 && byteAt(i + quotes) == quote) quotes++;
      i += quotes;
      if (quotes >= 3) return i;
      continue;
    }
    const size = multilineLength(i, quote);
    if (size == 0) return NONE;
    i += size;
  }
}

function multilineLength(at: u32, quote: u32): u32 {
  const newline = afterNewline(at);
  if (newline != NONE) return newline - at;
  if (quote == 0x27) return printableLength(at);
  const size = basicLength(at);
  if (size != 0 || byteAt(at) != 0x5c) return size;
  const after = afterEscapedNewline(at);
  return after == NONE ? 0 : after - at;
}

/** A backslash at the end of a line, with the space around the line break. */
export function afterEscapedNewline(at: u32): u32 {
  let end = afterNewline(afterSpace(at + 1));
  if (byteAt(at) != 0x5c || end == NONE) return NONE;
  while (true) {
    const space = afterSpace(end);
    const newline = afterNewline(space);
    if (newline == NONE) return space;
    end = newline;
  }
}
