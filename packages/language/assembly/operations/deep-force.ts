// Forcing a value and all that it holds: `deepSeq`, and what is printed or compared in full.
//
// Lists and sets carry a mark in the spare bits of their header (headerExtra):
//
//   bit 0       DEEP: everything inside has been forced, for good, since values do not change
//   bits 1..23  the number of the walk that has come by last
//
// So a walk goes into nothing twice, and a later walk not into what an earlier one has finished. A walk that meets a cell
// with its own number, which is not DEEP, is in a cycle or beside one: what leads there is not marked DEEP, since the
// cell may still fail. Every list or set that has to be waited in is one frame, whose context says where the walk is.

import { appendInteger, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { internBytes, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { FALSE, TRUE } from "../values/constants";
import { listItem, listLength } from "../values/list";
import { makeSmallInt } from "../values/number";
import { takeTextAsString } from "../values/string";
import { Value, headerExtra, headerOf, isAttrs, isList, isWhnf, resolve } from "../values/value";
import { isOfferFull, offerCall, offersSiblings } from "../machine/siblings";
import {
  Frame,
  LAZY,
  Primop,
  STRICT,
  arg,
  args1,
  args2,
  awaitForce,
  awaitNative2,
  awaited,
  localInt,
  makePrimop,
  setContext,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";

/** Internal: a value → the same, forced with all that it holds. */
export let DEEP_FORCE: Value = 0;
/** Internal: a value, the number of the walk → whether it is DEEP now. */
export let DEEP_WALK: Value = 0;

const DEEP: u32 = 1;
const LARGEST_WALK: u32 = (1 << 23) - 1;
let walks: u32 = 0;

export function initializeDeepForce(): void {
  DEEP_FORCE = makePrimop("deepForce", 1, args1(STRICT), 0, deepForce);
  changetype<Primop>(DEEP_FORCE).traced = 0;
  DEEP_WALK = makePrimop("deepWalk", 2, args2(STRICT, LAZY), 3, deepWalk);
  changetype<Primop>(DEEP_WALK).traced = 0;
  offersSiblings(DEEP_WALK, offerItems);
}

/** For the trace: where the attribute is defined that the walk in this frame is at, 0 in lists. */
export function deepWalkPosition(f: Frame): u32 {
  const value = arg(f, 0);
  return isAttrs(value) ? keyPosition(keysOf(value), localInt(f, INDEX)) : 0;
}

/** Whether a value in weak head normal form is known to hold nothing that is not forced. */
@inline
export function isDeep(value: Value): bool {
  return !(isList(value) || isAttrs(value)) || (markOf(value) & DEEP) != 0;
}

@inline
function markOf(cell: Value): u32 {
  return headerExtra(headerOf(cell));
}

@inline
function setMark(cell: Value, mark: u32): void {
  store<u32>(cell, (headerOf(cell) & 0xff) | (mark << 8));
}

function deepForce(f: Frame): Value {
  const value = arg(f, 0);
  if (step(f) != 0 || isDeep(value)) return value;
  walks = walks == LARGEST_WALK ? 1 : walks + 1;
  setStep(f, 1);
  return awaitNative2(f, DEEP_WALK, value, makeSmallInt(walks));
}

// ── The walk ──

const WALK_ENTERED: u32 = 1;
const WALK_INSIDE: u32 = 2;

const INDEX: u32 = 0;
/** Whether something inside is not DEEP. */
const UNFINISHED: u32 = 1;
/** The first item that has not been offered to other fibers. */
const OFFERED: u32 = 2;

function deepWalk(f: Frame): Value {
  const value = arg(f, 0);
  if (step(f) == 0) {
    if (isDeep(value)) return TRUE;
    if (markOf(value) == walkMark(f)) return FALSE;
    setMark(value, walkMark(f));
    setStep(f, WALK_ENTERED);
  } else if (step(f) == WALK_INSIDE) {
    if (awaited() == FALSE) setLocalInt(f, UNFINISHED, 1);
    setLocalInt(f, INDEX, localInt(f, INDEX) + 1);
    setStep(f, WALK_ENTERED);
  }
  if (!(isList(value) ? walkList(f, value) : walkAttrs(f, value))) return 0;
  if (localInt(f, UNFINISHED) != 0) return FALSE;
  setMark(value, DEEP);
  return TRUE;
}

@inline
function walkMark(f: Frame): u32 {
  // The number of the walk is a small integer; as a mark it leaves bit 0 free.
  return (<u32>arg(f, 1) >>> 1) << 1;
}

/** False when it waits. */
function walkList(f: Frame, list: Value): bool {
  const length = listLength(list);
  for (let i = localInt(f, INDEX); i < length; i++) {
    const item = resolve(listItem(list, i));
    if (isWhnf(item) && !mustEnter(f, item)) continue;
    setLocalInt(f, INDEX, i);
    setContext(f, "while evaluating list element at index %1%", indexText(i));
    waitFor(f, item);
    return false;
  }
  return true;
}

/** Small indices are symbols, so that a walk makes no garbage of them. */
const INDICES_AS_SYMBOLS: u32 = 4096;

function indexText(index: u32): Value {
  const mark = textMark();
  appendInteger(<i64>index);
  if (index >= INDICES_AS_SYMBOLS) return takeTextAsString(mark);
  const symbol = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return symbolName(symbol);
}

/** False when it waits. */
function walkAttrs(f: Frame, attrs: Value): bool {
  const count = attrsCount(attrs);
  for (let i = localInt(f, INDEX); i < count; i++) {
    const item = resolve(attrValue(attrs, i));
    if (isWhnf(item) && !mustEnter(f, item)) continue;
    const keys = keysOf(attrs);
    setLocalInt(f, INDEX, i);
    setContext(f, "while evaluating the attribute '%1%'", symbolName(keySymbol(keys, i)));
    waitFor(f, item);
    return false;
  }
  return true;
}

function offerItems(f: Frame): void {
  const value = arg(f, 0);
  if (step(f) == 0) return;
  const count = isList(value) ? listLength(value) : attrsCount(value);
  let i = max(localInt(f, INDEX) + 1, localInt(f, OFFERED));
  while (i < count && !isOfferFull()) {
    const item = resolve(isList(value) ? listItem(value, i) : attrValue(value, i));
    if (!isWhnf(item) || (!isDeep(item) && markOf(item) != walkMark(f))) offerCall(DEEP_FORCE, item);
    i++;
  }
  setLocalInt(f, OFFERED, i);
}

/** Whether the walk has to go into a forced item. */
@inline
function mustEnter(f: Frame, item: Value): bool {
  if (isDeep(item)) return false;
  if (markOf(item) != walkMark(f)) return true;
  setLocalInt(f, UNFINISHED, 1);
  return false;
}

/** Forces an item; when it is there, the walk looks at it again. */
function waitFor(f: Frame, item: Value): Value {
  if (!isWhnf(item)) return awaitForce(f, item);
  setStep(f, WALK_INSIDE);
  return awaitNative2(f, DEEP_WALK, item, arg(f, 1));
}
