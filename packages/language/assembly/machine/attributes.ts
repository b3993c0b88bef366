// What the machine's loop leaves to functions about attribute sets: making, selecting, and taking arguments apart.

import { Address, OWNER_PERMANENT, ownerOf } from "../memory/chunks";
import { appendText } from "../memory/text";
import { copyWords } from "../memory/words";
import { compress } from "../memory/pointers";
import {
  Block,
  Code,
  aliasLevel,
  aliasSlot,
  blockAt,
  formalAt,
  formalCode,
  formalConstant,
  formalSymbol,
  formalsCount,
  formalsEllipsis,
  formalsFirstSlot,
  isAlias,
} from "../compile/code";
import {
  ERROR_EVAL,
  ERROR_TYPE,
  ERROR_UNDEFINED_VARIABLE,
  beginError,
  errorQuoted,
  errorSymbol,
  raiseError,
  setErrorContext,
  suggest,
} from "../errors/raise";
import { remarkAt } from "../compile/contexts";
import { bestMatchesInFormals, bestMatchesInKeys } from "../errors/suggestions";
import { raiseContextNotAllowed } from "../operations/context-error";
import { raiseTypeMismatch } from "../operations/type-names";
import { updateAttrs } from "../operations/update";
import { Symbol, findSymbol, internString, symbolName } from "../symbols/symbols";
import {
  Keys,
  NO_INDEX,
  attrValue,
  attrsCount,
  attrsValues,
  findAttr,
  findKey,
  keyPosition,
  keySymbol,
  keysCount,
  keysOf,
  makeAttrs,
  makeKeys,
  setAttrValue,
  setKey,
} from "../values/attrs";
import { EMPTY_ATTRS, NULL, makeBool } from "../values/constants";
import { envParent, envSlot, envSlots, makeEnv, setEnvSlot } from "../values/env";
import { appendPosition } from "../values/print-position";
import { stringContext } from "../values/string";
import { makeThunk } from "../values/thunk";
import { Value, isAttrs, isString } from "../values/value";
import { recordedCallSite } from "./call-site";
import { raisingPc, raisingPosition, setRaisingPc } from "./registers";
import { record } from "./stack";

/** Replaces the values on the stack by the set of them. Returns the new top. */
export function attrsFromOperands(keys: Keys, top: Address): Address {
  const count = keysCount(keys);
  const attrs = makeAttrs(keys);
  const bottom = top - (count << 2);
  if (count != 0) copyWords(attrsValues(attrs), bottom, count);
  store<u32>(bottom, compress(attrs));
  return bottom + 4;
}

/** A set to be filled by OP_SET_ATTR: its values are 0 for the time being. */
export function openAttrs(keys: Keys): Value {
  const attrs = makeAttrs(keys);
  if (attrs != EMPTY_ATTRS) memory.fill(attrsValues(attrs), 0, keysCount(keys) << 2);
  return attrs;
}

/** The set of a recursive literal: its values are the slots of its scope. */
export function attrsFromEnv(keys: Keys, env: Address): Value {
  const attrs = makeAttrs(keys);
  if (attrs != EMPTY_ATTRS) copyWords(attrsValues(attrs), envSlots(env), keysCount(keys));
  return attrs;
}

/** `set` with one attribute more, unless its name is null. */
export function addDynamicAttr(set: Value, name: Value, value: Value, position: u32): Value {
  if (name == NULL) return set;
  const symbol = internString(requireDynamicName(name, position));
  const keys = keysOf(set);
  const index = findKey(keys, symbol);
  if (index >= 0) raiseDefinedTwice(symbol, keyPosition(keys, <u32>index), position);
  const one = makeKeys(1);
  setKey(one, 0, symbol, position);
  const added = makeAttrs(one);
  setAttrValue(added, 0, value);
  return updateAttrs(set, added);
}

function raiseDefinedTwice(symbol: Symbol, first: u32, position: u32): void {
  beginError(ERROR_EVAL);
  appendText("dynamic attribute ");
  errorQuoted(symbolName(symbol));
  appendText(" already defined at ");
  appendPosition(first);
  raiseError(position);
}

