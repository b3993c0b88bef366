// Builtins about evaluation itself: its order, its end, and what is said meanwhile.

import { appendText, textMark } from "../memory/text";
import { makeSmallInt } from "../values/number";
import { appendTraceValue } from "../values/print";
import { takeTextAsString } from "../values/string";
import { Value, isString, isWhnf, resolve } from "../values/value";
import { ERROR_ABORT, ERROR_THROWN, beginError, errorString, raiseError } from "../errors/raise";
import { COERCE_DEFAULT } from "../operations/coerce";
import { DEEP_FORCE, isDeep } from "../operations/deep-force";
import { REQUEST_MESSAGE } from "../machine/host-request";
import {
  Frame,
  LAZY,
  STRICT,
  STRING,
  arg,
  args1,
  args2,
  awaitForce,
  awaitHost,
  awaitNative1,
  describeArgument,
  setStep,
  step,
} from "../machine/native";
import { coerceArgument } from "./coerced-argument";
import { finishWith } from "./demand";
import { defineErrorContext } from "./error-context";
import { define } from "./registry";

/** Levels of REQUEST_MESSAGE. */
const MESSAGE_TRACE: u32 = 0;
const MESSAGE_WARNING: u32 = 1;

export function defineControlBuiltins(): void {
  define("seq", 2, args2(STRICT, LAZY), 0, seq);
  define("deepSeq", 2, args2(STRICT, LAZY), 0, deepSeq);
  define("break", 1, args1(LAZY), 0, (f) => arg(f, 0));
  define("throw", 1, args1(LAZY), 0, throwError);
  define("abort", 1, args1(LAZY), 0, abort);
  define("trace", 2, args2(STRICT, LAZY), 0, trace);
  define("traceVerbose", 2, args2(LAZY, LAZY), 0, traceVerbose);
  const warning = define("warn", 2, args2(STRING, LAZY), 0, warn);
  describeArgument(warning, 0, "while evaluating the first argument; the message passed to builtins.warn");
  defineErrorContext();
}

/** Whether `traceVerbose` says anything: Nix's trace-verbose. */
let tracesVerbosely: bool = false;

export function setTraceVerbose(verbose: bool): void {
  tracesVerbosely = verbose;
}

// ── Order ──

function seq(f: Frame): Value {
  return finishWith(f, arg(f, 1));
}

const FORCED_DEEPLY: u32 = 1;

function deepSeq(f: Frame): Value {
  if (step(f) == FORCED_DEEPLY || isDeep(arg(f, 0))) return finishWith(f, arg(f, 1));
  setStep(f, FORCED_DEEPLY);
  return awaitNative1(f, DEEP_FORCE, arg(f, 0));
}

// ── The end ──

function throwError(f: Frame): Value {
  const message = coerceArgument(f, 0, COERCE_DEFAULT, "while evaluating the error message passed to builtin.throw");
  if (message == 0) return 0;
  beginError(ERROR_THROWN);
  errorString(message);
  raiseError();
  return 0;
}

function abort(f: Frame): Value {
  const message = coerceArgument(f, 0, COERCE_DEFAULT, "while evaluating the error message passed to builtins.abort");
  if (message == 0) return 0;
  beginError(ERROR_ABORT);
  appendText("evaluation aborted with the following error message: '");
  errorString(message);
  appendText("'");
  raiseError();
  return 0;
}

// ── Messages ──

const TOLD: u32 = 1;

function trace(f: Frame): Value {
  return step(f) == TOLD ? finishWith(f, arg(f, 1)) : tell(f, arg(f, 0));
}

function traceVerbose(f: Frame): Value {
  if (!tracesVerbosely || step(f) == TOLD) return finishWith(f, arg(f, 1));
  const value = resolve(arg(f, 0));
  return isWhnf(value) ? tell(f, value) : awaitForce(f, value);
}

function tell(f: Frame, value: Value): Value {
  setStep(f, TOLD);
  return awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_TRACE), traceText(value));
}

/** A string is shown as it is, everything else as it would be written. */
function traceText(value: Value): Value {
  if (isString(value)) return value;
  const mark = textMark();
  appendTraceValue(value);
  return takeTextAsString(mark);
}

function warn(f: Frame): Value {
  if (step(f) == TOLD) return finishWith(f, arg(f, 1));
  setStep(f, TOLD);
  return awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_WARNING), arg(f, 0));
}
