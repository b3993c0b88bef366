// The operators: arithmetic with its overflows, `+` on everything it is for, `//`, `++`, and putting strings together.

import { Address } from "../memory/chunks";
import { appendInteger, appendText } from "../memory/text";
import { ERROR_EVAL, beginError, fail, raiseError, setErrorContext } from "../errors/raise";
import { CANONICAL_PATH, COERCE_TO_STRING, COPY_TO_STORE, coerceNow, coerceRequest } from "../operations/coerce";
import { EQUAL } from "../operations/equality";
import { concatLists2 } from "../operations/concat";
import { updateAttrs } from "../operations/update";
import { appendTypeName, raiseTypeMismatch } from "../operations/type-names";
import { makeCanonicalPath } from "../operations/path-name";
import { appendBytes, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { decompress } from "../memory/pointers";
import { SYMBOL_OUT_PATH, SYMBOL_TO_STRING } from "../symbols/known";
import { attrsCount, findAttr } from "../values/attrs";
import { EMPTY_STRING, FALSE, TRUE } from "../values/constants";
import { mergeContexts } from "../values/context";
import { intOf, isFloat, isInt, makeFloat, makeInt, numberAsFloat } from "../values/number";
import { makeStringOfLength, setStringContext, stringBytes, stringContext, stringLength } from "../values/string";
import { Value, isAttrs, isList, isPath, isString } from "../values/value";
import {
  Frame,
  Primop,
  STRICT,
  arg,
  args2,
  awaitNative2,
  awaited,
  framePc,
  local,
  makePrimop,
  setLocal,
  setStep,
  step,
  LAZY,
} from "./native";
import { countListConcat, countUpdate, raisingPc, raisingPosition } from "./registers";
import { Block, blockAt } from "../compile/code";
import { remarkAt } from "../compile/contexts";

/** Internal: two operands → what `+` makes of them, where the instruction itself could not tell. */
export let ADD_OPERANDS: Value = 0;
/** Internal: two values → whether they differ. */
export let NOT_EQUAL: Value = 0;

export function initializeOperators(): void {
  ADD_OPERANDS = makePrimop("add", 2, args2(STRICT, STRICT), 1, addOperands);
  changetype<Primop>(ADD_OPERANDS).traced = 0;
  NOT_EQUAL = makePrimop("notEqual", 2, args2(LAZY, LAZY), 0, notEqual);
  changetype<Primop>(NOT_EQUAL).traced = 0;
}

function notEqual(f: Frame): Value {
  if (step(f) == 1) return awaited() == TRUE ? FALSE : TRUE;
  setStep(f, 1);
  return awaitNative2(f, EQUAL, arg(f, 0), arg(f, 1));
}

// ── Arithmetic ──

/** `left - right`. */
export function subtract(left: Value, right: Value): Value {
  if (isInt(left) && isInt(right)) {
    const a = intOf(left);
    const b = intOf(right);
    const difference = a - b;
    if (((a ^ b) & (a ^ difference)) < 0) raiseOverflow("subtracting", a, " - ", b);
    return makeInt(difference);
  }
  requireNumbers(
    left,
    right,
    "while evaluating the first argument of the subtraction",
    "while evaluating the second argument of the subtraction",
  );
  return makeFloat(numberAsFloat(left) - numberAsFloat(right));
}

/** `left * right`. */
export function multiply(left: Value, right: Value): Value {
  if (isInt(left) && isInt(right)) {
    const a = intOf(left);
    const b = intOf(right);
    if (multiplicationOverflows(a, b)) raiseOverflow("multiplying", a, " * ", b);
    return makeInt(a * b);
  }
  requireNumbers(
    left,
    right,
    "while evaluating the first argument of the multiplication",
    "while evaluating the second argument of the multiplication",
  );
  return makeFloat(numberAsFloat(left) * numberAsFloat(right));
}

/** `left / right`: towards zero for integers. */
export function divide(left: Value, right: Value): Value {
  // The divisor is looked at first: it must not be zero.
  requireNumber(right, "a float", "while evaluating the second operand of the division");
  if (numberAsFloat(right) == 0) fail(ERROR_EVAL, "division by zero");
  requireNumber(left, isFloat(right) ? "a float" : "an integer", "while evaluating the first operand of the division");
  if (isInt(left) && isInt(right)) {
    const a = intOf(left);
    const b = intOf(right);
    if (a == i64.MIN_VALUE && b == -1) raiseOverflow("dividing", a, " / ", b);
    return makeInt(a / b);
  }
  return makeFloat(numberAsFloat(left) / numberAsFloat(right));
}

export function multiplicationOverflows(a: i64, b: i64): bool {
  if (a == 0 || b == 0) return false;
  if ((a == -1 && b == i64.MIN_VALUE) || (b == -1 && a == i64.MIN_VALUE)) return true;
  return (a * b) / b != a;
}

export function raiseOverflow(doing: string, a: i64, sign: string, b: i64, position: u32 = 0): void {
  beginError(ERROR_EVAL);
  appendText("integer overflow in ");
  appendText(doing);
  appendText(" ");
  appendInteger(a);
  appendText(sign);
  appendInteger(b);
  raiseError(position);
}

/** Both operands must be numbers; beside a float Nix hopes for another one. */
function requireNumbers(left: Value, right: Value, first: string, second: string): void {
  const wanted = isFloat(left) || isFloat(right) ? "a float" : "an integer";
  requireNumber(left, wanted, first);
  requireNumber(right, wanted, second);
}

function requireNumber(value: Value, wanted: string, context: string): void {
  if (isInt(value) || isFloat(value)) return;
  setErrorContext(context, 0);
  raiseTypeMismatch(value, wanted);
}

// ── + ──

/** The second operand has been evaluated already, which nobody can see: an error in it would have come first. */
/** For the trace: where the left operand is, while the ADD_OPERANDS in this frame is about it, else 0. */
export function leftOperandPosition(f: Frame): u32 {
  const pc = framePc(f);
  return step(f) == 1 ? remarkAt(changetype<Block>(blockAt(pc)).contexts, pc) : 0;
}

/** Whether `value + …` can be anything: false where the value would fail whatever comes after it. */
export function mayBeAdded(value: Value): bool {
  if (isString(value) || isInt(value) || isFloat(value) || isPath(value)) return true;
  return isAttrs(value) && (findAttr(value, SYMBOL_TO_STRING) != 0 || findAttr(value, SYMBOL_OUT_PATH) != 0);
}

function addOperands(f: Frame): Value {
  const left = arg(f, 0);
  const right = arg(f, 1);
  if (isInt(left) || isFloat(left)) return addNumbers(left, right);
  const flags = isString(left) ? COPY_TO_STORE | CANONICAL_PATH : CANONICAL_PATH;
  if (step(f) == 0) {
    const text = isPath(left) ? left : coerceNow(left, flags);
    setStep(f, 1);
    if (text == 0) return awaitNative2(f, COERCE_TO_STRING, left, coerceRequest(flags, "while evaluating a path segment"));
    setLocal(f, 0, text);
  } else if (step(f) == 1) {
    setLocal(f, 0, awaited());
  }
  let text: Value;
  if (step(f) == 2) {
    text = awaited();
  } else {
    text = coerceNow(right, flags);
    setStep(f, 2);
    if (text == 0) return awaitNative2(f, COERCE_TO_STRING, right, coerceRequest(flags, "while evaluating a path segment"));
  }
  return isPath(left) ? joinPath(left, text) : joinStrings(local(f, 0), text);
}

function addNumbers(left: Value, right: Value): Value {
  if (isInt(left) && isInt(right)) {
    const a = intOf(left);
    const b = intOf(right);
    const sum = a + b;
    if (((a ^ sum) & (b ^ sum)) < 0) raiseOverflow("adding", a, " + ", b, raisingPosition());
    return makeInt(sum);
  }
  if (isInt(right) || isFloat(right)) return makeFloat(numberAsFloat(left) + numberAsFloat(right));
  beginError(ERROR_EVAL);
  appendText("cannot add ");
  appendTypeName(right);
  appendText(isInt(left) ? " to an integer" : " to a float");
  raiseError(raisingPosition());
  return 0;
}

function joinStrings(left: Value, right: Value): Value {
  const length = stringLength(left) + stringLength(right);
  const context = mergeContexts(stringContext(left), stringContext(right));
  if (length == 0 && context == 0) return EMPTY_STRING;
  const joined = makeStringOfLength(length);
  setStringContext(joined, context);
  memory.copy(stringBytes(joined), stringBytes(left), stringLength(left));
  memory.copy(stringBytes(joined) + stringLength(left), stringBytes(right), stringLength(right));
  return joined;
}

function joinPath(left: Value, right: Value): Value {
  if (stringContext(right) != 0) raisePathContext();
  const mark = textMark();
  appendBytes(stringBytes(left), stringLength(left));
  appendBytes(stringBytes(right), stringLength(right));
  return takePath(mark);
}

function takePath(mark: u32): Value {
  const length = textLengthFrom(mark);
  const joined = makeStringOfLength(length);
  memory.copy(stringBytes(joined), textStart(mark), length);
  textRewind(mark);
  return makeCanonicalPath(stringBytes(joined), length);
}

function raisePathContext(): void {
  fail(ERROR_EVAL, "a string that refers to a store path cannot be appended to a path", raisingPosition());
}

// ── Strings ──

/** The concatenation of `count` STRINGs at `operands`, first to last. */
export function concatStringOperands(operands: Address, count: u32): Value {
  let length: u32 = 0;
  let context: Value = 0;
  for (let i: u32 = 0; i < count; i++) {
    const part = decompress(load<u32>(operands + (i << 2)));
    length += stringLength(part);
    context = mergeContexts(context, stringContext(part));
  }
  if (length == 0 && context == 0) return EMPTY_STRING;
  const joined = makeStringOfLength(length);
  setStringContext(joined, context);
  let at = stringBytes(joined);
  for (let i: u32 = 0; i < count; i++) {
    const part = decompress(load<u32>(operands + (i << 2)));
    memory.copy(at, stringBytes(part), stringLength(part));
    at += stringLength(part);
  }
  return joined;
}

/** The path of a PATH and STRINGs after it. */
export function concatPathOperands(operands: Address, count: u32): Value {
  const mark = textMark();
  for (let i: u32 = 0; i < count; i++) {
    const part = decompress(load<u32>(operands + (i << 2)));
    if (i > 0 && stringContext(part) != 0) {
      textRewind(mark);
      raisePathContext();
    }
    appendBytes(stringBytes(part), stringLength(part));
  }
  return takePath(mark);
}

// ── Sets and lists ──

export function updateOperands(left: Value, right: Value): Value {
  if (!isAttrs(right)) failSet(right, "in the right operand of '//'", 0);
  if (!isAttrs(left)) failSet(left, "in the left operand of '//'", 1);
  countUpdate(attrsCount(left) + attrsCount(right));
  return updateAttrs(left, right);
}

export function concatListOperands(left: Value, right: Value): Value {
  if (!isList(left)) failList(left);
  if (!isList(right)) failList(right);
  countListConcat();
  return concatLists2(left, right);
}

/** `operand`: which of the positions that the instruction has besides its own. */
function failSet(value: Value, context: string, operand: u32): void {
  setErrorContext(context, remarkAt(changetype<Block>(blockAt(raisingPc)).contexts, raisingPc, operand));
  raiseTypeMismatch(value, "a set");
}

function failList(value: Value): void {
  setErrorContext("while evaluating one of the elements to concatenate", raisingPosition());
  raiseTypeMismatch(value, "a list");
}
