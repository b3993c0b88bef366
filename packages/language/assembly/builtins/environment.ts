// getEnv.

import { isPureEvaluation, isRestrictedEvaluation } from "../derivation/settings";
import { REQUEST_ENVIRONMENT } from "../machine/host-request";
import { Frame, PLAIN_STRING, arg, args1, awaitHost, awaited, setStep, step } from "../machine/native";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { internString, symbolName } from "../symbols/symbols";
import { EMPTY_STRING } from "../values/constants";
import { Value } from "../values/value";
import { define } from "./registry";

export function defineEnvironmentBuiltins(): void {
  variables = makeSymbolMap();
  define("getEnv", 1, args1(PLAIN_STRING), 0, getEnv);
}

/** Variables that have been asked for, by symbol: nixpkgs asks for a few of them thousands of times. */
let variables: SymbolMap = 0;

function getEnv(f: Frame): Value {
  const name = internString(arg(f, 0));
  if (step(f) != 0) {
    mapSet(variables, name, internString(awaited()));
    return awaited();
  }
  if (isPureEvaluation || isRestrictedEvaluation) return EMPTY_STRING;
  const known = mapGet(variables, name);
  if (known != 0) return symbolName(known);
  setStep(f, 1);
  return awaitHost(f, REQUEST_ENVIRONMENT, arg(f, 0));
}
