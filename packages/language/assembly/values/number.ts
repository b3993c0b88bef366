// Integers and floats.
//
//   small integer   (n << 1) | 1, for -2^30 <= n < 2^30
//   INT             [header][unused][i64]   every other integer: a number has exactly one representation
//   FLOAT           [header][unused][f64]

import { allocate } from "../memory/heap";
import { KIND_FLOAT, KIND_INT, Value, cellHeader, isKind, isSmallInt } from "./value";

const NUMBER_SIZE: u32 = 16;

@inline
export function makeInt(n: i64): Value {
  return n >= -0x40000000 && n < 0x40000000 ? <Value>((<u32>n << 1) | 1) : boxInt(n);
}

/** A small integer from a number known to fit, such as a length. */
@inline
export function makeSmallInt(n: u32): Value {
  return <Value>((n << 1) | 1);
}

/** The number in a small integer known to be one and not negative. */
@inline
export function smallInt(value: Value): u32 {
  return <u32>value >>> 1;
}

@inline
export function isInt(value: Value): bool {
  return isSmallInt(value) || isKind(value, KIND_INT);
}

@inline
export function intOf(value: Value): i64 {
  return isSmallInt(value) ? <i64>(<i32>value >> 1) : load<i64>(value, 8);
}

@inline
export function isFloat(value: Value): bool {
  return isKind(value, KIND_FLOAT);
}

@inline
export function floatOf(value: Value): f64 {
  return load<f64>(value, 8);
}

/** The value of an INT or FLOAT as a float. */
@inline
export function numberAsFloat(value: Value): f64 {
  return isFloat(value) ? floatOf(value) : <f64>intOf(value);
}

export function makeFloat(x: f64): Value {
  const cell = allocate(NUMBER_SIZE);
  store<u32>(cell, cellHeader(KIND_FLOAT));
  store<f64>(cell, x, 8);
  return cell;
}

function boxInt(n: i64): Value {
  const cell = allocate(NUMBER_SIZE);
  store<u32>(cell, cellHeader(KIND_INT));
  store<i64>(cell, n, 8);
  return cell;
}
