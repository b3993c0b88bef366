// What the machine's loop leaves to functions about calls: arranging those of builtins on the stack, and the errors of
// its own instructions.

import { Address } from "../memory/chunks";
import { appendText } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { Code } from "../compile/code";
import {
  ERROR_ASSERTION,
  ERROR_STACK_OVERFLOW,
  beginError,
  errorQuoted,
  fail,
  raiseError,
  raiseErrorAgain,
  raiseInfiniteRecursion,
} from "../errors/raise";
import { raiseNoFunction, raiseTypeMismatch } from "../operations/type-names";
import { SYMBOL_FUNCTOR } from "../symbols/known";
import { findAttr, findKey, keyPosition, keysOf } from "../values/attrs";
import { FALSE } from "../values/constants";
import { makePartial, partialArgument, partialBuiltin, partialCount, setPartialArgument } from "../values/function";
import { KIND_PARTIAL, KIND_PRIMOP, TAG_FAILED, TAG_MASK, Value, headerOf, isAttrs, isKind } from "../values/value";
import { callSite } from "./call-site";
import { Primop, Frame } from "./native";
import { maximumCallDepth, raisingPc, raisingPosition, setRaisingPc } from "./registers";
import {
  PLAIN_TARGET,
  RECORD_SIZE,
  RED_ZONE,
  callDepth,
  functorTarget,
  growStack,
  record,
  setCallDepth,
  stackIsFull,
  stackLimit,
  takeInterrupt,
  writeRecord,
} from "./stack";

/** How many more arguments a builtin, or a partial application of one, needs; 0 for anything else. */
export function missingArguments(callee: Value): u32 {
  if (isKind(callee, KIND_PRIMOP)) return changetype<Primop>(callee).arity;
  if (!isKind(callee, KIND_PARTIAL)) return 0;
  return changetype<Primop>(partialBuiltin(callee)).arity - partialCount(callee);
}

/** Spreads a callee, which has the rest of its arguments below it, into the frame of a builtin. */
export function spreadPartial(top: Address, callee: Value): Frame {
  if (isKind(callee, KIND_PRIMOP)) return top - 4;
  let at = top - 4;
  for (let i = partialCount(callee); i > 0; i--) {
    store<u32>(at, compress(partialArgument(callee, i - 1)));
    at += 4;
  }
  store<u32>(at, compress(partialBuiltin(callee)));
  return at;
}

/** Replaces a callee and the `count` arguments below it by the partial application. Returns the new top. */
export function pushPartial(top: Address, callee: Value, count: u32): Address {
  const isPartial = isKind(callee, KIND_PARTIAL);
  const before = isPartial ? partialCount(callee) : 0;
  const partial = makePartial(isPartial ? partialBuiltin(callee) : callee, before + count);
  for (let i: u32 = 0; i < before; i++) setPartialArgument(partial, i, partialArgument(callee, i));
  for (let i: u32 = 0; i < count; i++) setPartialArgument(partial, before + i, decompress(load<u32>(top - ((i + 2) << 2))));
  const bottom = top - ((count + 1) << 2);
  store<u32>(bottom, compress(partial));
  return bottom + 4;
}

/** The `__functor` of what is called though it is no function; raises an error if it has none. */
export function functorOf(callee: Value): Value {
  const functor = isAttrs(callee) ? findAttr(callee, SYMBOL_FUNCTOR) : 0;
  if (functor == 0) raiseNoFunction(callee, callSite(raisingPc, record));
  return functor;
}

/** Puts a record under a set with `__functor` and its first argument: their call, which is counted, then returns to `pc`. */
export function putRecordBelowCall(top: Address, env: Address, pc: Code): Address {
  const argument = decompress(load<u32>(top - 8));
  const callee = decompress(load<u32>(top - 4));
  const at = top - 8;
  const keys = keysOf(callee);
  const position = keyPosition(keys, <u32>findKey(keys, SYMBOL_FUNCTOR));
  if (callDepth > maximumCallDepth) raiseCallDepth(position);
  setCallDepth(callDepth + 1);
  writeRecord(at, functorTarget(position), env, pc);
  store<u32>(at + RECORD_SIZE, compress(argument));
  store<u32>(at + RECORD_SIZE, compress(callee), 4);
  return at + RECORD_SIZE + 8;
}

/**
 * Makes room for more records; raises an error where the stack may grow no more. Whoever calls it leaves the machine's loop
 * soon: the limit of the stack is also how that is asked for.
 */
export function makeRoom(top: Address): Address {
  if (takeInterrupt() && top <= stackLimit) return top;
  if (stackIsFull()) fail(ERROR_STACK_OVERFLOW, "stack overflow (possible infinite recursion)", raisingPosition());
  return growStack(top, RED_ZONE);
}

export function raiseCallDepth(position: u32 = callSite(raisingPc, record)): void {
  fail(ERROR_STACK_OVERFLOW, "stack overflow; max-call-depth exceeded", position);
}

/**
 * The error of forcing a thunk that is being forced already, or has failed before. What needs it waits at `pc` with its
 * operands below `top`, as if the thunk had been entered.
 */
export function raiseUnforceable(thunk: Value, top: Address, env: Address, pc: Code): void {
  writeRecord(top, PLAIN_TARGET, env, pc);
  setRaisingPc(0);
  if ((headerOf(thunk) & TAG_MASK) == TAG_FAILED) raiseErrorAgain(decompress(load<u32>(thunk, 4)));
  raiseInfiniteRecursion(thunk, load<u32>(pc - 4));
}

/** `pc` is that after the instruction that wanted a Boolean. */
export function raiseNotBool(value: Value, pc: Code): void {
  setRaisingPc(pc);
  raiseTypeMismatch(value, "a Boolean", load<u32>(pc - 4));
}

/** `pc` is that of the OP_ASSERT. */
export function raiseAssertion(condition: Value, pc: Code): void {
  setRaisingPc(pc + 12);
  const position = load<u32>(pc, 8);
  if (condition != FALSE) {
    setRaisingPc(pc);
    raiseTypeMismatch(condition, "a Boolean", position);
  }
  beginError(ERROR_ASSERTION);
  appendText("assertion ");
  errorQuoted(load<u32>(pc, 4));
  appendText(" failed");
  raiseError(position);
}
