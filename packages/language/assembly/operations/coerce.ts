// Turning values into strings and paths, as interpolation, `toString` and many builtins do.
//
//   string           itself, with its context
//   path             COPY_TO_STORE: the store path it is added as, which is the context; otherwise its bytes
//   set              what `__toString` makes of it, else its `outPath`
//   COERCE_MORE      true "1", false and null "", numbers in decimal, lists: items with spaces between them
//
// `coerceNow` answers at once where nothing has to be forced, called or added; COERCE_TO_STRING is the builtin that
// waits and raises the errors. A request (the builtin's second argument) is the flags, with the message that says what
// the string is wanted for: it is part of the trace only when the value itself cannot be coerced, or when it is a list.

import { appendByte, appendBytes, appendInteger, appendText, textMark, textRewind } from "../memory/text";
import { Symbol, symbolName } from "../symbols/symbols";
import { SYMBOL_OUT_PATH, SYMBOL_TO_STRING } from "../symbols/known";
import { appendFloatF6 } from "../numbers/print-float";
import { findAttr, findKey, keyPosition, keysOf } from "../values/attrs";
import { EMPTY_LIST, EMPTY_STRING, NULL, TRUE } from "../values/constants";
import { singletonContext } from "../values/context";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { floatOf, intOf, makeSmallInt, smallInt } from "../values/number";
import { appendErrorValue } from "../values/print";
import { makeString, makeStringWithContext, stringBytes, stringContext, stringLength, takeTextAsString } from "../values/string";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LIST,
  KIND_NULL,
  KIND_PATH,
  Value,
  isAttrs,
  isFunction,
  isList,
  isPath,
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
  arg,
  args2,
  awaitCall1,
  awaitForce,
  awaitHost,
  awaitNative2,
  awaited,
  clearContext,
  local,
  localInt,
  makePrimop,
  setArg,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { isOfferFull, offerCall, offersSiblings } from "../machine/siblings";
import { REQUEST_ADD_PATH } from "../machine/host-request";
import { ERROR_EVAL, ERROR_TYPE, beginError, errorString, fail, raiseError } from "../errors/raise";
import { addedPath, rememberAddedPath } from "./added-paths";
import { appendCanonicalPath, baseNameOffset, isCanonicalPath, isDerivationName, makeCanonicalPath } from "./path-name";
import { appendTypeName, raiseNoFunction } from "./type-names";
import { isStorePath } from "./store-path";

/** Internal: value, request → STRING. */
export let COERCE_TO_STRING: Value = 0;
/** Internal: value, request → STRING: an absolute, normalised path. Nothing is added to the store. */
export let COERCE_TO_PATH: Value = 0;
/** Internal: value, request → STRING: a store path. */
export let COERCE_TO_STORE_PATH: Value = 0;

export const COERCE_MORE: u32 = 1;
export const COPY_TO_STORE: u32 = 2;
/** A slash at the end of a path (`/a/` in `/a/${b}`) is dropped. */
export const CANONICAL_PATH: u32 = 4;
const FLAGS: u32 = 15;
const FLAG_BITS: u32 = 4;
/** What most builtins want of "a string": paths are copied, numbers refused. */
export const COERCE_DEFAULT: u32 = 6;

const FAST_DEPTH: u32 = 12;

export function initializeCoercion(): void {
  COERCE_TO_STRING = internal("coerceToString", 3, coerceToString);
  offersSiblings(COERCE_TO_STRING, offerItems);
  COERCE_TO_PATH = internal("coerceToPath", 0, coerceToPath);
  COERCE_TO_STORE_PATH = internal("coerceToStorePath", 0, coerceToStorePath);
}

