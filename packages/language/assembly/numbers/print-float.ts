// Floats as text, in the three ways of Nix: as values are printed (`%g`), as `toString` does it (`%f`), and as JSON.
//
// The first two are exact and round to even, as C's printf; the third has as few digits as read back as the same number
// (shortest-decimal.ts). Infinities and NaNs are "inf", "-inf", "nan" and "-nan" after the sign bit, and null in JSON.

import { appendByte, appendInteger, appendText } from "../memory/text";
import { digitAt, digitCount, expandFloat, pointPosition, roundDigits } from "./exact-decimal";
import { shortDigitAt, shortDigitCount, shortPointPosition, shortenFloat } from "./shortest-decimal";

const ZERO: u32 = 0x30;
const DOT: u32 = 0x2e;
const MINUS: u32 = 0x2d;
const PLUS: u32 = 0x2b;
/** Digits of `%g`, and decimals of `%f`. */
const PRECISION: i32 = 6;
/** JSON writes exponents when the decimal point is further left or right than these. */
const JSON_LEAST_POINT: i32 = -4;
const JSON_GREATEST_POINT: i32 = 15;

/** Appends six significant digits, without zeros at the end: `1.5`, `1e+06`, `1.23457e-05`. */
export function appendFloatG6(x: f64): void {
  appendGeneral(x, PRECISION);
}

/** The same with `precision` significant digits, as `%.*g`. */
export function appendGeneral(x: f64, precision: u32): void {
  const magnitude = appendSign(x);
  if (appendSpecial(magnitude)) return;
  if (magnitude == 0) return appendByte(ZERO);
  expandFloat(magnitude);
  roundDigits(<i32>precision);
  const count = significantDigits();
  const scientific = pointPosition() - 1;
  if (scientific >= -4 && scientific < <i32>precision) return appendPlain(pointPosition(), count);
  appendByte(ZERO + digitAt(0));
  if (count > 1) appendByte(DOT);
  for (let i: u32 = 1; i < count; i++) appendByte(ZERO + digitAt(i));
  appendExponent(scientific);
}

/** Appends the number with six decimals: `1.500000`. */
export function appendFloatF6(x: f64): void {
  const magnitude = appendSign(x);
  if (appendSpecial(magnitude)) return;
  let point: i32 = 0;
  let known = magnitude != 0;
  if (known) {
    expandFloat(magnitude);
    roundDigits(pointPosition() + PRECISION);
    point = pointPosition();
    known = digitCount() != 0;
  }
  appendIntegral(known ? point : 0);
  appendByte(DOT);
  for (let i = 0; i < PRECISION; i++) {
    const index = point + i;
    appendByte(ZERO + (known && index >= 0 ? digitAt(<u32>index) : 0));
  }
}

/** Appends the number as JSON: `1.5`, `1.0`, `1e+16`, `null`. */
export function appendFloatShortest(x: f64): void {
  if (!isFinite<f64>(x)) return appendText("null");
  const magnitude = appendSign(x);
  if (magnitude == 0) return appendText("0.0");
  shortenFloat(magnitude);
  const count = <i32>shortDigitCount();
  const point = shortPointPosition();
  if (point > JSON_LEAST_POINT && point <= JSON_GREATEST_POINT) return appendShortPlain(count, point);
  appendByte(ZERO + shortDigitAt(0));
  if (count > 1) appendByte(DOT);
  for (let i = 1; i < count; i++) appendByte(ZERO + shortDigitAt(<u32>i));
  appendExponent(point - 1);
}

/** Appends "-" if the sign bit is set and returns the magnitude. */
function appendSign(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  if (bits >>> 63 != 0) appendByte(MINUS);
  return reinterpret<f64>(bits & 0x7fffffffffffffff);
}

function appendSpecial(magnitude: f64): bool {
  if (isFinite<f64>(magnitude)) return false;
  appendText(isNaN<f64>(magnitude) ? "nan" : "inf");
  return true;
}

/** Digits without the zeros at the end. */
function significantDigits(): u32 {
  let count = digitCount();
  while (count > 1 && digitAt(count - 1) == 0) count--;
  return count;
}

function appendPlain(point: i32, count: u32): void {
  appendIntegral(point);
  if (point >= <i32>count) return;
  appendByte(DOT);
  for (let i = point; i < 0; i++) appendByte(ZERO);
  const from: u32 = point > 0 ? <u32>point : 0;
  for (let i = from; i < count; i++) appendByte(ZERO + digitAt(i));
}

/** What stands before the decimal point: at least a zero. */
function appendIntegral(point: i32): void {
  if (point <= 0) return appendByte(ZERO);
  for (let i = 0; i < point; i++) appendByte(ZERO + digitAt(<u32>i));
}

function appendShortPlain(count: i32, point: i32): void {
  for (let i = 0; i < point; i++) appendByte(ZERO + (i < count ? shortDigitAt(<u32>i) : 0));
  if (point <= 0) appendByte(ZERO);
  appendByte(DOT);
  if (point >= count) return appendByte(ZERO);
  for (let i = point; i < 0; i++) appendByte(ZERO);
  for (let i = point > 0 ? point : 0; i < count; i++) appendByte(ZERO + shortDigitAt(<u32>i));
}

/** `e+05`: at least two digits. */
function appendExponent(exponent: i32): void {
  appendByte(0x65);
  appendByte(exponent < 0 ? MINUS : PLUS);
  const magnitude = exponent < 0 ? -exponent : exponent;
  if (magnitude < 10) appendByte(ZERO);
  appendInteger(<i64>magnitude);
}
