// The values of TOML that are no containers, read in the order in which toml11 guesses what a text may be, which decides
// the message about one that is wrong.
//
// What Nix refuses only once the whole text is known to be right is noted here: strings with a NUL, dates and times.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { Symbol, internBytes, internText } from "../symbols/symbols";
import { SYMBOL_VALUE } from "../symbols/known";
import { parseFloat64 } from "../numbers/parse-float";
import { FALSE, NULL, TRUE } from "../values/constants";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { makeFloat, makeInt } from "../values/number";
import { makeString, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { hasNul } from "./nul-error";
import {
  DATE_BAD_DAY,
  DATE_BAD_OFFSET,
  DATE_BAD_SECOND,
  DATE_VALID,
  checkDate,
  checkOffset,
  checkTime,
  dateText,
} from "./toml-date";
import { raiseTomlErrorAt } from "./toml-error";
import {
  NONE,
  afterBasicString,
  afterBinary,
  afterDate,
  afterDecimal,
  afterEscapedNewline,
  afterFloat,
  afterHexadecimal,
  afterInteger,
  afterLiteralString,
  afterMultilineString,
  afterOctal,
  afterOffset,
  afterTime,
  afterWord,
  byteAt,
  isDigit,
  isTimeDelimiter,
} from "./toml-syntax";
import { storeUtf8 } from "./utf8";

/** Whether dates and times become sets: the experimental feature parse-toml-timestamps. */
export let timestampsEnabled: bool = false;

export function enableTomlTimestamps(enabled: bool): void {
  timestampsEnabled = enabled;
}

/** A string with a NUL that was read, or 0. */
export let stringWithNul: Value = 0;
/** Whether a date or time was read although they are not enabled. */
export let sawDate: bool = false;

let text: Address = 0;
let length: u32 = 0;
/** Where the scalar that was read last ends. */
export let scalarEnd: u32 = 0;

export function beginScalars(bytes: Address, size: u32): void {
  text = bytes;
  length = size;
  stringWithNul = 0;
  sawDate = false;
}

function fail(at: u32, title: string, remark: string = "here", hint: string = ""): void {
  raiseTomlErrorAt(text, length, at, 1, title, remark, hint);
}

const FLOAT_HINT: string =
  "Hint: valid  : +1.0, -2e-2, 3.141_592_653_589, inf, nan\nHint: invalid: .0, 1., _1.0, 1.0_, 1_.0, 1.0__0\n";
const INTEGER_HINT: string =
  "Hint: valid  : -42, 1_000, 1_2_3_4_5, 0xC0FFEE, 0b0010, 0o755\nHint: invalid: _42, 1__000, 0123\n";
const DATE_HINT: string =
  "Hint: valid  : 1979-05-27T07:32:00-07:00, 1979-05-27 07:32:00.999999Z\nHint: invalid: 1979-05-27T7:32:00-7:00, 1979-05-27 7:32-00:30";
const TIME_HINT: string =
  "Hint: valid  : 1979-05-27T07:32:00, 1979-05-27 07:32:00.999999\nHint: invalid: 1979-05-27T7:32:00, 1979-05-27 17:32\n";
const OFFSET_HINT: string = "Hint: valid  : +09:00, -05:30\nHint: invalid: +9:00,  -5:30\n";
const ANY_FLOAT: string = "expected from `1` to `9` or digit [0-9] or inf or nan";

/** The scalar at an offset. Raises an error when there is none. */
export function readScalar(at: u32): Value {
  switch (byteAt(at)) {
    case 0x22:
    case 0x27:
      return readString(at);
    case 0x74:
    case 0x66:
      return readBoolean(at);
    case 0x54:
      fail(at, "toml::parse_value: `true` must be in lowercase. A string must be surrounded by quotes.");
      break;
    case 0x46:
      fail(at, "toml::parse_value: `false` must be in lowercase. A string must be surrounded by quotes.");
      break;
    case 0x69:
    case 0x49:
      if (afterWord(at, "inf") == NONE) {
        fail(at, "toml::parse_value: `inf` must be in lowercase. A string must be surrounded by quotes.", ANY_FLOAT);
      }
      break;
    case 0x6e:
    case 0x4e:
      if (afterWord(at, "nan") == NONE) {
        fail(at, "toml::parse_value: `nan` must be in lowercase. A string must be surrounded by quotes.", ANY_FLOAT);
      }
      break;
    default:
      break;
  }
  return readNumberOrDate(at);
}

function readBoolean(at: u32): Value {
  const yes = afterWord(at, "true");
  scalarEnd = yes == NONE ? afterWord(at, "false") : yes;
  if (scalarEnd == NONE) {
    fail(
      at,
      'toml::parse_boolean: invalid boolean: boolean must be `true` or `false`, in lowercase. string must be surrounded by `"`',
    );
  }
  return yes == NONE ? FALSE : TRUE;
}

// ── Numbers, dates and times ──

function readNumberOrDate(at: u32): Value {
  const date = afterDate(at);
  if (date != NONE) return readDate(at, date);
  const time = afterTime(at);
  if (time != NONE) {
    checked(at, checkTime(at));
    return makeDate(at, time);
  }
  const float = afterFloat(at);
  if (float != NONE) {
    if (byteAt(float) == 0x5f) fail(float, "bad float: `_` must be surrounded by digits", "invalid underscore", FLOAT_HINT);
    return readFloat(at, float);
  }
  const integer = afterInteger(at);
  if (integer != NONE) {
    failAfterInteger(at, integer);
    return readInteger(at);
  }
  if (byteAt(at) == 0x2e) {
    fail(at, "bad float: integer part is required before decimal point", "missing integer part", FLOAT_HINT);
  }
  if (byteAt(at) == 0x5f) fail(at, "bad number: `_` must be surrounded by digits", "digits required before `_`", INTEGER_HINT);
  fail(at, "bad format: unknown value appeared");
  return 0;
}

/** Refuses what cannot follow an integer. */
function failAfterInteger(at: u32, end: u32): void {
  const byte = byteAt(end);
  if (byte == 0x5f) {
    const digits = byteAt(at) == 0x2b || byteAt(at) == 0x2d ? at + 1 : at;
    if (byteAt(digits) == 0x30 && end == digits + 1) {
      fail(end, "bad integer: leading zero is not allowed in decimal int", "leading zero", INTEGER_HINT);
    }
    fail(end, "bad integer: `_` must be surrounded by digits", "invalid underscore", INTEGER_HINT);
  }
  if (byte == 0x30) fail(end - 1, "bad integer: leading zero", "leading zero is not allowed", INTEGER_HINT);
  if (isDigit(byte)) fail(end, "bad integer: invalid digit after an integer", "this digit is not allowed", INTEGER_HINT);
  if (byte == 0x3a || byte == 0x2d) fail(end, "bad datetime: invalid format", "here", DATE_HINT);
  if (byte == 0x2e || (byte | 0x20) == 0x65) fail(end, "bad float: invalid format", "here", FLOAT_HINT);
}

function readInteger(at: u32): Value {
  const signed = byteAt(at) == 0x2b || byteAt(at) == 0x2d;
  const digits = signed ? at + 1 : at;
  const prefix = byteAt(digits) == 0x30 ? byteAt(digits + 1) : 0;
  if (prefix == 0x62) return readPrefixed(at, afterBinary(at), 1);
  if (prefix == 0x6f) return readPrefixed(at, afterOctal(at), 3);
  if (prefix == 0x78) return readPrefixed(at, afterHexadecimal(at), 4);
  return readDecimal(digits, afterDecimal(at), byteAt(at) == 0x2d);
}

function readDecimal(digits: u32, end: u32, negative: bool): Value {
  const largest: u64 = negative ? <u64>1 << 63 : <u64>i64.MAX_VALUE;
  let value: u64 = 0;
  for (let i = digits; i < end; i++) {
    if (byteAt(i) == 0x5f) continue;
    const digit = <u64>(byteAt(i) - 0x30);
    if (value > (largest - digit) / 10) {
      fail(end, "toml::parse_dec_integer: too large integer: current max digits = 2^63", "must be < 2^63");
    }
    value = value * 10 + digit;
  }
  scalarEnd = end;
  return makeInt(negative ? <i64>(0 - value) : <i64>value);
}

/** An integer with a prefix, whose digits have `bits` bits each. */
function readPrefixed(at: u32, end: u32, bits: u32): Value {
  if (end == NONE) failPrefixed(at, bits);
  let value: u64 = 0;
  for (let i = at + 2; i < end; i++) {
    const byte = byteAt(i);
    if (byte == 0x5f) continue;
    if (value > <u64>i64.MAX_VALUE >>> <u64>bits) failTooLarge(end, bits);
    value = (value << <u64>bits) | <u64>hexValue(byte);
  }
  scalarEnd = end;
  return makeInt(<i64>value);
}

function failPrefixed(at: u32, bits: u32): void {
  if (bits == 1) fail(at, "toml::parse_bin_integer: invalid integer: bin_int must be like: 0b0101, 0b1111_0000");
  if (bits == 3) fail(at, "toml::parse_oct_integer: invalid integer: oct_int must be like: 0o775, 0o04_44");
  fail(at, "toml::parse_hex_integer: invalid integer: hex_int must be like: 0xC0FFEE, 0xdead_beef");
}

function failTooLarge(at: u32, bits: u32): void {
  const remark = "must be < 2^63";
  if (bits == 1) fail(at, "toml::parse_bin_integer: too large integer: current max value = 2^63", remark);
  if (bits == 3) fail(at, "toml::parse_oct_integer: too large integer: current max value = 2^63", remark);
  fail(at, "toml::parse_hex_integer: too large integer: current max value = 2^63", remark);
}

function hexValue(byte: u32): u32 {
  return isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57;
}

function readFloat(at: u32, end: u32): Value {
  scalarEnd = end;
  const negative = byteAt(at) == 0x2d;
  const start = negative || byteAt(at) == 0x2b ? at + 1 : at;
  if (byteAt(start) == 0x69) return makeFloat(negative ? -Infinity : Infinity);
  if (byteAt(start) == 0x6e) return makeFloat(negative ? reinterpret<f64>(0xfff8000000000000) : NaN);
  const mark = textMark();
  for (let i = start; i < end; i++) if (byteAt(i) != 0x5f) appendByte(byteAt(i));
  const value = parseFloat64(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  if (!isFinite<f64>(value)) fail(end, "toml::parse_floating: failed to read floating point value from stream");
  return makeFloat(negative ? -value : value);
}

function readDate(at: u32, end: u32): Value {
  const time = isTimeDelimiter(byteAt(end)) ? afterTime(end + 1) : NONE;
  if (time == NONE) {
    failAfterDate(end);
    checked(at, checkDate(at));
    return makeDate(at, end);
  }
  const offset = afterOffset(time);
  if (offset == NONE && (byteAt(time) == 0x2b || byteAt(time) == 0x2d)) {
    fail(time, "bad offset: must be [+-]HH:MM or Z", "expected digit [0-9]", OFFSET_HINT);
  }
  checked(at, checkDate(at));
  checked(end + 1, checkTime(end + 1));
  if (offset == NONE) return makeDate(at, time);
  checked(at, checkOffset(time));
  return makeDate(at, offset);
}

/** Refuses what looks like a time after a date and is none. */
function failAfterDate(end: u32): void {
  const byte = byteAt(end);
  const isBadTime = (byte | 0x20) == 0x74 || (byte == 0x20 && isDigit(byteAt(end + 1)));
  if (isBadTime) fail(end + 1, "bad time: must be HH:MM:SS.subsec", "expected digit [0-9]", TIME_HINT);
  if (isDigit(byte)) fail(end, "bad datetime: missing T or space", "expected T, t, or  ", TIME_HINT);
}

function checked(at: u32, verdict: u32): void {
  if (verdict == DATE_VALID) return;
  if (verdict == DATE_BAD_DAY) {
    const remark = "month must be 01-12, day must be any of 01-28,29,30,31 depending on the month/year.";
    fail(at, "toml::parse_local_date: invalid date.", remark);
  }
  if (verdict == DATE_BAD_OFFSET) {
    fail(at, "toml::parse_offset_datetime: too large offset: |hour| <= 24, |minute| <= 60");
  }
  const remark = verdict == DATE_BAD_SECOND ? "second must be 00-60." : "hour must be 00-23, minute must be 00-59.";
  fail(at, "toml::parse_local_time: invalid time.", remark);
}

function makeDate(at: u32, end: u32): Value {
  scalarEnd = end;
  if (!timestampsEnabled) {
    sawDate = true;
    return NULL;
  }
  const mark = beginAttrs();
  addAttr(internText("_type"), textString("timestamp"));
  addAttr(SYMBOL_VALUE, dateText(at, end));
  return endAttrs(mark);
}

function textString(literal: string): Value {
  const mark = textMark();
  for (let i = 0; i < literal.length; i++) appendByte(load<u8>(changetype<usize>(literal) + (i << 1)));
  return takeTextAsString(mark);
}

// ── Strings ──

function readString(at: u32): Value {
  const quote = byteAt(at);
  const isLong = byteAt(at + 1) == quote && byteAt(at + 2) == quote;
  if (isLong) return readLongString(at, quote);
  const end = quote == 0x22 ? basicEnd(at) : literalEnd(at);
  scalarEnd = end;
  if (quote == 0x27 || !hasBackslash(at + 1, end - 1)) return makeString(text + at + 1, end - at - 2);
  const mark = textMark();
  appendUnescaped(at + 1, end - 1);
  return takeString(mark);
}

function basicEnd(at: u32): u32 {
  const end = afterBasicString(at);
  if (end == NONE) fail(at, "toml::parse_basic_string: invalid string format");
  return end;
}

function literalEnd(at: u32): u32 {
  const end = afterLiteralString(at);
  if (end == NONE) fail(at, "toml::parse_literal_string: invalid string format");
  return end;
}

function readLongString(at: u32, quote: u32): Value {
  const end = afterMultilineString(at, quote);
  if (end == NONE) {
    if (quote == 0x22) fail(at, "toml::parse_ml_basic_string: invalid string format");
    fail(at, "toml::parse_ml_literal_string: invalid string format");
  }
  scalarEnd = end;
  let start = at + 3;
  if (byteAt(start) == 10) start++;
  else if (byteAt(start) == 13) start += 2;
  if (quote == 0x27) return makeString(text + start, end - 3 - start);
  const mark = textMark();
  appendUnescaped(start, end - 3);
  return takeString(mark);
}

function hasBackslash(from: u32, end: u32): bool {
  for (let i = from; i < end; i++) if (byteAt(i) == 0x5c) return true;
  return false;
}

function takeString(mark: u32): Value {
  const string = takeTextAsString(mark);
  if (stringWithNul == 0 && hasNul(stringBytes(string), stringLength(string))) stringWithNul = string;
  return string;
}

/** Appends what is between two quotes and known to be well-formed, its escapes replaced. */
function appendUnescaped(from: u32, end: u32): void {
  let at = from;
  while (at < end) {
    let plain = at;
    while (plain < end && byteAt(plain) != 0x5c) plain++;
    appendBytes(text + at, plain - at);
    at = plain;
    if (at < end) at = appendEscape(at);
  }
}

function appendEscape(at: u32): u32 {
  const newline = afterEscapedNewline(at);
  if (newline != NONE) return newline;
  const letter = byteAt(at + 1);
  switch (letter) {
    case 0x62:
      appendByte(8);
      break;
    case 0x66:
      appendByte(12);
      break;
    case 0x6e:
      appendByte(10);
      break;
    case 0x72:
      appendByte(13);
      break;
    case 0x74:
      appendByte(9);
      break;
    case 0x75:
      return appendCodePoint(at, 4);
    case 0x55:
      return appendCodePoint(at, 8);
    default:
      appendByte(letter);
  }
  return at + 2;
}

function appendCodePoint(at: u32, digits: u32): u32 {
  let codePoint: u32 = 0;
  for (let i: u32 = 0; i < digits; i++) codePoint = (codePoint << 4) | hexValue(byteAt(at + 2 + i));
  if (codePoint - 0xd800 < 0x800) fail(at, "toml::parse_utf8_codepoint: [0xD800, 0xDFFF] is not a valid UTF-8");
  if (codePoint > 0x10ffff) {
    fail(at, "toml::parse_utf8_codepoint: input codepoint is too large.", "must be in range [0x00, 0x10FFFF]");
  }
  textAdvance(storeUtf8(textReserve(4), codePoint));
  return at + 2 + digits;
}

// ── Names ──

/** The name in quotes at an offset; `scalarEnd` is behind it. */
export function readQuotedName(at: u32): Symbol {
  const isBasic = byteAt(at) == 0x22;
  const end = isBasic ? basicEnd(at) : literalEnd(at);
  scalarEnd = end;
  if (!isBasic || !hasBackslash(at + 1, end - 1)) return internBytes(text + at + 1, end - at - 2);
  const mark = textMark();
  appendUnescaped(at + 1, end - 1);
  const name = internBytes(textStart(mark), textLengthFrom(mark));
  takeString(mark);
  return name;
}