function internal(name: string, locals: u32, handler: (f: Frame) => Value): Value {
  const builtin = makePrimop(name, 2, args2(LAZY, LAZY), locals, handler);
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

/** A request: flags, and a literal such as "while evaluating a path segment", or "". */
export function coerceRequest(flags: u32, message: string): Value {
  return makeSmallInt(flags | (<u32>changetype<usize>(message) << FLAG_BITS));
}

/** The string that `value` (weak head normal form, or not) is, or 0 if COERCE_TO_STRING must be asked. */
@inline
export function coerceNow(value: Value, flags: u32): Value {
  return isString(value) ? value : coerceOther(value, flags & FLAGS, FAST_DEPTH);
}

function coerceOther(value: Value, flags: u32, depth: u32): Value {
  if (!isWhnf(value)) return 0;
  const kind = kindOf(value);
  if (kind == KIND_ATTRS) return coerceAttrs(value, flags, depth);
  if (kind == KIND_PATH) return coercePath(value, flags);
  if ((flags & COERCE_MORE) == 0) return 0;
  switch (kind) {
    case KIND_NULL:
      return EMPTY_STRING;
    case KIND_BOOL:
      return value == TRUE ? textString("1") : EMPTY_STRING;
    case KIND_INT:
      return intString(value);
    case KIND_FLOAT:
      return floatString(value);
    case KIND_LIST:
      return depth == 0 ? 0 : coerceList(value, flags, depth - 1);
    default:
      return 0;
  }
}

function coerceSlot(slot: Value, flags: u32, depth: u32): Value {
  const value = resolve(slot);
  return isString(value) ? value : coerceOther(value, flags, depth);
}

function coerceAttrs(attrs: Value, flags: u32, depth: u32): Value {
  if (depth == 0 || findAttr(attrs, SYMBOL_TO_STRING) != 0) return 0;
  const path = findAttr(attrs, SYMBOL_OUT_PATH);
  return path == 0 ? 0 : coerceSlot(path, flags, depth - 1);
}

function coercePath(path: Value, flags: u32): Value {
  if ((flags & COPY_TO_STORE) != 0) {
    const added = addedPath(path);
    return added == 0 ? 0 : storePathString(added);
  }
  if ((flags & CANONICAL_PATH) == 0) return makeString(stringBytes(path), stringLength(path));
  return canonicalString(path, 0);
}

function coerceList(list: Value, flags: u32, depth: u32): Value {
  const length = listLength(list);
  const mark = textMark();
  const union = beginUnion();
  for (let i: u32 = 0; i < length; i++) {
    const item = coerceSlot(listItem(list, i), flags, depth);
    if (item == 0) {
      endUnion(union);
      textRewind(mark);
      return 0;
    }
    appendBytes(stringBytes(item), stringLength(item));
    addToUnion(union, stringContext(item));
    if (i + 1 < length && !isEmptyList(listItem(list, i))) appendByte(0x20);
  }
  return takeTextAsString(mark, endUnion(union));
}

@inline
function isEmptyList(slot: Value): bool {
  const value = resolve(slot);
  return isList(value) && listLength(value) == 0;
}

function textString(text: string): Value {
  const mark = textMark();
  appendText(text);
  return takeTextAsString(mark);
}

function intString(value: Value): Value {
  const mark = textMark();
  appendInteger(intOf(value));
  return takeTextAsString(mark);
}

function floatString(value: Value): Value {
  const mark = textMark();
  appendFloatF6(floatOf(value));
  return takeTextAsString(mark);
}

/** The string of a store path that refers to itself. */
export function storePathString(path: Symbol): Value {
  const name = symbolName(path);
  return makeStringWithContext(stringBytes(name), stringLength(name), singletonContext(path));
}

/** The normal form of a PATH's or STRING's bytes, as a STRING. */
function canonicalString(path: Value, context: Value): Value {
  const bytes = stringBytes(path);
  const length = stringLength(path);
  if (isString(path) && stringContext(path) == context && isCanonicalPath(bytes, length)) return path;
  const mark = textMark();
  appendCanonicalPath(bytes, length);
  return takeTextAsString(mark, context);
}

// ── The builtin ──

const FORCED: u32 = 1;
const PATH_ADDED: u32 = 2;
const TO_STRING_CALLED: u32 = 3;
const ITEM_FORCED: u32 = 4;
const ITEM_COERCED: u32 = 5;
const OUT_PATH_FORCED: u32 = 6;
/** Locals: the LIST of strings made of the items so far, and the index of the item that is being coerced. */
const STRINGS: u32 = 0;
const INDEX: u32 = 1;
/** The first item that has not been offered to other fibers. */
const OFFERED: u32 = 2;

@inline
function requestOf(f: Frame): u32 {
  return smallInt(arg(f, 1));
}

function coerceToString(f: Frame): Value {
  const at = step(f);
  if (at == PATH_ADDED) return storePathString(rememberAddedPath(arg(f, 0), awaited()));
  if (at == TO_STRING_CALLED) return coerceCallResult(f);
  if (at == ITEM_FORCED) return coerceItems(f, localInt(f, INDEX));
  if (at == ITEM_COERCED) return continueList(f);
  if (at == OUT_PATH_FORCED) return coerceOutPath(f, awaited());
  const value = at == FORCED ? awaited() : resolve(arg(f, 0));
  if (!isWhnf(value)) {
    setStep(f, FORCED);
    return awaitForce(f, value);
  }
  setArg(f, 0, value);
  const request = requestOf(f);
  const result = coerceNow(value, request);
  if (result != 0) return result;
  if (isAttrs(value)) return awaitAttrs(f, value, request);
  if (isPath(value)) return awaitAdding(f, value);
  if (isList(value) && (request & COERCE_MORE) != 0) return beginList(f, value);
  return failCoercion(f, value, request);
}

function awaitAttrs(f: Frame, attrs: Value, request: u32): Value {
  const method = findAttr(attrs, SYMBOL_TO_STRING);
  if (method != 0) return awaitMethod(f, attrs, method, TO_STRING_CALLED);
  const path = findAttr(attrs, SYMBOL_OUT_PATH);
  if (path == 0) return failCoercion(f, attrs, request);
  return isWhnf(resolve(path)) ? coerceOutPath(f, resolve(path)) : awaitOutPath(f, path, OUT_PATH_FORCED);
}

/** Waits for what `__toString` gives; the frame is then at the step `next`. */
function awaitMethod(f: Frame, attrs: Value, method: Value, next: u32): Value {
  setContext(f, "while calling the `__toString` attribute");
  const callee = resolve(method);
  if (isWhnf(callee) && !isFunction(callee) && !isAttrs(callee)) raiseNoFunction(callee, positionOf(attrs, SYMBOL_TO_STRING));
  setStep(f, next);
  return awaitCall1(f, method, attrs);
}

function awaitOutPath(f: Frame, path: Value, next: u32): Value {
  setContext(f, "while evaluating the `outPath` attribute");
  setStep(f, next);
  return awaitForce(f, path);
}

function coerceOutPath(f: Frame, path: Value): Value {
  const request = requestOf(f);
  const result = coerceNow(path, request);
  if (result != 0) return result;
  setContext(f, "while using the `outPath` attribute");
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, COERCE_TO_STRING, path, makeSmallInt(request | CANONICAL_PATH));
}

