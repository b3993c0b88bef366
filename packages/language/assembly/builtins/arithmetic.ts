// Builtins on numbers. Integers have 64 bits and their overflow is an error; with a float on either side both are floats.

import { appendInteger, appendText } from "../memory/text";
import { appendGeneral } from "../numbers/print-float";
import { makeBool } from "../values/constants";
import { floatOf, intOf, isFloat, isInt, makeFloat, makeInt, numberAsFloat } from "../values/number";
import { Value } from "../values/value";
import { ERROR_EVAL, beginError, fail, raiseError } from "../errors/raise";
import { INCOMPARABLE, LESS_THAN, compareNow } from "../operations/comparison";
import { raiseTypeMismatch } from "../operations/type-names";
import {
  FLOAT,
  Frame,
  INT,
  STEP_RETURN_AWAITED,
  STRICT,
  arg,
  args1,
  args2,
  awaitNative2,
  setContext,
  setStep,
} from "../machine/native";
import { define } from "./registry";

/** `builtins.lessThan`: `sort` knows it, and compares without calling it. */
export let LESS_THAN_BUILTIN: Value = 0;

export function defineArithmeticBuiltins(): void {
  define("add", 2, args2(STRICT, STRICT), 0, add);
  define("sub", 2, args2(STRICT, STRICT), 0, sub);
  define("mul", 2, args2(STRICT, STRICT), 0, mul);
  define("div", 2, args2(STRICT, STRICT), 0, div);
  define("bitAnd", 2, args2(INT, INT), 0, bitAnd);
  define("bitOr", 2, args2(INT, INT), 0, bitOr);
  define("bitXor", 2, args2(INT, INT), 0, bitXor);
  define("ceil", 1, args1(FLOAT), 0, ceil);
  define("floor", 1, args1(FLOAT), 0, floor);
  LESS_THAN_BUILTIN = define("lessThan", 2, args2(STRICT, STRICT), 0, lessThan);
}

// ── The four operations ──

function add(f: Frame): Value {
  const first = "while evaluating the first argument of the addition";
  const second = "while evaluating the second argument of the addition";
  if (isFloat(arg(f, 0)) || isFloat(arg(f, 1))) return makeFloat(expectNumber(f, 0, first) + expectNumber(f, 1, second));
  const a = expectInt(f, 0, first);
  const b = expectInt(f, 1, second);
  const sum = a + b;
  return ((a ^ sum) & (b ^ sum)) < 0 ? failOverflow("adding ", a, " + ", b) : makeInt(sum);
}

function sub(f: Frame): Value {
  const first = "while evaluating the first argument of the subtraction";
  const second = "while evaluating the second argument of the subtraction";
  if (isFloat(arg(f, 0)) || isFloat(arg(f, 1))) return makeFloat(expectNumber(f, 0, first) - expectNumber(f, 1, second));
  const a = expectInt(f, 0, first);
  const b = expectInt(f, 1, second);
  const difference = a - b;
  return ((a ^ b) & (a ^ difference)) < 0 ? failOverflow("subtracting ", a, " - ", b) : makeInt(difference);
}

function mul(f: Frame): Value {
  const second = "while evaluating the second argument of the multiplication";
  if (isFloat(arg(f, 0)) || isFloat(arg(f, 1))) {
    return makeFloat(expectNumber(f, 0, "while evaluating the first of the multiplication") * expectNumber(f, 1, second));
  }
  const a = expectInt(f, 0, "while evaluating the first argument of the multiplication");
  const b = expectInt(f, 1, second);
  return productOverflows(a, b) ? failOverflow("multiplying ", a, " * ", b) : makeInt(a * b);
}

function div(f: Frame): Value {
  const first = "while evaluating the first operand of the division";
  const divisor = expectNumber(f, 1, "while evaluating the second operand of the division");
  if (divisor == 0) fail(ERROR_EVAL, "division by zero");
  if (isFloat(arg(f, 0)) || isFloat(arg(f, 1))) return makeFloat(expectNumber(f, 0, first) / divisor);
  const a = expectInt(f, 0, first);
  const b = intOf(arg(f, 1));
  return a == i64.MIN_VALUE && b == -1 ? failOverflow("dividing ", a, " / ", b) : makeInt(a / b);
}

