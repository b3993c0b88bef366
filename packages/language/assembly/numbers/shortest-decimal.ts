// Few decimal digits that read back as the same float: the algorithm Grisu2 of Florian Loitsch, "Printing floating-point
// numbers quickly and accurately with integers", PLDI 2010.
//
// The digits always lie between the neighbours' midpoints; in one case of a thousand they are one more than necessary or not
// the nearest of their length. That is wanted: JSON from Nix is made with the same algorithm, and its bytes are hashed.
//
// A "do-it-yourself" float is a 64-bit significand f and an exponent e: f · 2^e. A cached power of ten brings the number
// to an exponent between ALPHA and GAMMA, where its integral part fits 32 bits.

import { Address } from "../memory/chunks";

const ALPHA: i32 = -60;
const GAMMA: i32 = -32;
const SIGNIFICAND_BITS: i32 = 64;

/** Significands of 10^k for k = FIRST_POWER, FIRST_POWER + POWER_STEP, …, normalised and rounded to nearest. */
const POWERS: Address = memory.data<u64>([
  0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c, 0xd3515c2831559a83,
  0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d, 0x823c12795db6ce57, 0xc21094364dfb5637,
  0x9096ea6f3848984f, 0xd77485cb25823ac7, 0xa086cfcd97bf97f4, 0xef340a98172aace5, 0xb23867fb2a35b28e,
  0x84c8d4dfd2c63f3b, 0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584, 0xa3ab66580d5fdaf6,
  0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053, 0x964e858c91ba2655,
  0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94, 0xb94470938fa89bcf, 0x8a08f0f8bf0f156b,
  0xcdb02555653131b6, 0x993fe2c6d07b7fac, 0xe45c10c42a2b3b06, 0xaa242499697392d3, 0xfd87b5f28300ca0e,
  0xbce5086492111aeb, 0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000, 0xe8d4a51000000000,
  0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70, 0xd5d238a4abe98068,
  0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8, 0x83c7088e1aab65db, 0xc45d1df942711d9a,
  0x924d692ca61be758, 0xda01ee641a708dea, 0xa26da3999aef774a, 0xf209787bb47d6b85, 0xb454e4a179dd1877,
  0x865b86925b9bc5c2, 0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3, 0xa59bc234db398c25,
  0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5, 0x98165af37b2153df,
  0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c, 0xbb764c4ca7a44410, 0x8bab8eefb6409c1a,
  0xd01fef10a657842c, 0x9b10a4e5e9913129, 0xe7109bfba19c0c9d, 0xac2820d9623bf429, 0x80444b5e7aa7cf85,
  0xbf21e44003acdd2d, 0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
]);
const FIRST_POWER: i32 = -300;
const POWER_STEP: i32 = 8;

/** 17 digits are the most that a float needs. */
const DIGITS: Address = memory.data(24);
let count: u32 = 0;
let exponent: i32 = 0;

/** Finds the digits of a positive finite float: 0.d1d2d3… · 10^`pointPosition`. */
export function shortenFloat(x: f64): void {
  const bits = reinterpret<u64>(x);
  const field = <i32>((bits >>> 52) & 0x7ff);
  const fraction = bits & 0xfffffffffffff;
  const f = field == 0 ? fraction : fraction | 0x10000000000000;
  const e = field == 0 ? -1074 : field - 1075;
  // The midpoints to the neighbours, with one bit more, the lower one closer where the exponent changes.
  const closer = fraction == 0 && field > 1;
  const highShift = <i32>clz(2 * f + 1);
  const high = (2 * f + 1) << <u64>highShift;
  const boundaryExponent = e - 1 - highShift;
  const lowExponent = closer ? e - 2 : e - 1;
  const low = (closer ? 4 * f - 1 : 2 * f - 1) << <u64>(lowExponent - boundaryExponent);
  const shift = <i32>clz(f);
  const index = powerIndex(boundaryExponent);
  const power = load<u64>(POWERS + (<usize>index << 3));
  const decimal = FIRST_POWER + index * POWER_STEP;
  const scaledExponent = boundaryExponent + powerExponent(decimal) + SIGNIFICAND_BITS;
  const scaled = multiplyHigh(f << <u64>shift, power);
  // One unit in from either side makes up for the errors of the products.
  const scaledLow = multiplyHigh(low, power) + 1;
  const scaledHigh = multiplyHigh(high, power) - 1;
  exponent = -decimal;
  generateDigits(scaledLow, scaled, scaledHigh, scaledExponent);
}

