// `addErrorContext`: a value, with a message that is part of the trace of every error which evaluating it meets, and which
// is shown even where the trace is not.
//
// The message is made before the value is forced, whether there will be an error or not: nothing is called while the
// machine unwinds.

import { CANONICAL_PATH, COERCE_TO_STRING, coerceNow, coerceRequest } from "../operations/coerce";
import { Value, isWhnf, resolve } from "../values/value";
import {
  Frame,
  LAZY,
  Primop,
  STEP_RETURN_AWAITED,
  arg,
  args2,
  awaitForce,
  awaitNative2,
  awaited,
  setContextAlways,
  setStep,
  step,
} from "../machine/native";
import { define } from "./registry";

/** Paths are not copied to the store. */
const MESSAGE_FLAGS: u32 = CANONICAL_PATH;
const MESSAGE = "while evaluating the error message passed to builtins.addErrorContext";

export function defineErrorContext(): void {
  const builtin = define("addErrorContext", 2, args2(LAZY, LAZY), 0, addErrorContext);
  changetype<Primop>(builtin).traced = 0;
}

function addErrorContext(f: Frame): Value {
  const value = resolve(arg(f, 1));
  if (isWhnf(value)) return value;
  const message = step(f) == 0 ? coerceNow(resolve(arg(f, 0)), MESSAGE_FLAGS) : awaited();
  if (message == 0) {
    setStep(f, 1);
    return awaitNative2(f, COERCE_TO_STRING, arg(f, 0), coerceRequest(MESSAGE_FLAGS, MESSAGE));
  }
  setContextAlways(f, message);
  setStep(f, STEP_RETURN_AWAITED);
  return awaitForce(f, value);
}
