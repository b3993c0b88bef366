// Forcing what the host's walks look at of a value: the value itself, and of a derivation its path. For fibers that do it
// before the walk comes there.

import { Frame, Primop, STRICT, arg, args1, awaitForce, makePrimop } from "../machine/native";
import { SYMBOL_DRV_PATH, SYMBOL_TYPE } from "../symbols/known";
import { findAttr } from "../values/attrs";
import { stringIs } from "../values/string";
import { Value, isAttrs, isString, isWhnf, resolve } from "../values/value";

/** Internal: value → the same. */
export let VISIT_DERIVATION: Value = 0;

export function initializeVisits(): void {
  VISIT_DERIVATION = makePrimop("visitDerivation", 1, args1(STRICT), 0, visitDerivation);
  changetype<Primop>(VISIT_DERIVATION).traced = 0;
}

function visitDerivation(f: Frame): Value {
  const value = arg(f, 0);
  if (!isAttrs(value)) return value;
  const type = findAttr(value, SYMBOL_TYPE);
  if (type == 0) return value;
  if (!isWhnf(resolve(type))) return awaitForce(f, type);
  if (!isString(resolve(type)) || !stringIs(resolve(type), "derivation")) return value;
  const path = findAttr(value, SYMBOL_DRV_PATH);
  return path == 0 || isWhnf(resolve(path)) ? value : awaitForce(f, path);
}
