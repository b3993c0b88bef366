// Printing, comparing and coercing values without the machine: what tests/values.test.ts calls. Values are made from JSON.
import { Address } from "../../assembly/memory/chunks";
import { textMark } from "../../assembly/memory/text";
import { initializeSymbols } from "../../assembly/symbols/symbols";
import { initializeKnownSymbols } from "../../assembly/symbols/known";
import { appendFloatF6, appendFloatG6, appendFloatShortest } from "../../assembly/numbers/print-float";
import { coerceNow } from "../../assembly/operations/coerce";
import { compareNow } from "../../assembly/operations/comparison";
import { joinStrings as join } from "../../assembly/operations/concat-strings";
import { equalNow } from "../../assembly/operations/equality";
import { appendCanonicalPath, isCanonicalPath } from "../../assembly/operations/path-name";
import { preparePatterns, replacePatterns } from "../../assembly/operations/replace-strings";
import { isStoreName, isStorePathName } from "../../assembly/operations/store-path";
import { compareVersions } from "../../assembly/operations/versions";
import { appendTypeName } from "../../assembly/operations/type-names";
import { readJson } from "../../assembly/formats/read-json";
import { initializeConstants } from "../../assembly/values/constants";
import { contextCount, contextElement, singletonContext } from "../../assembly/values/context";
import { addToUnion, beginUnion, endUnion } from "../../assembly/values/context-union";
import { appendAmbiguous, appendErrorValue, appendValue } from "../../assembly/values/print";
import { listItem, setListItem } from "../../assembly/values/list";
import { makeStringOfLength, stringBytes, stringLength, takeTextAsString } from "../../assembly/values/string";
import { Value } from "../../assembly/values/value";

export function initialize(): void {
  initializeConstants();
  initializeSymbols();
  initializeKnownSymbols();
}

/** A string of `length` bytes, to be written at `bytesOf`. */
export function makeText(length: u32): Value {
  return makeStringOfLength(length);
}

export function bytesOf(string: Value): Address {
  return stringBytes(string);
}

export function lengthOf(string: Value): u32 {
  return stringLength(string);
}

export function fromJson(text: Value): Value {
  return readJson(text, 0);
}

/** The list with its item `to` made the same slot as its item `from`. */
export function share(list: Value, from: u32, to: u32): Value {
  setListItem(list, to, listItem(list, from));
  return list;
}

export function ambiguous(value: Value): Value {
  const mark = textMark();
  appendAmbiguous(value);
  return takeTextAsString(mark);
}

export function printed(value: Value): Value {
  const mark = textMark();
  appendValue(value);
  return takeTextAsString(mark);
}

export function errorText(value: Value): Value {
  const mark = textMark();
  appendErrorValue(value);
  return takeTextAsString(mark);
}

export function typeName(value: Value): Value {
  const mark = textMark();
  appendTypeName(value);
  return takeTextAsString(mark);
}

export function equal(a: Value, b: Value): i32 {
  return equalNow(a, b);
}

export function compare(a: Value, b: Value): i32 {
  return compareNow(a, b);
}

/** The string, or 0. */
export function coerce(value: Value, flags: u32): Value {
  return coerceNow(value, flags);
}

export function general(x: f64): Value {
  const mark = textMark();
  appendFloatG6(x);
  return takeTextAsString(mark);
}

export function fixed(x: f64): Value {
  const mark = textMark();
  appendFloatF6(x);
  return takeTextAsString(mark);
}

export function shortest(x: f64): Value {
  const mark = textMark();
  appendFloatShortest(x);
  return takeTextAsString(mark);
}

export function canonicalPath(path: Value): Value {
  const mark = textMark();
  appendCanonicalPath(stringBytes(path), stringLength(path));
  return takeTextAsString(mark);
}

export function isCanonical(path: Value): bool {
  return isCanonicalPath(stringBytes(path), stringLength(path));
}

export function versions(a: Value, b: Value): i32 {
  return compareVersions(stringBytes(a), stringLength(a), stringBytes(b), stringLength(b));
}

export function storeName(name: Value): bool {
  return isStoreName(stringBytes(name), stringLength(name));
}

export function storePathName(name: Value): bool {
  return isStorePathName(stringBytes(name), stringLength(name));
}

export function replace(text: Value, patterns: Value, replacements: Value): Value {
  const mark = textMark();
  const union = beginUnion();
  preparePatterns(patterns);
  replacePatterns(text, patterns, replacements, 0, true, union);
  return takeTextAsString(mark, endUnion(union));
}

export function joinStrings(strings: Value, separator: Value): Value {
  return join(strings, separator);
}

/** Unites the contexts {first}, {first + step}, … (modulo `range`) and returns how many elements there are, 0 if not ascending. */
export function uniteContexts(count: u32, first: u32, step: u32, range: u32): u32 {
  const mark = beginUnion();
  for (let i: u32 = 0; i < count; i++) addToUnion(mark, singletonContext(1 + ((first + i * step) % range)));
  const context = endUnion(mark);
  const size = contextCount(context);
  for (let i: u32 = 1; i < size; i++) if (contextElement(context, i - 1) >= contextElement(context, i)) return 0;
  return size;
}
