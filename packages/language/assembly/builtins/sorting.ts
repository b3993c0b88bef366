// `sort`: a stable natural merge sort (Knuth, TAOCP 3, 5.2.4), which can wait in the middle of every comparison.
//
// First the runs that are in order already are found; those in strictly descending order are turned round. Then passes
// merge neighbouring runs until one is left. A list in order takes n-1 comparisons and is returned as it is. The
// answers need not be those of an order: whatever they are, the result has the items of the list.
//
// All that a comparison needs afterwards is in locals: FROM and TO are lists of the same length, which passes read and
// write in turn; STARTS is a list of small integers, the index of each run's first item, and after them the length.

import { Address } from "../memory/chunks";
import { copyWords } from "../memory/words";
import { TRUE } from "../values/constants";
import { listItem, listItems, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { Value, isWhnf, resolve } from "../values/value";
import { INCOMPARABLE, LESS_THAN, compareNow } from "../operations/comparison";
import { copyList } from "../operations/concat";
import {
  Frame,
  LAZY,
  LIST,
  arg,
  args2,
  awaitCall2,
  awaitForce,
  awaitNative2,
  awaited,
  local,
  localInt,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { LESS_THAN_BUILTIN } from "./arithmetic";
import { demandFunction, expectBool } from "./demand";
import { define } from "./registry";

export function defineSortingBuiltins(): void {
  define("sort", 2, args2(LAZY, LIST), 9, sort);
}

const FORCING: u32 = 0;
const FINDING_RUNS: u32 = 1;
const RUN_ANSWERED: u32 = 2;
const MERGING: u32 = 3;
const MERGE_ANSWERED: u32 = 4;

const FROM: u32 = 0;
const TO: u32 = 1;
const STARTS: u32 = 2;
const RUN_COUNT: u32 = 3;
/** The item that is being forced, or compared with the one before it. */
const INDEX: u32 = 4;
/** While runs are found: where the present one began, and its order. */
const RUN_START: u32 = 5;
const RUN_ORDER: u32 = 6;
/** While runs are merged: the first of the two runs, and the items of both that are compared. */
const PAIR: u32 = 5;
const LEFT: u32 = 6;
const RIGHT: u32 = 7;
/** 1 while LEFT and RIGHT stand within a pair. */
const IN_PAIR: u32 = 8;

/** The run has only one item yet. */
const ORDER_OPEN: u32 = 0;
const ORDER_ASCENDING: u32 = 1;
const ORDER_DESCENDING: u32 = 2;

/** No answer yet, of 0 and 1. */
const UNKNOWN: i32 = -1;

function sort(f: Frame): Value {
  const list = arg(f, 1);
  if (step(f) == FORCING) {
    if (listLength(list) == 0) return list;
    if (!demandFunction(f, 0, "while evaluating the first argument passed to builtins.sort")) return 0;
    if (!forceItems(f, list)) return 0;
    setLocalInt(f, INDEX, 1);
    setStep(f, FINDING_RUNS);
  }
  if (step(f) <= RUN_ANSWERED) {
    if (!findRuns(f, list)) return 0;
    if (local(f, STARTS) == 0) return list;
    setLocal(f, TO, copyList(list));
    setLocalInt(f, PAIR, 0);
    setStep(f, MERGING);
  }
  while (localInt(f, RUN_COUNT) > 1) {
    if (!mergePass(f)) return 0;
    endPass(f);
  }
  return local(f, FROM);
}

function forceItems(f: Frame, list: Value): bool {
  const length = listLength(list);
  for (let i = localInt(f, INDEX); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (isWhnf(item)) continue;
    setLocalInt(f, INDEX, i);
    awaitForce(f, item);
    return false;
  }
  return true;
}

// ── Comparing ──

/** Whether `a` comes before `b`: 1, 0, or UNKNOWN when the comparator must be asked. */
@inline
function lessNow(f: Frame, a: Value, b: Value): i32 {
  if (arg(f, 0) != LESS_THAN_BUILTIN) return UNKNOWN;
  const order = compareNow(resolve(a), resolve(b));
  return order == INCOMPARABLE ? UNKNOWN : <i32>(order < 0);
}

function askLess(f: Frame, a: Value, b: Value): void {
  if (arg(f, 0) == LESS_THAN_BUILTIN) {
    setContext(f, "while evaluating the ordering function passed to builtins.sort");
    awaitNative2(f, LESS_THAN, a, b);
  } else awaitCall2(f, arg(f, 0), a, b);
}

/** The answer to `askLess`. */
function answer(f: Frame): i32 {
  if (arg(f, 0) == LESS_THAN_BUILTIN) return <i32>(awaited() == TRUE);
  const message = "while evaluating the return value of the sorting function passed to builtins.sort";
  return <i32>expectBool(f, awaited(), message);
}

// ── Runs ──

/** False when it waits. Afterwards STARTS is 0 if the list is in order. */
function findRuns(f: Frame, list: Value): bool {
  const length = listLength(list);
  let less = step(f) == RUN_ANSWERED ? answer(f) : UNKNOWN;
  let i = localInt(f, INDEX);
  while (i < length) {
    if (less == UNKNOWN) less = lessNow(f, listItem(list, i), listItem(list, i - 1));
    if (less == UNKNOWN) {
      setLocalInt(f, INDEX, i);
      setStep(f, RUN_ANSWERED);
      askLess(f, listItem(list, i), listItem(list, i - 1));
      return false;
    }
    noteOrder(f, list, i, less != 0 ? ORDER_DESCENDING : ORDER_ASCENDING);
    less = UNKNOWN;
    i++;
  }
  if (local(f, STARTS) == 0 && localInt(f, RUN_ORDER) != ORDER_DESCENDING) return true;
  closeRun(f, list, length);
  setListItem(local(f, STARTS), localInt(f, RUN_COUNT), makeSmallInt(length));
  return true;
}

/** Item `i` stands in this order to the one before it. */
function noteOrder(f: Frame, list: Value, i: u32, order: u32): void {
  const present = localInt(f, RUN_ORDER);
  if (present == order) return;
  if (present == ORDER_OPEN) {
    setLocalInt(f, RUN_ORDER, order);
    return;
  }
  closeRun(f, list, i);
  setLocalInt(f, RUN_START, i);
  setLocalInt(f, RUN_ORDER, ORDER_OPEN);
}

/** The present run ends before `end`. */
function closeRun(f: Frame, list: Value, end: u32): void {
  if (local(f, STARTS) == 0) {
    setLocal(f, FROM, copyList(list));
    setLocal(f, STARTS, makeStarts(listLength(list)));
  }
  const start = localInt(f, RUN_START);
  const count = localInt(f, RUN_COUNT);
  setListItem(local(f, STARTS), count, makeSmallInt(start));
  setLocalInt(f, RUN_COUNT, count + 1);
  if (localInt(f, RUN_ORDER) == ORDER_DESCENDING) reverse(local(f, FROM), start, end);
}

/** Room for the runs of a list, each of which has two items or is the last, and for the end. */
function makeStarts(length: u32): Value {
  const capacity = (length >>> 1) + 2;
  const starts = makeList(capacity);
  for (let i: u32 = 0; i < capacity; i++) setListItem(starts, i, makeSmallInt(0));
  return starts;
}

function reverse(list: Value, start: u32, end: u32): void {
  let low: Address = listItems(list) + (start << 2);
  let high: Address = listItems(list) + ((end - 1) << 2);
  while (low < high) {
    const swapped = load<u32>(low);
    store<u32>(low, load<u32>(high));
    store<u32>(high, swapped);
    low += 4;
    high -= 4;
  }
}

// ── Merging ──

@inline
function runStart(f: Frame, run: u32): u32 {
  return smallInt(listItem(local(f, STARTS), run));
}

/** Merges every run with its neighbour. False when it waits. */
function mergePass(f: Frame): bool {
  const runs = localInt(f, RUN_COUNT);
  while (localInt(f, PAIR) < runs) {
    const pair = localInt(f, PAIR);
    if (pair + 1 < runs) {
      if (!mergePair(f, runStart(f, pair + 1), runStart(f, pair + 2))) return false;
    } else {
      const start = runStart(f, pair);
      copyItems(local(f, TO), start, local(f, FROM), start, runStart(f, runs) - start);
    }
    setLocalInt(f, PAIR, pair + 2);
  }
  return true;
}

/** Merges the run that ends before `middle` with the next one, which ends before `end`. False when it waits. */
function mergePair(f: Frame, middle: u32, end: u32): bool {
  if (localInt(f, IN_PAIR) == 0) {
    setLocalInt(f, IN_PAIR, 1);
    setLocalInt(f, LEFT, runStart(f, localInt(f, PAIR)));
    setLocalInt(f, RIGHT, middle);
  }
  const from = local(f, FROM);
  const to = local(f, TO);
  let left = localInt(f, LEFT);
  let right = localInt(f, RIGHT);
  let less = step(f) == MERGE_ANSWERED ? answer(f) : UNKNOWN;
  while (left < middle && right < end) {
    if (less == UNKNOWN) less = lessNow(f, listItem(from, right), listItem(from, left));
    if (less == UNKNOWN) {
      setLocalInt(f, LEFT, left);
      setLocalInt(f, RIGHT, right);
      setStep(f, MERGE_ANSWERED);
      askLess(f, listItem(from, right), listItem(from, left));
      return false;
    }
    setListItem(to, left + right - middle, listItem(from, less != 0 ? right : left));
    if (less != 0) right++;
    else left++;
    less = UNKNOWN;
  }
  copyItems(to, left + right - middle, from, left, middle - left);
  copyItems(to, right, from, right, end - right);
  setLocalInt(f, IN_PAIR, 0);
  setStep(f, MERGING);
  return true;
}

@inline
function copyItems(to: Value, toIndex: u32, from: Value, fromIndex: u32, count: u32): void {
  copyWords(listItems(to) + (toIndex << 2), listItems(from) + (fromIndex << 2), count);
}

/** Half of the runs are left, each as long as two; what was written is read next. */
function endPass(f: Frame): void {
  const starts = local(f, STARTS);
  const runs = localInt(f, RUN_COUNT);
  const merged = (runs + 1) >>> 1;
  const end = listItem(starts, runs);
  for (let i: u32 = 1; i < merged; i++) setListItem(starts, i, listItem(starts, i << 1));
  setListItem(starts, merged, end);
  setLocalInt(f, RUN_COUNT, merged);
  setLocalInt(f, PAIR, 0);
  const swapped = local(f, FROM);
  setLocal(f, FROM, local(f, TO));
  setLocal(f, TO, swapped);
}
