// One exact decimal number, for what does not fit 64 bits: 0.d1 d2 d3 … × 10^point.
//
// It is multiplied and divided by powers of two digit by digit, which is slow and needs no tables: the method of
// N. Tao's "simple decimal conversion". Digits beyond the 800th cannot change a rounding and are only remembered as "not
// zero". There is one such number; nothing of it survives its use.

import { Address } from "../memory/chunks";

const MAX_DIGITS: u32 = 800;
/** A shift by k adds at most 0.302 k + 1 digits. */
const MAX_SHIFT: u32 = 56;
const digits: Address = memory.data(832);
let count: u32 = 0;
let point: i32 = 0;
let truncated: bool = false;

/** Makes the number zero with its point before the digits that are to come. */
export function startDecimal(): void {
  count = 0;
  point = 0;
  truncated = false;
}

/** Appends a digit; leading zeros must not be among them. */
export function pushDigit(digit: u32): void {
  if (count < MAX_DIGITS) store<u8>(digits + count++, <u8>digit);
  else if (digit != 0) truncated = true;
}

export function setDecimalPoint(value: i32): void {
  point = value;
  trim();
}

export function decimalPoint(): i32 {
  return point;
}

export function decimalDigitCount(): u32 {
  return count;
}

export function decimalDigit(index: u32): u32 {
  return index < count ? <u32>load<u8>(digits + index) : 0;
}

/** Multiplies by 2^exponent. */
export function scaleDecimal(exponent: i32): void {
  let rest = exponent;
  if (count == 0) return;
  while (rest > 0) {
    const step: u32 = rest > <i32>MAX_SHIFT ? MAX_SHIFT : <u32>rest;
    shiftLeft(step);
    rest -= <i32>step;
  }
  while (rest < 0) {
    const step: u32 = -rest > <i32>MAX_SHIFT ? MAX_SHIFT : <u32>-rest;
    shiftRight(step);
    rest += <i32>step;
  }
}

/** Whether the number has no fraction. */
export function isDecimalInteger(): bool {
  return !truncated && <i32>count <= point;
}

/** The nearest integer, of two the even one; the number must be below 2^63. */
export function roundedDecimal(): u64 {
  let value: u64 = 0;
  let i: i32 = 0;
  while (i < point) {
    value = value * 10 + <u64>decimalDigit(<u32>i);
    i++;
  }
  return roundsUpAt(point) ? value + 1 : value;
}

/** Whether the digits before `index` grow by one when the others are dropped. */
function roundsUpAt(index: i32): bool {
  if (index < 0 || index >= <i32>count) return false;
  const next = decimalDigit(<u32>index);
  if (next == 5 && index + 1 == <i32>count && !truncated) return index > 0 && (decimalDigit(<u32>index - 1) & 1) == 1;
  return next >= 5;
}

function trim(): void {
  while (count > 0 && load<u8>(digits + count - 1) == 0) count--;
  if (count == 0) point = 0;
}

/** From the last digit to the first, with room made for the digits that are carried out. */
function shiftLeft(by: u32): void {
  const added = (by * 30103) / 100000 + 1;
  let read = count;
  let write = count + added;
  let carry: u64 = 0;
  while (write > 0) {
    write--;
    if (read > 0) {
      read--;
      carry += (<u64>load<u8>(digits + read)) << (<u64>by);
    }
    const digit = <u32>(carry % 10);
    carry /= 10;
    if (write < MAX_DIGITS) store<u8>(digits + write, <u8>digit);
    else if (digit != 0) truncated = true;
  }
  count = count + added < MAX_DIGITS ? count + added : MAX_DIGITS;
  point += <i32>added;
  dropLeadingZeros();
  trim();
}

function dropLeadingZeros(): void {
  let zeros: u32 = 0;
  while (zeros < count && load<u8>(digits + zeros) == 0) zeros++;
  if (zeros == 0) return;
  memory.copy(digits, digits + zeros, count - zeros);
  count -= zeros;
  point -= <i32>zeros;
}

function shiftRight(by: u32): void {
  const mask = ((<u64>1) << (<u64>by)) - 1;
  let read: u32 = 0;
  let rest: u64 = 0;
  // The first digit of the quotient needs as many digits as make it at least one.
  while ((rest >> (<u64>by)) == 0) {
    rest = rest * 10 + (read < count ? <u64>load<u8>(digits + read) : 0);
    read++;
  }
  point -= <i32>read - 1;
  let write: u32 = 0;
  while (read < count || rest != 0) {
    const digit = <u32>(rest >> (<u64>by));
    if (write < MAX_DIGITS) store<u8>(digits + write++, <u8>digit);
    else if (digit != 0) truncated = true;
    rest = (rest & mask) * 10 + (read < count ? <u64>load<u8>(digits + read) : 0);
    read++;
  }
  count = write;
  trim();
}