/** Where the attribute is defined that stands for the set in a frame of coercion; NO_ATTRIBUTE if there is none. */
export function coercedAttributePosition(f: Frame): u32 {
  const value = resolve(arg(f, 0));
  if (!isWhnf(value) || !isAttrs(value)) return NO_ATTRIBUTE;
  if (findAttr(value, SYMBOL_TO_STRING) != 0) return positionOf(value, SYMBOL_TO_STRING);
  return findAttr(value, SYMBOL_OUT_PATH) != 0 ? positionOf(value, SYMBOL_OUT_PATH) : NO_ATTRIBUTE;
}

export const NO_ATTRIBUTE: u32 = u32.MAX_VALUE;

function positionOf(attrs: Value, name: Symbol): u32 {
  const keys = keysOf(attrs);
  return keyPosition(keys, <u32>findKey(keys, name));
}

function coerceCallResult(f: Frame): Value {
  const flags = (requestOf(f) & FLAGS) | CANONICAL_PATH;
  const result = coerceNow(awaited(), flags);
  if (result != 0) return result;
  setContext(f, "while using the result of the `__toString` attribute");
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, COERCE_TO_STRING, awaited(), makeSmallInt((requestOf(f) & ~FLAGS) | flags));
}

function awaitAdding(f: Frame, path: Value): Value {
  if (isDerivationName(path)) fail(ERROR_EVAL, "file names are not allowed to end in '.drv'");
  const canonical = makeCanonicalPath(stringBytes(path), stringLength(path));
  setArg(f, 0, path);
  setStep(f, PATH_ADDED);
  return awaitHost(f, REQUEST_ADD_PATH, canonical, storeNameOf(canonical), NULL, NULL);
}

