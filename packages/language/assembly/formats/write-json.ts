// Values as JSON texts: `builtins.toJSON`, `--json`, structured attributes.
//
// The text grows in the text buffer while values are evaluated one after the other, in the order in which they are
// written. Containers that hold nothing to wait for are walked in one go, with a path instead of recursion:
//
//   path entry  [container][order of its names, or 0][count][index of the item being written]
//
// When the walk meets something that has to be waited for (a thunk, a set with `__toString` or `outPath`, a path to copy,
// a failure that wants its trace), every container on the path becomes a frame of the builtin JSON_CONTAINER, which takes
// its index from the path. So each container has one frame at most, and a text costs time in proportion to its length.
// Frames return the union of the contexts of what they wrote: a CONTEXT, or NULL.

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { appendByte, appendInteger, appendText, textLengthFrom, textMark, textStart } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { symbolName } from "../symbols/symbols";
import { SYMBOL_OUT_PATH, SYMBOL_TO_STRING } from "../symbols/known";
import { ERROR_TYPE, beginError, raiseError } from "../errors/raise";
import {
  Frame,
  LAZY,
  arg,
  args2,
  args3,
  awaitCall1,
  awaitForce,
  awaitNative2,
  awaitNative3,
  awaited,
  clearContext,
  local,
  localInt,
  makePrimop,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
  Primop,
} from "../machine/native";
import { functionPosition } from "../machine/call-site";
import { isOfferFull, offerCall, offersSiblings } from "../machine/siblings";
import { raiseCallDepth } from "../machine/calls";
import { maximumCallDepth } from "../machine/registers";
import { callDepth } from "../machine/stack";
import { appendFloatShortest } from "../numbers/print-float";
import { CANONICAL_PATH, COERCE_TO_STRING, COPY_TO_STORE, coerceNow, coerceRequest } from "../operations/coerce";
import { appendTypeName } from "../operations/type-names";
import { attrValue, findAttr, findKey, keyPosition, keySymbol, keysCount, keysOf } from "../values/attrs";
import { indexAtRank, orderOf } from "../values/attr-order";
import { NULL, TRUE } from "../values/constants";
import { mergeContexts } from "../values/context";
import { listItem, listLength } from "../values/list";
import { floatOf, intOf, makeSmallInt, smallInt } from "../values/number";
import { appendErrorValue } from "../values/print";
import { stringContext, takeTextAsString } from "../values/string";
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
  isAttrs,
  isList,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";
import { appendJsonString, failUnlessUtf8, sawInvalidUtf8 } from "./json-escape";

/** Writes what is not evaluated as a failure instead of evaluating it: `--json` without `--strict`. */
export const JSON_LAZY: u32 = 1;
/** A path stays a path: it came from `__toString`. */
const JSON_RAW_PATHS: u32 = 2;
/** The value came out of `__toString`, which must give a string. */
const JSON_FROM_TO_STRING: u32 = 4;

/** value, small int of flags → STRING with context. */
export let TO_JSON_WITH: Value = 0;
/** value → STRING with context. */
export let TO_JSON: Value = 0;
/** LIST or ATTRS, small int: 0 or 1 + its place on the path, small int of flags → CONTEXT or NULL. Appends its text. */
let JSON_CONTAINER: Value = 0;
/** Any value in weak head normal form, flags → CONTEXT or NULL. Appends its text. */
let JSON_VALUE: Value = 0;

export function initializeJson(): void {
  TO_JSON = internal(makePrimop("toJSON", 1, LAZY, 2, toJson));
  TO_JSON_WITH = internal(makePrimop("toJSON", 2, args2(LAZY, LAZY), 2, toJsonWith));
  JSON_CONTAINER = internal(makePrimop("toJSON", 3, args3(LAZY, LAZY, LAZY), 3, writeContainer));
  offersSiblings(JSON_CONTAINER, offerItems);
  JSON_VALUE = internal(makePrimop("toJSON", 2, args2(LAZY, LAZY), 2, writePeeled));
}

