// Values from JSON texts (RFC 8259): `builtins.fromJSON`.
//
// Accepts what nlohmann's parser accepts: any value at the top, a byte order mark, duplicate names (the last one counts),
// numbers up to the largest u64 as integers (which Nix then refuses above the largest i64), larger ones as floats. Nesting
// is limited by memory only. The reader does not explain failures: json-syntax-error.ts reads the text once more for that.
//
// What has been read of open containers lies on the word stack: items, or pairs [name][value]. Below them is a word for
// the container itself: the place of the enclosing one's word, times two, plus 1 for an object.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendText, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { bytesEqualText } from "../memory/bytes";
import { compress } from "../memory/pointers";
import { Symbol, internBytes } from "../symbols/symbols";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";
import { Frame, setContext } from "../machine/native";
import { parseFloat64 } from "../numbers/parse-float";
import { EMPTY_ATTRS, EMPTY_LIST, FALSE, NULL, TRUE } from "../values/constants";
import { listItems, makeList } from "../values/list";
import { makeFloat, makeInt } from "../values/number";
import { makeString, makeStringOfLength, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { raiseJsonError } from "./json-syntax-error";
import { hasNul, raiseNulError } from "./nul-error";
import { beginObjects, makeObject } from "./object-shapes";
import { UTF8_VALID, checkUtf8, storeUtf8 } from "./utf8";
import { clearWords, dropWords, pushWord, wordAt, wordCount, wordsAt } from "./word-stack";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

let text: Address = 0;
let end: Address = 0;
let at: Address = 0;
/** The place of the word of the innermost open container; NO_CONTAINER outside of all. */
let container: u32 = 0;
const NO_CONTAINER: u32 = 0x7fffffff;

/** The frame whose trace says what is going on when the text is no JSON, or 0. */
let reader: Frame = 0;

/** The value of a JSON text, for the builtin of `frame`. Raises an error when it is none. */
export function readJson(string: Value, frame: Frame): Value {
  reader = frame;
  text = stringBytes(string);
  end = text + stringLength(string);
  at = text;
  container = NO_CONTAINER;
  clearWords();
  beginObjects();
  if (end - text >= 3 && load<u8>(text) == 0xef && load<u8>(text + 1) == 0xbb && load<u8>(text + 2) == 0xbf) at += 3;
  const value = readDocument();
  skipSpace();
  if (at != end) fail();
  return value;
}

/** Reads values until the outermost one is complete. */
function readDocument(): Value {
  while (true) {
    let value = readValue();
    // A container has been opened: its first item is next.
    if (value == 0) continue;
    while (true) {
      if (container == NO_CONTAINER) return value;
      value = addToContainer(value);
      if (value == 0) break;
    }
  }
}

/** Reads a scalar or an empty container; opens any other container, with its first name, and gives 0. */
function readValue(): Value {
  skipSpace();
  if (at == end) fail();
  const byte = <u32>load<u8>(at);
  if (byte == QUOTE) return readString();
  if (byte - 0x30 < 10 || byte == 0x2d) return readNumber();
  if (byte == 0x7b) return openObject();
  if (byte == 0x5b) return openArray();
  if (byte == 0x74) return readWord("true", TRUE);
  if (byte == 0x66) return readWord("false", FALSE);
  if (byte == 0x6e) return readWord("null", NULL);
  fail();
  return 0;
}

function openArray(): Value {
  at++;
  skipSpace();
  if (at < end && load<u8>(at) == 0x5d) {
    at++;
    return EMPTY_LIST;
  }
  pushContainer(0);
  return 0;
}

function openObject(): Value {
  at++;
  skipSpace();
  if (at < end && load<u8>(at) == 0x7d) {
    at++;
    return EMPTY_ATTRS;
  }
  if (at == end || <u32>load<u8>(at) != QUOTE) fail();
  pushContainer(1);
  readName();
  return 0;
}

function pushContainer(isObject: u32): void {
  const outer = container;
  container = wordCount();
  pushWord((outer << 1) | isObject);
}

/** Adds an item to the innermost container. When that is complete, gives it as a value; else 0, and the next item follows. */
function addToContainer(value: Value): Value {
  pushWord(compress(value));
  const isObject = (wordAt(container) & 1) != 0;
  skipSpace();
  const byte: u32 = at == end ? 0 : <u32>load<u8>(at);
  if (byte == 0x2c) {
    at++;
    if (isObject) {
      skipSpace();
      if (at == end || <u32>load<u8>(at) != QUOTE) fail();
      readName();
    }
    return 0;
  }
  if (isObject) {
    if (byte != 0x7d) fail();
  } else if (byte != 0x5d) fail();
  at++;
  return closeContainer(isObject);
}

function closeContainer(isObject: bool): Value {
  const first = container + 1;
  const count = wordCount() - first;
  let value: Value;
  if (isObject) {
    value = makeObject(wordsAt(first), count >>> 1);
  } else {
    value = makeList(count);
    memory.copy(listItems(value), wordsAt(first), count << 2);
  }
  const outer = wordAt(container) >>> 1;
  dropWords(container);
  container = outer;
  return value;
}

function readName(): void {
  const start = at + 1;
  at = start;
  let name: Symbol;
  scanRun(start);
  if (at < end && <u32>load<u8>(at) == QUOTE) {
    name = internBytes(start, <u32>(at - start));
    at++;
  } else {
    const mark = textMark();
    readEscaped(start);
    failOnNul(mark);
    name = internBytes(textStart(mark), textLengthFrom(mark));
    textRewind(mark);
  }
  pushWord(name);
  skipSpace();
  if (at == end || load<u8>(at) != 0x3a) fail();
  at++;
}

function readString(): Value {
  const start = at + 1;
  at = start;
  scanRun(start);
  if (at < end && <u32>load<u8>(at) == QUOTE) {
    const string = copyString(start, <u32>(at - start));
    at++;
    return string;
  }
  const mark = textMark();
  readEscaped(start);
  failOnNul(mark);
  return takeTextAsString(mark);
}

/** Strings up to this length are copied faster byte by byte than by a call. */
const SHORT: u32 = 40;

function copyString(bytes: Address, length: u32): Value {
  if (length > SHORT || length == 0) return makeString(bytes, length);
  const string = makeStringOfLength(length);
  const to = stringBytes(string);
  for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(bytes + i));
  return string;
}

