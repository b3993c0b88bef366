// Builtins that take "anything that can be coerced to a string" and wait for nothing else.

import { COERCE_TO_STRING, coerceNow, coerceRequest } from "../operations/coerce";
import { Value, isWhnf, resolve } from "../values/value";
import { Frame, arg, awaitForce, awaitNative2, awaited, setStep, step } from "../machine/native";

const FORCED: u32 = 1;
const COERCED: u32 = 2;

/**
 * Argument `index`, which is declared LAZY, as a string; 0 when the builtin has to wait. `message` is part of the trace
 * when it cannot be coerced. It may be the only thing that the builtin waits for: it uses the frame's step.
 */
export function coerceArgument(f: Frame, index: u32, flags: u32, message: string): Value {
  const at = step(f);
  if (at == COERCED) return awaited();
  const value = at == FORCED ? awaited() : resolve(arg(f, index));
  if (!isWhnf(value)) {
    setStep(f, FORCED);
    return awaitForce(f, value);
  }
  const string = coerceNow(value, flags);
  if (string != 0) return string;
  setStep(f, COERCED);
  return awaitNative2(f, COERCE_TO_STRING, value, coerceRequest(flags, message));
}
