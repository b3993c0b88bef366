// Builtins on string contexts: hasContext, getContext, appendContext, and those that drop or change elements.

import { appendInteger, appendText } from "../memory/text";
import { Symbol, compareSymbols, internString, internText, symbolName } from "../symbols/symbols";
import { SYMBOL_OUTPUTS, SYMBOL_PATH } from "../symbols/known";
import { attrValue, attrsCount, findKey, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { EMPTY_ATTRS, TRUE, makeBool } from "../values/constants";
import { contextCount, contextElement, singletonContext } from "../values/context";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { makeStringWithContext, makeString, stringBytes, stringContext, stringLength } from "../values/string";
import { KIND_BOOL, Value, isAttrs, isList, isString, isWhnf, kindOf, resolve } from "../values/value";
import {
  ATTRS,
  Frame,
  LAZY,
  STRING,
  arg,
  args1,
  args2,
  awaitForce,
  awaitHost,
  clearContext,
  describeArgument,
  local,
  localInt,
  setLocal,
  setLocalInt,
} from "../machine/native";
import { REQUEST_ENSURE_PATH } from "../machine/host-request";
import { ERROR_EVAL, beginError, errorQuoted, raiseError } from "../errors/raise";
import { writesStore } from "../derivation/settings";
import { COERCE_DEFAULT } from "../operations/coerce";
import { raiseContextNotAllowed } from "../operations/context-error";
import {
  ELEMENT_ALL_OUTPUTS,
  ELEMENT_OUTPUT,
  ELEMENT_PATH,
  allOutputsElement,
  elementKind,
  elementOutput,
  elementPath,
  outputElement,
} from "../operations/context-element";
import { isDerivationName } from "../operations/path-name";
import { isStorePath } from "../operations/store-path";
import { setMessageAtPosition } from "../derivation/trace-context";
import { raiseTypeMismatch } from "../operations/type-names";
import { appendAttributeName } from "../values/print-text";
import { coerceArgument } from "./coerced-argument";
import { define } from "./registry";

/** `allOutputs`, the name of an attribute: not the name `all` of an output. */
let symbolAllOutputs: Symbol = 0;

export function defineContextBuiltins(): void {
  symbolAllOutputs = internText("allOutputs");
  const has = define("hasContext", 1, args1(STRING), 0, hasContext);
  describeArgument(has, 0, "while evaluating the argument passed to builtins.hasContext");
  const get = define("getContext", 1, args1(STRING), 0, getContext);
  describeArgument(get, 0, "while evaluating the argument passed to builtins.getContext");
  define("appendContext", 2, args2(STRING, ATTRS), 3, appendContext);
  define("unsafeDiscardStringContext", 1, args1(LAZY), 0, discardContext);
  define("unsafeDiscardOutputDependency", 1, args1(LAZY), 0, discardOutputDependency);
  define("addDrvOutputDependencies", 1, args1(LAZY), 0, addOutputDependencies);
}

function hasContext(f: Frame): Value {
  return makeBool(stringContext(arg(f, 0)) != 0);
}

// ── getContext ──

function getContext(f: Frame): Value {
  const context = stringContext(arg(f, 0));
  const count = contextCount(context);
  if (count == 0) return EMPTY_ATTRS;
  // Elements of one path come together when they are sorted by its symbol.
  const elements = sortedElements(context, count);
  const mark = beginAttrs();
  let from: u32 = 0;
  while (from < count) {
    const path = elementPath(sortedElement(elements, from));
    let to = from + 1;
    while (to < count && elementPath(sortedElement(elements, to)) == path) to++;
    addAttr(path, describePath(elements, from, to));
    from = to;
  }
  return endAttrs(mark);
}

/** What the elements `from` … `to`, all of one path, say of it. */
function describePath(elements: Value, from: u32, to: u32): Value {
  const mark = beginAttrs();
  let outputs: u32 = 0;
  for (let i = from; i < to; i++) {
    const kind = elementKind(sortedElement(elements, i));
    if (kind == ELEMENT_PATH) addAttr(SYMBOL_PATH, TRUE);
    else if (kind == ELEMENT_ALL_OUTPUTS) addAttr(symbolAllOutputs, TRUE);
    else outputs++;
  }
  if (outputs != 0) addAttr(SYMBOL_OUTPUTS, outputNames(elements, from, to, outputs));
  return endAttrs(mark);
}

function outputNames(elements: Value, from: u32, to: u32, count: u32): Value {
  const names = makeList(count);
  let index: u32 = 0;
  for (let i = from; i < to; i++) {
    const element = sortedElement(elements, i);
    if (elementKind(element) == ELEMENT_OUTPUT) setListItem(names, index++, symbolName(elementOutput(element)));
  }
  return names;
}

/** The symbols of a context as the small integers of a list, ordered by path, then by name of the element. */
function sortedElements(context: Value, count: u32): Value {
  const elements = makeList(count);
  for (let i: u32 = 0; i < count; i++) setListItem(elements, i, (contextElement(context, i) << 1) | 1);
  let root = count >>> 1;
  while (root > 0) siftDown(elements, --root, count);
  let end = count;
  while (end > 1) {
    end--;
    swapItems(elements, 0, end);
    siftDown(elements, 0, end);
  }
  return elements;
}

@inline
function sortedElement(elements: Value, index: u32): Symbol {
  return <u32>listItem(elements, index) >>> 1;
}

function siftDown(elements: Value, from: u32, count: u32): void {
  let root = from;
  while (true) {
    let child: u32 = 2 * root + 1;
    if (child >= count) return;
    if (child + 1 < count && isBefore(elements, child, child + 1)) child++;
    if (!isBefore(elements, root, child)) return;
    swapItems(elements, root, child);
    root = child;
  }
}

function isBefore(elements: Value, a: u32, b: u32): bool {
  const left = sortedElement(elements, a);
  const right = sortedElement(elements, b);
  const leftPath = elementPath(left);
  const rightPath = elementPath(right);
  return leftPath < rightPath || (leftPath == rightPath && compareSymbols(left, right) < 0);
}

function swapItems(list: Value, a: u32, b: u32): void {
  const item = listItem(list, a);
  setListItem(list, a, listItem(list, b));
  setListItem(list, b, item);
}

// ── appendContext ──

/** Locals: the index of the key that is looked at; whether its path was ensured; a string with the context so far. */
const KEY: u32 = 0;
const ENSURED: u32 = 1;
const CARRIER: u32 = 2;

function appendContext(f: Frame): Value {
  const attrs = arg(f, 1);
  const count = attrsCount(attrs);
  if (local(f, CARRIER) == 0) setLocal(f, CARRIER, arg(f, 0));
  for (let i = localInt(f, KEY); i < count; i++) {
    setLocalInt(f, KEY, i);
    if (!appendKey(f, attrs, i)) return 0;
    setLocalInt(f, ENSURED, 0);
  }
  return local(f, CARRIER);
}

/** Adds what one attribute says. False: the builtin waits, and comes back to the same attribute. */
function appendKey(f: Frame, attrs: Value, index: u32): bool {
  clearContext(f);
  const path = keySymbol(keysOf(attrs), index);
  const position = keyPosition(keysOf(attrs), index);
  const name = symbolName(path);
  if (!isStorePath(stringBytes(name), stringLength(name))) failKey(name, position);
  if (writesStore && localInt(f, ENSURED) == 0) {
    setLocalInt(f, ENSURED, 1);
    awaitHost(f, REQUEST_ENSURE_PATH, name);
    return false;
  }
  const info = resolve(attrValue(attrs, index));
  if (!isAttrs(info)) return demandCollection(f, info, "a set", "while evaluating the value of a string context", position);
  const union = beginUnion();
  addToUnion(union, stringContext(local(f, CARRIER)));
  const done = addPath(f, info, path, union) && addAllOutputs(f, info, path, union, position) && addOutputs(f, info, path, union, position);
  const context = endUnion(union);
  if (done) carry(f, context);
  return done;
}

/** Makes the string in CARRIER one with `context`. */
function carry(f: Frame, context: Value): void {
  const string = arg(f, 0);
  if (context == stringContext(local(f, CARRIER))) return;
  setLocal(f, CARRIER, makeStringWithContext(stringBytes(string), stringLength(string), context));
}

function addPath(f: Frame, info: Value, path: Symbol, union: u32): bool {
  const index = findKey(keysOf(info), SYMBOL_PATH);
  if (index < 0) return true;
  const value = resolve(attrValue(info, <u32>index));
  const position = keyPosition(keysOf(info), <u32>index);
  const message = "while evaluating the `path` attribute of a string context";
  if (!isWhnf(value) || kindOf(value) != KIND_BOOL) return demandType(f, value, "a Boolean", message, position);
  if (value == TRUE) addToUnion(union, singletonContext(path));
  return true;
}

function addAllOutputs(f: Frame, info: Value, path: Symbol, union: u32, keyPlace: u32): bool {
  const index = findKey(keysOf(info), symbolAllOutputs);
  if (index < 0) return true;
  const value = resolve(attrValue(info, <u32>index));
  const position = keyPosition(keysOf(info), <u32>index);
  const message = "while evaluating the `allOutputs` attribute of a string context";
  if (!isWhnf(value) || kindOf(value) != KIND_BOOL) return demandType(f, value, "a Boolean", message, position);
  if (value != TRUE) return true;
  if (!isDerivationName(symbolName(path))) failNoDerivation("tried to add all-outputs context of ", path, keyPlace);
  addToUnion(union, singletonContext(allOutputsElement(path)));
  return true;
}

function addOutputs(f: Frame, info: Value, path: Symbol, union: u32, keyPlace: u32): bool {
  const index = findKey(keysOf(info), SYMBOL_OUTPUTS);
  if (index < 0) return true;
  const list = resolve(attrValue(info, <u32>index));
  const position = keyPosition(keysOf(info), <u32>index);
  if (!isWhnf(list) || !isList(list)) {
    return demandCollection(f, list, "a list", "while evaluating the `outputs` attribute of a string context", position);
  }
  const count = listLength(list);
  if (count != 0 && !isDerivationName(symbolName(path))) {
    failNoDerivation("tried to add derivation output context of ", path, keyPlace);
  }
  for (let i: u32 = 0; i < count; i++) {
    const name = resolve(listItem(list, i));
    const message = "while evaluating an output name within a string context";
    if (!isString(name)) return demandType(f, name, "a string", message, position);
    if (stringContext(name) != 0) {
      setMessageAtPosition(f, message, position);
      raiseContextNotAllowed(name);
    }
    addToUnion(union, singletonContext(outputElement(path, internString(name))));
  }
  return true;
}

/** Waits for a value that has to be of a type, or raises that it is not. Always false. */
function demandType(f: Frame, value: Value, what: string, message: string, position: u32): bool {
  setMessageAtPosition(f, message, position);
  if (isWhnf(value)) raiseTypeMismatch(value, what, position);
  awaitForce(f, value);
  return false;
}

/** The same for a set or a list, of which nothing is said unless it is something else. */
function demandCollection(f: Frame, value: Value, what: string, message: string, position: u32): bool {
  if (isWhnf(value)) {
    setMessageAtPosition(f, message, position);
    raiseTypeMismatch(value, what);
  }
  clearContext(f);
  awaitForce(f, value);
  return false;
}

function failKey(name: Value, position: u32): void {
  beginError(ERROR_EVAL);
  appendText("context key ");
  errorQuoted(name);
  appendText(" is not a store path");
  raiseError(position);
}

function failNoDerivation(text: string, path: Symbol, position: u32): void {
  beginError(ERROR_EVAL);
  appendText(text);
  appendAttributeName(symbolName(path));
  appendText(", which is not a derivation, to a string");
  raiseError(position);
}

// ── Changing what a string refers to ──

function discardContext(f: Frame): Value {
  const message = "while evaluating the argument passed to builtins.unsafeDiscardStringContext";
  const string = coerceArgument(f, 0, COERCE_DEFAULT, message);
  if (string == 0 || stringContext(string) == 0) return string;
  return makeString(stringBytes(string), stringLength(string));
}

function discardOutputDependency(f: Frame): Value {
  const message = "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency";
  const string = coerceArgument(f, 0, COERCE_DEFAULT, message);
  if (string == 0) return 0;
  const context = stringContext(string);
  const count = contextCount(context);
  const union = beginUnion();
  let changed = false;
  for (let i: u32 = 0; i < count; i++) {
    const element = contextElement(context, i);
    const deep = elementKind(element) == ELEMENT_ALL_OUTPUTS;
    changed = changed || deep;
    addToUnion(union, singletonContext(deep ? elementPath(element) : element));
  }
  const simple = endUnion(union);
  return changed ? makeStringWithContext(stringBytes(string), stringLength(string), simple) : string;
}

function addOutputDependencies(f: Frame): Value {
  const message = "while evaluating the argument passed to builtins.addDrvOutputDependencies";
  const string = coerceArgument(f, 0, COERCE_DEFAULT, message);
  if (string == 0) return 0;
  const context = stringContext(string);
  if (contextCount(context) != 1) failContextSize(string, contextCount(context));
  const element = contextElement(context, 0);
  const kind = elementKind(element);
  if (kind == ELEMENT_ALL_OUTPUTS) return string;
  if (kind == ELEMENT_OUTPUT) failOutput(element);
  if (!isDerivationName(symbolName(element))) failPath(element);
  const deep = singletonContext(allOutputsElement(element));
  return makeStringWithContext(stringBytes(string), stringLength(string), deep);
}

function failContextSize(string: Value, count: u32): void {
  beginError(ERROR_EVAL);
  appendText("context of string ");
  errorQuoted(string);
  appendText(" must have exactly one element, but has ");
  appendInteger(<i64>count);
  raiseError();
}

function failOutput(element: Symbol): void {
  beginError(ERROR_EVAL);
  appendText("`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as ");
  errorQuoted(symbolName(elementOutput(element)));
  raiseError();
}

function failPath(path: Symbol): void {
  beginError(ERROR_EVAL);
  appendText("path ");
  errorQuoted(symbolName(path));
  appendText(" is not a derivation");
  raiseError();
}
