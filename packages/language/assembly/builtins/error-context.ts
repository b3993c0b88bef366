// `addErrorContext`: a value, with a message that is part of the trace of every error which evaluating it meets, and which
// is shown even where the trace is not.
//
// The message is made only when there is an error: the unwinder stops at this builtin, as it does at `tryEval`, and gives
// it the error; it makes the message, adds it to the traces and lets the error go on. A message that fails takes the
// error's place.

import { textMark } from "../memory/text";
import { addErrorTrace } from "../errors/error-cell";
import { raiseErrorOnward } from "../errors/raise";
import { setInterceptor } from "../errors/unwind";
import { CANONICAL_PATH, COERCE_TO_STRING, coerceNow, coerceRequest } from "../operations/coerce";
import { beginAttrs } from "../values/attrs-builder";
import { KIND_ERROR, Value, isKind, isWhnf, resolve } from "../values/value";
import {
  Frame,
  LAZY,
  Primop,
  TRACED_SILENTLY,
  arg,
  args2,
  awaitForce,
  awaitNative2,
  awaited,
  local,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { define } from "./registry";

/** Paths are not copied to the store. */
const MESSAGE_FLAGS: u32 = CANONICAL_PATH;
const MESSAGE = "while evaluating the error message passed to builtins.addErrorContext";

const VALUE_AWAITED: u32 = 1;
const MESSAGE_AWAITED: u32 = 2;

/** Locals: where the text buffer and the builder of sets were, for the unwinder; then the error in place of the first. */
const TEXT_MARK: u32 = 0;
const ATTRS_MARK: u32 = 1;
const ERROR: u32 = 0;

export function defineErrorContext(): void {
  const builtin = define("addErrorContext", 2, args2(LAZY, LAZY), 2, addErrorContext);
  changetype<Primop>(builtin).traced = TRACED_SILENTLY;
  setInterceptor(builtin, VALUE_AWAITED);
}

function addErrorContext(f: Frame): Value {
  if (step(f) == VALUE_AWAITED) return isKind(awaited(), KIND_ERROR) ? explainError(f) : awaited();
  if (step(f) == MESSAGE_AWAITED) return raiseWithContext(local(f, ERROR), awaited());
  const value = resolve(arg(f, 1));
  if (isWhnf(value)) return value;
  setLocalInt(f, TEXT_MARK, textMark());
  setLocalInt(f, ATTRS_MARK, beginAttrs());
  setStep(f, VALUE_AWAITED);
  return awaitForce(f, value);
}

function explainError(f: Frame): Value {
  const error = awaited();
  const message = coerceNow(resolve(arg(f, 0)), MESSAGE_FLAGS);
  if (message != 0) return raiseWithContext(error, message);
  setLocal(f, ERROR, error);
  setStep(f, MESSAGE_AWAITED);
  return awaitNative2(f, COERCE_TO_STRING, arg(f, 0), coerceRequest(MESSAGE_FLAGS, MESSAGE));
}

function raiseWithContext(error: Value, message: Value): Value {
  addErrorTrace(error, message);
  raiseErrorOnward(error);
  return 0;
}