/**
 * What `__overrides` means: the attributes of `overrides` replace those of a recursive set, for the set's own
 * expressions too, or are added to it.
 */
export function applyOverrides(set: Value, overrides: Value, env: Address): Value {
  if (!isAttrs(overrides)) raiseTypeMismatch(overrides, "a set");
  const keys = keysOf(set);
  const count = attrsCount(overrides);
  for (let i: u32 = 0; i < count; i++) {
    const slot = findKey(keys, keySymbol(keysOf(overrides), i));
    if (slot >= 0) setEnvSlot(env, <u32>slot, attrValue(overrides, i));
  }
  return updateAttrs(set, overrides);
}

// ── Selecting ──

/** The attribute `symbol` of `set`, for the OP_SELECT at `pc`, which remembers where it was. */
export function selectFrom(set: Value, symbol: Symbol, pc: Code): Value {
  if (!isAttrs(set)) raiseNoSet(set);
  const keys = keysOf(set);
  const index = findKey(keys, symbol);
  if (index < 0) raiseMissing(keys, symbol);
  if (ownerOf(keys) == OWNER_PERMANENT) {
    store<u32>(pc, <u32>keys, 8);
    store<u32>(pc, <u32>index, 12);
  }
  return attrValue(set, <u32>index);
}

/** The attribute of a `with` set, or 0; the instruction at `pc` remembers where it is, or that there is none. */
export function selectFromWith(set: Value, symbol: Symbol, pc: Code): Value {
  if (!isAttrs(set)) raiseTypeMismatch(set, "a set");
  const keys = keysOf(set);
  const index = findKey(keys, symbol);
  if (ownerOf(keys) == OWNER_PERMANENT) {
    store<u32>(pc, <u32>keys, 8);
    store<u32>(pc, index, 12);
  }
  return index == NO_INDEX ? 0 : attrValue(set, <u32>index);
}

export function selectDynamic(set: Value, name: Value, position: u32): Value {
  const string = requireName(name);
  if (!isAttrs(set)) raiseNoSet(set);
  const symbol = internString(string);
  const found = findAttr(set, symbol);
  if (found == 0) raiseMissing(keysOf(set), symbol);
  return found;
}

/** The attribute, or 0 when there is none or `set` is no set. */
export function selectDynamicOr(set: Value, name: Value): Value {
  const symbol = findSymbol(requireName(name));
  return symbol != 0 && isAttrs(set) ? findAttr(set, symbol) : 0;
}

export function hasDynamicAttr(set: Value, name: Value): Value {
  return makeBool(selectDynamicOr(set, name) != 0);
}

export function raiseUndefined(name: Symbol, position: u32): void {
  beginError(ERROR_UNDEFINED_VARIABLE);
  appendText("undefined variable ");
  errorQuoted(symbolName(name));
  raiseError(position);
}

function raiseNoSet(value: Value): void {
  setErrorContext("while selecting an attribute", raisingPosition());
  raiseTypeMismatch(value, "a set");
}

function raiseMissing(keys: Keys, symbol: Symbol): void {
  const matches = bestMatchesInKeys(keys, symbol);
  beginError(ERROR_EVAL);
  appendText("attribute ");
  errorQuoted(symbolName(symbol));
  appendText(" missing");
  suggest(matches);
  raiseError();
}

/** The name of an attribute, which must be a string that refers to nothing. */
function requireName(name: Value): Value {
  if (isString(name) && stringContext(name) == 0) return name;
  const position = remarkAt(changetype<Block>(blockAt(raisingPc)).contexts, raisingPc);
  return failName(name, "while evaluating an attribute name", position);
}

/** The same for a name in a set that is made. */
function requireDynamicName(name: Value, position: u32): Value {
  if (isString(name) && stringContext(name) == 0) return name;
  return failName(name, "while evaluating the name of a dynamic attribute", position);
}

function failName(name: Value, context: string, position: u32): Value {
  setErrorContext(context, position);
  if (isString(name)) raiseContextNotAllowed(name);
  raiseTypeMismatch(name, "a string", position);
  return 0;
}

// ── Arguments ──

