// Errors in TOML texts, laid out as toml11 does:
//
//   while parsing TOML: [error] toml::parse_array: missing closing bracket `]`
//    --> fromTOML
//      |
//    3 | values = [ 1, 2
//      |                ^-- expected `]`, reached EOF
//
// The first line is toml11's own for the same fault. toml11 goes on after an error and reports all that it finds; only
// the first is raised here.

import { Address } from "../memory/chunks";
import { appendByte, appendInteger, appendText } from "../memory/text";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";

const LINE_FEED: u32 = 10;

/** Raises an error without a place. Does not return. */
export function raiseTomlError(message: string): void {
  beginError(ERROR_EVAL);
  appendText("while parsing TOML: ");
  appendText(message);
  raiseError();
}

/** Raises the error `title` about the `size` bytes at offset `at`, what is said of them, and a hint below. Does not return. */
export function raiseTomlErrorAt(
  text: Address,
  length: u32,
  at: u32,
  size: u32,
  title: string,
  remark: string,
  hint: string,
): void {
  beginError(ERROR_EVAL);
  appendText("while parsing TOML: [error] ");
  appendText(title);
  appendText("\n --> fromTOML\n");
  const offset = min(at, length);
  const line = lineNumber(text, offset);
  const start = lineStart(text, offset);
  const end = lineEnd(text, length, start);
  const gutter = digitsOf(line) + 1;
  appendSpaces(gutter);
  appendText(" |\n ");
  appendInteger(<i64>line);
  appendText(" | ");
  for (let i = start; i < end; i++) appendVisible(load<u8>(text + i));
  appendByte(LINE_FEED);
  appendSpaces(gutter);
  appendText(" | ");
  appendSpaces(offset - start);
  const shown: u32 = offset >= end ? <u32>1 : min(size, end - offset);
  for (let i: u32 = 0; i < shown; i++) appendByte(0x5e);
  appendText("-- ");
  appendText(remark);
  appendByte(LINE_FEED);
  appendText(hint);
  raiseError();
}

function lineNumber(text: Address, offset: u32): u32 {
  let line: u32 = 1;
  for (let i: u32 = 0; i < offset; i++) if (<u32>load<u8>(text + i) == LINE_FEED) line++;
  return line;
}

function lineStart(text: Address, offset: u32): u32 {
  let start = offset;
  while (start > 0 && <u32>load<u8>(text + start - 1) != LINE_FEED) start--;
  return start;
}

function lineEnd(text: Address, length: u32, start: u32): u32 {
  let end = start;
  while (end < length && <u32>load<u8>(text + end) != LINE_FEED) end++;
  return end;
}

function digitsOf(n: u32): u32 {
  let digits: u32 = 1;
  let rest = n;
  while (rest >= 10) {
    rest /= 10;
    digits++;
  }
  return digits;
}

function appendSpaces(count: u32): void {
  for (let i: u32 = 0; i < count; i++) appendByte(0x20);
}

/** Appends a byte of a line: printable ASCII as it is, all else by its number, and by its name if it is a usual one. */
function appendVisible(byte: u32): void {
  if (byte >= 0x20 && byte < 0x7f) return appendByte(byte);
  appendText("0x");
  appendHexDigit(byte >>> 4);
  appendHexDigit(byte & 15);
  if (byte == 9) appendText("(TAB)");
  else if (byte == 13) appendText("(CARRIAGE RETURN)");
}

function appendHexDigit(digit: u32): void {
  appendByte(digit < 10 ? 0x30 + digit : 0x57 + digit);
}
