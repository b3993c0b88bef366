// getEnv.

import { isPureEvaluation, isRestrictedEvaluation } from "../derivation/settings";
import { REQUEST_ENVIRONMENT } from "../machine/host-request";
import { Frame, PLAIN_STRING, arg, args1, awaitHost, awaited, setStep, step } from "../machine/native";
import { EMPTY_STRING } from "../values/constants";
import { Value } from "../values/value";
import { define } from "./registry";

export function defineEnvironmentBuiltins(): void {
  define("getEnv", 1, args1(PLAIN_STRING), 0, getEnv);
}

function getEnv(f: Frame): Value {
  if (step(f) != 0) return awaited();
  if (isPureEvaluation || isRestrictedEvaluation) return EMPTY_STRING;
  setStep(f, 1);
  return awaitHost(f, REQUEST_ENVIRONMENT, arg(f, 0));
}