function internal(builtin: Value): Value {
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

// ── The whole text ──

const LOCAL_MARK: u32 = 0;
/** The contexts of what was written before the walk stopped for the first time. */
const LOCAL_BEFORE: u32 = 1;
const STEP_FORCED: u32 = 1;
const STEP_WRITTEN: u32 = 2;
const STEP_STRING: u32 = 3;
const STEP_CALLED: u32 = 4;
const STEP_OUT_PATH: u32 = 5;

/** The handler of `builtins.toJSON`, with two locals. */
export function toJson(f: Frame): Value {
  return writeText(f, 0);
}

function toJsonWith(f: Frame): Value {
  return writeText(f, smallInt(resolve(arg(f, 1))));
}

function writeText(f: Frame, flags: u32): Value {
  const at = step(f);
  if (at == STEP_WRITTEN) {
    const written = awaited();
    return finishText(f, mergeContexts(local(f, LOCAL_BEFORE), written == NULL ? 0 : written));
  }
  if (at == 0) setLocalInt(f, LOCAL_MARK, textMark());
  let value = resolve(arg(f, 0));
  if (!isWhnf(value)) {
    if (at == STEP_FORCED) value = awaited();
    else if ((flags & JSON_LAZY) != 0) failConversion(value);
    else {
      setStep(f, STEP_FORCED);
      return awaitForce(f, value);
    }
  }
  walkContext = 0;
  if (tryWriteLeaf(value)) return finishText(f, walkContext);
  setStep(f, STEP_WRITTEN);
  if (!isWalkable(value)) return awaitNative2(f, JSON_VALUE, value, makeSmallInt(flags));
  walkDepth = callDepth + 1;
  beginWalk(value);
  if (walk()) return finishText(f, walkContext);
  setLocal(f, LOCAL_BEFORE, walkContext);
  return awaitNative3(f, JSON_CONTAINER, value, makeSmallInt(1), makeSmallInt(flags));
}

function finishText(f: Frame, context: Value): Value {
  const mark = localInt(f, LOCAL_MARK);
  if (sawInvalidUtf8) failUnlessUtf8(textStart(mark), textLengthFrom(mark));
  return takeTextAsString(mark, context == NULL ? 0 : context);
}

/** Appends a value that is evaluated throughout, and false when it is not, or stands for something else. */
export function appendEvaluatedJson(value: Value): bool {
  if (tryWriteLeaf(value)) return true;
  if (!isWalkable(value)) return false;
  beginWalk(value);
  return walk();
}

// ── One container ──

const LOCAL_INDEX: u32 = 0;
const LOCAL_CONTEXT: u32 = 1;
/** The first item that has not been offered to other fibers. */
const LOCAL_OFFERED: u32 = 2;

function offerItems(f: Frame): void {
  if ((smallInt(arg(f, 2)) & JSON_LAZY) != 0) return;
  const container = arg(f, 0);
  const order: Address = isList(container) ? 0 : orderOf(keysOf(container));
  const count = isList(container) ? listLength(container) : keysCount(keysOf(container));
  let i = max(localInt(f, LOCAL_INDEX) + 1, localInt(f, LOCAL_OFFERED));
  while (i < count && !isOfferFull()) {
    const item = resolve(order == 0 ? listItem(container, i) : attrValue(container, indexAtRank(order, i)));
    if (!isWhnf(item) || isAttrs(item) || isList(item)) offerCall(TO_JSON, item);
    i++;
  }
  setLocalInt(f, LOCAL_OFFERED, i);
}

function writeContainer(f: Frame): Value {
  const container = arg(f, 0);
  const at = step(f);
  walkContext = local(f, LOCAL_CONTEXT);
  walkDepth = callDepth;
  if (at == 0) {
    const place = smallInt(arg(f, 1));
    if (place != 0) return descend(f, place - 1);
    beginWalk(container);
  } else {
    const index = localInt(f, LOCAL_INDEX);
    const value = awaited();
    clearContext(f);
    if (at == STEP_FORCED) {
      if (!tryWriteLeaf(value)) {
        if (!isWalkable(value)) {
          setLocal(f, LOCAL_CONTEXT, walkContext);
          describeItem(f, index);
          return awaitLeaf(f, value);
        }
        continueWalk(container, index);
        beginItem(value);
        return walk() ? finishContainer() : waitInWalk(f);
      }
    } else if (value != NULL) {
      walkContext = mergeContexts(walkContext, value);
    }
    continueWalk(container, index + 1);
  }
  return walk() ? finishContainer() : waitInWalk(f);
}

@inline
function finishContainer(): Value {
  return walkContext == 0 ? NULL : walkContext;
}

/** Keeps what the walk of this frame has collected, and waits for what stopped it. */
function waitInWalk(f: Frame): Value {
  setLocal(f, LOCAL_CONTEXT, walkContext);
  return descend(f, 0);
}

/** This frame's container is at `place` on the path: waits for the container above, or for the item that stopped the walk. */
function descend(f: Frame, place: u32): Value {
  const entry = entryAt(place);
  const index = entryIndex(entry);
  setLocalInt(f, LOCAL_INDEX, index);
  describeItem(f, index);
  const item = resolve(entryItem(entry));
  if (place + 1 < pathLength) {
    setStep(f, STEP_WRITTEN);
    return awaitNative3(f, JSON_CONTAINER, item, makeSmallInt(place + 2), arg(f, 2));
  }
  if (callDepth >= maximumCallDepth) raiseCallDepth(containerPosition(f));
  if (isWhnf(item)) return awaitLeaf(f, item);
  if ((smallInt(arg(f, 2)) & JSON_LAZY) != 0) failConversion(item);
  setStep(f, STEP_FORCED);
  return awaitForce(f, item);
}

/** Waits for an evaluated item which is no leaf and which the walk cannot enter. */
function awaitLeaf(f: Frame, item: Value): Value {
  const flags = smallInt(arg(f, 2));
  setStep(f, STEP_WRITTEN);
  return awaitNative2(f, JSON_VALUE, item, makeSmallInt(flags & JSON_LAZY));
}

function describeItem(f: Frame, index: u32): void {
  const container = arg(f, 0);
  if (isList(container)) {
    setContext(f, "while evaluating list element at index %1%", decimal(index));
    return;
  }
  const keys = keysOf(container);
  const name = symbolName(keySymbol(keys, indexAtRank(orderOf(keys), index)));
  setContext(f, "while evaluating attribute '%1%'", name);
}

/** Whether the frame is one that writes JSON. */
export function writesJson(primop: Value): bool {
  return primop == JSON_CONTAINER || primop == JSON_VALUE;
}

/** For the trace: where what the frame works on is defined; 0 in lists, which are where their set says. */
export function jsonPosition(f: Frame, primop: Value): u32 {
  if (primop == JSON_CONTAINER) return containerPosition(f);
  const value = arg(f, 0);
  if (!isAttrs(value)) return 0;
  return positionOf(value, findAttr(value, SYMBOL_TO_STRING) != 0 ? SYMBOL_TO_STRING : SYMBOL_OUT_PATH);
}

function containerPosition(f: Frame): u32 {
  const container = arg(f, 0);
  if (!isAttrs(container)) return 0;
  const keys = keysOf(container);
  return keyPosition(keys, indexAtRank(orderOf(keys), localInt(f, LOCAL_INDEX)));
}

function decimal(n: u32): Value {
  const mark = textMark();
  appendInteger(<i64>n);
  return takeTextAsString(mark);
}

// ── Sets that stand for something else, paths, and failures ──

/** Writes a value that is in weak head normal form and no container to walk. */
function writePeeled(f: Frame): Value {
  const value = arg(f, 0);
  const flags = smallInt(arg(f, 1));
  switch (step(f)) {
    case STEP_WRITTEN:
      return awaited();
    case STEP_STRING:
      appendJsonString(awaited());
      return contextResult(stringContext(awaited()));
    case STEP_CALLED: {
      const position = positionOf(value, SYMBOL_TO_STRING);
      setContext(f, "while using the result of the `__toString` attribute");
      return writeResult(f, awaited(), flags | JSON_FROM_TO_STRING | JSON_RAW_PATHS, position);
    }
    case STEP_OUT_PATH:
      return writeOutPath(f, awaited(), flags);
    default:
      break;
  }
  if (!isAttrs(value)) return writePathOrFail(f, value, flags);
  const toString = findAttr(value, SYMBOL_TO_STRING);
  if (toString != 0) {
    setContext(f, "while calling the `__toString` attribute");
    setStep(f, STEP_CALLED);
    return awaitCall1(f, toString, value);
  }
  const outPath = resolve(findAttr(value, SYMBOL_OUT_PATH));
  if (isWhnf(outPath)) return writeOutPath(f, outPath, flags);
  setContext(f, "while evaluating the `outPath` attribute");
  setStep(f, STEP_OUT_PATH);
  return awaitForce(f, outPath);
}

function writeOutPath(f: Frame, result: Value, flags: u32): Value {
  setContext(f, "while using the `outPath` attribute");
  return writeResult(f, result, flags, positionOf(arg(f, 0), SYMBOL_OUT_PATH));
}

/** Writes what `__toString` or `outPath` gave. */
function writeResult(f: Frame, result: Value, flags: u32, position: u32): Value {
  const fromToString = (flags & JSON_FROM_TO_STRING) != 0;
  const kind = kindOf(result);
  if (kind == KIND_ATTRS) {
    const walkable = isWalkable(result);
    if (walkable && fromToString) failToString(result, "`__toString` must return a string, but got ", position);
    setStep(f, STEP_WRITTEN);
    if (!walkable) return awaitNative2(f, JSON_VALUE, result, makeSmallInt(flags));
    return awaitNative3(f, JSON_CONTAINER, result, makeSmallInt(0), makeSmallInt(flags & JSON_LAZY));
  }
  if (fromToString && kind != KIND_STRING && kind != KIND_PATH) {
    failToString(result, "`__toString` should return a string, but got ", position);
  }
  if (kind == KIND_LIST) {
    setStep(f, STEP_WRITTEN);
    return awaitNative3(f, JSON_CONTAINER, result, makeSmallInt(0), makeSmallInt(flags & JSON_LAZY));
  }
  walkContext = 0;
  if (tryWriteLeaf(result)) return contextResult(walkContext);
  return writePathOrFail(f, result, flags);
}

function writePathOrFail(f: Frame, value: Value, flags: u32): Value {
  if (kindOf(value) != KIND_PATH) failConversion(value);
  if ((flags & JSON_RAW_PATHS) != 0) {
    appendJsonString(value);
    return NULL;
  }
  const copied = coerceNow(value, COERCE_PATH);
  if (copied != 0) {
    appendJsonString(copied);
    return contextResult(stringContext(copied));
  }
  setStep(f, STEP_STRING);
  return awaitNative2(f, COERCE_TO_STRING, value, coerceRequest(COERCE_PATH, ""));
}

const COERCE_PATH: u32 = COPY_TO_STORE | CANONICAL_PATH;

@inline
function contextResult(context: Value): Value {
  return context == 0 ? NULL : context;
}

function positionOf(attrs: Value, name: u32): u32 {
  const keys = keysOf(attrs);
  return keyPosition(keys, <u32>findKey(keys, name));
}

function failConversion(value: Value): void {
  beginError(ERROR_TYPE);
  appendText("cannot convert ");
  appendTypeName(value);
  appendText(" to JSON");
  raiseError(functionPosition(value));
}

function failToString(value: Value, message: string, position: u32): void {
  beginError(ERROR_TYPE);
  appendText(message);
  appendTypeName(value);
  appendText(": ");
  appendErrorValue(value);
  raiseError(position);
}

// ── The walk ──

const ENTRY_SIZE: u32 = 16;
let path: Address = 0;
let pathCapacity: u32 = 0;
let pathLength: u32 = 0;
/** The union of the contexts of the strings written so far, or 0. */
let walkContext: Value = 0;
/** How deep in calls the walk's first container is, as Nix counts: every container is one, and so is every item. */
let walkDepth: u32 = 0;

@inline
function entryAt(place: u32): Address {
  return path + place * ENTRY_SIZE;
}

@inline
function entryContainer(entry: Address): Value {
  return decompress(load<u32>(entry));
}

@inline
function entryOrder(entry: Address): Address {
  return decompress(load<u32>(entry, 4));
}

@inline
function entryCount(entry: Address): u32 {
  return load<u32>(entry, 8);
}

@inline
function entryIndex(entry: Address): u32 {
  return load<u32>(entry, 12);
}

@inline
function setEntryIndex(entry: Address, index: u32): void {
  store<u32>(entry, index, 12);
}

@inline
function entryItem(entry: Address): Value {
  const order = entryOrder(entry);
  const index = entryIndex(entry);
  if (order == 0) return listItem(entryContainer(entry), index);
  return attrValue(entryContainer(entry), indexAtRank(order, index));
}

/** Whether a value in weak head normal form is a container that is written item by item. */
@inline
function isWalkable(value: Value): bool {
  if (isList(value)) return true;
  if (!isAttrs(value)) return false;
  const keys = keysOf(value);
  return findKey(keys, SYMBOL_TO_STRING) < 0 && findKey(keys, SYMBOL_OUT_PATH) < 0;
}

/** Begins a walk of `container` before its opening bracket. */
function beginWalk(container: Value): void {
  pathLength = 0;
  beginItem(container);
}

/** Goes on with a container, at item `index`, in the middle of its text. */
function continueWalk(container: Value, index: u32): void {
  pathLength = 0;
  pushEntry(container);
  setEntryIndex(entryAt(0), index);
}

/** Opens a container as the newest entry of the path. */
@inline
function beginItem(container: Value): void {
  pushEntry(container);
  appendByte(isList(container) ? 0x5b : 0x7b);
}

function pushEntry(container: Value): void {
  if (pathLength == pathCapacity) growPath();
  const entry = entryAt(pathLength++);
  store<u32>(entry, compress(container));
  if (isList(container)) {
    store<u32>(entry, 0, 4);
    store<u32>(entry, listLength(container), 8);
  } else {
    const keys = keysOf(container);
    store<u32>(entry, compress(orderOf(keys)), 4);
    store<u32>(entry, keysCount(keys), 8);
  }
  setEntryIndex(entry, 0);
}

function growPath(): void {
  const size = pathCapacity * ENTRY_SIZE;
  const larger = size == 0 ? CHUNK_SIZE : size << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (size != 0) {
    memory.copy(place, path, size);
    returnChunks(path, chunksFor(size));
  }
  path = place;
  pathCapacity = larger / ENTRY_SIZE;
}

/** Writes items until the path is empty; false when it stopped at one, whose name is written already, or at the limit of depth. */
function walk(): bool {
  let entry = entryAt(pathLength - 1);
  while (true) {
    const index = entryIndex(entry);
    if (index == entryCount(entry)) {
      appendByte(entryOrder(entry) == 0 ? 0x5d : 0x7d);
      pathLength--;
      if (pathLength == 0) return true;
      entry = entryAt(pathLength - 1);
      setEntryIndex(entry, entryIndex(entry) + 1);
      continue;
    }
    if (index != 0) appendByte(0x2c);
    else if (walkDepth + pathLength > maximumCallDepth) return false;
    const value = resolve(writeName(entry, index));
    if (!isWhnf(value)) return false;
    if (tryWriteLeaf(value)) {
      setEntryIndex(entry, index + 1);
      continue;
    }
    if (!isWalkable(value)) return false;
    beginItem(value);
    entry = entryAt(pathLength - 1);
  }
}

/** Writes the name of an attribute and its colon; returns the item. */
@inline
function writeName(entry: Address, index: u32): Value {
  const order = entryOrder(entry);
  const container = entryContainer(entry);
  if (order == 0) return listItem(container, index);
  const at = indexAtRank(order, index);
  appendJsonString(symbolName(keySymbol(keysOf(container), at)));
  appendByte(0x3a);
  return attrValue(container, at);
}

/** Writes a value in weak head normal form that is no container and needs no waiting; false for all others. */
function tryWriteLeaf(value: Value): bool {
  const kind = kindOf(value);
  if (kind == KIND_STRING) {
    const context = stringContext(value);
    if (context != 0) walkContext = mergeContexts(walkContext, context);
    appendJsonString(value);
    return true;
  }
  if (kind == KIND_INT) {
    appendInteger(intOf(value));
    return true;
  }
  if (kind == KIND_BOOL) {
    appendText(value == TRUE ? "true" : "false");
    return true;
  }
  if (kind == KIND_NULL) {
    appendText("null");
    return true;
  }
  if (kind != KIND_FLOAT) return false;
  appendJsonFloat(floatOf(value));
  return true;
}

function appendJsonFloat(x: f64): void {
  if (isFinite<f64>(x)) appendFloatShortest(x);
  else appendText("null");
}
