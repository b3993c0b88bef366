// `genericClosure`: from a list of sets, all that an operator leads to, each key once, breadth first.
//
// The elements found are in a tree (closure-set.ts), those still to be looked at in a queue. Keys are compared by `<`:
// one comparison for each level of the tree, and at its foot one more the other way round, which tells an equal key from
// a new one. Keys that can be compared without forcing anything never wait.

import { textMark } from "../memory/text";
import { copyWords } from "../memory/words";
import { SYMBOL_KEY, SYMBOL_OPERATOR, SYMBOL_START_SET } from "../symbols/known";
import { TRUE } from "../values/constants";
import { findAttr } from "../values/attrs";
import { listItem, listItems, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt } from "../values/number";
import { appendErrorValue } from "../values/print";
import { takeTextAsString } from "../values/string";
import { Value, isAttrs, isWhnf, resolve } from "../values/value";
import { INCOMPARABLE, LESS_THAN, compareNow } from "../operations/comparison";
import { raiseTypeMismatch } from "../operations/type-names";
import {
  ATTRS,
  Frame,
  LAZY,
  Primop,
  STEP_RETURN_AWAITED,
  arg,
  args1,
  args2,
  args3,
  awaitCall1,
  awaitForce,
  awaitNative2,
  awaitNative3,
  awaited,
  clearContext,
  describeArgument,
  local,
  localInt,
  makePrimop,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import {
  addNode,
  closureElements,
  leftOf,
  makeClosureSet,
  nodeElement,
  nodeKey,
  rightOf,
  rootNode,
} from "./closure-set";
import { expectAttr, expectList, isCallable } from "./demand";
import { define } from "./registry";

/** Internal: the operator, an element → the list of what it leads to, each forced. */
let CALL_OPERATOR: Value = 0;
/** Internal: two keys, the element that is not new as a STRING → whether the first is less. */
let COMPARE_KEYS: Value = 0;

export function defineGenericClosure(): void {
  const builtin = define("genericClosure", 1, args1(ATTRS), 8, genericClosure);
  describeArgument(builtin, 0, "while evaluating the first argument passed to builtins.genericClosure");
  CALL_OPERATOR = makePrimop("callOperator", 2, args2(LAZY, LAZY), 2, callOperator);
  changetype<Primop>(CALL_OPERATOR).traced = 0;
  COMPARE_KEYS = makePrimop("compareKeys", 3, args3(LAZY, LAZY, LAZY), 0, compareKeys);
  changetype<Primop>(COMPARE_KEYS).traced = 0;
}

const STARTING: u32 = 0;
/** The element at the head of the queue, or its key, is being forced. */
const TAKING: u32 = 1;
/** The key is compared with that of NODE. */
const DESCENDING: u32 = 2;
/** The key of BEFORE is compared with the key. */
const COMPARING_LAST: u32 = 3;
const OPERATING: u32 = 4;

const FOUND: u32 = 0;
const QUEUE: u32 = 1;
const HEAD: u32 = 2;
const TAIL: u32 = 3;
const OPERATOR: u32 = 4;
/** Where the search is: the node whose key is compared with the new one. */
const NODE: u32 = 5;
/** The node with the greatest key that is not greater, as far as is known. */
const BEFORE: u32 = 6;
/** The key of the element at the head of the queue. */
const NEW_KEY: u32 = 7;

const NO_ANSWER: i32 = -1;
const WAITS: i32 = -1;

function genericClosure(f: Frame): Value {
  if (step(f) == STARTING) {
    const start = demandStart(f);
    if (start == 0 || listLength(start) == 0) return start;
    if (!demandOperator(f)) return 0;
    setLocal(f, FOUND, makeClosureSet());
    setLocal(f, QUEUE, start);
    setLocalInt(f, TAIL, listLength(start));
    setStep(f, TAKING);
  } else if (step(f) == OPERATING) {
    enqueue(f, awaited());
    setStep(f, TAKING);
  }
  while (localInt(f, HEAD) < localInt(f, TAIL)) {
    if (step(f) == TAKING && !takeKey(f)) return 0;
    const isNew = searchKey(f);
    if (isNew == WAITS) return 0;
    const element = listItem(local(f, QUEUE), localInt(f, HEAD));
    setLocalInt(f, HEAD, localInt(f, HEAD) + 1);
    setStep(f, TAKING);
    if (isNew == 0) continue;
    setStep(f, OPERATING);
    setContext(f, "while calling operator on genericClosure element %1%", element);
    return awaitNative2(f, CALL_OPERATOR, local(f, OPERATOR), element);
  }
  return closureElements(local(f, FOUND));
}

/** The forced start set, or 0 when it waits. */
function demandStart(f: Frame): Value {
  const start = resolve(expectAttr(f, arg(f, 0), SYMBOL_START_SET, IN_ARGUMENT));
  if (!isWhnf(start)) return awaitForce(f, start);
  expectList(f, start, "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure");
  return start;
}

function demandOperator(f: Frame): bool {
  const operator = resolve(expectAttr(f, arg(f, 0), SYMBOL_OPERATOR, IN_ARGUMENT));
  setContext(f, "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure");
  if (!isWhnf(operator)) {
    awaitForce(f, operator);
    return false;
  }
  if (!isCallable(operator)) raiseTypeMismatch(operator, "a function");
  clearContext(f);
  setLocal(f, OPERATOR, operator);
  return true;
}

const IN_ARGUMENT = "in the attrset passed as argument to builtins.genericClosure";

// ── The queue ──

/** Adds the items of a list at the end. What is behind the end are small integers. */
function enqueue(f: Frame, list: Value): void {
  const added = listLength(list);
  if (added == 0) return;
  const head = localInt(f, HEAD);
  const waiting = localInt(f, TAIL) - head;
  if (localInt(f, TAIL) + added > listLength(local(f, QUEUE))) {
    const queue = makeQueue((waiting + added) << 1);
    copyWords(listItems(queue), listItems(local(f, QUEUE)) + (head << 2), waiting);
    setLocal(f, QUEUE, queue);
    setLocalInt(f, HEAD, 0);
    setLocalInt(f, TAIL, waiting);
  }
  const tail = localInt(f, TAIL);
  copyWords(listItems(local(f, QUEUE)) + (tail << 2), listItems(list), added);
  setLocalInt(f, TAIL, tail + added);
}

function makeQueue(capacity: u32): Value {
  const queue = makeList(capacity);
  for (let i: u32 = 0; i < capacity; i++) setListItem(queue, i, makeSmallInt(0));
  return queue;
}

// ── One element ──

/** Sees to it that the element at the head is a set with a forced key, and begins the search. False when it waits. */
function takeKey(f: Frame): bool {
  const slot = listItem(local(f, QUEUE), localInt(f, HEAD));
  const element = resolve(slot);
  if (!isAttrs(element) || findAttr(element, SYMBOL_KEY) == 0) {
    setContext(f, "in genericClosure element %1%", printed(slot));
    if (!isWhnf(element)) {
      awaitForce(f, element);
      return false;
    }
    if (!isAttrs(element)) raiseTypeMismatch(element, "a set");
    expectAttr(f, element, SYMBOL_KEY, "");
  }
  clearContext(f);
  const key = resolve(findAttr(element, SYMBOL_KEY));
  if (!isWhnf(key)) {
    awaitForce(f, key);
    return false;
  }
  setLocal(f, NEW_KEY, key);
  setLocalInt(f, NODE, rootNode(local(f, FOUND)));
  setLocalInt(f, BEFORE, 0);
  return true;
}

/** Adds the element at the head if its key is new: 1 if it is, 0 if not, or WAITS. */
function searchKey(f: Frame): i32 {
  const set = local(f, FOUND);
  let answer = step(f) == TAKING ? NO_ANSWER : <i32>(awaited() == TRUE);
  if (step(f) == COMPARING_LAST) return answer == 0 ? 0 : addElement(f);
  const key = local(f, NEW_KEY);
  let node = localInt(f, NODE);
  let parent: u32 = 0;
  let onLeft = false;
  while (node != 0) {
    if (answer == NO_ANSWER) {
      const order = compareNow(key, resolve(nodeKey(set, node)));
      if (order == 0) return 0;
      if (order == INCOMPARABLE) {
        setLocalInt(f, NODE, node);
        return askKeys(f, DESCENDING, node, key, nodeKey(set, node));
      }
      answer = <i32>(order < 0);
    }
    parent = node;
    onLeft = answer != 0;
    if (!onLeft) setLocalInt(f, BEFORE, node);
    node = onLeft ? leftOf(set, node) : rightOf(set, node);
    answer = NO_ANSWER;
  }
  setLocalInt(f, NODE, (parent << 1) | <u32>onLeft);
  const before = localInt(f, BEFORE);
  if (before != 0) {
    const order = compareNow(resolve(nodeKey(set, before)), key);
    if (order == INCOMPARABLE) return askKeys(f, COMPARING_LAST, before, nodeKey(set, before), key);
    if (order >= 0) return 0;
  }
  return addElement(f);
}

/** Adds the element at the head where the search ended: NODE holds the parent and the side. */
function addElement(f: Frame): i32 {
  const place = localInt(f, NODE);
  const element = listItem(local(f, QUEUE), localInt(f, HEAD));
  setLocal(f, FOUND, addNode(local(f, FOUND), place >>> 1, (place & 1) != 0, local(f, NEW_KEY), element));
  return 1;
}

function askKeys(f: Frame, next: u32, node: u32, a: Value, b: Value): i32 {
  setStep(f, next);
  setContext(f, "while comparing element %1%", printed(listItem(local(f, QUEUE), localInt(f, HEAD))));
  awaitNative3(f, COMPARE_KEYS, a, b, printed(nodeElement(local(f, FOUND), node)));
  return WAITS;
}

/** An element as messages show it. */
function printed(element: Value): Value {
  const mark = textMark();
  appendErrorValue(element);
  return takeTextAsString(mark);
}

function compareKeys(f: Frame): Value {
  setContext(f, "with element %1%", arg(f, 2));
  setStep(f, STEP_RETURN_AWAITED);
  return awaitNative2(f, LESS_THAN, arg(f, 0), arg(f, 1));
}

// ── The operator ──

const CALLED: u32 = 1;
const CHECKED: u32 = 2;
const RESULT: u32 = 0;
const INDEX: u32 = 1;

function callOperator(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, CALLED);
    return awaitCall1(f, arg(f, 0), arg(f, 1));
  }
  if (step(f) == CALLED) {
    const list = awaited();
    expectList(f, list, "while evaluating the return value of the `operator` passed to builtins.genericClosure");
    setLocal(f, RESULT, list);
    setStep(f, CHECKED);
  }
  const list = local(f, RESULT);
  const length = listLength(list);
  for (let i = localInt(f, INDEX); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (isWhnf(item)) continue;
    setLocalInt(f, INDEX, i);
    return awaitForce(f, item);
  }
  return list;
}
