// Values as XML: `builtins.toXML` and `--xml`.
//
// Every list and set is a frame of the builtin XML_CONTAINER; what is in it is written in place where it is evaluated and
// no container. A derivation is written in full where it is met first, and as `<repeated />` afterwards: the derivations
// seen so far are a CONTEXT of the symbols of their `drvPath`s, which goes into a frame as an argument and comes out with
// its result, a LIST of [context of the text or NULL] [derivations seen or NULL].
//
// Nothing here is part of an error's trace.

import { Address } from "../memory/chunks";
import { isOfferFull, offerValue, offersSiblings } from "../machine/siblings";
import { appendByte, appendInteger, appendText, textMark } from "../memory/text";
import { Symbol, compareSymbols, internString, symbolName } from "../symbols/symbols";
import { SYMBOL_DRV_PATH, SYMBOL_OUT_PATH, SYMBOL_TYPE } from "../symbols/known";
import { Block, formalAt, formalSymbol, formalsCount, formalsEllipsis } from "../compile/code";
import {
  Frame,
  LAZY,
  Primop,
  arg,
  args2,
  args3,
  awaitForce,
  awaitNative3,
  awaited,
  local,
  localInt,
  makePrimop,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { raiseCallDepth } from "../machine/calls";
import { maximumCallDepth } from "../machine/registers";
import { callDepth } from "../machine/stack";
import { appendFloatG6 } from "../numbers/print-float";
import { attrValue, findAttr, keyPosition, keySymbol, keysCount, keysOf } from "../values/attrs";
import { indexAtRank, orderOf } from "../values/attr-order";
import { NULL, TRUE } from "../values/constants";
import { addToContext, contextCount, mergeContexts } from "../values/context";
import { lambdaBlock } from "../values/function";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { floatOf, intOf, makeSmallInt, smallInt } from "../values/number";
import { stringContext, stringIs, stringLength, takeTextAsString } from "../values/string";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_NULL,
  KIND_PATH,
  KIND_STRING,
  Value,
  isList,
  isString,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";
import {
  appendAttribute,
  appendClosing,
  appendEmptyElement,
  appendLineAndColumn,
  appendOpening,
  appendSourcePath,
  appendXmlHeader,
  beginAttribute,
  beginTag,
  endAttribute,
  endEmptyTag,
  endTag,
} from "./xml-text";

/** Writes `<unevaluated />` for what is not evaluated: `--xml` without `--strict`. */
export const XML_LAZY: u32 = 1;
/** Writes where attributes and functions are defined: `--xml` without `--no-location`. */
export const XML_LOCATIONS: u32 = 2;
const XML_FLAGS: u32 = 3;
const FLAG_BITS: u32 = 2;

/** value, small int of flags → STRING with context. */
export let TO_XML_WITH: Value = 0;
/** LIST or ATTRS, small int: depth and flags, derivations seen or NULL → LIST, as above. Appends its text. */
let XML_CONTAINER: Value = 0;

export function initializeXml(): void {
  TO_XML_WITH = internal(makePrimop("toXML", 2, args2(LAZY, LAZY), 1, toXmlWith));
  XML_CONTAINER = internal(makePrimop("toXML", 3, args3(LAZY, LAZY, LAZY), 5, writeContainer));
  offersSiblings(XML_CONTAINER, offerItems);
}

function internal(builtin: Value): Value {
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

// ── The whole text ──

const LOCAL_MARK: u32 = 0;
const STEP_FORCED: u32 = 1;
const STEP_WRITTEN: u32 = 2;

/** The handler of `builtins.toXML`, with one local. */
export function toXml(f: Frame): Value {
  return writeText(f, 0);
}

function toXmlWith(f: Frame): Value {
  return writeText(f, smallInt(resolve(arg(f, 1))));
}

function writeText(f: Frame, flags: u32): Value {
  const at = step(f);
  if (at == STEP_WRITTEN) return finishText(f, listItem(awaited(), 0));
  const value = at == STEP_FORCED ? awaited() : resolve(arg(f, 0));
  if (!isWhnf(value) && (flags & XML_LAZY) == 0) {
    setStep(f, STEP_FORCED);
    return awaitForce(f, value);
  }
  setLocalInt(f, LOCAL_MARK, textMark());
  appendXmlHeader();
  appendOpening(0, "expr");
  leafContext = 0;
  if (tryWriteLeaf(value, 1, flags)) return finishText(f, leafContext);
  setStep(f, STEP_WRITTEN);
  return awaitNative3(f, XML_CONTAINER, value, makeSmallInt((1 << FLAG_BITS) | flags), NULL);
}

function finishText(f: Frame, context: Value): Value {
  appendClosing(0, "expr");
  return takeTextAsString(localInt(f, LOCAL_MARK), context == NULL ? 0 : context);
}

// ── One container ──

const LOCAL_INDEX: u32 = 0;
const LOCAL_CONTEXT: u32 = 1;
const LOCAL_SEEN: u32 = 2;
const LOCAL_ELEMENT: u32 = 3;
/** The first item that has not been offered to other fibers. */
const LOCAL_OFFERED: u32 = 4;

const STEP_TYPE: u32 = 3;
const STEP_DRV_PATH: u32 = 4;
const STEP_OUT_PATH: u32 = 5;

const ELEMENT_LIST: u32 = 0;
const ELEMENT_ATTRS: u32 = 1;
const ELEMENT_DERIVATION: u32 = 2;

@inline
function depthOf(f: Frame): u32 {
  return smallInt(arg(f, 1)) >>> FLAG_BITS;
}

@inline
function flagsOf(f: Frame): u32 {
  return smallInt(arg(f, 1)) & XML_FLAGS;
}

function writeContainer(f: Frame): Value {
  switch (step(f)) {
    case STEP_FORCED:
      return writeItem(f, awaited());
    case STEP_WRITTEN:
      takeResult(f, awaited());
      endItem(f);
      return writeItems(f);
    case STEP_TYPE:
      return isDerivationType(awaited()) ? awaitDrvPath(f) : beginItems(f, ELEMENT_ATTRS);
    case STEP_DRV_PATH:
      return awaitOutPath(f);
    case STEP_OUT_PATH:
      return beginDerivation(f);
    default:
      setLocal(f, LOCAL_SEEN, arg(f, 2));
      setLocal(f, LOCAL_CONTEXT, NULL);
      return isList(arg(f, 0)) ? beginItems(f, ELEMENT_LIST) : awaitType(f);
  }
}

function awaitType(f: Frame): Value {
  const found = findAttr(arg(f, 0), SYMBOL_TYPE);
  if (found == 0) return beginItems(f, ELEMENT_ATTRS);
  const type = resolve(found);
  if (isWhnf(type)) return isDerivationType(type) ? awaitDrvPath(f) : beginItems(f, ELEMENT_ATTRS);
  setStep(f, STEP_TYPE);
  return awaitForce(f, type);
}

function isDerivationType(type: Value): bool {
  return isString(type) && stringIs(type, "derivation");
}

function awaitDrvPath(f: Frame): Value {
  const path = unforced(f, SYMBOL_DRV_PATH);
  if (path == 0) return awaitOutPath(f);
  setStep(f, STEP_DRV_PATH);
  return awaitForce(f, path);
}

function awaitOutPath(f: Frame): Value {
  const path = unforced(f, SYMBOL_OUT_PATH);
  if (path == 0) return beginDerivation(f);
  setStep(f, STEP_OUT_PATH);
  return awaitForce(f, path);
}

/** The attribute if it is still to be forced, else 0. */
function unforced(f: Frame, name: Symbol): Value {
  const value = findAttr(arg(f, 0), name);
  if (value == 0 || (flagsOf(f) & XML_LAZY) != 0 || isWhnf(resolve(value))) return 0;
  return resolve(value);
}

/** The attribute if it is an evaluated string, else 0. */
function stringAttr(attrs: Value, name: Symbol): Value {
  const found = findAttr(attrs, name);
  if (found == 0) return 0;
  const value = resolve(found);
  return isWhnf(value) && isString(value) ? value : 0;
}

function beginDerivation(f: Frame): Value {
  const depth = depthOf(f);
  const drvPath = stringAttr(arg(f, 0), SYMBOL_DRV_PATH);
  const outPath = stringAttr(arg(f, 0), SYMBOL_OUT_PATH);
  beginTag(depth, "derivation");
  if (drvPath != 0) appendAttribute("drvPath", drvPath);
  if (outPath != 0) appendAttribute("outPath", outPath);
  endTag();
  setLocalInt(f, LOCAL_ELEMENT, ELEMENT_DERIVATION);
  setLocalInt(f, LOCAL_INDEX, 0);
  if (drvPath != 0 && stringLength(drvPath) != 0 && addSeen(f, internString(drvPath))) return writeItems(f);
  appendEmptyElement(depth + 1, "repeated");
  return finishContainer(f);
}

/** Whether the derivation was not seen before. */
function addSeen(f: Frame, drvPath: Symbol): bool {
  const seen = orNone(local(f, LOCAL_SEEN));
  const more = addToContext(seen, drvPath);
  if (contextCount(more) == contextCount(seen)) return false;
  setLocal(f, LOCAL_SEEN, more);
  return true;
}

function beginItems(f: Frame, element: u32): Value {
  appendOpening(depthOf(f), elementName(element));
  setLocalInt(f, LOCAL_ELEMENT, element);
  setLocalInt(f, LOCAL_INDEX, 0);
  return writeItems(f);
}

function elementName(element: u32): string {
  return element == ELEMENT_LIST ? "list" : element == ELEMENT_ATTRS ? "attrs" : "derivation";
}

/** Writes the items from LOCAL_INDEX on. */
function writeItems(f: Frame): Value {
  const container = arg(f, 0);
  const inList = localInt(f, LOCAL_ELEMENT) == ELEMENT_LIST;
  const count = inList ? listLength(container) : keysCount(keysOf(container));
  const lazy = (flagsOf(f) & XML_LAZY) != 0;
  while (true) {
    const index = localInt(f, LOCAL_INDEX);
    if (index == count) return finishContainer(f);
    if (callDepth >= maximumCallDepth) raiseCallDepth();
    const item = resolve(inList ? listItem(container, index) : beginAttr(f, container, index));
    if (!isWhnf(item) && !lazy) {
      setStep(f, STEP_FORCED);
      return awaitForce(f, item);
    }
    if (!writeLeafItem(f, item)) return awaitItem(f, item);
  }
}

function offerItems(f: Frame): void {
  const at = step(f);
  if ((at != STEP_FORCED && at != STEP_WRITTEN) || (flagsOf(f) & XML_LAZY) != 0) return;
  const container = arg(f, 0);
  const inList = localInt(f, LOCAL_ELEMENT) == ELEMENT_LIST;
  const order: Address = inList ? 0 : orderOf(keysOf(container));
  const count = inList ? listLength(container) : keysCount(keysOf(container));
  let i = max(localInt(f, LOCAL_INDEX) + 1, localInt(f, LOCAL_OFFERED));
  while (i < count && !isOfferFull()) {
    offerValue(inList ? listItem(container, i) : attrValue(container, indexAtRank(order, i)));
    i++;
  }
  setLocalInt(f, LOCAL_OFFERED, i);
}

/** Writes an item that has been forced, and goes on. */
function writeItem(f: Frame, item: Value): Value {
  return writeLeafItem(f, item) ? writeItems(f) : awaitItem(f, item);
}

function awaitItem(f: Frame, item: Value): Value {
  setStep(f, STEP_WRITTEN);
  const below = ((itemDepth(f) << FLAG_BITS) | flagsOf(f));
  return awaitNative3(f, XML_CONTAINER, item, makeSmallInt(below), local(f, LOCAL_SEEN));
}

function writeLeafItem(f: Frame, item: Value): bool {
  leafContext = 0;
  if (!tryWriteLeaf(item, itemDepth(f), flagsOf(f))) return false;
  if (leafContext != 0) addContext(f, leafContext);
  endItem(f);
  return true;
}

/** Writes the opening tag of an attribute; returns its value. */
function beginAttr(f: Frame, attrs: Value, rank: u32): Value {
  const keys = keysOf(attrs);
  const index = indexAtRank(orderOf(keys), rank);
  const position = (flagsOf(f) & XML_LOCATIONS) != 0 ? keyPosition(keys, index) : 0;
  beginTag(depthOf(f) + 1, "attr");
  if (position != 0) appendLineAndColumn(position);
  appendAttribute("name", symbolName(keySymbol(keys, index)));
  if (position != 0) appendSourcePath(position);
  endTag();
  return attrValue(attrs, index);
}

function endItem(f: Frame): void {
  if (localInt(f, LOCAL_ELEMENT) != ELEMENT_LIST) appendClosing(depthOf(f) + 1, "attr");
  setLocalInt(f, LOCAL_INDEX, localInt(f, LOCAL_INDEX) + 1);
}

@inline
function itemDepth(f: Frame): u32 {
  return depthOf(f) + (localInt(f, LOCAL_ELEMENT) == ELEMENT_LIST ? 1 : 2);
}

function takeResult(f: Frame, result: Value): void {
  addContext(f, orNone(listItem(result, 0)));
  setLocal(f, LOCAL_SEEN, listItem(result, 1));
}

function addContext(f: Frame, context: Value): void {
  const merged = mergeContexts(orNone(local(f, LOCAL_CONTEXT)), context);
  if (merged != 0) setLocal(f, LOCAL_CONTEXT, merged);
}

@inline
function orNone(context: Value): Value {
  return context == NULL ? 0 : context;
}

function finishContainer(f: Frame): Value {
  appendClosing(depthOf(f), elementName(localInt(f, LOCAL_ELEMENT)));
  const result = makeList(2);
  setListItem(result, 0, local(f, LOCAL_CONTEXT));
  setListItem(result, 1, local(f, LOCAL_SEEN));
  return result;
}

// ── What is no container ──

/** The context of the leaf that was written last, or 0. */
let leafContext: Value = 0;

function tryWriteLeaf(value: Value, depth: u32, flags: u32): bool {
  if (!isWhnf(value)) {
    appendEmptyElement(depth, "unevaluated");
    return true;
  }
  switch (kindOf(value)) {
    case KIND_LIST:
    case KIND_ATTRS:
      return false;
    case KIND_STRING:
      leafContext = stringContext(value);
      writeStringElement(depth, "string", value);
      return true;
    case KIND_PATH:
      writeStringElement(depth, "path", value);
      return true;
    case KIND_NULL:
      appendEmptyElement(depth, "null");
      return true;
    case KIND_LAMBDA:
      writeLambda(value, depth, flags);
      return true;
    case KIND_INT:
    case KIND_BOOL:
    case KIND_FLOAT:
      writeScalar(value, depth);
      return true;
    default:
      appendEmptyElement(depth, "unevaluated");
      return true;
  }
}

function writeStringElement(depth: u32, name: string, value: Value): void {
  beginTag(depth, name);
  appendAttribute("value", value);
  endEmptyTag();
}

function writeScalar(value: Value, depth: u32): void {
  const kind = kindOf(value);
  beginTag(depth, kind == KIND_INT ? "int" : kind == KIND_BOOL ? "bool" : "float");
  beginAttribute("value");
  if (kind == KIND_INT) appendInteger(intOf(value));
  else if (kind == KIND_BOOL) appendText(value == TRUE ? "true" : "false");
  else appendFloatG6(floatOf(value));
  endAttribute();
  endEmptyTag();
}

function writeLambda(lambda: Value, depth: u32, flags: u32): void {
  const block = changetype<Block>(lambdaBlock(lambda));
  beginTag(depth, "function");
  if ((flags & XML_LOCATIONS) != 0) {
    appendLineAndColumn(block.position);
    appendSourcePath(block.position);
  }
  endTag();
  if (block.formals == 0) writeName(depth + 1, "varpat", block.argument);
  else writeFormals(block, depth + 1);
  appendClosing(depth, "function");
}

function writeName(depth: u32, element: string, name: Symbol): void {
  beginTag(depth, element);
  appendAttribute("name", symbolName(name));
  endEmptyTag();
}

function writeFormals(block: Block, depth: u32): void {
  const formals = block.formals;
  beginTag(depth, "attrspat");
  if (formalsEllipsis(formals)) {
    beginAttribute("ellipsis");
    appendByte(0x31);
    endAttribute();
  }
  if (block.argument != 0) appendAttribute("name", symbolName(block.argument));
  endTag();
  const count = formalsCount(formals);
  let last: Symbol = 0;
  for (let i: u32 = 0; i < count; i++) {
    last = nextFormal(block, last);
    writeName(depth + 1, "attr", last);
  }
  appendClosing(depth, "attrspat");
}

/** The formal whose name follows `last` bytewise; the first one after 0. */
function nextFormal(block: Block, last: Symbol): Symbol {
  const count = formalsCount(block.formals);
  let found: Symbol = 0;
  for (let i: u32 = 0; i < count; i++) {
    const name = formalSymbol(formalAt(block.formals, i));
    if (last != 0 && compareSymbols(name, last) <= 0) continue;
    if (found == 0 || compareSymbols(name, found) < 0) found = name;
  }
  return found;
}
