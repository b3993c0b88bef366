// Builtins with regular expressions: match and split. Patterns are compiled once each (regex/regex.ts).

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { appendText } from "../memory/text";
import { internString } from "../symbols/symbols";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { NULL } from "../values/constants";
import { makeList, setListItem } from "../values/list";
import { addItem, beginItems, dropItems, endItems } from "../values/list-collector";
import { makeString, stringBytes, stringLength } from "../values/string";
import { Value, isString, isWhnf, resolve } from "../values/value";
import { Frame, LAZY, PLAIN_STRING, arg, args2, awaitForce, setContext } from "../machine/native";
import { ERROR_EVAL, beginError, errorQuoted, raiseError } from "../errors/raise";
import { raiseTypeMismatch } from "../operations/type-names";
import { REGEX_TOO_LARGE, compileRegex, matchWhole, regexError, regexGroupCount, searchFrom, searchNext } from "../regex/regex";
import { define } from "./registry";

/** Symbol of a pattern → its program. */
let programs: SymbolMap = 0;

export function defineRegexBuiltins(): void {
  programs = makeSymbolMap();
  define("match", 2, args2(PLAIN_STRING, LAZY), 0, match);
  define("split", 2, args2(PLAIN_STRING, LAZY), 0, split);
}

// ── match ──

function match(f: Frame): Value {
  const pattern = arg(f, 0);
  const program = programOf(pattern);
  const text = resolve(arg(f, 1));
  if (!isString(text)) return demandText(f, text, "while evaluating the second argument passed to builtins.match");
  const groups = makeGroups(program);
  const outcome = matchWhole(program, stringBytes(text), stringLength(text), groups);
  if (outcome < 0) failMemory(pattern);
  return outcome == 1 ? groupList(program, text, groups) : NULL;
}

// ── split ──

function split(f: Frame): Value {
  const pattern = arg(f, 0);
  const program = programOf(pattern);
  const text = resolve(arg(f, 1));
  if (!isString(text)) return demandText(f, text, "while evaluating the second argument passed to builtins.split");
  const bytes = stringBytes(text);
  const length = stringLength(text);
  const groups = makeGroups(program);
  const mark = beginItems();
  let matches: u32 = 0;
  let end: u32 = 0;
  let outcome = searchFrom(program, bytes, length, 0, groups);
  while (outcome == 1) {
    addItem(makeString(bytes + end, load<u32>(groups) - end));
    addItem(groupList(program, text, groups));
    end = load<u32>(groups, 4);
    matches++;
    outcome = searchNext(program, bytes, length, groups);
  }
  if (outcome < 0) {
    dropItems(mark);
    failMemory(pattern);
  }
  // A text without a match stays what it was, context included.
  addItem(matches == 0 ? text : makeString(bytes + end, length - end));
  return endItems(mark);
}

// ── What they share ──

/** The program of a pattern; raises that it is no regular expression. */
function programOf(pattern: Value): Address {
  const symbol = internString(pattern);
  const known = mapGet(programs, symbol);
  if (known != 0) return known;
  const program = compileRegex(stringBytes(pattern), stringLength(pattern));
  if (program == 0) {
    if (regexError() == REGEX_TOO_LARGE) failMemory(pattern);
    failRegex("invalid regular expression ", pattern);
  }
  mapSet(programs, symbol, <u32>program);
  return program;
}

/** Room for the offsets of a match, which nobody keeps. */
function makeGroups(program: Address): Address {
  return allocate((regexGroupCount(program) + 1) << 3);
}

/** The groups of a match as a list of strings; null for one that took no part. */
function groupList(program: Address, text: Value, groups: Address): Value {
  const count = regexGroupCount(program);
  const list = makeList(count);
  for (let i: u32 = 0; i < count; i++) {
    const start = load<i32>(groups + ((i + 1) << 3));
    const end = load<i32>(groups + ((i + 1) << 3), 4);
    setListItem(list, i, start < 0 ? NULL : makeString(stringBytes(text) + <u32>start, <u32>(end - start)));
  }
  return list;
}

function demandText(f: Frame, text: Value, message: string): Value {
  setContext(f, message);
  if (isWhnf(text)) raiseTypeMismatch(text, "a string");
  return awaitForce(f, text);
}

function failMemory(pattern: Value): void {
  failRegex("memory limit exceeded by regular expression ", pattern);
}

function failRegex(text: string, pattern: Value): void {
  beginError(ERROR_EVAL);
  appendText(text);
  errorQuoted(pattern);
  raiseError();
}
