// Cuts a pattern into tokens, one token ahead of the parser, with the escaping rules of POSIX extended expressions as
// libstdc++ reads them: outside of brackets a backslash must stand before one of . [ \ ( ) * + ? { | ^ $, inside of
// brackets it is an ordinary byte; "]" and "}" alone are ordinary; "{" always begins an interval.
//
// The scanner has three modes. "[" and "{" enter the bracket and the interval mode, "]" and "}" leave them. A malformed
// token is reported when it is scanned, which is one token before the parser would look at it.

import { REGEX_INVALID, fail } from "./limits";

export const TOKEN_END: u32 = 0;
/** An ordinary byte: `tokenByte`. */
export const TOKEN_BYTE: u32 = 1;
export const TOKEN_ANY: u32 = 2;
export const TOKEN_OPEN: u32 = 3;
export const TOKEN_CLOSE: u32 = 4;
export const TOKEN_OR: u32 = 5;
export const TOKEN_STAR: u32 = 6;
export const TOKEN_PLUS: u32 = 7;
export const TOKEN_OPTIONAL: u32 = 8;
export const TOKEN_LINE_START: u32 = 9;
export const TOKEN_LINE_END: u32 = 10;
export const TOKEN_BRACKET: u32 = 11;
export const TOKEN_BRACKET_NEGATED: u32 = 12;
export const TOKEN_BRACKET_END: u32 = 13;
export const TOKEN_DASH: u32 = 14;
/** "[.x.]", "[:x:]" and "[=x=]": `tokenText` and `tokenLength` hold x. */
export const TOKEN_COLLATING: u32 = 15;
export const TOKEN_CLASS: u32 = 16;
export const TOKEN_EQUIVALENCE: u32 = 17;
export const TOKEN_INTERVAL: u32 = 18;
export const TOKEN_INTERVAL_END: u32 = 19;
/** Decimal digits: `tokenText` and `tokenLength` hold them. */
export const TOKEN_COUNT: u32 = 20;
export const TOKEN_COMMA: u32 = 21;
/** The pattern is malformed here; the failure has been recorded. */
export const TOKEN_INVALID: u32 = 22;

const NORMAL: u32 = 0;
const IN_BRACKET: u32 = 1;
const IN_INTERVAL: u32 = 2;

export let token: u32 = TOKEN_END;
export let tokenByte: u32 = 0;
export let tokenText: usize = 0;
export let tokenLength: u32 = 0;

let cursor: usize = 0;
let limit: usize = 0;
let mode: u32 = NORMAL;
/** Whether the next token is the first of its bracket, where "]" is an ordinary byte. */
let atBracketStart: bool = false;

/** Begins with a pattern and scans its first token. */
export function startScanner(pattern: usize, length: u32): void {
  cursor = pattern;
  limit = pattern + length;
  mode = NORMAL;
  advance();
}

/** Goes on to the next token. */
export function advance(): void {
  if (cursor == limit) {
    if (mode == NORMAL) token = TOKEN_END;
    else invalid();
  } else if (mode == NORMAL) scanNormal();
  else if (mode == IN_BRACKET) scanInBracket();
  else scanInInterval();
}

function scanNormal(): void {
  const byte = <u32>load<u8>(cursor++);
  switch (byte) {
    case 0x5c: // \
      scanEscape();
      break;
    case 0x5b: // [
      scanBracketStart();
      break;
    case 0x7b: // {
      mode = IN_INTERVAL;
      token = TOKEN_INTERVAL;
      break;
    case 0x28:
      token = TOKEN_OPEN;
      break;
    case 0x29:
      token = TOKEN_CLOSE;
      break;
    case 0x7c:
      token = TOKEN_OR;
      break;
    case 0x2a:
      token = TOKEN_STAR;
      break;
    case 0x2b:
      token = TOKEN_PLUS;
      break;
    case 0x3f:
      token = TOKEN_OPTIONAL;
      break;
    case 0x2e:
      token = TOKEN_ANY;
      break;
    case 0x5e:
      token = TOKEN_LINE_START;
      break;
    case 0x24:
      token = TOKEN_LINE_END;
      break;
    case 0:
      invalid();
      break;
    default:
      ordinary(byte);
  }
}

function scanEscape(): void {
  if (cursor == limit) return invalid();
  const byte = <u32>load<u8>(cursor++);
  switch (byte) {
    case 0x2e: // .
    case 0x5b: // [
    case 0x5c: // \
    case 0x28: // (
    case 0x29: // )
    case 0x2a: // *
    case 0x2b: // +
    case 0x3f: // ?
    case 0x7b: // {
    case 0x7c: // |
    case 0x5e: // ^
    case 0x24: // $
      return ordinary(byte);
    default:
      return invalid();
  }
}

function scanBracketStart(): void {
  mode = IN_BRACKET;
  atBracketStart = true;
  token = TOKEN_BRACKET;
  if (cursor < limit && load<u8>(cursor) == 0x5e) {
    cursor++;
    token = TOKEN_BRACKET_NEGATED;
  }
}

function scanInBracket(): void {
  const byte = <u32>load<u8>(cursor++);
  if (byte == 0x2d) token = TOKEN_DASH;
  else if (byte == 0x5b) scanNestedBracket();
  else if (byte == 0x5d && !atBracketStart) {
    mode = NORMAL;
    token = TOKEN_BRACKET_END;
  } else ordinary(byte);
  atBracketStart = false;
}

/** After "[" in a bracket: a name between two dots, colons or equals signs, or an ordinary "[". */
function scanNestedBracket(): void {
  if (cursor == limit) return invalid();
  const delimiter = <u32>load<u8>(cursor);
  if (delimiter == 0x2e) scanName(delimiter, TOKEN_COLLATING);
  else if (delimiter == 0x3a) scanName(delimiter, TOKEN_CLASS);
  else if (delimiter == 0x3d) scanName(delimiter, TOKEN_EQUIVALENCE);
  else ordinary(0x5b);
}

function scanName(delimiter: u32, kind: u32): void {
  cursor++;
  tokenText = cursor;
  while (cursor < limit && <u32>load<u8>(cursor) != delimiter) cursor++;
  tokenLength = <u32>(cursor - tokenText);
  if (cursor + 1 >= limit || load<u8>(cursor + 1) != 0x5d) return invalid();
  cursor += 2;
  token = kind;
}

function scanInInterval(): void {
  const byte = <u32>load<u8>(cursor);
  if (isDigit(byte)) {
    tokenText = cursor;
    while (cursor < limit && isDigit(<u32>load<u8>(cursor))) cursor++;
    tokenLength = <u32>(cursor - tokenText);
    token = TOKEN_COUNT;
    return;
  }
  cursor++;
  if (byte == 0x2c) token = TOKEN_COMMA;
  else if (byte == 0x7d) {
    mode = NORMAL;
    token = TOKEN_INTERVAL_END;
  } else invalid();
}

@inline
function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

function ordinary(byte: u32): void {
  token = TOKEN_BYTE;
  tokenByte = byte;
}

function invalid(): void {
  token = TOKEN_INVALID;
  fail(REGEX_INVALID);
}