/** The name under which a path is added: its last component, "source" for the root. */
function storeNameOf(path: Value): Value {
  const bytes = stringBytes(path);
  const length = stringLength(path);
  if (length <= 1) return textString("source");
  const offset = baseNameOffset(bytes, length);
  return makeString(bytes + offset, length - offset);
}

function beginList(f: Frame, list: Value): Value {
  const length = listLength(list);
  const strings = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(strings, i, EMPTY_STRING);
  setLocal(f, STRINGS, strings);
  const message = requestOf(f) >>> FLAG_BITS;
  if (message != 0) setContext(f, changetype<string>(<usize>message));
  return coerceItems(f, 0);
}

function continueList(f: Frame): Value {
  const index = localInt(f, INDEX);
  // An empty list has no space after it: it is told from an empty string when the strings are joined.
  const item = isEmptyList(listItem(arg(f, 0), index)) ? EMPTY_LIST : awaited();
  setListItem(local(f, STRINGS), index, item);
  return coerceItems(f, index + 1);
}

function coerceItems(f: Frame, from: u32): Value {
  const list = arg(f, 0);
  const length = listLength(list);
  const flags = requestOf(f) & FLAGS;
  for (let i = from; i < length; i++) {
    const item = resolve(listItem(list, i));
    if (!isWhnf(item)) {
      setLocalInt(f, INDEX, i);
      setStep(f, ITEM_FORCED);
      return awaitForce(f, item);
    }
    const text = isEmptyList(item) ? EMPTY_LIST : coerceNow(item, flags);
    if (text == 0) {
      setLocalInt(f, INDEX, i);
      setStep(f, ITEM_COERCED);
      return awaitNative2(f, COERCE_TO_STRING, item, coerceRequest(flags, "while evaluating one element of the list"));
    }
    setListItem(local(f, STRINGS), i, text);
  }
  return joinStrings(local(f, STRINGS));
}

function offerItems(f: Frame): void {
  if (step(f) != ITEM_FORCED && step(f) != ITEM_COERCED) return;
  const from = max(localInt(f, INDEX) + 1, localInt(f, OFFERED));
  setLocalInt(f, OFFERED, offerStrings(arg(f, 0), from, requestOf(f) & FLAGS));
}

/** Offers other fibers to coerce the items of `list` from `from` on; returns the first that was not offered. */
export function offerStrings(list: Value, from: u32, flags: u32): u32 {
  let i = from;
  while (i < listLength(list) && !isOfferFull()) {
    offerString(listItem(list, i), flags);
    i++;
  }
  return i;
}

/** Offers other fibers to make a string of a value, unless it is one at once. */
export function offerString(slot: Value, flags: u32): void {
  const value = resolve(slot);
  if (!isWhnf(value) || isAttrs(value) || isList(value) || isPath(value)) offerCall(COERCE_TO_STRING, value, makeSmallInt(flags));
}

