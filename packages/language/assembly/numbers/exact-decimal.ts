// The exact decimal digits of a float: every binary fraction is a finite decimal one, of at most 767 digits that count.
//
// A positive float is m · 2^e. For e < 0 that is m · 5^-e · 10^e, for e >= 0 the integer m · 2^e: either way a large
// integer is made in limbs of nine digits, and its digits are written out. Rounding is to the nearest of the wanted
// length, ties to even, as printf does it (IEEE 754-2008, 5.12.2).

import { Address } from "../memory/chunks";

const LIMB_BASE: u64 = 1000000000;
const LIMB_DIGITS: u32 = 9;
/** Enough for 5^1074 · 2^53: 767 digits, and for 2^1024. */
const LIMBS: Address = memory.data(512);
/** The digits, most significant first, as bytes 0 to 9. A leading 0 is room for a carry. */
const DIGITS: Address = memory.data(1160);

let limbCount: u32 = 0;
let first: u32 = 0;
let count: u32 = 0;
let point: i32 = 0;

/** Takes a positive finite float apart; the other functions tell of its digits. */
export function expandFloat(x: f64): void {
  const bits = reinterpret<u64>(x);
  const field = <i32>((bits >>> 52) & 0x7ff);
  let mantissa = bits & 0xfffffffffffff;
  let exponent = field == 0 ? -1074 : field - 1075;
  if (field != 0) mantissa |= 0x10000000000000;
  const spare = <i32>ctz(mantissa);
  if (exponent < 0) {
    const dropped = spare < -exponent ? spare : -exponent;
    mantissa >>= <u64>dropped;
    exponent += dropped;
  }
  setLimbs(mantissa);
  if (exponent >= 0) multiplyByPower(2, <u32>exponent, 29);
  else multiplyByPower(5, <u32>-exponent, 12);
  writeDigits();
  point = <i32>count + (exponent < 0 ? exponent : 0);
}

/** How many digits there are; the first one is not 0. */
@inline
export function digitCount(): u32 {
  return count;
}

/** How many digits stand before the decimal point: 0 or less when the number is below 1. */
@inline
export function pointPosition(): i32 {
  return point;
}

/** Digit `index`, 0 beyond the last. */
@inline
export function digitAt(index: u32): u32 {
  return index < count ? <u32>load<u8>(DIGITS + first + index) : 0;
}

/** Keeps `length` digits, rounded. Negative: nothing is left, not even a rounded digit. */
export function roundDigits(length: i32): void {
  if (length >= <i32>count) return;
  if (length < 0) {
    count = 0;
    return;
  }
  const kept = <u32>length;
  const up = isRoundedUp(kept);
  count = kept;
  if (up) increment();
}

function isRoundedUp(kept: u32): bool {
  const next = digitAt(kept);
  if (next != 5) return next > 5;
  for (let i = kept + 1; i < count; i++) if (digitAt(i) != 0) return true;
  return kept > 0 && (digitAt(kept - 1) & 1) != 0;
}

function increment(): void {
  let i = count;
  while (i > 0) {
    i--;
    const digit = digitAt(i);
    if (digit != 9) {
      store<u8>(DIGITS + first + i, <u8>(digit + 1));
      return;
    }
    store<u8>(DIGITS + first + i, 0);
  }
  // All nines, or no digit at all: one more in front.
  first--;
  store<u8>(DIGITS + first, 1);
  count++;
  point++;
}

function setLimbs(value: u64): void {
  limbCount = 0;
  let rest = value;
  while (rest != 0) {
    store<u32>(LIMBS + (limbCount << 2), <u32>(rest % LIMB_BASE));
    rest /= LIMB_BASE;
    limbCount++;
  }
}

/** Multiplies by base^exponent, `step` factors at a time: base^step fits 32 bits. */
function multiplyByPower(base: u32, exponent: u32, step: u32): void {
  let rest = exponent;
  while (rest > 0) {
    const factors = rest < step ? rest : step;
    let factor: u64 = 1;
    for (let i: u32 = 0; i < factors; i++) factor *= <u64>base;
    multiply(factor);
    rest -= factors;
  }
}

function multiply(factor: u64): void {
  let carry: u64 = 0;
  for (let i: u32 = 0; i < limbCount; i++) {
    const product = <u64>load<u32>(LIMBS + (i << 2)) * factor + carry;
    store<u32>(LIMBS + (i << 2), <u32>(product % LIMB_BASE));
    carry = product / LIMB_BASE;
  }
  if (carry != 0) {
    store<u32>(LIMBS + (limbCount << 2), <u32>carry);
    limbCount++;
  }
}

function writeDigits(): void {
  first = 1;
  let at = DIGITS + first;
  for (let i = limbCount; i > 0; i--) {
    let limb = load<u32>(LIMBS + ((i - 1) << 2));
    for (let j = LIMB_DIGITS; j > 0; j--) {
      store<u8>(at + j - 1, <u8>(limb % 10));
      limb /= 10;
    }
    at += LIMB_DIGITS;
  }
  const end = <u32>(at - DIGITS);
  while (first < end && load<u8>(DIGITS + first) == 0) first++;
  count = end - first;
}