/** Goes to the next quote, backslash or control character, or to the end; what is passed, from `start` on, must be UTF-8. */
@inline
function scanRun(start: Address): void {
  let high: u32 = 0;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte < 0x20 || byte == QUOTE || byte == BACKSLASH) break;
    high |= byte;
    at++;
  }
  if (high >= 0x80 && checkUtf8(start, <u32>(at - start)) != UTF8_VALID) fail();
}

/** Appends the text of a string, up to whose first escape `at` has come; `at` ends behind its closing quote. */
function readEscaped(start: Address): void {
  let run = start;
  while (true) {
    appendBytes(run, <u32>(at - run));
    if (at == end) fail();
    const byte = <u32>load<u8>(at++);
    if (byte == QUOTE) return;
    if (byte != BACKSLASH) fail();
    readEscape();
    run = at;
    scanRun(run);
  }
}

function readEscape(): void {
  if (at == end) fail();
  const byte = <u32>load<u8>(at++);
  if (byte == 0x75) return readUnicodeEscape();
  const meaning = escapeMeaning(byte);
  if (meaning == 0) fail();
  appendByte(meaning);
}

function escapeMeaning(letter: u32): u32 {
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return 0;
  }
}

function readUnicodeEscape(): void {
  let codePoint = readHex4();
  if (codePoint - 0xdc00 < 0x400) fail();
  if (codePoint - 0xd800 < 0x400) {
    if (end - at < 6 || <u32>load<u8>(at) != BACKSLASH || load<u8>(at + 1) != 0x75) fail();
    at += 2;
    const low = readHex4();
    if (low - 0xdc00 >= 0x400) fail();
    codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (low - 0xdc00);
  }
  textAdvance(storeUtf8(textReserve(4), codePoint));
}

function readHex4(): u32 {
  if (end - at < 4) fail();
  let value: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    const digit = hexValue(load<u8>(at++));
    if (digit > 15) fail();
    value = (value << 4) | digit;
  }
  return value;
}

/** The value of a hexadecimal digit; more than 15 when it is none. */
function hexValue(byte: u32): u32 {
  if (byte - 0x30 < 10) return byte - 0x30;
  const letter = byte | 0x20;
  return letter - 0x61 < 6 ? letter - 0x57 : 16;
}

/** Refuses a string with a NUL among the bytes that were appended since `mark`. */
function failOnNul(mark: u32): void {
  if (!hasNul(textStart(mark), textLengthFrom(mark))) return;
  const string = takeTextAsString(mark);
  raiseNulError(stringBytes(string), stringLength(string), "");
}

function readNumber(): Value {
  const start = at;
  const negative = load<u8>(at) == 0x2d;
  if (negative) at++;
  const digits = at;
  const magnitude = readDigits();
  if (load<u8>(digits) == 0x30 && at - digits > 1) at = digits + 1;
  const length = <u32>(at - digits);
  let isFloat = false;
  if (at < end && load<u8>(at) == 0x2e) {
    at++;
    isFloat = true;
    readDigits();
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    isFloat = true;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++;
    readDigits();
  }
  if (!isFloat && length < 19) return makeInt(negative ? 0 - <i64>magnitude : <i64>magnitude);
  return isFloat ? readFloat(start) : readLongInteger(start, digits, negative);
}

/** Reads one digit or more; their value, modulo 2^64. A leading zero is dealt with by the caller. */
function readDigits(): u64 {
  if (at == end || <u32>load<u8>(at) - 0x30 >= 10) fail();
  let value: u64 = 0;
  while (at < end) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit >= 10) break;
    value = value * 10 + <u64>digit;
    at++;
  }
  return value;
}

/** A number of 19 digits or more: it may be too large for an i64, a u64 or even an f64. */
function readLongInteger(start: Address, digits: Address, negative: bool): Value {
  const length = <u32>(at - digits);
  if (length > 20) return readFloat(start);
  let value: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const digit = <u64>(load<u8>(digits + i) - 0x30);
    if (value > (u64.MAX_VALUE - digit) / 10) return readFloat(start);
    value = value * 10 + digit;
  }
  if (negative) {
    if (value > <u64>1 << 63) return readFloat(start);
    return makeInt(<i64>(0 - value));
  }
  if (value > <u64>i64.MAX_VALUE) {
    beginError(ERROR_EVAL);
    appendText("unsigned json number ");
    appendBytes(digits, length);
    appendText(" outside of Nix integer range");
    raiseError();
  }
  return makeInt(<i64>value);
}

function readFloat(start: Address): Value {
  const value = parseFloat64(start, <u32>(at - start));
  if (!isFinite<f64>(value)) fail();
  return makeFloat(value);
}

function readWord(word: string, value: Value): Value {
  const length = <u32>word.length;
  if (<u32>(end - at) < length || !bytesEqualText(at, length, word)) fail();
  at += length;
  return value;
}

@inline
function skipSpace(): void {
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte > 0x20 || (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09)) return;
    at++;
  }
}

/** The text is no JSON. Does not return. */
function fail(): void {
  if (reader != 0) setContext(reader, "while decoding a JSON string");
  raiseJsonError(text, <u32>(end - text));
}
