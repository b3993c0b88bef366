// Strings as JSON (RFC 8259) spells them: in quotes, with `"`, `\` and control characters escaped, all else as it is.
//
// Bytes that are not UTF-8 pass through. Nix reports them only when everything has been evaluated, so the writer takes
// note (`sawInvalidUtf8`), and whoever completes a text looks for them in it (`failUnlessUtf8`).

import { Address } from "../memory/chunks";
import { appendByte, appendInteger, appendText, textAdvance, textReserve } from "../memory/text";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";
import { Value } from "../values/value";
import { stringBytes, stringLength } from "../values/string";
import { UTF8_INCOMPLETE, UTF8_VALID, checkUtf8 } from "./utf8";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Whether some string that was written since the start was not UTF-8. A hint that only saves work. */
export let sawInvalidUtf8: bool = false;

const HIGH_BITS: u64 = 0x8080808080808080;
const LOW_ONES: u64 = 0x0101010101010101;
const SPACES: u64 = 0x2020202020202020;
const QUOTES: u64 = 0x2222222222222222;
const BACKSLASHES: u64 = 0x5c5c5c5c5c5c5c5c;

/** Appends a STRING or PATH, or the name of a symbol, in quotes. */
export function appendJsonString(string: Value): void {
  const bytes = stringBytes(string);
  const length = stringLength(string);
  // Eight bytes at a time: bytes of a string are aligned, and padded with zeros.
  let suspicious: u64 = 0;
  let high: u64 = 0;
  let i: u32 = 0;
  while (i < length) {
    let word = load<u64>(bytes + i);
    if (i + 8 > length) word |= SPACES << ((length & 7) << 3);
    const quotes = word ^ QUOTES;
    const backslashes = word ^ BACKSLASHES;
    suspicious |= (word - SPACES) & ~word;
    suspicious |= (quotes - LOW_ONES) & ~quotes;
    suspicious |= (backslashes - LOW_ONES) & ~backslashes;
    high |= word;
    i += 8;
  }
  if ((high & HIGH_BITS) != 0 && checkUtf8(bytes, length) != UTF8_VALID) sawInvalidUtf8 = true;
  if ((suspicious & HIGH_BITS) == 0) appendPlain(bytes, length);
  else appendEscaped(bytes, length);
}

function appendPlain(bytes: Address, length: u32): void {
  const at = textReserve(length + 2);
  store<u8>(at, <u8>QUOTE);
  const to = at + 1;
  if (length > 40) memory.copy(to, bytes, length);
  else for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(bytes + i));
  store<u8>(to + length, <u8>QUOTE);
  textAdvance(length + 2);
}

/** Bytes that are escaped between two looks at the buffer's size. */
const SEGMENT: u32 = 4096;
const LONGEST_ESCAPE: u32 = 6;

function appendEscaped(bytes: Address, length: u32): void {
  appendByte(QUOTE);
  let i: u32 = 0;
  while (i < length) {
    const end = min(i + SEGMENT, length);
    const start = textReserve((end - i) * LONGEST_ESCAPE);
    let at = start;
    while (i < end) {
      const byte = <u32>load<u8>(bytes + i++);
      if (byte < 0x20 || byte == QUOTE || byte == BACKSLASH) {
        at = storeEscape(at, byte);
      } else {
        store<u8>(at, <u8>byte);
        at++;
      }
    }
    textAdvance(<u32>(at - start));
  }
  appendByte(QUOTE);
}

function storeEscape(at: Address, byte: u32): Address {
  store<u8>(at, <u8>BACKSLASH);
  const letter = escapeLetter(byte);
  if (letter != 0) {
    store<u8>(at + 1, <u8>letter);
    return at + 2;
  }
  store<u8>(at + 1, 0x75);
  store<u8>(at + 2, 0x30);
  store<u8>(at + 3, 0x30);
  store<u8>(at + 4, <u8>(0x30 + (byte >>> 4)));
  const low = byte & 15;
  store<u8>(at + 5, <u8>(low < 10 ? 0x30 + low : 0x57 + low));
  return at + 6;
}

/** The letter of a two-character escape, or 0. */
function escapeLetter(byte: u32): u32 {
  if (byte == QUOTE || byte == BACKSLASH) return byte;
  if (byte == 8) return 0x62;
  if (byte == 9) return 0x74;
  if (byte == 10) return 0x6e;
  if (byte == 12) return 0x66;
  return byte == 13 ? 0x72 : 0;
}

/** Raises what nlohmann's serializer says of the first string of a complete JSON text that is not UTF-8, if there is one. */
export function failUnlessUtf8(text: Address, length: u32): void {
  let i: u32 = 0;
  while (i < length) {
    if (<u32>load<u8>(text + i) != QUOTE) {
      i++;
      continue;
    }
    const start = i + 1;
    i = start;
    while (<u32>load<u8>(text + i) != QUOTE) i += <u32>load<u8>(text + i) == BACKSLASH ? 2 : 1;
    const verdict = checkUtf8(text + start, i - start);
    if (verdict != UTF8_VALID) failAt(text + start, i - start, verdict);
    i++;
  }
}

function failAt(bytes: Address, length: u32, verdict: i32): void {
  beginError(ERROR_EVAL);
  appendText("JSON serialization error: [json.exception.type_error.316] ");
  if (verdict == UTF8_INCOMPLETE) {
    appendText("incomplete UTF-8 string; last byte: 0x");
    appendHexByte(load<u8>(bytes + length - 1));
  } else {
    appendText("invalid UTF-8 byte at index ");
    appendInteger(<i64>unescapedLength(bytes, <u32>verdict));
    appendText(": 0x");
    appendHexByte(load<u8>(bytes + <u32>verdict));
  }
  raiseError();
}

/** How many bytes the first `length` bytes of an escaped string stand for. All `\u` escapes here stand for one byte. */
function unescapedLength(bytes: Address, length: u32): u32 {
  let count: u32 = 0;
  let i: u32 = 0;
  while (i < length) {
    if (<u32>load<u8>(bytes + i) == BACKSLASH) i += load<u8>(bytes + i + 1) == 0x75 ? 6 : 2;
    else i++;
    count++;
  }
  return count;
}

function appendHexByte(byte: u32): void {
  appendByte(hexDigit(byte >>> 4));
  appendByte(hexDigit(byte & 15));
}

function hexDigit(digit: u32): u32 {
  return digit < 10 ? 0x30 + digit : 0x37 + digit;
}
