// What is wrong with a JSON text, in the words of nlohmann's parser, which Nix passes on:
//
//   [json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value - …
//
// The reader (read-json.ts) only notices that something is wrong. This one reads the text again, the way that parser does,
// one byte at a time with one byte to take back, because its columns and its "last read" depend on that: the text last
// read begins where the last string or number began, and a line break taken back leaves column 0.

import { Address } from "../memory/chunks";
import { appendByte, appendInteger, appendText } from "../memory/text";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";
import { parseFloat64 } from "../numbers/parse-float";
import { clearWords, dropWords, pushWord, wordAt, wordCount } from "./word-stack";

// Tokens.
const TRUE_LITERAL: u32 = 1;
const FALSE_LITERAL: u32 = 2;
const NULL_LITERAL: u32 = 3;
const STRING_LITERAL: u32 = 4;
const INTEGER_LITERAL: u32 = 5;
const FLOAT_LITERAL: u32 = 6;
const ARRAY_BEGIN: u32 = 7;
const OBJECT_BEGIN: u32 = 8;
const ARRAY_END: u32 = 9;
const OBJECT_END: u32 = 10;
const COLON: u32 = 11;
const COMMA: u32 = 12;
const END_OF_INPUT: u32 = 13;
const INVALID: u32 = 14;
/** Only as what was expected. */
const ANY_VALUE: u32 = 15;
const NOTHING: u32 = 0;

const END: i32 = -1;
const LINE_FEED: i32 = 10;

let text: Address = 0;
let length: u32 = 0;
/** How many bytes have been read, one that was taken back included. */
let position: u32 = 0;
let current: i32 = END;
let takenBack: bool = false;
let bytesRead: u32 = 0;
let column: u32 = 0;
let lines: u32 = 0;
/** Where the text last read begins. */
let tokenStart: u32 = 0;
let token: u32 = NOTHING;
/** Why the token is INVALID. */
let complaint: string = "";
/** The token is INVALID because of `current`, a control character in a string. */
let isControlCharacter: bool = false;

/** Raises the error of a text that is known to be wrong. */
export function raiseJsonError(bytes: Address, size: u32): void {
  text = bytes;
  length = size;
  position = 0;
  current = END;
  takenBack = false;
  bytesRead = 0;
  column = 0;
  lines = 0;
  tokenStart = 0;
  isControlCharacter = false;
  clearWords();
  if (skipByteOrderMark()) nextToken();
  parse();
  assert(false, "a text that could not be read is wrong");
}

// ── Grammar ──

function parse(): void {
  while (true) {
    if (token == OBJECT_BEGIN) {
      if (nextToken() != OBJECT_END) {
        parseName();
        pushWord(1);
        nextToken();
        continue;
      }
    } else if (token == ARRAY_BEGIN) {
      if (nextToken() != ARRAY_END) {
        pushWord(0);
        continue;
      }
    } else if (token == FLOAT_LITERAL) failOnOverflow();
    else if (token == INVALID) fail(NOTHING, "value");
    else if (token > INTEGER_LITERAL) {
      if (token == END_OF_INPUT && bytesRead == 1) failOnEmptyInput();
      fail(ANY_VALUE, "value");
    }
    while (true) {
      if (wordCount() == 0) {
        if (nextToken() != END_OF_INPUT) fail(END_OF_INPUT, "value");
        return;
      }
      const inObject = wordAt(wordCount() - 1) == 1;
      nextToken();
      if (token == COMMA) {
        nextToken();
        if (inObject) {
          parseName();
          nextToken();
        }
        break;
      }
      if (token != (inObject ? OBJECT_END : ARRAY_END)) {
        if (inObject) fail(OBJECT_END, "object");
        fail(ARRAY_END, "array");
      }
      dropWords(wordCount() - 1);
    }
  }
}

function parseName(): void {
  if (token != STRING_LITERAL) fail(STRING_LITERAL, "object key");
  if (nextToken() != COLON) fail(COLON, "object separator");
}

function fail(expected: u32, context: string): void {
  beginParseError();
  appendText("syntax error while parsing ");
  appendText(context);
  appendText(" - ");
  if (token == INVALID) {
    appendComplaint();
    appendText("; last read: '");
    appendLastRead();
    appendByte(0x27);
  } else {
    appendText("unexpected ");
    appendText(tokenName(token));
  }
  if (expected != NOTHING) {
    appendText("; expected ");
    appendText(tokenName(expected));
  }
  raiseError();
}

