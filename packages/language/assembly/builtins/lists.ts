// Builtins that take lists apart, make them, and put them together.

import { appendInteger, appendText } from "../memory/text";
import { EMPTY_LIST } from "../values/constants";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { intOf, makeSmallInt } from "../values/number";
import { makeApply1 } from "../values/thunk";
import { KIND_LAMBDA, Value, isKind, isList, isWhnf, resolve } from "../values/value";
import { lambdaBlock } from "../values/function";
import { Block } from "../compile/code";
import { ERROR_EVAL, beginError, fail, raiseError } from "../errors/raise";
import { concatAll, makeLongList, sliceList } from "../operations/concat";
import { raiseTypeMismatch } from "../operations/type-names";
import {
  FUNCTION,
  Frame,
  INT,
  LAZY,
  LIST,
  arg,
  args1,
  args2,
  args3,
  awaitCall1,
  awaitCall2,
  awaitForce,
  awaited,
  describeArgument,
  local,
  localInt,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { demandAllLists, demandFunction, failTypeAt, finishWith, offerCalls, offerItems } from "./demand";
import { offersSiblings } from "../machine/siblings";
import { define } from "./registry";

export function defineListBuiltins(): void {
  const head = define("head", 1, args1(LIST), 0, headOf);
  describeArgument(head, 0, "while evaluating the first argument passed to 'builtins.head'");
  const tail = define("tail", 1, args1(LIST), 0, tailOf);
  describeArgument(tail, 0, "while evaluating the first argument passed to 'builtins.tail'");
  const elemAt = define("elemAt", 2, args2(LAZY, INT), 0, elementAt);
  describeArgument(elemAt, 1, "while evaluating the second argument passed to 'builtins.elemAt'");
  const length = define("length", 1, args1(LIST), 0, lengthOf);
  describeArgument(length, 0, "while evaluating the first argument passed to builtins.length");
  const concat = define("concatLists", 1, args1(LIST), 2, concatLists);
  offersSiblings(concat, offerLists);
  describeArgument(concat, 0, "while evaluating the first argument passed to builtins.concatLists");
  offersSiblings(define("concatMap", 2, args2(FUNCTION, LIST), 4, concatMap), offerMapped);
  define("map", 2, args2(LAZY, LIST), 0, mapList);
  define("genList", 2, args2(LAZY, INT), 0, genList);
  const fold = define("foldl'", 3, args3(FUNCTION, LAZY, LIST), 1, foldl);
  describeArgument(fold, 0, "while evaluating the first argument passed to builtins.foldlStrict");
  describeArgument(fold, 2, "while evaluating the third argument passed to builtins.foldlStrict");
}

// ── Parts ──

function headOf(f: Frame): Value {
  const list = arg(f, 0);
  if (listLength(list) == 0) fail(ERROR_EVAL, "'builtins.head' called on an empty list");
  return finishWith(f, listItem(list, 0));
}

function tailOf(f: Frame): Value {
  const list = arg(f, 0);
  if (listLength(list) == 0) fail(ERROR_EVAL, "'builtins.tail' called on an empty list");
  return sliceList(list, 1, listLength(list) - 1);
}

/** The index is looked at before the list. */
function elementAt(f: Frame): Value {
  const list = resolve(arg(f, 0));
  if (!isWhnf(list)) return awaitForce(f, list);
  if (!isList(list)) {
    setContext(f, "while evaluating the first argument passed to 'builtins.elemAt'");
    raiseTypeMismatch(list, "a list");
  }
  const index = intOf(arg(f, 1));
  if (index < 0 || index >= <i64>listLength(list)) return failIndex(index, listLength(list));
  return finishWith(f, listItem(list, <u32>index));
}

function failIndex(index: i64, length: u32): Value {
  beginError(ERROR_EVAL);
  appendText("'builtins.elemAt' called with index ");
  appendInteger(index);
  appendText(" on a list of size ");
  appendInteger(<i64>length);
  raiseError();
  return 0;
}

function lengthOf(f: Frame): Value {
  return makeSmallInt(listLength(arg(f, 0)));
}

// ── Lists of what a function makes ──

function mapList(f: Frame): Value {
  const list = arg(f, 1);
  const length = listLength(list);
  if (length == 0) return list;
  if (!demandFunction(f, 0, "while evaluating the first argument passed to builtins.map")) return 0;
  const callee = arg(f, 0);
  const result = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(result, i, makeApply1(callee, listItem(list, i)));
  return result;
}

function genList(f: Frame): Value {
  const length = intOf(arg(f, 1));
  if (length < 0) return failListSize(length);
  if (!demandFunction(f, 0, "while evaluating the first argument passed to builtins.genList")) return 0;
  const callee = arg(f, 0);
  const result = makeLongList(<u64>length);
  for (let i: u32 = 0; i < <u32>length; i++) setListItem(result, i, makeApply1(callee, makeSmallInt(i)));
  return result;
}

function failListSize(length: i64): Value {
  beginError(ERROR_EVAL);
  appendText("cannot create list of size ");
  appendInteger(length);
  raiseError();
  return 0;
}

// ── Lists of lists ──

const INDEX: u32 = 0;

/** The first item that has not been offered to other fibers. */
const LIST_OFFERED: u32 = 1;

function offerLists(f: Frame): void {
  offerItems(f, arg(f, 0), INDEX, LIST_OFFERED);
}

function concatLists(f: Frame): Value {
  const message = "while evaluating a value of the list passed to builtins.concatLists";
  if (!demandAllLists(f, arg(f, 0), INDEX, message)) return 0;
  return concatAll(arg(f, 0));
}

/** What the function returned so far and was not empty, with room for what may come; 0 while there is none. */
const PARTS: u32 = 1;
const PART_COUNT: u32 = 2;
const CALLED: u32 = 1;

function failReturnedValue(f: Frame, value: Value): void {
  const message = "while evaluating the return value of the function passed to builtins.concatMap";
  const callee = arg(f, 0);
  const place = isKind(callee, KIND_LAMBDA) ? changetype<Block>(lambdaBlock(callee)).position : 0;
  failTypeAt(f, value, "a list", message, place, 0);
}

/** The first item that has not been offered to other fibers. */
const PART_OFFERED: u32 = 3;

function offerMapped(f: Frame): void {
  if (step(f) == CALLED) offerCalls(f, arg(f, 0), arg(f, 1), INDEX, PART_OFFERED);
}

function concatMap(f: Frame): Value {
  const list = arg(f, 1);
  let index = localInt(f, INDEX);
  if (step(f) == CALLED) {
    const part = awaited();
    if (!isList(part)) failReturnedValue(f, part);
    if (listLength(part) != 0) keepPart(f, part, listLength(list) - index);
    index++;
  } else {
    if (listLength(list) == 0) return list;
    setStep(f, CALLED);
  }
  if (index == listLength(list)) return joinParts(f);
  setLocalInt(f, INDEX, index);
  return awaitCall1(f, arg(f, 0), listItem(list, index));
}

/** `room`: how many parts there may be from this one on. */
function keepPart(f: Frame, part: Value, room: u32): void {
  if (local(f, PARTS) == 0) setLocal(f, PARTS, makeList(room));
  const count = localInt(f, PART_COUNT);
  setListItem(local(f, PARTS), count, part);
  setLocalInt(f, PART_COUNT, count + 1);
}

function joinParts(f: Frame): Value {
  const parts = local(f, PARTS);
  return parts == 0 ? EMPTY_LIST : concatAll(parts, localInt(f, PART_COUNT));
}

// ── One value of many ──

function foldl(f: Frame): Value {
  const list = arg(f, 2);
  let index = localInt(f, INDEX);
  let accumulator = arg(f, 1);
  if (step(f) == CALLED) {
    accumulator = awaited();
    index++;
    if (index == listLength(list)) return accumulator;
  } else {
    if (listLength(list) == 0) return finishWith(f, accumulator);
    setStep(f, CALLED);
  }
  setLocalInt(f, INDEX, index);
  return awaitCall2(f, arg(f, 0), accumulator, listItem(list, index));
}