function joinStrings(strings: Value): Value {
  const length = listLength(strings);
  const mark = textMark();
  const union = beginUnion();
  for (let i: u32 = 0; i < length; i++) {
    const item = listItem(strings, i);
    if (item == EMPTY_LIST) continue;
    appendBytes(stringBytes(item), stringLength(item));
    addToUnion(union, stringContext(item));
    if (i + 1 < length) appendByte(0x20);
  }
  return takeTextAsString(mark, endUnion(union));
}

/** Raises "cannot coerce …". The request's message becomes part of the trace. */
function failCoercion(f: Frame, value: Value, request: u32): Value {
  useMessage(f, request);
  beginError(ERROR_TYPE);
  appendText("cannot coerce ");
  appendTypeName(value);
  appendText(" to a string: ");
  appendErrorValue(value);
  raiseError();
  return 0;
}

function useMessage(f: Frame, request: u32): void {
  const message = request >>> FLAG_BITS;
  if (message != 0) setContext(f, changetype<string>(<usize>message));
}

// ── Paths ──

const PATH_FORCED: u32 = 1;
const METHOD_CALLED: u32 = 2;
const STRING_MADE: u32 = 3;
const PATH_OUT_PATH_FORCED: u32 = 4;

function coerceToPath(f: Frame): Value {
  const at = step(f);
  if (at == METHOD_CALLED) return peeledPath(f, awaited(), "while using the result of the `__toString` attribute");
  if (at == PATH_OUT_PATH_FORCED) return peeledPath(f, awaited(), "while using the `outPath` attribute");
  if (at == STRING_MADE) return absolutePath(f, awaited());
  const value = at == PATH_FORCED ? awaited() : resolve(arg(f, 0));
  if (!isWhnf(value)) {
    useMessage(f, requestOf(f));
    setStep(f, PATH_FORCED);
    return awaitForce(f, value);
  }
  clearContext(f);
  if (isPath(value)) return canonicalString(value, 0);
  if (isString(value)) return absolutePath(f, value);
  setArg(f, 0, value);
  const method = isAttrs(value) ? findAttr(value, SYMBOL_TO_STRING) : 0;
  if (method != 0) return awaitMethod(f, value, method, METHOD_CALLED);
  const path = isAttrs(value) ? findAttr(value, SYMBOL_OUT_PATH) : 0;
  if (path != 0) return awaitOutPath(f, path, PATH_OUT_PATH_FORCED);
  setStep(f, STRING_MADE);
  return awaitNative2(f, COERCE_TO_STRING, value, plainRequest(f));
}

function peeledPath(f: Frame, value: Value, context: string): Value {
  setContext(f, context);
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, COERCE_TO_PATH, value, arg(f, 1));
}

/** The request with other flags: nothing is copied. */
function plainRequest(f: Frame): Value {
  return makeSmallInt((requestOf(f) & ~FLAGS) | CANONICAL_PATH);
}

function absolutePath(f: Frame, string: Value): Value {
  if (stringLength(string) != 0 && load<u8>(stringBytes(string)) == 0x2f) {
    return canonicalString(string, stringContext(string));
  }
  useMessage(f, requestOf(f));
  beginError(ERROR_EVAL);
  appendText("string '");
  errorString(string);
  appendText("' doesn't represent an absolute path");
  raiseError();
  return 0;
}

function coerceToStorePath(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, STRING_MADE);
    return awaitNative2(f, COERCE_TO_STRING, arg(f, 0), plainRequest(f));
  }
  const string = awaited();
  if (isStorePath(stringBytes(string), stringLength(string))) return string;
  useMessage(f, requestOf(f));
  beginError(ERROR_EVAL);
  appendText("path '");
  errorString(string);
  appendText("' is not in the Nix store");
  raiseError();
  return 0;
}