@inline
export function shortDigitCount(): u32 {
  return count;
}

/** Digit `index`, as a number. */
@inline
export function shortDigitAt(index: u32): u32 {
  return load<u8>(DIGITS + index);
}

/** How many digits stand before the decimal point; 0 or less when the number is below .1. */
@inline
export function shortPointPosition(): i32 {
  return <i32>count + exponent;
}

/** The cached power that brings a number with binary exponent `e` between ALPHA and GAMMA. */
function powerIndex(e: i32): i32 {
  // ceil((ALPHA - e - 1) · log10(2))
  const f = ALPHA - e - 1;
  const k = (f * 78913) / 262144 + <i32>(f > 0);
  return (-FIRST_POWER + k + (POWER_STEP - 1)) / POWER_STEP;
}

/** floor(k · log2(10)) - 63: the exponent that belongs to the significand. */
function powerExponent(k: i32): i32 {
  return ((k * 217706) >> 16) - 63;
}

/** The upper 64 bits of a product, rounded half up. */
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >>> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >>> 32;
  const low = aLow * bLow;
  const middle1 = aLow * bHigh;
  const middle2 = aHigh * bLow;
  const carry = (low >>> 32) + (middle1 & 0xffffffff) + (middle2 & 0xffffffff) + 0x80000000;
  return aHigh * bHigh + (middle1 >>> 32) + (middle2 >>> 32) + (carry >>> 32);
}

/** Writes digits of `high` until what is left is within the interval, then moves them towards `value`. */
function generateDigits(low: u64, value: u64, high: u64, e: i32): void {
  assert(e >= ALPHA && e <= GAMMA, "the cached power fits");
  const fractionBits = <u64>-e;
  let distance = high - value;
  let width = high - low;
  let integral = <u32>(high >>> fractionBits);
  let fraction = high & ((<u64>1 << fractionBits) - 1);
  count = 0;
  let left = decimalLength(integral);
  let place = powerOfTen(left);
  while (left > 0) {
    appendDigit(integral / place);
    integral %= place;
    left--;
    const rest = (<u64>integral << fractionBits) + fraction;
    if (rest <= width) {
      exponent += <i32>left;
      return roundDown(distance, width, rest, <u64>place << fractionBits);
    }
    place /= 10;
  }
  while (true) {
    fraction *= 10;
    appendDigit(<u32>(fraction >>> fractionBits));
    fraction &= (<u64>1 << fractionBits) - 1;
    exponent--;
    width *= 10;
    distance *= 10;
    if (fraction <= width) return roundDown(distance, width, fraction, <u64>1 << fractionBits);
  }
}

/** Lowers the last digit while that brings the digits closer to the value and keeps them in the interval. */
function roundDown(distance: u64, width: u64, rest: u64, unit: u64): void {
  const last = DIGITS + count - 1;
  let left = rest;
  while (
    left < distance &&
    width - left >= unit &&
    (left + unit < distance || distance - left > left + unit - distance)
  ) {
    store<u8>(last, load<u8>(last) - 1);
    left += unit;
  }
}

@inline
function appendDigit(digit: u32): void {
  store<u8>(DIGITS + count, <u8>digit);
  count++;
}

function decimalLength(n: u32): u32 {
  let length: u32 = 1;
  let rest = n;
  while (rest >= 10) {
    rest /= 10;
    length++;
  }
  return length;
}

/** 10^(length - 1): the place of the first of so many digits. */
function powerOfTen(length: u32): u32 {
  let place: u32 = 1;
  for (let i: u32 = 1; i < length; i++) place *= 10;
  return place;
}
