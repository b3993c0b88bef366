// What the command line does to a value: calling functions with the arguments that `--arg` gives, and following the
// path of `-A`.

import { appendText } from "../memory/text";
import { Block, formalAt, formalHasDefault, formalPosition, formalSymbol, formalsCount, formalsEllipsis } from "../compile/code";
import { ERROR_EVAL, ERROR_MISSING_ARGUMENT, ERROR_TYPE, beginError, errorQuoted, errorString, raiseError, suggest } from "../errors/raise";
import { bestMatchesInKeys } from "../errors/suggestions";
import {
  Frame,
  Primop,
  STRICT,
  arg,
  args2,
  args3,
  awaitCall1,
  awaitNative2,
  awaited,
  makePrimop,
  setStep,
  step,
  tailCall1,
} from "../machine/native";
import { SYMBOL_FUNCTOR } from "../symbols/known";
import { internString, symbolName } from "../symbols/symbols";
import { findAttr, keysOf } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { lambdaBlock } from "../values/function";
import { listItem, listLength } from "../values/list";
import { stringBytes, stringLength } from "../values/string";
import { KIND_LAMBDA, Value, isAttrs, isKind, isList } from "../values/value";
import { appendTypeName } from "./type-names";

/** Internal: arguments, value → what a function with a pattern gives for them; anything else as it is. */
export let AUTO_CALL: Value = 0;
/** Internal: value, one name of a selection path, the whole path → the attribute or item. */
export let SELECT_ALONG_PATH: Value = 0;

export function initializeAutoCall(): void {
  AUTO_CALL = makePrimop("autoCall", 2, args2(STRICT, STRICT), 0, autoCall);
  changetype<Primop>(AUTO_CALL).traced = 0;
  SELECT_ALONG_PATH = makePrimop("selectAlongPath", 3, args3(STRICT, STRICT, STRICT), 0, selectAlongPath);
  changetype<Primop>(SELECT_ALONG_PATH).traced = 0;
}

function autoCall(f: Frame): Value {
  const callee = arg(f, 1);
  if (step(f) == 2) return awaited();
  if (step(f) == 1) {
    setStep(f, 2);
    return awaitNative2(f, AUTO_CALL, arg(f, 0), awaited());
  }
  if (isAttrs(callee)) {
    const functor = findAttr(callee, SYMBOL_FUNCTOR);
    if (functor == 0) return callee;
    setStep(f, 1);
    return awaitCall1(f, functor, callee);
  }
  if (!isKind(callee, KIND_LAMBDA)) return callee;
  const formals = changetype<Block>(lambdaBlock(callee)).formals;
  if (formals == 0) return callee;
  return tailCall1(f, callee, formalsEllipsis(formals) ? arg(f, 0) : chooseArguments(formals, arg(f, 0)));
}

/** The arguments that a pattern names. */
function chooseArguments(formals: usize, available: Value): Value {
  const mark = beginAttrs();
  const count = formalsCount(formals);
  for (let i: u32 = 0; i < count; i++) {
    const formal = formalAt(formals, i);
    const value = findAttr(available, formalSymbol(formal));
    if (value != 0) addAttr(formalSymbol(formal), value);
    else if (!formalHasDefault(formal)) raiseNoValue(formal);
  }
  return endAttrs(mark);
}

function raiseNoValue(formal: usize): void {
  beginError(ERROR_MISSING_ARGUMENT);
  appendText("cannot evaluate a function that has an argument without a value (");
  errorQuoted(symbolName(formalSymbol(formal)));
  appendText(")\nNix attempted to evaluate a function as a top level expression; in\n");
  appendText("this case it must have its arguments supplied either by default\n");
  appendText("values, or passed explicitly with '--arg' or '--argstr'. See\n");
  appendText("https://nix.dev/manual/nix/stable/language/syntax.html#functions.");
  raiseError(formalPosition(formal));
}

function selectAlongPath(f: Frame): Value {
  const value = arg(f, 0);
  const name = arg(f, 1);
  const index = parseIndex(name);
  if (index >= 0) {
    if (!isList(value)) raiseWrongType(value, arg(f, 2), "a list");
    if (<u64>index >= <u64>listLength(value)) raiseOutOfRange(name, arg(f, 2));
    return listItem(value, <u32>index);
  }
  if (!isAttrs(value)) raiseWrongType(value, arg(f, 2), "a set");
  if (stringLength(name) == 0) {
    beginPathError("empty attribute name in selection path ");
    errorQuoted(arg(f, 2));
    raiseError();
  }
  const symbol = internString(name);
  const found = findAttr(value, symbol);
  if (found == 0) raiseNotFound(value, name, arg(f, 2));
  return found;
}

/** A name of digits only is an index into a list; -1 if it is none. */
function parseIndex(name: Value): i64 {
  const length = stringLength(name);
  if (length == 0 || length > 9) return -1;
  let index: i64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const digit = <i32>load<u8>(stringBytes(name) + i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    index = index * 10 + digit;
  }
  return index;
}

function beginPathError(text: string): void {
  beginError(ERROR_EVAL);
  appendText(text);
}

function raiseWrongType(value: Value, path: Value, wanted: string): void {
  beginError(ERROR_TYPE);
  appendText("the expression selected by the selection path ");
  errorQuoted(path);
  appendText(" should be ");
  appendText(wanted);
  appendText(" but is ");
  appendTypeName(value);
  raiseError();
}

function raiseOutOfRange(index: Value, path: Value): void {
  beginPathError("list index ");
  errorString(index);
  appendText(" in selection path ");
  errorQuoted(path);
  appendText(" is out of range");
  raiseError();
}

function raiseNotFound(value: Value, name: Value, path: Value): void {
  const matches = bestMatchesInKeys(keysOf(value), internString(name));
  beginPathError("attribute ");
  errorQuoted(name);
  appendText(" in selection path ");
  errorQuoted(path);
  appendText(" not found");
  suggest(matches);
  raiseError();
}
