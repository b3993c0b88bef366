// Attribute sets made of lists: listToAttrs, zipAttrsWith.
//
// Both first see to it that all they need of the list is forced. Then the names are sorted, as 64-bit words with the
// symbol above the place where it stood, so that what belongs to one name is together and in the order of the list.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { sortLongWords } from "../memory/words";
import { compress, decompress } from "../memory/pointers";
import { SYMBOL_NAME, SYMBOL_VALUE } from "../symbols/known";
import { Symbol, internString, symbolName } from "../symbols/symbols";
import {
  attrValue,
  attrsCount,
  findKey,
  keyPosition,
  keySymbol,
  keysOf,
  makeAttrs,
  makeKeys,
  setAttrValue,
  setKey,
} from "../values/attrs";
import { EMPTY_ATTRS } from "../values/constants";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { stringContext } from "../values/string";
import { makeApply2 } from "../values/thunk";
import { Value, isString, isWhnf, resolve } from "../values/value";
import {
  FUNCTION,
  Frame,
  LIST,
  arg,
  args1,
  args2,
  awaitForce,
  clearContext,
  describeArgument,
  localInt,
  setLocalInt,
} from "../machine/native";
import { setMessageAtPosition } from "../derivation/trace-context";
import { raiseContextNotAllowed } from "../operations/context-error";
import { raiseTypeMismatch } from "../operations/type-names";
import { demandAllAttrs, expectAttr, expectAttrs, failMissing, offerItems } from "./demand";
import { offersSiblings } from "../machine/siblings";
import { define } from "./registry";

export function defineAttrsFromListBuiltins(): void {
  const builtin = define("listToAttrs", 1, args1(LIST), 2, listToAttrs);
  offersSiblings(builtin, offerPairs);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.listToAttrs");
  define("zipAttrsWith", 2, args2(FUNCTION, LIST), 1, zipAttrsWith);
}

const INDEX: u32 = 0;

/** How many of the sorted words stand for another name than the word before. */
function countNames(words: Address, count: u32): u32 {
  let names: u32 = count == 0 ? 0 : 1;
  for (let i: u32 = 1; i < count; i++) if (nameOf(words, i) != nameOf(words, i - 1)) names++;
  return names;
}

@inline
function nameOf(words: Address, index: u32): Symbol {
  return load<u32>(words + (index << 3), 4);
}

@inline
function placeOf(words: Address, index: u32): u32 {
  return load<u32>(words + (index << 3));
}

@inline
function setWord(words: Address, index: u32, name: Symbol, place: u32): void {
  store<u64>(words + (index << 3), ((<u64>name) << 32) | <u64>place);
}

/** Where the words of the name at `start` end. */
function endOfName(words: Address, count: u32, start: u32): u32 {
  const name = nameOf(words, start);
  let end = start + 1;
  while (end < count && nameOf(words, end) == name) end++;
  return end;
}

// ── listToAttrs ──

const PAIR = "in a {name=...; value=...;} pair";

/** The first pair that has not been offered to other fibers. */
const OFFERED: u32 = 1;

function offerPairs(f: Frame): void {
  offerItems(f, arg(f, 0), INDEX, OFFERED);
}

/** Of several pairs with one name the first counts; the values of the others need not even be there. */
function listToAttrs(f: Frame): Value {
  const list = arg(f, 0);
  const length = listLength(list);
  for (let i = localInt(f, INDEX); i < length; i++) {
    if (demandPair(f, resolve(listItem(list, i)))) continue;
    setLocalInt(f, INDEX, i);
    return 0;
  }
  if (length == 0) return EMPTY_ATTRS;
  clearContext(f);
  const words = allocate(length << 3);
  for (let i: u32 = 0; i < length; i++) {
    const pair = resolve(listItem(list, i));
    const name = attrValue(pair, <u32>findKey(keysOf(pair), SYMBOL_NAME));
    setWord(words, i, internString(resolve(name)), i);
  }
  sortLongWords(words, length);
  return attrsOfPairs(f, list, words);
}

/** Sees to it that `pair` is a set whose name is known. False: the builtin waits. */
function demandPair(f: Frame, pair: Value): bool {
  if (!isWhnf(pair)) {
    clearContext(f);
    awaitForce(f, pair);
    return false;
  }
  expectAttrs(f, pair, "while evaluating an element of the list passed to builtins.listToAttrs");
  const name = resolve(expectAttr(f, pair, SYMBOL_NAME, PAIR));
  if (isString(name) && stringContext(name) == 0) return true;
  const message = "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs";
  const position = keyPosition(keysOf(pair), <u32>findKey(keysOf(pair), SYMBOL_NAME));
  setMessageAtPosition(f, message, position);
  if (isString(name)) raiseContextNotAllowed(name);
  if (isWhnf(name)) raiseTypeMismatch(name, "a string", position);
  awaitForce(f, name);
  return false;
}

function attrsOfPairs(f: Frame, list: Value, words: Address): Value {
  const length = listLength(list);
  const keys = makeKeys(countNames(words, length));
  const attrs = makeAttrs(keys);
  let at: u32 = 0;
  for (let i: u32 = 0; i < length; i = endOfName(words, length, i)) {
    const pair = resolve(listItem(list, placeOf(words, i)));
    const index = findKey(keysOf(pair), SYMBOL_VALUE);
    if (index < 0) return failMissing(f, symbolName(SYMBOL_VALUE), PAIR);
    setKey(keys, at, nameOf(words, i), keyPosition(keysOf(pair), <u32>index));
    setAttrValue(attrs, at, attrValue(pair, <u32>index));
    at++;
  }
  return attrs;
}

// ── zipAttrsWith ──

function zipAttrsWith(f: Frame): Value {
  const list = arg(f, 1);
  const message = "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith";
  if (!demandAllAttrs(f, list, INDEX, message)) return 0;
  const length = listLength(list);
  let total: u32 = 0;
  for (let i: u32 = 0; i < length; i++) total += attrsCount(resolve(listItem(list, i)));
  if (total == 0) return EMPTY_ATTRS;
  const values = allocate(((total << 2) + 7) & ~7);
  const words = allocate(total << 3);
  let at: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const attrs = resolve(listItem(list, i));
    const keys = keysOf(attrs);
    const count = attrsCount(attrs);
    for (let j: u32 = 0; j < count; j++) {
      store<u32>(values + (at << 2), compress(attrValue(attrs, j)));
      setWord(words, at, keySymbol(keys, j), at);
      at++;
    }
  }
  sortLongWords(words, total);
  return zipped(arg(f, 0), words, values, total);
}

/** For each name the call of `callee` with it and the list of its values. */
function zipped(callee: Value, words: Address, values: Address, total: u32): Value {
  const keys = makeKeys(countNames(words, total));
  const attrs = makeAttrs(keys);
  let at: u32 = 0;
  let start: u32 = 0;
  while (start < total) {
    const end = endOfName(words, total, start);
    const list = makeList(end - start);
    for (let i = start; i < end; i++) setListItem(list, i - start, decompress(load<u32>(values + (placeOf(words, i) << 2))));
    const name = nameOf(words, start);
    setKey(keys, at, name, 0);
    setAttrValue(attrs, at, makeApply2(callee, symbolName(name), list));
    at++;
    start = end;
  }
  return attrs;
}
