// Instructions that need a builtin for what they cannot do at once: their operands become its arguments, and the frame
// that is returned goes on where the instruction would have.

import { SHARED_CALL } from "../images/shared-calls";
import { Address } from "../memory/chunks";
import { compress } from "../memory/pointers";
import { COERCE_TO_STRING, coerceRequest } from "../operations/coerce";
import { Code } from "../compile/code";
import { Value } from "../values/value";
import { Frame, initializeFrame, primopOf } from "./native";

/** Makes the two operands on top the arguments of a builtin that does what the instruction could not. */
export function operatorFrame(top: Address, builtin: Value, env: Address, pc: Code): Frame {
  const left = load<u32>(top - 8);
  store<u32>(top - 8, load<u32>(top - 4));
  store<u32>(top - 4, left);
  store<u32>(top, compress(builtin));
  initializeFrame(top, primopOf(top), env, pc);
  return top;
}

/** Hands a call over to what looks whether its result was kept; the argument is where the stack ended. */
export function sharedCallFrame(top: Address, callee: Value, env: Address, pc: Code): Frame {
  store<u32>(top, compress(callee), 4);
  const f = top + 8;
  store<u32>(f, compress(SHARED_CALL));
  initializeFrame(f, primopOf(f), env, pc);
  return f;
}

/** Makes what is on top the argument of a coercion to a string. */
export function coercionFrame(top: Address, flags: u32, env: Address, pc: Code): Frame {
  store<u32>(top, load<u32>(top - 4));
  store<u32>(top - 4, compress(coerceRequest(flags, "while evaluating a path segment")));
  store<u32>(top, compress(COERCE_TO_STRING), 4);
  initializeFrame(top + 4, primopOf(top + 4), env, pc);
  return top + 4;
}
