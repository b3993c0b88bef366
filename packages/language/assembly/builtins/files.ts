// Builtins that look at files.

import { Frame, LAZY, Primop, arg, args1, awaitNative2, awaited, makePrimop, setStep, step } from "../machine/native";
import { COERCE_TO_PATH, coerceRequest } from "../operations/coerce";
import { makePath, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

/** Internal: value → PATH. */
export let REALISE_PATH: Value = 0;

export function initializeFiles(): void {
  REALISE_PATH = makePrimop("realisePath", 1, args1(LAZY), 0, realisePath);
  changetype<Primop>(REALISE_PATH).traced = 0;
}

function realisePath(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, 1);
    return awaitNative2(f, COERCE_TO_PATH, arg(f, 0), coerceRequest(0, "while realising the path"));
  }
  return makePath(stringBytes(awaited()), stringLength(awaited()));
}
