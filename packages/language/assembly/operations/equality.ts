// `==`: two values in weak head normal form are compared; what they hold is forced as the comparison gets there.
//
// - Integers and floats compare as numbers; other kinds are equal only to their own kind. Functions equal nothing.
// - Two sets whose `type` is "derivation" are compared by their `outPath` if both have one.
// - What lists and sets hold is compared by *slot*: a value is equal to itself (the same 32-bit word, before thunks are
//   followed) whatever it is, once it has been forced. So `f == f` is false and `[ f ] == [ f ]` is true.
//
// `equalNow` answers at once where nothing has to be forced and the nesting is shallow; EQUAL is the builtin that waits.
// Items of lists and attributes (in the order of their symbols) are compared one after the other, and nothing behind
// the first difference is forced.

import { attrValue, attrsCount, findAttr, keySymbol, keysOf } from "../values/attrs";
import { FALSE, TRUE, makeBool } from "../values/constants";
import { listItem, listLength } from "../values/list";
import { floatOf, intOf } from "../values/number";
import { stringIs, stringsEqual } from "../values/string";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LIST,
  KIND_NULL,
  KIND_PATH,
  KIND_STRING,
  Value,
  isSmallInt,
  isString,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";
import {
  Frame,
  LAZY,
  Primop,
  STEP_RETURN_AWAITED,
  STRICT,
  arg,
  args2,
  awaitForce,
  awaitNative2,
  awaited,
  localInt,
  makePrimop,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { SYMBOL_OUT_PATH, SYMBOL_TYPE } from "../symbols/known";

/** Internal: two values → Boolean. Its arguments are never the same slot: see EQUAL_SLOTS. */
export let EQUAL: Value = 0;
/** Internal: two slots → Boolean, true for a slot and itself once it is forced. What `elem` needs. */
export let EQUAL_SLOTS: Value = 0;

/** `equalNow` does not go deeper: the rest is EQUAL's, which counts against the limit of call depth. */
const FAST_DEPTH: u32 = 12;
const UNKNOWN: i32 = -1;

export function initializeEquality(): void {
  EQUAL = makePrimop("equal", 2, args2(STRICT, STRICT), 1, equal);
  changetype<Primop>(EQUAL).traced = 0;
  EQUAL_SLOTS = makePrimop("equalSlots", 2, args2(LAZY, LAZY), 0, equalSlots);
  changetype<Primop>(EQUAL_SLOTS).traced = 0;
}

/** Compares two values in weak head normal form: 1 equal, 0 not equal, -1 something must be forced first (EQUAL). */
@inline
export function equalNow(a: Value, b: Value): i32 {
  if (isSmallInt(a) && isSmallInt(b)) return <i32>(a == b);
  return compareValues(a, b, FAST_DEPTH);
}

/** The same for two slots of lists, sets or arguments, which may be thunks; -1: EQUAL_SLOTS. */
export function equalSlotsNow(a: Value, b: Value): i32 {
  return compareSlots(a, b, FAST_DEPTH);
}

function compareSlots(a: Value, b: Value, depth: u32): i32 {
  const left = resolve(a);
  if (!isWhnf(left)) return UNKNOWN;
  if (a == b) return 1;
  const right = resolve(b);
  if (!isWhnf(right)) return UNKNOWN;
  return compareValues(left, right, depth);
}

function compareValues(a: Value, b: Value, depth: u32): i32 {
  const kind = kindOf(a);
  if (kind != kindOf(b)) return compareMixed(a, b);
  switch (kind) {
    case KIND_STRING:
    case KIND_PATH:
      return <i32>stringsEqual(a, b);
    case KIND_INT:
      return <i32>(intOf(a) == intOf(b));
    case KIND_BOOL:
      return <i32>(a == b);
    case KIND_NULL:
      return 1;
    case KIND_FLOAT:
      return <i32>(floatOf(a) == floatOf(b));
    case KIND_LIST:
      return depth == 0 ? UNKNOWN : compareLists(a, b, depth - 1);
    case KIND_ATTRS:
      return depth == 0 ? UNKNOWN : compareAttrs(a, b, depth - 1);
    default:
      return 0;
  }
}

/** Values of different kinds. */
function compareMixed(a: Value, b: Value): i32 {
  const left = kindOf(a);
  const right = kindOf(b);
  if (left == KIND_INT && right == KIND_FLOAT) return <i32>(<f64>intOf(a) == floatOf(b));
  if (left == KIND_FLOAT && right == KIND_INT) return <i32>(floatOf(a) == <f64>intOf(b));
  return 0;
}

function compareLists(a: Value, b: Value, depth: u32): i32 {
  const length = listLength(a);
  if (length != listLength(b)) return 0;
  for (let i: u32 = 0; i < length; i++) {
    const result = compareSlots(listItem(a, i), listItem(b, i), depth);
    if (result != 1) return result;
  }
  return 1;
}

function compareAttrs(a: Value, b: Value, depth: u32): i32 {
  const derivation = derivationType(a);
  if (derivation == UNKNOWN) return UNKNOWN;
  if (derivation == 1) {
    const other = derivationType(b);
    if (other == UNKNOWN) return UNKNOWN;
    if (other == 1) {
      const left = findAttr(a, SYMBOL_OUT_PATH);
      const right = findAttr(b, SYMBOL_OUT_PATH);
      if (left != 0 && right != 0) return compareSlots(left, right, depth);
    }
  }
  const count = attrsCount(a);
  if (count != attrsCount(b)) return 0;
  for (let i: u32 = 0; i < count; i++) {
    if (!sameKey(a, b, i)) return 0;
    const result = compareSlots(attrValue(a, i), attrValue(b, i), depth);
    if (result != 1) return result;
  }
  return 1;
}

/** Whether a set says that it is a derivation: 1, 0, or -1 when its `type` must be forced first. */
export function derivationType(attrs: Value): i32 {
  const slot = findAttr(attrs, SYMBOL_TYPE);
  if (slot == 0) return 0;
  const type = resolve(slot);
  if (!isWhnf(type)) return UNKNOWN;
  return <i32>(isString(type) && stringIs(type, "derivation"));
}

@inline
function sameKey(a: Value, b: Value, index: u32): bool {
  const left = keysOf(a);
  const right = keysOf(b);
  return left == right || keySymbol(left, index) == keySymbol(right, index);
}

// ── The builtins ──

const NEXT: u32 = 0;
/** A pair of items is compared by another EQUAL. */
const COMPARED: u32 = 1;
/** The first argument's `type` has been forced; the second's. */
const TYPE_FORCED: u32 = 2;
/** The index of the pair that is looked at. */
const INDEX: u32 = 0;

function equal(f: Frame): Value {
  const a = arg(f, 0);
  const b = arg(f, 1);
  if (step(f) == COMPARED) {
    if (awaited() == FALSE) return FALSE;
    setLocalInt(f, INDEX, localInt(f, INDEX) + 1);
    setStep(f, NEXT);
  } else if (localInt(f, INDEX) == 0 && step(f) == NEXT) {
    const result = equalNow(a, b);
    if (result != UNKNOWN) return makeBool(result == 1);
  }
  return kindOf(a) == KIND_LIST ? equalLists(f, a, b) : equalAttrs(f, a, b);
}

function equalLists(f: Frame, a: Value, b: Value): Value {
  const length = listLength(a);
  for (let i = localInt(f, INDEX); i < length; i++) {
    const result = equalSlotsNow(listItem(a, i), listItem(b, i));
    if (result == 0) return FALSE;
    if (result == UNKNOWN) return awaitPair(f, i, listItem(a, i), listItem(b, i));
  }
  return TRUE;
}

function equalAttrs(f: Frame, a: Value, b: Value): Value {
  if (localInt(f, INDEX) == 0) {
    const byPath = equalDerivations(f, a, b);
    if (byPath != NOT_DERIVATIONS) return byPath;
    if (attrsCount(a) != attrsCount(b)) return FALSE;
  }
  const count = attrsCount(a);
  for (let i = localInt(f, INDEX); i < count; i++) {
    if (!sameKey(a, b, i)) return FALSE;
    const result = equalSlotsNow(attrValue(a, i), attrValue(b, i));
    if (result == 0) return FALSE;
    if (result == UNKNOWN) return awaitPair(f, i, attrValue(a, i), attrValue(b, i));
  }
  return TRUE;
}

/** No Value. */
const NOT_DERIVATIONS: Value = 2;

/** What `equal` returns when both sets are derivations with an `outPath`, or when a `type` must be forced. */
function equalDerivations(f: Frame, a: Value, b: Value): Value {
  const left = derivationType(a);
  if (left == UNKNOWN) return awaitType(f, a);
  if (left == 0) return NOT_DERIVATIONS;
  const right = derivationType(b);
  if (right == UNKNOWN) return awaitType(f, b);
  if (right == 0) return NOT_DERIVATIONS;
  const leftPath = findAttr(a, SYMBOL_OUT_PATH);
  const rightPath = findAttr(b, SYMBOL_OUT_PATH);
  if (leftPath == 0 || rightPath == 0) return NOT_DERIVATIONS;
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, EQUAL_SLOTS, leftPath, rightPath);
}

function awaitType(f: Frame, attrs: Value): Value {
  setStep(f, TYPE_FORCED);
  return awaitForce(f, findAttr(attrs, SYMBOL_TYPE));
}

function awaitPair(f: Frame, index: u32, a: Value, b: Value): Value {
  setLocalInt(f, INDEX, index);
  setStep(f, COMPARED);
  return awaitNative2(f, a == b ? EQUAL_SLOTS : EQUAL, a, b);
}

function equalSlots(f: Frame): Value {
  const a = arg(f, 0);
  const b = arg(f, 1);
  if (a == b) return step(f) == 0 && !isWhnf(resolve(a)) ? awaitSame(f, a) : TRUE;
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, EQUAL, a, b);
}

function awaitSame(f: Frame, slot: Value): Value {
  setStep(f, 1);
  return awaitForce(f, slot);
}
