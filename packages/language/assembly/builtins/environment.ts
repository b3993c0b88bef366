// getEnv, currentTime.
//
// The time is a constant which is asked for when it is first wanted, so that the host knows whether it was.

import { isPureEvaluation, isRestrictedEvaluation } from "../derivation/settings";
import { REQUEST_CURRENT_TIME, REQUEST_ENVIRONMENT } from "../machine/host-request";
import {
  Frame,
  LAZY,
  PLAIN_STRING,
  arg,
  args1,
  awaitHost,
  awaited,
  makePrimop,
  setStep,
  step,
} from "../machine/native";
import { permanentInt } from "../compile/literals";
import { REGION_OWN, region } from "../memory/heap";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { internString, symbolName } from "../symbols/symbols";
import { EMPTY_STRING, NULL } from "../values/constants";
import { intOf } from "../values/number";
import { makeApply1, resetApply1 } from "../values/thunk";
import { Value } from "../values/value";
import { define, defineConstant } from "./registry";

export function defineEnvironmentBuiltins(): void {
  ownVariables = makeSymbolMap();
  sharedVariables = makeSymbolMap();
  define("getEnv", 1, args1(PLAIN_STRING), 0, getEnv);
}

/** The thunk of the time. */
let clock: Value = 0;
let clockBuiltin: Value = 0;

/** Defines the time; before the initialization ends, so that its thunk becomes permanent. */
export function defineCurrentTime(): void {
  clockBuiltin = makePrimop("currentTime", 1, args1(LAZY), 0, currentTime);
  clock = makeApply1(clockBuiltin, NULL);
  defineConstant("currentTime", clock);
}

/** Makes the time something to be asked for again, for a later evaluation. */
export function forgetCurrentTime(): void {
  if (clock != 0) resetApply1(clock, clockBuiltin, NULL);
}

/** The answer is copied: what is permanent must not refer to the heap. */
function currentTime(f: Frame): Value {
  if (step(f) != 0) return permanentInt(intOf(awaited()));
  setStep(f, 1);
  return awaitHost(f, REQUEST_CURRENT_TIME, NULL);
}

/**
 * Variables that have been asked for, by symbol: nixpkgs asks for a few of them thousands of times. Each region of the heap
 * asks for itself, so that the host knows what follows from what.
 */
let ownVariables: SymbolMap = 0;
let sharedVariables: SymbolMap = 0;

function variables(): SymbolMap {
  return region == REGION_OWN ? ownVariables : sharedVariables;
}

/** Forgets what the shared region does not depend on. */
export function forgetOwnVariables(): void {
  ownVariables = makeSymbolMap();
}

function getEnv(f: Frame): Value {
  const name = internString(arg(f, 0));
  if (step(f) != 0) {
    mapSet(variables(), name, internString(awaited()));
    return awaited();
  }
  if (isPureEvaluation || isRestrictedEvaluation) return EMPTY_STRING;
  const known = mapGet(variables(), name);
  if (known != 0) return symbolName(known);
  setStep(f, 1);
  return awaitHost(f, REQUEST_ENVIRONMENT, arg(f, 0));
}
