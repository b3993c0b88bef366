// Builtins that ask something about each item of a list: all, any, filter, partition, elem, groupBy.

import { sortLongWords } from "../memory/words";
import { allocate } from "../memory/heap";
import { Address } from "../memory/chunks";
import { SYMBOL_RIGHT, SYMBOL_WRONG } from "../symbols/known";
import { Symbol, internString } from "../symbols/symbols";
import { makeAttrs, makeKeys, setAttrValue, setKey } from "../values/attrs";
import { EMPTY_ATTRS, FALSE, TRUE, makeBool } from "../values/constants";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { Value, isWhnf, resolve } from "../values/value";
import { EQUAL_SLOTS, equalSlotsNow } from "../operations/equality";
import { copyList, sliceList } from "../operations/concat";
import {
  FUNCTION,
  Frame,
  LAZY,
  LIST,
  arg,
  args2,
  awaitCall1,
  awaitForce,
  awaitNative2,
  awaited,
  local,
  localInt,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { demandFunction, expectBool, expectPlainString, offerCalls } from "./demand";
import { offersSiblings } from "../machine/siblings";
import { define } from "./registry";

export function defineListPredicateBuiltins(): void {
  define("all", 2, args2(FUNCTION, LIST), 1, all);
  define("any", 2, args2(FUNCTION, LIST), 1, any);
  define("elem", 2, args2(LAZY, LIST), 1, elem);
  offersSiblings(define("filter", 2, args2(LAZY, LIST), 4, filter), offerFiltered);
  define("partition", 2, args2(FUNCTION, LIST), 3, partition);
  define("groupBy", 2, args2(FUNCTION, LIST), 2, groupBy);
}

/** The item that is being asked about. */
const INDEX: u32 = 0;
const ASKED: u32 = 1;

function all(f: Frame): Value {
  return decide(f, false, "while evaluating the return value of the function passed to builtins.all");
}

function any(f: Frame): Value {
  return decide(f, true, "while evaluating the return value of the function passed to builtins.any");
}

/** Asks until the answer is `decisive`. */
function decide(f: Frame, decisive: bool, message: string): Value {
  const list = arg(f, 1);
  let index = localInt(f, INDEX);
  if (step(f) == ASKED) {
    if (expectBool(f, awaited(), message) == decisive) return makeBool(decisive);
    index++;
  }
  if (index == listLength(list)) return makeBool(!decisive);
  setLocalInt(f, INDEX, index);
  setStep(f, ASKED);
  return awaitCall1(f, arg(f, 0), listItem(list, index));
}

function elem(f: Frame): Value {
  const wanted = arg(f, 0);
  const list = arg(f, 1);
  const length = listLength(list);
  let index = localInt(f, INDEX);
  if (step(f) == ASKED) {
    if (awaited() == TRUE) return TRUE;
    index++;
  }
  while (index < length) {
    const equal = equalSlotsNow(wanted, listItem(list, index));
    if (equal > 0) return TRUE;
    if (equal < 0) {
      setLocalInt(f, INDEX, index);
      setStep(f, ASKED);
      return awaitNative2(f, EQUAL_SLOTS, wanted, listItem(list, index));
    }
    index++;
  }
  return FALSE;
}

// ── filter ──

/** How many of the items before INDEX stay. */
const KEPT: u32 = 1;
/** Once an item does not stay, a copy of the list with those that do at its start; before that 0. */
const KEPT_ITEMS: u32 = 2;

function filter(f: Frame): Value {
  const list = arg(f, 1);
  let index = localInt(f, INDEX);
  if (step(f) == ASKED) {
    const message = "while evaluating the return value of the filtering function passed to builtins.filter";
    noteFiltered(f, list, index, expectBool(f, awaited(), message));
    index++;
    if (index == listLength(list)) return filtered(f, list);
  } else {
    if (listLength(list) == 0) return list;
    if (!demandFunction(f, 0, "while evaluating the first argument passed to builtins.filter")) return 0;
    setStep(f, ASKED);
  }
  setLocalInt(f, INDEX, index);
  return awaitCall1(f, arg(f, 0), listItem(list, index));
}

/** The first item that has not been offered to other fibers. */
const FILTER_OFFERED: u32 = 3;

function offerFiltered(f: Frame): void {
  if (step(f) == ASKED) offerCalls(f, arg(f, 0), arg(f, 1), INDEX, FILTER_OFFERED);
}

function noteFiltered(f: Frame, list: Value, index: u32, stays: bool): void {
  if (!stays) {
    if (local(f, KEPT_ITEMS) == 0) setLocal(f, KEPT_ITEMS, copyList(list));
    return;
  }
  const kept = localInt(f, KEPT);
  if (local(f, KEPT_ITEMS) != 0) setListItem(local(f, KEPT_ITEMS), kept, listItem(list, index));
  setLocalInt(f, KEPT, kept + 1);
}

function filtered(f: Frame, list: Value): Value {
  const items = local(f, KEPT_ITEMS);
  return items == 0 ? list : sliceList(items, 0, localInt(f, KEPT));
}

// ── partition ──

/** How many items are right, so far. */
const RIGHT: u32 = 1;
/** A copy of the list with the right items at its start and the wrong ones, last first, at its end. */
const PARTED: u32 = 2;

function partition(f: Frame): Value {
  const list = arg(f, 1);
  const length = listLength(list);
  let index = localInt(f, INDEX);
  if (step(f) == ASKED) {
    const message = "while evaluating the return value of the partition function passed to builtins.partition";
    notePart(f, list, index, expectBool(f, awaited(), message));
    index++;
    setLocalInt(f, INDEX, index);
    setStep(f, 0);
  } else if (local(f, PARTED) == 0) setLocal(f, PARTED, copyList(list));
  if (index == length) return parts(f, length);
  const item = resolve(listItem(list, index));
  if (!isWhnf(item)) return awaitForce(f, item);
  setStep(f, ASKED);
  return awaitCall1(f, arg(f, 0), listItem(list, index));
}

function notePart(f: Frame, list: Value, index: u32, isRight: bool): void {
  const right = localInt(f, RIGHT);
  const wrong = index - right;
  setListItem(local(f, PARTED), isRight ? right : listLength(list) - 1 - wrong, listItem(list, index));
  if (isRight) setLocalInt(f, RIGHT, right + 1);
}

function parts(f: Frame, length: u32): Value {
  const parted = local(f, PARTED);
  const rightCount = localInt(f, RIGHT);
  const wrong = makeList(length - rightCount);
  for (let i = rightCount; i < length; i++) setListItem(wrong, length - 1 - i, listItem(parted, i));
  const keys = makeKeys(2);
  setKey(keys, 0, SYMBOL_RIGHT, 0);
  setKey(keys, 1, SYMBOL_WRONG, 0);
  const attrs = makeAttrs(keys);
  setAttrValue(attrs, 0, sliceList(parted, 0, rightCount));
  setAttrValue(attrs, 1, wrong);
  return attrs;
}

// ── groupBy ──

/** A copy of the list in which each item has made room for the symbol of its group, a small integer. */
const GROUPS: u32 = 1;

function groupBy(f: Frame): Value {
  const list = arg(f, 1);
  let index = localInt(f, INDEX);
  if (step(f) == ASKED) {
    const message = "while evaluating the return value of the grouping function passed to builtins.groupBy";
    expectPlainString(f, awaited(), message);
    setListItem(local(f, GROUPS), index, makeSmallInt(internString(awaited())));
    index++;
  } else {
    if (listLength(list) == 0) return EMPTY_ATTRS;
    setLocal(f, GROUPS, copyList(list));
    setStep(f, ASKED);
  }
  if (index == listLength(list)) return grouped(list, local(f, GROUPS));
  setLocalInt(f, INDEX, index);
  return awaitCall1(f, arg(f, 0), listItem(list, index));
}

/** Sorts words of [index][symbol], so that equal symbols are together and in the order of the list. */
function grouped(list: Value, groups: Value): Value {
  const length = listLength(list);
  const words = allocate(length << 3);
  for (let i: u32 = 0; i < length; i++) {
    store<u64>(words + (i << 3), ((<u64>smallInt(listItem(groups, i))) << 32) | <u64>i);
  }
  sortLongWords(words, length);
  const keys = makeKeys(countGroups(words, length));
  const attrs = makeAttrs(keys);
  let group: u32 = 0;
  let start: u32 = 0;
  while (start < length) {
    const symbol = wordSymbol(words, start);
    let end = start + 1;
    while (end < length && wordSymbol(words, end) == symbol) end++;
    const members = makeList(end - start);
    for (let i = start; i < end; i++) setListItem(members, i - start, listItem(list, load<u32>(words + (i << 3))));
    setKey(keys, group, symbol, 0);
    setAttrValue(attrs, group, members);
    group++;
    start = end;
  }
  return attrs;
}

@inline
function wordSymbol(words: Address, index: u32): Symbol {
  return load<u32>(words + (index << 3), 4);
}

function countGroups(words: Address, length: u32): u32 {
  let groups: u32 = 1;
  for (let i: u32 = 1; i < length; i++) if (wordSymbol(words, i) != wordSymbol(words, i - 1)) groups++;
  return groups;
}