/**
 * A new environment in which the formals have their values from `argument`, which is forced. `pc` is that of the
 * OP_BIND_FORMALS.
 */
export function bindFormals(formals: Address, argument: Value, parent: Address, pc: Code): Address {
  if (!isAttrs(argument)) raiseNoArguments(argument, changetype<Block>(blockAt(pc)).position);
  const count = formalsCount(formals);
  const firstSlot = formalsFirstSlot(formals);
  const env = makeEnv(count + firstSlot, parent);
  if (firstSlot != 0) setEnvSlot(env, 0, argument);
  const keys = keysOf(argument);
  const keyCount = keysCount(keys);
  let used: u32 = 0;
  let at: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const formal = formalAt(formals, i);
    const symbol = formalSymbol(formal);
    at = seekKey(keys, keyCount, symbol, at);
    let value: Value;
    if (at < keyCount && keySymbol(keys, at) == symbol) {
      value = attrValue(argument, at);
      used++;
    } else {
      value = defaultOf(formal, env);
      if (value == 0) raiseMissingArgument(pc, symbol);
    }
    setEnvSlot(env, firstSlot + i, value);
  }
  if (used != keyCount && !formalsEllipsis(formals)) raiseUnexpectedArgument(pc, formals, keys);
  return env;
}

/** The first index from `from` on whose symbol is not below `symbol`: by steps that double, so that long sets cost little. */
function seekKey(keys: Keys, count: u32, symbol: Symbol, from: u32): u32 {
  let low = from;
  let step: u32 = 1;
  while (low + step < count && keySymbol(keys, low + step) < symbol) {
    low += step;
    step <<= 1;
  }
  let high = low + step < count ? low + step : count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keySymbol(keys, middle) < symbol) low = middle + 1;
    else high = middle;
  }
  return low;
}

@inline
function defaultOf(formal: Address, env: Address): Value {
  const constant = formalConstant(formal);
  if (constant != 0) return constant;
  const code = formalCode(formal);
  if (code == 0) return 0;
  return isAlias(code) ? valueOfAlias(code, env) : makeThunk(code, env);
}

function valueOfAlias(code: Code, env: Address): Value {
  let at = env;
  for (let level = aliasLevel(code); level > 0; level--) at = envParent(at);
  return envSlot(at, aliasSlot(code));
}

function raiseNoArguments(argument: Value, position: u32): void {
  setErrorContext("while evaluating the value passed for the lambda argument", position);
  raiseTypeMismatch(argument, "a set");
}

function beginArgumentError(pc: Code): Block {
  const block = changetype<Block>(blockAt(pc));
  beginError(ERROR_TYPE);
  appendText("function '");
  if (block.name != 0) errorSymbol(block.name);
  else appendText("anonymous lambda");
  appendText("' called ");
  return block;
}

/** Says where the call is, as what is raised here does even where no trace is wanted. */
function leaveCall(): void {
  setErrorContext("from call site", recordedCallSite(record));
  setRaisingPc(0);
}

function raiseMissingArgument(pc: Code, symbol: Symbol): void {
  leaveCall();
  const block = beginArgumentError(pc);
  appendText("without required argument ");
  errorQuoted(symbolName(symbol));
  raiseError(block.position);
}

function raiseUnexpectedArgument(pc: Code, formals: Address, keys: Keys): void {
  const unexpected = firstUnexpected(formals, keys);
  const matches = bestMatchesInFormals(formals, unexpected);
  leaveCall();
  const block = beginArgumentError(pc);
  appendText("with unexpected argument ");
  errorQuoted(symbolName(unexpected));
  suggest(matches);
  raiseError(block.position);
}

/** The first key, by symbol as Nix has it, that is no formal. */
function firstUnexpected(formals: Address, keys: Keys): Symbol {
  const count = keysCount(keys);
  const formalCount = formalsCount(formals);
  let formal: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const symbol = keySymbol(keys, i);
    while (formal < formalCount && formalSymbol(formalAt(formals, formal)) < symbol) formal++;
    if (formal == formalCount || formalSymbol(formalAt(formals, formal)) != symbol) return symbol;
  }
  return 0;
}
