// What builtins ask of the values that they meet on the way: that they are forced, and of a type.
//
// The functions named `demand…` answer false, or 0, when the builtin has to wait: it returns 0 then, and finds the value
// forced when it comes back. `expect…` check what is forced already. A wrong type is an error with the message of
// the caller in its trace. Functions, Booleans, strings and numbers have that message in the trace of whatever error
// forcing them meets, sets and lists only when they are something else: so it is in Nix.

import { appendText } from "../memory/text";
import { TRUE } from "../values/constants";
import { attrValue, findAttr, keyPosition, keysOf } from "../values/attrs";
import { listItem, listLength } from "../values/list";
import { stringContext } from "../values/string";
import { KIND_ATTRS, KIND_BOOL, Value, isAttrs, isFunction, isList, isString, isWhnf, kindOf, resolve } from "../values/value";
import { SYMBOL_FUNCTOR } from "../symbols/known";
import { Symbol, symbolName } from "../symbols/symbols";
import { setMessageAtPosition } from "../derivation/trace-context";
import { ERROR_TYPE, beginError, errorString, raiseError, setErrorContext } from "../errors/raise";
import { raiseContextNotAllowed } from "../operations/context-error";
import { raiseTypeMismatch } from "../operations/type-names";
import { isOfferFull, offerApplication, offerValue } from "../machine/siblings";
import {
  Frame,
  STEP_RETURN_AWAITED,
  arg,
  awaitForce,
  clearContext,
  localInt,
  setArg,
  setContext,
  setLocalInt,
  setStep,
} from "../machine/native";

/** Ends the builtin with `slot`, which is forced while the builtin is still part of the trace. */
export function finishWith(f: Frame, slot: Value): Value {
  const value = resolve(slot);
  if (isWhnf(value)) return value;
  clearContext(f);
  setStep(f, STEP_RETURN_AWAITED);
  return awaitForce(f, value);
}

/** Makes sure that argument `index` is something that can be called. False: the builtin waits. */
export function demandFunction(f: Frame, index: u32, message: string): bool {
  const value = resolve(arg(f, index));
  if (!isWhnf(value)) {
    setContext(f, message);
    awaitForce(f, value);
    return false;
  }
  if (!isCallable(value)) {
    setContext(f, message);
    raiseTypeMismatch(value, "a function");
  }
  setArg(f, index, value);
  clearContext(f);
  return true;
}

@inline
export function isCallable(value: Value): bool {
  return isFunction(value) || (kindOf(value) == KIND_ATTRS && findAttr(value, SYMBOL_FUNCTOR) != 0);
}

/** Whether a Boolean is true. */
@inline
export function expectBool(f: Frame, value: Value, message: string): bool {
  if (kindOf(value) != KIND_BOOL) failType(f, value, "a Boolean", message);
  return value == TRUE;
}

@inline
export function expectList(f: Frame, value: Value, message: string): void {
  if (!isList(value)) failType(f, value, "a list", message);
}

@inline
export function expectAttrs(f: Frame, value: Value, message: string): void {
  if (!isAttrs(value)) failType(f, value, "a set", message);
}

/** A string without context. */
@inline
export function expectPlainString(f: Frame, value: Value, message: string): void {
  if (!isString(value)) failType(f, value, "a string", message);
  if (stringContext(value) != 0) failContext(f, value, message);
}

/** Makes sure that attribute `index` is a string without context. False: the builtin waits. */
export function demandPlainAttr(f: Frame, attrs: Value, index: u32, message: string): bool {
  const value = resolve(attrValue(attrs, index));
  if (isString(value) && stringContext(value) == 0) {
    clearContext(f);
    return true;
  }
  const position = keyPosition(keysOf(attrs), index);
  setMessageAtPosition(f, message, position);
  if (isString(value)) raiseContextNotAllowed(value);
  if (isWhnf(value)) raiseTypeMismatch(value, "a string", position);
  awaitForce(f, value);
  return false;
}

/** Makes sure that all items of `list` are sets, from that on whose index the local `index` holds. False: the builtin waits. */
export function demandAllAttrs(f: Frame, list: Value, index: u32, message: string): bool {
  const length = listLength(list);
  for (let i = localInt(f, index); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (!isWhnf(item)) {
      setLocalInt(f, index, i);
      awaitForce(f, item);
      return false;
    }
    expectAttrs(f, item, message);
  }
  setLocalInt(f, index, length);
  return true;
}

/** The same for strings without context. */
export function demandAllPlainStrings(f: Frame, list: Value, index: u32, message: string): bool {
  const length = listLength(list);
  for (let i = localInt(f, index); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (!isWhnf(item)) {
      setLocalInt(f, index, i);
      setContext(f, message);
      awaitForce(f, item);
      return false;
    }
    expectPlainString(f, item, message);
  }
  setLocalInt(f, index, length);
  clearContext(f);
  return true;
}

/** The same for lists. */
export function demandAllLists(f: Frame, list: Value, index: u32, message: string): bool {
  const length = listLength(list);
  for (let i = localInt(f, index); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (!isWhnf(item)) {
      setLocalInt(f, index, i);
      awaitForce(f, item);
      return false;
    }
    expectList(f, item, message);
  }
  setLocalInt(f, index, length);
  return true;
}

/**
 * Offers other fibers to force the items of `list` after that whose index the local `index` holds. The local `offered`
 * is for the first that was not offered.
 */
export function offerItems(f: Frame, list: Value, index: u32, offered: u32): void {
  let i = max(localInt(f, index) + 1, localInt(f, offered));
  while (i < listLength(list) && !isOfferFull()) {
    offerValue(listItem(list, i));
    i++;
  }
  setLocalInt(f, offered, i);
}

/** Offers other fibers to call a function with each of those items. */
export function offerCalls(f: Frame, callee: Value, list: Value, index: u32, offered: u32): void {
  let i = max(localInt(f, index) + 1, localInt(f, offered));
  while (i < listLength(list) && !isOfferFull()) {
    offerApplication(callee, listItem(list, i));
    i++;
  }
  setLocalInt(f, offered, i);
}

/** The slot of an attribute that must be there. */
export function expectAttr(f: Frame, attrs: Value, symbol: Symbol, message: string): Value {
  const slot = findAttr(attrs, symbol);
  if (slot == 0) failMissing(f, symbolName(symbol), message);
  return slot;
}

/** Raises that the attribute `name` is missing. Does not return. */
export function failMissing(f: Frame, name: Value, message: string): Value {
  if (message.length != 0) setContext(f, message);
  beginError(ERROR_TYPE);
  appendText("attribute '");
  errorString(name);
  appendText("' missing");
  raiseError();
  return 0;
}

function failType(f: Frame, value: Value, what: string, message: string): void {
  setContext(f, message);
  raiseTypeMismatch(value, what);
}

/** Raises that `value` is not `what`; the message is placed at `place`, the error at `position`. Does not return. */
export function failTypeAt(f: Frame, value: Value, what: string, message: string, place: u32, position: u32): void {
  clearContext(f);
  setErrorContext(message, place);
  raiseTypeMismatch(value, what, position);
}

function failContext(f: Frame, string: Value, message: string): void {
  setContext(f, message);
  raiseContextNotAllowed(string);
}
