// Builtins that take attribute sets apart and make others of them.

import { copyWords, lowerBound, sortLongWords } from "../memory/words";
import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { compress } from "../memory/pointers";
import { REQUEST_POSITION } from "../machine/host-request";
import { Symbol, findSymbol, symbolName } from "../symbols/symbols";
import { indexAtRank, orderOf } from "../values/attr-order";
import {
  Keys,
  attrValue,
  attrsCount,
  attrsValues,
  findAttr,
  findKey,
  keyPosition,
  keySymbol,
  keysCount,
  keysOf,
  keysOrder,
  keysPositions,
  keysSymbols,
  makeAttrs,
  makeKeys,
  setAttrValue,
  setKeysOrder,
} from "../values/attrs";
import { EMPTY_ATTRS, NULL, makeBool } from "../values/constants";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt } from "../values/number";
import { makeUnplacedApply2 } from "../values/thunk";
import { Value, resolve } from "../values/value";
import { countShared } from "../operations/update";
import { notePosition } from "../images/positions-seen";
import { WITHOUT_POSITIONS, findDerived, rememberDerived } from "../operations/derived-cache";
import {
  ATTRS,
  Frame,
  LAZY,
  LIST,
  PLAIN_STRING,
  STEP_RETURN_AWAITED,
  arg,
  args1,
  args2,
  awaitHost,
  describeArgument,
  setStep,
} from "../machine/native";
import { demandAllAttrs, demandAllPlainStrings, failMissing, finishWith, offerItems } from "./demand";
import { offersSiblings } from "../machine/siblings";
import { define } from "./registry";

export function defineAttrsetBuiltins(): void {
  const names = define("attrNames", 1, args1(ATTRS), 0, attrNames);
  describeArgument(names, 0, "while evaluating the argument passed to builtins.attrNames");
  const values = define("attrValues", 1, args1(ATTRS), 0, attrValues);
  describeArgument(values, 0, "while evaluating the argument passed to builtins.attrValues");
  define("getAttr", 2, args2(PLAIN_STRING, ATTRS), 0, getAttr);
  define("hasAttr", 2, args2(PLAIN_STRING, ATTRS), 0, hasAttr);
  define("unsafeGetAttrPos", 2, args2(PLAIN_STRING, ATTRS), 0, unsafeGetAttrPos);
  define("mapAttrs", 2, args2(LAZY, ATTRS), 0, mapAttrs);
  define("removeAttrs", 2, args2(ATTRS, LIST), 1, removeAttrs);
  define("intersectAttrs", 2, args2(ATTRS, ATTRS), 0, intersectAttrs);
  offersSiblings(define("catAttrs", 2, args2(PLAIN_STRING, LIST), 2, catAttrs), offerSets);
}

// ── Names and values ──

function attrNames(f: Frame): Value {
  const keys = keysOf(arg(f, 0));
  const count = keysCount(keys);
  const order = orderOf(keys);
  const list = makeList(count);
  for (let i: u32 = 0; i < count; i++) setListItem(list, i, symbolName(keySymbol(keys, indexAtRank(order, i))));
  return list;
}

function attrValues(f: Frame): Value {
  const attrs = arg(f, 0);
  const count = attrsCount(attrs);
  const order = orderOf(keysOf(attrs));
  const list = makeList(count);
  for (let i: u32 = 0; i < count; i++) setListItem(list, i, attrValue(attrs, indexAtRank(order, i)));
  return list;
}

/** The index of the attribute that a STRING names, or -1: what nobody has interned is no attribute of anything. */
@inline
function findNamed(attrs: Value, name: Value): i32 {
  const symbol = findSymbol(name);
  return symbol == 0 ? -1 : findKey(keysOf(attrs), symbol);
}

function getAttr(f: Frame): Value {
  const index = findNamed(arg(f, 1), arg(f, 0));
  if (index < 0) return failMissing(f, arg(f, 0), "in the attribute set under consideration");
  return finishWith(f, attrValue(arg(f, 1), <u32>index));
}

function hasAttr(f: Frame): Value {
  return makeBool(findNamed(arg(f, 1), arg(f, 0)) >= 0);
}

function unsafeGetAttrPos(f: Frame): Value {
  const index = findNamed(arg(f, 1), arg(f, 0));
  if (index < 0) return NULL;
  const position = keyPosition(keysOf(arg(f, 1)), <u32>index);
  notePosition(arg(f, 1), position);
  if (position == 0) return NULL;
  setStep(f, STEP_RETURN_AWAITED);
  return awaitHost(f, REQUEST_POSITION, makeSmallInt(position));
}

// ── mapAttrs ──

/** What it makes has no positions. */
function mapAttrs(f: Frame): Value {
  const callee = arg(f, 0);
  const attrs = arg(f, 1);
  const count = attrsCount(attrs);
  if (count == 0) return attrs;
  const keys = withoutPositions(keysOf(attrs));
  const mapped = makeAttrs(keys);
  for (let i: u32 = 0; i < count; i++) {
    setAttrValue(mapped, i, makeUnplacedApply2(callee, symbolName(keySymbol(keys, i)), attrValue(attrs, i)));
  }
  return mapped;
}