function failOnEmptyInput(): void {
  beginParseError();
  appendText("attempting to parse an empty input; check that your input string or stream contains the expected JSON");
  raiseError();
}

function beginParseError(): void {
  beginError(ERROR_EVAL);
  appendText("[json.exception.parse_error.101] parse error at line ");
  appendInteger(<i64>(lines + 1));
  appendText(", column ");
  appendInteger(<i64>column);
  appendText(": ");
}

function failOnOverflow(): void {
  const size = lastReadEnd() - tokenStart;
  if (isFinite<f64>(parseFloat64(text + tokenStart, size))) return;
  beginError(ERROR_EVAL);
  appendText("[json.exception.out_of_range.406] number overflow parsing '");
  appendLastRead();
  appendByte(0x27);
  raiseError();
}

function tokenName(kind: u32): string {
  switch (kind) {
    case TRUE_LITERAL:
      return "true literal";
    case FALSE_LITERAL:
      return "false literal";
    case NULL_LITERAL:
      return "null literal";
    case STRING_LITERAL:
      return "string literal";
    case INTEGER_LITERAL:
    case FLOAT_LITERAL:
      return "number literal";
    case ARRAY_BEGIN:
      return "'['";
    case OBJECT_BEGIN:
      return "'{'";
    case ARRAY_END:
      return "']'";
    case OBJECT_END:
      return "'}'";
    case COLON:
      return "':'";
    case COMMA:
      return "','";
    case END_OF_INPUT:
      return "end of input";
    case ANY_VALUE:
      return "'[', '{', or a literal";
    default:
      return "<parse error>";
  }
}

// ── Bytes ──

function get(): i32 {
  bytesRead++;
  column++;
  if (takenBack) {
    takenBack = false;
  } else if (position < length) {
    current = <i32>load<u8>(text + position);
    position++;
  } else {
    current = END;
  }
  if (current == LINE_FEED) {
    lines++;
    column = 0;
  }
  return current;
}

function takeBack(): void {
  takenBack = true;
  bytesRead--;
  if (column != 0) column--;
  else if (lines != 0) lines--;
}

/** The end of the text last read. */
function lastReadEnd(): u32 {
  return takenBack && current != END ? position - 1 : position;
}

function appendLastRead(): void {
  const end = lastReadEnd();
  for (let i = tokenStart; i < end; i++) {
    const byte = <u32>load<u8>(text + i);
    if (byte >= 0x20) {
      appendByte(byte);
      continue;
    }
    appendText("<U+00");
    appendHexByte(byte);
    appendByte(0x3e);
  }
}

function appendHexByte(byte: u32): void {
  appendByte(0x30 + (byte >>> 4));
  const low = byte & 15;
  appendByte(low < 10 ? 0x30 + low : 0x37 + low);
}

function appendComplaint(): void {
  if (!isControlCharacter) return appendText(complaint);
  const code = <u32>current;
  appendText("invalid string: control character U+00");
  appendHexByte(code);
  appendText(" (");
  appendControlName(code);
  appendText(") must be escaped to \\u00");
  appendHexByte(code);
  if (code == 8) appendText(" or \\b");
  if (code == 9) appendText(" or \\t");
  if (code == 10) appendText(" or \\n");
  if (code == 12) appendText(" or \\f");
  if (code == 13) appendText(" or \\r");
}

/** Names of the control characters, three letters each. */
const CONTROL_NAMES: string =
  "NULSOHSTXETXEOTENQACKBELBS HT LF VT FF CR SO SI DLEDC1DC2DC3DC4NAKSYNETBCANEM SUBESCFS GS RS US ";

function appendControlName(code: u32): void {
  for (let i: u32 = 0; i < 3; i++) {
    const letter = <u32>load<u8>(changetype<usize>(CONTROL_NAMES) + ((3 * code + i) << 1));
    if (letter != 0x20) appendByte(letter);
  }
}

// ── Tokens ──

/** False when a byte order mark has begun and is not complete. */
function skipByteOrderMark(): bool {
  if (get() == 0xef) {
    if (get() == 0xbb && get() == 0xbf) return true;
    token = INVALID;
    complaint = "invalid BOM; must be 0xEF 0xBB 0xBF if given";
    return false;
  }
  takeBack();
  return true;
}

function nextToken(): u32 {
  do get();
  while (current == 0x20 || current == 9 || current == LINE_FEED || current == 13);
  token = readToken();
  return token;
}

