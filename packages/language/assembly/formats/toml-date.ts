// Dates and times of TOML: checked, and printed in one form: `T` between date and time, seconds always, a fraction of
// three, six or nine digits or none, `Z` for no offset.

import { Value } from "../values/value";
import { appendByte, textMark } from "../memory/text";
import { takeTextAsString } from "../values/string";
import { byteAt, isTimeDelimiter } from "./toml-syntax";

/** What is wrong with a date or time whose shape is right. */
export const DATE_VALID: u32 = 0;
export const DATE_BAD_DAY: u32 = 1;
export const DATE_BAD_MINUTE: u32 = 2;
export const DATE_BAD_SECOND: u32 = 3;
export const DATE_BAD_OFFSET: u32 = 4;

function number(at: u32, digits: u32): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < digits; i++) value = value * 10 + (byteAt(at + i) - 0x30);
  return value;
}

/** Checks a date at `at`. */
export function checkDate(at: u32): u32 {
  const month = number(at + 5, 2);
  const day = number(at + 8, 2);
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(number(at, 4), month) ? DATE_VALID : DATE_BAD_DAY;
}

function daysIn(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Checks a time at `at`. Second 60 is a leap second. */
export function checkTime(at: u32): u32 {
  if (number(at, 2) > 23 || number(at + 3, 2) > 59) return DATE_BAD_MINUTE;
  return number(at + 6, 2) > 60 ? DATE_BAD_SECOND : DATE_VALID;
}

/** Checks an offset at `at`. */
export function checkOffset(at: u32): u32 {
  if ((byteAt(at) | 0x20) == 0x7a) return DATE_VALID;
  return number(at + 1, 2) > 24 || number(at + 4, 2) > 60 ? DATE_BAD_OFFSET : DATE_VALID;
}

/** The text of the date, time or both between two offsets. */
export function dateText(from: u32, end: u32): Value {
  const mark = textMark();
  let at = from;
  if (byteAt(at + 4) == 0x2d) {
    copy(at, 10);
    at += 10;
    if (at < end && isTimeDelimiter(byteAt(at))) {
      appendByte(0x54);
      at++;
    }
  }
  if (at < end) at = appendTime(at);
  if (at < end) appendOffset(at);
  return takeTextAsString(mark);
}

function copy(at: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) appendByte(byteAt(at + i));
}

function isDigitAt(at: u32): bool {
  return byteAt(at) - 0x30 < 10;
}

function appendTime(at: u32): u32 {
  copy(at, 8);
  if (byteAt(at + 8) != 0x2e) return at + 8;
  const first = at + 9;
  let end = first;
  while (isDigitAt(end)) end++;
  // How many groups of three digits there are up to the last one that is not all zeros.
  let groups: u32 = 0;
  for (let i: u32 = 0; i < min<u32>(end - first, 9); i++) if (byteAt(first + i) != 0x30) groups = i / 3 + 1;
  if (groups != 0) appendByte(0x2e);
  for (let i: u32 = 0; i < groups * 3; i++) appendByte(first + i < end ? byteAt(first + i) : 0x30);
  return end;
}

function appendOffset(at: u32): void {
  const isUtc = (byteAt(at) | 0x20) == 0x7a;
  const minutes = isUtc ? 0 : number(at + 1, 2) * 60 + number(at + 4, 2);
  if (minutes == 0) return appendByte(0x5a);
  appendByte(byteAt(at));
  appendTwoDigits(minutes / 60);
  appendByte(0x3a);
  appendTwoDigits(minutes % 60);
}

function appendTwoDigits(n: u32): void {
  appendByte(0x30 + n / 10);
  appendByte(0x30 + (n % 10));
}
