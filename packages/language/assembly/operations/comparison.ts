// `<`: the order of numbers, strings and paths (bytewise), and of lists (lexicographic). All else cannot be compared.
//
// Lists are compared item by item: as long as items are equal (equality.ts: by slot) the next ones are looked at; the
// first that are not equal decide. `compareNow` answers at once where nothing has to be forced; LESS_THAN waits, and
// raises the errors.

import { appendText } from "../memory/text";
import { FALSE, TRUE, makeBool } from "../values/constants";
import { listItem, listLength } from "../values/list";
import { intOf, numberAsFloat } from "../values/number";
import { compareStrings } from "../values/string";
import { appendErrorValue } from "../values/print";
import {
  KIND_FLOAT,
  KIND_INT,
  KIND_LIST,
  KIND_PATH,
  KIND_STRING,
  Value,
  isSmallInt,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";
import {
  Frame,
  Primop,
  STEP_RETURN_AWAITED,
  STRICT,
  arg,
  args2,
  awaitNative2,
  awaited,
  localInt,
  makePrimop,
  setContext,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";
import { EQUAL_SLOTS, equalSlotsNow } from "./equality";
import { appendTypeName } from "./type-names";

/** Internal: two values → Boolean, whether the first is less. */
export let LESS_THAN: Value = 0;

/** `compareNow` cannot tell: something must be forced, or the values cannot be compared. */
export const INCOMPARABLE: i32 = 2;
const FAST_DEPTH: u32 = 12;

export function initializeComparison(): void {
  LESS_THAN = makePrimop("lessThan", 2, args2(STRICT, STRICT), 1, lessThan);
  changetype<Primop>(LESS_THAN).traced = 0;
}

/**
 * Compares two values in weak head normal form: -1 if `a` is less, 0 if they are equal, else 1; INCOMPARABLE where
 * LESS_THAN must be asked. A NaN is less than nothing, and nothing is less than it: 1.
 */
@inline
export function compareNow(a: Value, b: Value): i32 {
  if (isSmallInt(a) && isSmallInt(b)) return <i32>(<i32>a > <i32>b) - <i32>(<i32>a < <i32>b);
  return compareValues(a, b, FAST_DEPTH);
}

function compareValues(a: Value, b: Value, depth: u32): i32 {
  const left = kindOf(a);
  const right = kindOf(b);
  if (left == KIND_INT && right == KIND_INT) {
    return <i32>(intOf(a) > intOf(b)) - <i32>(intOf(a) < intOf(b));
  }
  if ((left == KIND_FLOAT || left == KIND_INT) && (right == KIND_FLOAT || right == KIND_INT)) {
    return compareFloats(numberAsFloat(a), numberAsFloat(b));
  }
  if (left != right) return INCOMPARABLE;
  if (left == KIND_STRING || left == KIND_PATH) {
    const difference = compareStrings(a, b);
    return <i32>(difference > 0) - <i32>(difference < 0);
  }
  return left == KIND_LIST && depth != 0 ? compareLists(a, b, depth - 1) : INCOMPARABLE;
}

function compareFloats(a: f64, b: f64): i32 {
  return a < b ? -1 : a == b ? 0 : 1;
}

function compareLists(a: Value, b: Value, depth: u32): i32 {
  const aLength = listLength(a);
  const bLength = listLength(b);
  let i: u32 = 0;
  while (true) {
    if (i == bLength) return <i32>(aLength > bLength);
    if (i == aLength) return -1;
    const equal = equalSlotsNow(listItem(a, i), listItem(b, i));
    if (equal < 0) return INCOMPARABLE;
    if (equal == 0) return compareValues(resolve(listItem(a, i)), resolve(listItem(b, i)), depth);
    i++;
  }
}

// ── The builtin ──

const ITEMS_COMPARED: u32 = 1;
const INDEX: u32 = 0;

function lessThan(f: Frame): Value {
  const a = arg(f, 0);
  const b = arg(f, 1);
  let index = localInt(f, INDEX);
  if (step(f) == ITEMS_COMPARED) {
    if (awaited() == FALSE) return lessItems(f, listItem(a, index), listItem(b, index));
    index++;
  } else {
    const result = compareNow(a, b);
    if (result != INCOMPARABLE) return makeBool(result < 0);
    if (kindOf(a) != KIND_LIST || kindOf(b) != KIND_LIST) return failComparison(a, b);
  }
  while (true) {
    if (index == listLength(b)) return FALSE;
    if (index == listLength(a)) return TRUE;
    const equal = equalSlotsNow(listItem(a, index), listItem(b, index));
    if (equal == 0) return lessItems(f, listItem(a, index), listItem(b, index));
    if (equal < 0) {
      setLocalInt(f, INDEX, index);
      setStep(f, ITEMS_COMPARED);
      return awaitNative2(f, EQUAL_SLOTS, listItem(a, index), listItem(b, index));
    }
    index++;
  }
}

/** Two items that differ and have been forced. */
function lessItems(f: Frame, a: Value, b: Value): Value {
  assert(isWhnf(resolve(a)), "comparing for equality forces");
  setContext(f, "while comparing two list elements");
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, LESS_THAN, a, b);
}

function failComparison(a: Value, b: Value): Value {
  const sameType = kindOf(a) == kindOf(b);
  beginError(ERROR_EVAL);
  appendText("cannot compare ");
  appendTypeName(a);
  appendText(" with ");
  appendTypeName(b);
  appendText(sameType ? "; values of that type are incomparable (values are " : "; values are ");
  appendErrorValue(a);
  appendText(" and ");
  appendErrorValue(b);
  if (sameType) appendText(")");
  raiseError();
  return 0;
}