function readToken(): u32 {
  switch (current) {
    case 0x5b:
      return ARRAY_BEGIN;
    case 0x5d:
      return ARRAY_END;
    case 0x7b:
      return OBJECT_BEGIN;
    case 0x7d:
      return OBJECT_END;
    case 0x3a:
      return COLON;
    case 0x2c:
      return COMMA;
    case 0x74:
      return readLiteral("true", TRUE_LITERAL);
    case 0x66:
      return readLiteral("false", FALSE_LITERAL);
    case 0x6e:
      return readLiteral("null", NULL_LITERAL);
    case 0x22:
      return readString();
    case END:
    case 0:
      return END_OF_INPUT;
    default:
      if (isDigit() || current == 0x2d) return readNumber();
      return invalid("invalid literal");
  }
}

function invalid(why: string): u32 {
  complaint = why;
  return INVALID;
}

function readLiteral(word: string, kind: u32): u32 {
  for (let i = 1; i < word.length; i++) {
    if (get() != <i32>load<u8>(changetype<usize>(word) + (i << 1))) return invalid("invalid literal");
  }
  return kind;
}

function isDigit(): bool {
  return current >= 0x30 && current <= 0x39;
}

function isExponentSign(): bool {
  return current == 0x65 || current == 0x45;
}

function readNumber(): u32 {
  tokenStart = position - 1;
  if (current == 0x2d) {
    get();
    if (!isDigit()) return invalid("invalid number; expected digit after '-'");
  }
  let kind = INTEGER_LITERAL;
  if (current == 0x30) get();
  else while (isDigit()) get();
  if (current == 0x2e) {
    kind = FLOAT_LITERAL;
    get();
    if (!isDigit()) return invalid("invalid number; expected digit after '.'");
    while (isDigit()) get();
  }
  if (isExponentSign()) {
    kind = FLOAT_LITERAL;
    get();
    if (current == 0x2b || current == 0x2d) {
      get();
      if (!isDigit()) return invalid("invalid number; expected digit after exponent sign");
    }
    if (!isDigit()) return invalid("invalid number; expected '+', '-', or digit after exponent");
    while (isDigit()) get();
  }
  takeBack();
  // Too many digits for an integer: it may be too large for a float as well.
  return lastReadEnd() - tokenStart > 300 ? FLOAT_LITERAL : kind;
}

function readString(): u32 {
  tokenStart = position - 1;
  while (true) {
    get();
    if (current == END) return invalid("invalid string: missing closing quote");
    if (current == 0x22) return STRING_LITERAL;
    if (current == 0x5c) {
      if (!readEscape()) return INVALID;
    } else if (current < 0x20) {
      isControlCharacter = true;
      return INVALID;
    } else if (current >= 0x80 && !readSequence()) {
      return invalid("invalid string: ill-formed UTF-8 byte");
    }
  }
}

function readEscape(): bool {
  switch (get()) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    case 0x75:
      return readUnicodeEscape();
    default:
      complaint = "invalid string: forbidden character after backslash";
      return false;
  }
}

function readUnicodeEscape(): bool {
  const first = readHex4();
  if (first < 0) return false;
  if (first >= 0xdc00 && first < 0xe000) {
    complaint = "invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF";
    return false;
  }
  if (first < 0xd800 || first >= 0xe000) return true;
  if (get() == 0x5c && get() == 0x75) {
    const second = readHex4();
    if (second < 0) return false;
    if (second >= 0xdc00 && second < 0xe000) return true;
  }
  complaint = "invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF";
  return false;
}

function readHex4(): i32 {
  let value: i32 = 0;
  for (let i = 0; i < 4; i++) {
    get();
    const letter = current | 0x20;
    if (isDigit()) value = (value << 4) | (current - 0x30);
    else if (current > 0 && letter >= 0x61 && letter <= 0x66) value = (value << 4) | (letter - 0x57);
    else {
      complaint = "invalid string: '\\u' must be followed by 4 hex digits";
      return -1;
    }
  }
  return value;
}

/** Reads the rest of a UTF-8 sequence whose lead is current. */
function readSequence(): bool {
  const lead = current;
  if (lead < 0xc2 || lead > 0xf4) return false;
  if (lead < 0xe0) return readContinuation(0x80, 0xbf);
  const lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (!readContinuation(lowest, highest) || !readContinuation(0x80, 0xbf)) return false;
  return lead < 0xf0 || readContinuation(0x80, 0xbf);
}

function readContinuation(lowest: i32, highest: i32): bool {
  get();
  return current >= lowest && current <= highest;
}