function withoutPositions(keys: Keys): Keys {
  const count = keysCount(keys);
  const known = findDerived(compress(keys), WITHOUT_POSITIONS, count);
  if (known != 0) return known;
  if (!hasPositions(keys)) return keys;
  const bare = makeKeys(count);
  copyWords(keysSymbols(bare), keysSymbols(keys), count);
  memory.fill(keysPositions(bare), 0, count << 2);
  setKeysOrder(bare, keysOrder(keys));
  rememberDerived(compress(keys), WITHOUT_POSITIONS, count, bare);
  return bare;
}

function hasPositions(keys: Keys): bool {
  const count = keysCount(keys);
  for (let i: u32 = 0; i < count; i++) if (keyPosition(keys, i) != 0) return true;
  return false;
}

// ── removeAttrs ──

const INDEX: u32 = 0;

function removeAttrs(f: Frame): Value {
  const attrs = arg(f, 0);
  const names = arg(f, 1);
  const message = "while evaluating the values of the second argument passed to builtins.removeAttrs";
  if (!demandAllPlainStrings(f, names, INDEX, message)) return 0;
  const count = listLength(names);
  const indices = allocate(count << 3);
  let found: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = findNamed(attrs, resolve(listItem(names, i)));
    if (index >= 0) store<u64>(indices + (found++ << 3), <u64>index);
  }
  if (found == 0) return attrs;
  sortLongWords(indices, found);
  return withoutIndices(attrs, indices, dropRepeated(indices, found));
}

/** Keeps one of each in ascending 64-bit words; returns how many are left. */
function dropRepeated(words: Address, count: u32): u32 {
  let kept: u32 = 1;
  for (let i: u32 = 1; i < count; i++) {
    const word = load<u64>(words + (i << 3));
    if (word != load<u64>(words + ((kept - 1) << 3))) store<u64>(words + (kept++ << 3), word);
  }
  return kept;
}

/** The attributes of a set but for those at `removed` ascending indices, which are 64-bit words. */
function withoutIndices(attrs: Value, indices: Address, removed: u32): Value {
  const count = attrsCount(attrs);
  if (removed == count) return EMPTY_ATTRS;
  const keys = keysOf(attrs);
  const restKeys = makeKeys(count - removed);
  const rest = makeAttrs(restKeys);
  let from: u32 = 0;
  let to: u32 = 0;
  for (let i: u32 = 0; i <= removed; i++) {
    const end = i == removed ? count : load<u32>(indices + (i << 3));
    copyWords(keysSymbols(restKeys) + (to << 2), keysSymbols(keys) + (from << 2), end - from);
    copyWords(keysPositions(restKeys) + (to << 2), keysPositions(keys) + (from << 2), end - from);
    copyWords(attrsValues(rest) + (to << 2), attrsValues(attrs) + (from << 2), end - from);
    to += end - from;
    from = end + 1;
  }
  return rest;
}

// ── intersectAttrs ──

/** The attributes of the second set whose names the first one has. */
function intersectAttrs(f: Frame): Value {
  const names = keysOf(arg(f, 0));
  const attrs = arg(f, 1);
  const keys = keysOf(attrs);
  const shared = countShared(names, keys);
  if (shared == keysCount(keys)) return attrs;
  if (shared == 0) return EMPTY_ATTRS;
  const sharedKeys = makeKeys(shared);
  const result = makeAttrs(sharedKeys);
  let i: u32 = 0;
  let j: u32 = 0;
  let at: u32 = 0;
  while (at < shared) {
    const symbol = keySymbol(keys, j);
    i = lowerBound(keysSymbols(names), i, keysCount(names), symbol);
    if (keySymbol(names, i) != symbol) {
      j = lowerBound(keysSymbols(keys), j, keysCount(keys), keySymbol(names, i));
      continue;
    }
    store<u32>(keysSymbols(sharedKeys) + (at << 2), symbol);
    store<u32>(keysPositions(sharedKeys) + (at << 2), keyPosition(keys, j));
    setAttrValue(result, at, attrValue(attrs, j));
    at++;
    j++;
  }
  return result;
}

// ── catAttrs ──

/** The first set that has not been offered to other fibers. */
const OFFERED: u32 = 1;

function offerSets(f: Frame): void {
  offerItems(f, arg(f, 1), INDEX, OFFERED);
}

function catAttrs(f: Frame): Value {
  const list = arg(f, 1);
  const message = "while evaluating an element in the list passed as second argument to builtins.catAttrs";
  if (!demandAllAttrs(f, list, INDEX, message)) return 0;
  const symbol = findSymbol(arg(f, 0));
  const found: u32 = symbol == 0 ? 0 : countWith(list, symbol);
  const result = makeList(found);
  let at: u32 = 0;
  for (let i: u32 = 0; at < found; i++) {
    const value = findAttr(resolve(listItem(list, i)), symbol);
    if (value != 0) setListItem(result, at++, value);
  }
  return result;
}

/** How many sets of the list have the attribute. */
function countWith(list: Value, symbol: Symbol): u32 {
  const length = listLength(list);
  let found: u32 = 0;
  for (let i: u32 = 0; i < length; i++) if (findAttr(resolve(listItem(list, i)), symbol) != 0) found++;
  return found;
}
