// From decimal to binary: the 64-bit float nearest to a decimal literal, ties to even (IEEE 754, as C's strtod).
//
// At most 19 digits and a small power of ten are one exact multiplication or division (W. Clinger, "How to read floating
// point numbers accurately", 1990); everything else goes through exact decimal arithmetic (decimal.ts).

import { Address } from "../memory/chunks";
import {
  decimalDigit, decimalDigitCount, decimalPoint, isDecimalInteger, pushDigit, roundedDecimal, scaleDecimal,
  setDecimalPoint, startDecimal,
} from "./decimal";

/** Whether the last literal was too large, or so small that digits were lost: where strtod sets ERANGE. */
export let parseFloatOutOfRange: bool = false;

const MINUS: u32 = 0x2d;
const PLUS: u32 = 0x2b;
const POINT: u32 = 0x2e;
/** Powers of ten up to here are exact. */
const EXACT_POWER: i32 = 22;
const MAX_EXACT: u64 = (<u64>1) << 53;
const EXPONENT_LIMIT: i32 = 100000;
const MANTISSA_BITS: i32 = 53;
const MIN_EXPONENT: i32 = -1021;
const MAX_EXPONENT: i32 = 1024;

let mantissa: u64 = 0;
let significant: u32 = 0;
/** The value is `mantissa` × 10^scale while there are at most 19 significant digits. */
let scale: i32 = 0;

/** The value of a valid literal: [sign] digits [. digits] [e [sign] digits], either group of digits being optional. */
export function parseFloat64(bytes: Address, length: u32): f64 {
  parseFloatOutOfRange = false;
  const negative = length > 0 && <u32>load<u8>(bytes) == MINUS;
  const magnitude = parseMagnitude(negative || (length > 0 && <u32>load<u8>(bytes) == PLUS) ? bytes + 1 : bytes, bytes + length);
  return negative ? -magnitude : magnitude;
}

function parseMagnitude(start: Address, end: Address): f64 {
  mantissa = 0;
  significant = 0;
  scale = 0;
  const exponentAt = readDigits(start, end);
  scale += readExponent(exponentAt, end);
  if (significant == 0) return 0;
  if (significant <= 19 && mantissa <= MAX_EXACT && scale >= -EXACT_POWER && scale <= EXACT_POWER) {
    return scale < 0 ? <f64>mantissa / powerOfTen(-scale) : <f64>mantissa * powerOfTen(scale);
  }
  readDecimal(start, exponentAt);
  return nearestFloat();
}

/** Reads the digits into `mantissa`, `significant` and `scale`; returns the address behind them. */
function readDigits(start: Address, end: Address): Address {
  let i = start;
  let fraction = false;
  while (i < end) {
    const byte = <u32>load<u8>(i);
    if (byte == POINT) fraction = true;
    else {
      const digit = byte - 0x30;
      if (digit > 9) break;
      if (significant < 19) mantissa = mantissa * 10 + <u64>digit;
      if (significant != 0 || digit != 0) significant++;
      if (fraction) scale--;
    }
    i++;
  }
  return i;
}

/** The exponent at `at`, within limits far beyond those of a float. */
function readExponent(at: Address, end: Address): i32 {
  if (at >= end) return 0;
  let i = at + 1;
  const sign = i < end ? <u32>load<u8>(i) : 0;
  if (sign == MINUS || sign == PLUS) i++;
  let exponent: i32 = 0;
  while (i < end) {
    if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (<i32>load<u8>(i) - 0x30);
    i++;
  }
  return sign == MINUS ? -exponent : exponent;
}

/** The same digits once more, into the exact decimal. */
function readDecimal(start: Address, end: Address): void {
  startDecimal();
  let seen = false;
  for (let i = start; i < end; i++) {
    const byte = <u32>load<u8>(i);
    if (byte == POINT) continue;
    if (byte != 0x30) seen = true;
    if (seen) pushDigit(byte - 0x30);
  }
  setDecimalPoint(<i32>significant + scale);
}

/** The float nearest to the exact decimal, which is not zero. */
function nearestFloat(): f64 {
  if (decimalPoint() > 310) return overflow();
  if (decimalPoint() < -330) return underflow();
  // Into [1/2, 1), counting the powers of two.
  let exponent: i32 = 0;
  while (decimalPoint() > 0) {
    const step = shiftFor(decimalPoint());
    scaleDecimal(-step);
    exponent += step;
  }
  while (decimalPoint() < 0 || decimalDigit(0) < 5) {
    const step = decimalPoint() < 0 ? shiftFor(-decimalPoint()) : 1;
    scaleDecimal(step);
    exponent -= step;
  }
  if (exponent > MAX_EXPONENT) return overflow();
  let bits = MANTISSA_BITS;
  const subnormal = exponent < MIN_EXPONENT;
  if (subnormal) bits -= MIN_EXPONENT - exponent;
  scaleDecimal(bits);
  if (subnormal && !isDecimalInteger()) parseFloatOutOfRange = true;
  let rounded = decimalDigitCount() == 0 ? 0 : roundedDecimal();
  let power = exponent - bits;
  if (rounded == MAX_EXACT) {
    rounded >>= 1;
    power++;
  }
  if (power + MANTISSA_BITS > MAX_EXPONENT) return overflow();
  return compose(rounded, power);
}

/** `value` × 2^power for a value of at most 53 bits that needs no rounding. */
function compose(value: u64, power: i32): f64 {
  const hidden = (<u64>1) << 52;
  if (value < hidden) return reinterpret<f64>(value);
  return reinterpret<f64>((value - hidden) | (<u64>(power + 1075) << 52));
}

/** How far to shift a decimal with its point at `distance` without passing the other side of 1: log2(10) a digit. */
function shiftFor(distance: i32): i32 {
  if (distance > 16) return 53;
  const step = (distance * 332) / 100;
  return step < 1 ? 1 : step;
}

function overflow(): f64 {
  parseFloatOutOfRange = true;
  return Infinity;
}

function underflow(): f64 {
  parseFloatOutOfRange = true;
  return 0;
}

function powerOfTen(exponent: i32): f64 {
  let power: f64 = 1;
  for (let i: i32 = 0; i < exponent; i++) power *= 10;
  return power;
}