/** Whether `a * b` needs more than 64 bits. */
function productOverflows(a: i64, b: i64): bool {
  if (<i64>(<i32>a) == a && <i64>(<i32>b) == b) return false;
  if (a == 0) return false;
  if (a == -1) return b == i64.MIN_VALUE;
  return (a * b) / a != b;
}

/** Argument `index` as a float, or an error that says that a float was wanted. */
@inline
function expectNumber(f: Frame, index: u32, message: string): f64 {
  const value = arg(f, index);
  if (!isFloat(value) && !isInt(value)) failType(f, value, "a float", message);
  return numberAsFloat(value);
}

@inline
function expectInt(f: Frame, index: u32, message: string): i64 {
  const value = arg(f, index);
  if (!isInt(value)) failType(f, value, "an integer", message);
  return intOf(value);
}

function failType(f: Frame, value: Value, what: string, message: string): void {
  setContext(f, message);
  raiseTypeMismatch(value, what);
}

function failOverflow(doing: string, a: i64, sign: string, b: i64): Value {
  beginError(ERROR_EVAL);
  appendText("integer overflow in ");
  appendText(doing);
  appendInteger(a);
  appendText(sign);
  appendInteger(b);
  raiseError();
  return 0;
}

// ── Bits ──

function bitAnd(f: Frame): Value {
  return makeInt(intOf(arg(f, 0)) & intOf(arg(f, 1)));
}

function bitOr(f: Frame): Value {
  return makeInt(intOf(arg(f, 0)) | intOf(arg(f, 1)));
}

function bitXor(f: Frame): Value {
  return makeInt(intOf(arg(f, 0)) ^ intOf(arg(f, 1)));
}

// ── Rounding ──

function ceil(f: Frame): Value {
  return rounded(arg(f, 0), Math.ceil(numberAsFloat(arg(f, 0))));
}

function floor(f: Frame): Value {
  return rounded(arg(f, 0), Math.floor(numberAsFloat(arg(f, 0))));
}

/** 2^63. */
const INTEGER_LIMIT: f64 = 9223372036854775808.0;

/** The integer that `value` was rounded to. Integers go through a float too, and must survive it. */
function rounded(value: Value, result: f64): Value {
  const fits = result >= -INTEGER_LIMIT && result < INTEGER_LIMIT;
  if (isFloat(value)) return fits ? makeInt(<i64>result) : failRange(floatOf(value));
  if (!fits) return failUndefined(intOf(value));
  const integer = <i64>result;
  return integer == intOf(value) ? value : failPrecision(intOf(value), integer);
}

function failRange(x: f64): Value {
  beginError(ERROR_EVAL);
  appendText("NixFloat argument ");
  appendGeneral(x, 6);
  appendText(" is not in the range of NixInt");
  raiseError();
  return 0;
}

function failUndefined(n: i64): Value {
  beginError(ERROR_EVAL);
  appendText("Due to a bug (see https://github.com/NixOS/nix/issues/12899) the NixInt argument ");
  appendInteger(n);
  appendText(" caused undefined behavior in previous Nix versions.\n\tFuture Nix versions might implement the correct behavior.");
  raiseError();
  return 0;
}

function failPrecision(n: i64, rounded: i64): Value {
  beginError(ERROR_EVAL);
  appendText("Due to a bug (see https://github.com/NixOS/nix/issues/12899) a loss of precision occurred in previous Nix versions because the NixInt argument ");
  appendInteger(n);
  appendText(" was rounded to ");
  appendInteger(rounded);
  appendText(".\n\tFuture Nix versions might implement the correct behavior.");
  raiseError();
  return 0;
}

// ── Order ──

function lessThan(f: Frame): Value {
  const order = compareNow(arg(f, 0), arg(f, 1));
  if (order != INCOMPARABLE) return makeBool(order < 0);
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, LESS_THAN, arg(f, 0), arg(f, 1));
}
