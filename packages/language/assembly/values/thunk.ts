// Thunks: values that are not evaluated yet (value.ts has the tags).
//
//   SUSPENDED, ENTERED, FORWARD, FAILED  [word][environment, result or error]   an entered one keeps its environment
//   APPLY                                [tag, entered, count, unplaced][function][argument 1][argument 2 or 0]
//
// A thunk becomes its result in place. Whoever meets one follows FORWARD; the collector takes them out.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { compress, decompress } from "../memory/pointers";
import { TAG_APPLY, TAG_ENTERED, TAG_FAILED, TAG_FORWARD, TAG_MASK, Value } from "./value";

const THUNK_SIZE: u32 = 8;
const APPLY_SIZE: u32 = 16;
/** Set in the first word of an APPLY that is being evaluated. */
export const APPLY_ENTERED: u32 = 8;
/** Set in the first word of an APPLY whose function no trace may name as the place of the call. */
const APPLY_UNPLACED: u32 = 0x80;

/** A thunk that will run the code at `code` (8-aligned) in `env`. */
@inline
export function makeThunk(code: Address, env: Address): Value {
  const thunk = allocate(THUNK_SIZE);
  store<u32>(thunk, <u32>code);
  store<u32>(thunk, compress(env), 4);
  return thunk;
}

/** A thunk for `callee a`. */
export function makeApply1(callee: Value, a: Value): Value {
  return makeApply(callee, a, 0, 1);
}

/** Makes a thunk that was made by `makeApply1`, whatever has become of it, one for `callee a` again. */
export function resetApply1(thunk: Value, callee: Value, a: Value): void {
  fillApply(thunk, callee, a, 0, 1);
}

/** A thunk for `callee a b`. */
export function makeApply2(callee: Value, a: Value, b: Value): Value {
  return makeApply(callee, a, b, 2);
}

/** The same where Nix knows nothing of the function yet, and so no place for the call in a trace. */
export function makeUnplacedApply2(callee: Value, a: Value, b: Value): Value {
  const thunk = makeApply2(callee, a, b);
  store<u32>(thunk, load<u32>(thunk) | APPLY_UNPLACED);
  return thunk;
}

export function isUnplacedApply(thunk: Value): bool {
  return (load<u32>(thunk) & APPLY_UNPLACED) != 0;
}

@inline
export function applyCount(thunk: Value): u32 {
  return (load<u32>(thunk) >>> 4) & 7;
}

@inline
export function applyCallee(thunk: Value): Value {
  return decompress(load<u32>(thunk, 4));
}

/** The address of the first argument; they are adjacent words. */
@inline
export function applyArguments(thunk: Value): Address {
  return thunk + 8;
}

@inline
export function applyArgument(thunk: Value, index: u32): Value {
  return decompress(load<u32>(thunk + (index << 2), 8));
}

/** Makes a thunk its result, which must be in weak head normal form. */
@inline
export function forward(thunk: Value, result: Value): void {
  store<u32>(thunk, TAG_FORWARD);
  store<u32>(thunk, compress(result), 4);
}

/** Makes a thunk the failure that evaluating it met: an ERROR cell. */
export function markFailed(thunk: Value, error: Value): void {
  store<u32>(thunk, TAG_FAILED);
  store<u32>(thunk, compress(error), 4);
}

/** Makes a thunk that was entered what it was before. */
export function unenter(thunk: Value): void {
  const word = load<u32>(thunk);
  if ((word & TAG_MASK) == TAG_ENTERED) store<u32>(thunk, word & ~TAG_MASK);
  else if ((word & TAG_MASK) == TAG_APPLY) store<u32>(thunk, word & ~APPLY_ENTERED);
}

/** Whether a thunk is being evaluated. */
export function isEntered(thunk: Value): bool {
  const word = load<u32>(thunk);
  return (word & TAG_MASK) == TAG_ENTERED || ((word & TAG_MASK) == TAG_APPLY && (word & APPLY_ENTERED) != 0);
}

function makeApply(callee: Value, a: Value, b: Value, count: u32): Value {
  const thunk = allocate(APPLY_SIZE);
  fillApply(thunk, callee, a, b, count);
  return thunk;
}

@inline
function fillApply(thunk: Value, callee: Value, a: Value, b: Value, count: u32): void {
  store<u32>(thunk, TAG_APPLY | (count << 4));
  store<u32>(thunk, compress(callee), 4);
  store<u32>(thunk, compress(a), 8);
  store<u32>(thunk, compress(b), 12);
}
