// Where a function is called.
//
// The instruction of a call says so itself, but the machine's own code (static-code.ts), which calls for builtins, for
// delayed calls and for sets with `__functor`, has no position. What stands below tells where such a call belongs: a
// functor to its definition, a delayed call to what forces it. Where a deep walk does that, there is nothing but the
// function itself to be named.

import { Address } from "../memory/chunks";
import { Block, Code } from "../compile/code";
import { COERCE_TO_STRING, NO_ATTRIBUTE, coercedAttributePosition } from "../operations/coerce";
import { DEEP_WALK } from "../operations/deep-force";
import { SHARED_CALL } from "../images/shared-calls";
import { lambdaBlock } from "../values/function";
import { applyCallee, isUnplacedApply } from "../values/thunk";
import { KIND_LAMBDA, TAG_APPLY, TAG_MASK, Value, headerOf, isKind, resolve } from "../values/value";
import { Primop, framePc, frameSize } from "./native";
import { CALL_TARGET, functorPosition, isFunctorTarget, PLAIN_TARGET, REGION_TARGET, previousRecord, recordEnv, recordPc, recordTarget } from "./stack";
import { ARGUMENT_CODE, RESUME_CODE, RETURN_CODE, isApplyCode } from "./static-code";

/** The position of the call that left the record `at`, 0 if it has none. */
export function recordedCallSite(at: Address): u32 {
  return recordPc(at) == RESUME_CODE ? builtinCallSite(at) : callSite(recordPc(at), previousRecord(at));
}

/** The position of the call that returns to `pc`, 0 if it has none. `below` is the record under it, or 0. */
export function callSite(pc: Code, below: Address): u32 {
  const position = load<u32>(pc - 4);
  if (position != 0 || below == 0 || !(isApplyCode(pc) || pc == RETURN_CODE)) return position;
  const target = recordTarget(below);
  if (isFunctorTarget(target)) return functorPosition(target);
  if (target == REGION_TARGET) return callSite(pc, previousRecord(below));
  const waiting = recordPc(below);
  if (target != CALL_TARGET && target != PLAIN_TARGET) return delayedCallSite(target, below, waiting);
  return waiting == RESUME_CODE ? builtinCallSite(below) : 0;
}

/** Of a thunk's call: where it is needed. */
function delayedCallSite(thunk: Value, below: Address, waiting: Code): u32 {
  const needed = previousRecord(below);
  if (needed != 0 && recordTarget(needed) == REGION_TARGET) return delayedCallSite(thunk, needed, recordPc(needed));
  if (waiting == RESUME_CODE) {
    const builtin = recordEnv(below);
    if (builtin == SHARED_CALL) return load<u32>(framePc(below - frameSize(changetype<Primop>(builtin))) - 4);
    return builtin == DEEP_WALK ? calleePosition(thunk) : 0;
  }
  return waiting == ARGUMENT_CODE ? 0 : load<u32>(waiting - 4);
}

function calleePosition(thunk: Value): u32 {
  if ((headerOf(thunk) & TAG_MASK) != TAG_APPLY || isUnplacedApply(thunk)) return 0;
  return functionPosition(resolve(applyCallee(thunk)));
}

/** Where a function stands in a source; 0 for builtins and for what is no function. */
export function functionPosition(value: Value): u32 {
  return isKind(value, KIND_LAMBDA) ? changetype<Block>(lambdaBlock(value)).position : 0;
}

/** Of a builtin's call: only that of `__toString` has a place. */
function builtinCallSite(below: Address): u32 {
  if (recordEnv(below) != COERCE_TO_STRING) return 0;
  const position = coercedAttributePosition(below - frameSize(changetype<Primop>(COERCE_TO_STRING)));
  return position == NO_ATTRIBUTE ? 0 : position;
}
