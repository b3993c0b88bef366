// Functions: lambdas, and partial applications of builtins. (A builtin itself is a Primop, machine/native.ts.)
//
//   LAMBDA   [header][block][environment][unused]
//   PARTIAL  [header, count][builtin][arguments, first to last, padded to 8]

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { compress, decompress } from "../memory/pointers";
import { KIND_LAMBDA, KIND_PARTIAL, Value, cellHeader, headerExtra, headerOf } from "./value";

/** The code block of a lambda (compile/code.ts). */
@inline
export function lambdaBlock(lambda: Value): Address {
  return load<u32>(lambda, 4);
}

@inline
export function lambdaEnv(lambda: Value): Address {
  return decompress(load<u32>(lambda, 8));
}

@inline
export function makeLambda(block: Address, env: Address): Value {
  const lambda = allocate(16);
  store<u32>(lambda, cellHeader(KIND_LAMBDA));
  store<u32>(lambda, <u32>block, 4);
  store<u32>(lambda, compress(env), 8);
  store<u32>(lambda, 0, 12);
  return lambda;
}

@inline
export function partialCount(partial: Value): u32 {
  return headerExtra(headerOf(partial));
}

@inline
export function partialBuiltin(partial: Value): Value {
  return decompress(load<u32>(partial, 4));
}

@inline
export function partialArgument(partial: Value, index: u32): Value {
  return decompress(load<u32>(partial + (index << 2), 8));
}

export function setPartialArgument(partial: Value, index: u32, argument: Value): void {
  store<u32>(partial + (index << 2), compress(argument), 8);
}

export function partialCellSize(count: u32): u32 {
  return (8 + (count << 2) + 7) & ~7;
}

/** A builtin with its first `count` arguments, which the caller sets. */
export function makePartial(builtin: Value, count: u32): Value {
  const size = partialCellSize(count);
  const partial = allocate(size);
  store<u32>(partial + size - 4, 0);
  store<u32>(partial, cellHeader(KIND_PARTIAL, count));
  store<u32>(partial, compress(builtin), 4);
  return partial;
}
