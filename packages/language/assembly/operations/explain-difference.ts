// Why two values are not equal: the error of `assert a == b`, whose trace leads to the first difference.
//
// The walk is that of equality.ts, in the same order, once that has found the values to differ: what it meets has been
// forced. Every pair on the way is one frame, whose context says which attribute or element it is.

import { appendInteger, appendText, textMark } from "../memory/text";
import { Value, KIND_ATTRS, KIND_BOOL, KIND_FLOAT, KIND_INT, KIND_LIST, KIND_PATH, KIND_STRING, kindOf } from "../values/value";
import { attrValue, attrsCount, findAttr, findKey, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { FALSE } from "../values/constants";
import { listItem, listLength } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { appendErrorValue } from "../values/print";
import { appendString } from "../derivation/make-store-path";
import { addInnerContext, setContextAtPosition, setTextAtPosition } from "../derivation/trace-context";
import { ERROR_ASSERTION, beginError, errorSymbol, fail, raiseError } from "../errors/raise";
import {
  Frame,
  LAZY,
  Primop,
  STRICT,
  arg,
  args2,
  args3,
  awaitNative3,
  framePc,
  localInt,
  makePrimop,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { SYMBOL_OUT_PATH } from "../symbols/known";
import { Symbol, symbolName } from "../symbols/symbols";
import { takeTextAsString } from "../values/string";
import { derivationType, equalNow, equalSlotsNow } from "./equality";
import { appendTypeName } from "./type-names";

/** Internal: two values that are not equal → an error, placed at the instruction; FALSE if they are equal after all. */
export let EXPLAIN_DIFFERENCE: Value = 0;
/** Internal: two values, the position of the comparison → the same. */
let EXPLAIN_PAIR: Value = 0;

export function initializeDifferences(): void {
  EXPLAIN_DIFFERENCE = makePrimop("explainDifference", 2, args2(STRICT, STRICT), 0, explainDifference);
  changetype<Primop>(EXPLAIN_DIFFERENCE).traced = 0;
  EXPLAIN_PAIR = makePrimop("explainPair", 3, args3(STRICT, STRICT, LAZY), 1, explainPair);
  changetype<Primop>(EXPLAIN_PAIR).traced = 0;
}

function explainDifference(f: Frame): Value {
  if (step(f) != 0) return FALSE;
  setStep(f, 1);
  return awaitNative3(f, EXPLAIN_PAIR, arg(f, 0), arg(f, 1), makeSmallInt(load<u32>(framePc(f) - 4)));
}

/** The next attribute or element. */
const INDEX: u32 = 0;

function explainPair(f: Frame): Value {
  const a = arg(f, 0);
  const b = arg(f, 1);
  if (step(f) == 0 && equalNow(a, b) == 1) return FALSE;
  const kind = kindOf(a);
  if (kind != kindOf(b)) return isNumberKind(kind) && isNumberKind(kindOf(b)) ? failNumbers(a, b) : failKinds(a, b);
  switch (kind) {
    case KIND_INT:
    case KIND_FLOAT:
      return failNumbers(a, b);
    case KIND_BOOL:
      return failValues("boolean", a, b);
    case KIND_STRING:
      return failValues("string", a, b);
    case KIND_PATH:
      return failValues("path", a, b);
    case KIND_LIST:
      return explainLists(f, a, b);
    case KIND_ATTRS:
      return explainAttrs(f, a, b);
    default:
      fail(ERROR_ASSERTION, "distinct functions and immediate comparisons of identical functions compare as unequal");
      return 0;
  }
}

@inline
function isNumberKind(kind: u32): bool {
  return kind == KIND_INT || kind == KIND_FLOAT;
}

@inline
function position(f: Frame): u32 {
  return smallInt(arg(f, 2));
}

function explainLists(f: Frame, a: Value, b: Value): Value {
  const length = listLength(a);
  if (length != listLength(b)) return failLengths(a, b);
  for (let i = localInt(f, INDEX); i < length; i++) {
    if (equalSlotsNow(listItem(a, i), listItem(b, i)) == 1) continue;
    const mark = textMark();
    appendInteger(<i64>i);
    const index = takeTextAsString(mark);
    setPlacedText(f, "while comparing list element ", index, "");
    return explainNext(f, i, listItem(a, i), listItem(b, i));
  }
  return FALSE;
}

function explainAttrs(f: Frame, a: Value, b: Value): Value {
  if (step(f) == 0 && derivationType(a) == 1 && derivationType(b) == 1) {
    const left = findAttr(a, SYMBOL_OUT_PATH);
    const right = findAttr(b, SYMBOL_OUT_PATH);
    if (left != 0 && right != 0) {
      setContextAtPosition(f, "while comparing a derivation by its 'outPath' attribute", position(f));
      return explainNext(f, attrsCount(a), left, right);
    }
  }
  const count = attrsCount(a);
  if (localInt(f, INDEX) >= count && step(f) != 0) return FALSE;
  if (count != attrsCount(b)) return failNames(a, b);
  const left = keysOf(a);
  const right = keysOf(b);
  for (let i = localInt(f, INDEX); i < count; i++) {
    const symbol = keySymbol(left, i);
    if (symbol != keySymbol(right, i)) return failName(a, b, symbol, keySymbol(right, i));
    if (equalSlotsNow(attrValue(a, i), attrValue(b, i)) == 1) continue;
    setPlacedText(f, "while comparing attribute '", symbolName(symbol), "'");
    const leftPosition = keyPosition(left, i);
    const rightPosition = keyPosition(right, i);
    if (leftPosition != 0) addInnerContext(f, "where left hand side is", leftPosition);
    if (rightPosition != 0) addInnerContext(f, "where right hand side is", rightPosition);
    return explainNext(f, i, attrValue(a, i), attrValue(b, i));
  }
  return FALSE;
}

function setPlacedText(f: Frame, before: string, subject: Value, after: string): void {
  const mark = textMark();
  appendText(before);
  appendString(subject);
  appendText(after);
  setTextAtPosition(f, takeTextAsString(mark), position(f));
}

function explainNext(f: Frame, index: u32, a: Value, b: Value): Value {
  setLocalInt(f, INDEX, index + 1);
  setStep(f, 1);
  return awaitNative3(f, EXPLAIN_PAIR, a, b, arg(f, 2));
}

// ── Errors ──

function failNumbers(a: Value, b: Value): Value {
  return failWithTypes(a, b, " with value '");
}

function failKinds(a: Value, b: Value): Value {
  return failWithTypes(a, b, " of value '");
}

function failWithTypes(a: Value, b: Value, between: string): Value {
  beginError(ERROR_ASSERTION);
  appendTypeName(a);
  appendText(between);
  appendErrorValue(a);
  appendText("' is not equal to ");
  appendTypeName(b);
  appendText(between);
  appendErrorValue(b);
  appendText("'");
  raiseError();
  return 0;
}

function failValues(kind: string, a: Value, b: Value): Value {
  beginError(ERROR_ASSERTION);
  appendText(kind);
  appendText(" '");
  appendErrorValue(a);
  appendText("' is not equal to ");
  appendText(kind);
  appendText(" '");
  appendErrorValue(b);
  appendText("'");
  raiseError();
  return 0;
}

function failLengths(a: Value, b: Value): Value {
  beginError(ERROR_ASSERTION);
  appendText("list of size '");
  appendInteger(<i64>listLength(a));
  appendText("' is not equal to list of size '");
  appendInteger(<i64>listLength(b));
  appendText("', left hand side is '");
  appendErrorValue(a);
  appendText("', right hand side is '");
  appendErrorValue(b);
  appendText("'");
  raiseError();
  return 0;
}

function failNames(a: Value, b: Value): Value {
  beginError(ERROR_ASSERTION);
  appendText("attribute names of attribute set '");
  appendErrorValue(a);
  appendText("' differs from attribute set '");
  appendErrorValue(b);
  appendText("'");
  raiseError();
  return 0;
}

/** Sets of as many attributes with other names: `left` and `right` are the first that differ. */
function failName(a: Value, b: Value, left: Symbol, right: Symbol): Value {
  const isExtra = findKey(keysOf(b), left) < 0;
  beginError(ERROR_ASSERTION);
  appendText("attribute name '");
  errorSymbol(isExtra ? left : right);
  appendText(isExtra ? "' is contained in '" : "' is missing in '");
  appendErrorValue(a);
  appendText(isExtra ? "', but not in '" : "', but is contained in '");
  appendErrorValue(b);
  appendText("'");
  raiseError();
  return 0;
}
