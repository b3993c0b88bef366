// What a value is.
//
// A value is 32 bits. Odd: a small integer of 31 bits. Even: the address of an 8-aligned cell; 0 is never a value.
// The first word of a cell says what it is:
//
//   low 3 bits   the rest of the word
//   0 SUSPENDED  the word itself is the 8-aligned address of the code; the second word is the environment
//   1 ENTERED    the same with bit 0 set: the thunk is being evaluated (a "black hole")
//   2 FORWARD    the second word is the value: in a thunk, its result (never a thunk again); during a collection,
//                the new address
//   4 FAILED     the second word is the error that evaluating it raised
//   5 APPLY      a delayed call: bit 3 entered, bits 4.. number of arguments; then function and arguments
//   7 CELL       a value in weak head normal form, or one of the machine's own cells: kind in bits 3..7
//
// Kinds, with their layouts, are in the file of each: constants, number, string, list, attrs, function, env.

import { Address } from "../memory/chunks";
import { decompress } from "../memory/pointers";

export type Value = usize;

export const TAG_MASK: u32 = 7;
export const TAG_SUSPENDED: u32 = 0;
export const TAG_ENTERED: u32 = 1;
export const TAG_FORWARD: u32 = 2;
export const TAG_FAILED: u32 = 4;
export const TAG_APPLY: u32 = 5;
export const TAG_CELL: u32 = 7;

export const KIND_NULL: u32 = 0;
export const KIND_BOOL: u32 = 1;
export const KIND_INT: u32 = 2;
export const KIND_FLOAT: u32 = 3;
export const KIND_STRING: u32 = 4;
export const KIND_PATH: u32 = 5;
export const KIND_LIST: u32 = 6;
export const KIND_ATTRS: u32 = 7;
export const KIND_LAMBDA: u32 = 8;
export const KIND_PRIMOP: u32 = 9;
export const KIND_PARTIAL: u32 = 10;
// The machine's own cells: never the result of an evaluation.
export const KIND_ENV: u32 = 16;
export const KIND_KEYS: u32 = 17;
export const KIND_ORDER: u32 = 18;
export const KIND_CONTEXT: u32 = 19;
export const KIND_ERROR: u32 = 20;
export const KIND_TRACE: u32 = 21;
export const KIND_TABLE: u32 = 22;

/** The header of a cell of `kind`; `extra` (24 bits) is the kind's own. */
@inline
export function cellHeader(kind: u32, extra: u32 = 0): u32 {
  return TAG_CELL | (kind << 3) | (extra << 8);
}

@inline
export function headerOf(cell: Address): u32 {
  return load<u32>(cell);
}

@inline
export function headerExtra(header: u32): u32 {
  return header >>> 8;
}

@inline
export function isSmallInt(value: Value): bool {
  return (value & 1) != 0;
}

/** Whether `value` needs no evaluation. A forced thunk does not count: `resolve` it first. */
@inline
export function isWhnf(value: Value): bool {
  return (value & 1) != 0 || (load<u32>(value) & TAG_MASK) == TAG_CELL;
}

/** The value behind a forced thunk, or `value` itself (which may be a thunk still to be forced). */
@inline
export function resolve(value: Value): Value {
  if ((value & 1) == 0 && (load<u32>(value) & TAG_MASK) == TAG_FORWARD) return decompress(load<u32>(value, 4));
  return value;
}

/** The kind of a value in weak head normal form; small integers are KIND_INT. */
@inline
export function kindOf(value: Value): u32 {
  if ((value & 1) != 0) return KIND_INT;
  return (load<u32>(value) >>> 3) & 31;
}

@inline
export function isKind(value: Value, kind: u32): bool {
  return (value & 1) == 0 && (load<u32>(value) & 0xff) == (TAG_CELL | (kind << 3));
}

@inline
export function isString(value: Value): bool {
  return isKind(value, KIND_STRING);
}

@inline
export function isAttrs(value: Value): bool {
  return isKind(value, KIND_ATTRS);
}

@inline
export function isList(value: Value): bool {
  return isKind(value, KIND_LIST);
}

@inline
export function isPath(value: Value): bool {
  return isKind(value, KIND_PATH);
}

/** Whether a value in weak head normal form is a lambda, a builtin or a partial application of one. */
@inline
export function isFunction(value: Value): bool {
  const kind = kindOf(value);
  return kind >= KIND_LAMBDA && kind <= KIND_PARTIAL;
}
