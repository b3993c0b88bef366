// How strings, names and the words between « and » are printed: as Nix source, so that what is printed can be read again.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { bytesEqualText } from "../memory/bytes";
import { stringBytes, stringLength } from "./string";
import { Value } from "./value";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const DOLLAR: u32 = 0x24;
const OPEN_BRACE: u32 = 0x7b;

/** «, which opens what cannot be written as source. */
export function appendGuillemetOpen(): void {
  appendByte(0xc2);
  appendByte(0xab);
}

/** » */
export function appendGuillemetClose(): void {
  appendByte(0xc2);
  appendByte(0xbb);
}

/** Appends «TEXT». */
export function appendGuillemets(text: string): void {
  appendGuillemetOpen();
  appendText(text);
  appendGuillemetClose();
}

/** Appends «COUNT THINGS elided». */
export function appendElided(count: u32, singular: string, plural: string): void {
  appendGuillemetOpen();
  appendInteger(<i64>count);
  appendByte(0x20);
  appendText(count == 1 ? singular : plural);
  appendText(" elided");
  appendGuillemetClose();
}

/** Appends a STRING as a literal, of whose bytes at most `limit` are shown. */
export function appendStringLiteral(string: Value, limit: u32 = u32.MAX_VALUE): void {
  appendLiteral(stringBytes(string), stringLength(string), limit);
}

/** Appends the name of an attribute, quoted if it is not a name of the language. */
export function appendAttributeName(name: Value): void {
  const bytes = stringBytes(name);
  const length = stringLength(name);
  if (isPlainName(bytes, length)) appendBytes(bytes, length);
  else appendLiteral(bytes, length, u32.MAX_VALUE);
}

function appendLiteral(bytes: Address, length: u32, limit: u32): void {
  const shown = length < limit ? length : limit;
  appendByte(QUOTE);
  let plain: u32 = 0;
  for (let i: u32 = 0; i < shown; i++) {
    const letter = escapeLetter(bytes, length, i);
    if (letter == 0) continue;
    appendBytes(bytes + plain, i - plain);
    appendByte(BACKSLASH);
    appendByte(letter);
    plain = i + 1;
  }
  appendBytes(bytes + plain, shown - plain);
  appendByte(QUOTE);
  if (shown == length) return;
  appendByte(0x20);
  appendElided(length - shown, "byte", "bytes");
}

/** What follows the backslash where the byte at `i` needs one, else 0. */
@inline
function escapeLetter(bytes: Address, length: u32, i: u32): u32 {
  const byte = <u32>load<u8>(bytes + i);
  if (byte > BACKSLASH) return 0;
  if (byte == QUOTE || byte == BACKSLASH) return byte;
  if (byte == 0x0a) return 0x6e;
  if (byte == 0x0d) return 0x72;
  if (byte == 0x09) return 0x74;
  if (byte == DOLLAR && i + 1 < length && <u32>load<u8>(bytes + i + 1) == OPEN_BRACE) return byte;
  return 0;
}

function isPlainName(bytes: Address, length: u32): bool {
  if (length == 0 || !isNameStart(<u32>load<u8>(bytes)) || isKeyword(bytes, length)) return false;
  for (let i: u32 = 1; i < length; i++) if (!isNamePart(<u32>load<u8>(bytes + i))) return false;
  return true;
}

@inline
function isNameStart(byte: u32): bool {
  return ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || byte == 0x5f;
}

@inline
function isNamePart(byte: u32): bool {
  return isNameStart(byte) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x27;
}

/** `or` is a name as well and needs no quotes. */
function isKeyword(bytes: Address, length: u32): bool {
  if (length < 2 || length > 7) return false;
  return (
    bytesEqualText(bytes, length, "if") ||
    bytesEqualText(bytes, length, "in") ||
    bytesEqualText(bytes, length, "let") ||
    bytesEqualText(bytes, length, "rec") ||
    bytesEqualText(bytes, length, "then") ||
    bytesEqualText(bytes, length, "else") ||
    bytesEqualText(bytes, length, "with") ||
    bytesEqualText(bytes, length, "assert") ||
    bytesEqualText(bytes, length, "inherit")
  );
}
