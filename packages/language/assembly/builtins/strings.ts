// Builtins on strings: toString, stringLength, substring, concatStringsSep, replaceStrings, and the names of paths.

import { offersSiblings } from "../machine/siblings";
import { appendByte, textMark, textRewind } from "../memory/text";
import { EMPTY_STRING } from "../values/constants";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { intOf, isInt, makeInt } from "../values/number";
import { makePath, makeStringWithContext, stringBytes, stringContext, stringLength, takeTextAsString } from "../values/string";
import { Value, isPath, isString, isWhnf, resolve } from "../values/value";
import { CANONICAL_PATH, COERCE_DEFAULT, COERCE_MORE, COERCE_TO_PATH, COERCE_TO_STRING, coerceNow, coerceRequest, offerStrings } from "../operations/coerce";
import { joinStrings } from "../operations/concat-strings";
import { baseNameOffset, parentLength } from "../operations/path-name";
import { REPLACED, anyReplaced, preparePatterns, replacePatterns, stoppedAt } from "../operations/replace-strings";
import { raiseTypeMismatch } from "../operations/type-names";
import {
  Frame,
  INT,
  LAZY,
  LIST,
  STEP_RETURN_AWAITED,
  STRING,
  arg,
  args1,
  args2,
  args3,
  awaitForce,
  awaitNative2,
  awaited,
  clearContext,
  describeArgument,
  local,
  localInt,
  setArg,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { ERROR_EVAL, fail } from "../errors/raise";
import { coerceArgument } from "./coerced-argument";
import { define } from "./registry";

export function defineStringBuiltins(): void {
  define("toString", 1, args1(LAZY), 0, toString);
  define("stringLength", 1, args1(LAZY), 0, stringLengthOf);
  const substringOf = define("substring", 3, args3(INT, LAZY, LAZY), 0, substring);
  describeArgument(substringOf, 0, "while evaluating the first argument (the start offset) passed to builtins.substring");
  const concat = define("concatStringsSep", 2, args2(STRING, LIST), 3, concatStringsSep);
  offersSiblings(concat, offerItems);
  describeArgument(concat, 0, "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep");
  describeArgument(
    concat,
    1,
    "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep",
  );
  define("replaceStrings", 3, args3(LIST, LIST, LAZY), 2, replaceStrings);
  define("baseNameOf", 1, args1(LAZY), 0, baseNameOf);
  define("dirOf", 1, args1(LAZY), 0, dirOf);
  define("toPath", 1, args1(LAZY), 0, toPath);
}

function toString(f: Frame): Value {
  const message = "while evaluating the first argument passed to builtins.toString";
  return coerceArgument(f, 0, COERCE_MORE | CANONICAL_PATH, message);
}

function stringLengthOf(f: Frame): Value {
  const string = coerceArgument(f, 0, COERCE_DEFAULT, "while evaluating the argument passed to builtins.stringLength");
  return string == 0 ? 0 : makeInt(<i64>stringLength(string));
}

// ── substring ──

const STRING_COERCED: u32 = 1;
const LENGTH_FORCED: u32 = 2;

function substring(f: Frame): Value {
  const start = intOf(arg(f, 0));
  if (step(f) == STRING_COERCED) return sliceOf(awaited(), start, intOf(arg(f, 1)));
  if (start < 0) fail(ERROR_EVAL, "negative start position in 'substring'");
  const length = resolve(arg(f, 1));
  if (!isInt(length)) return demandLength(f, length);
  setArg(f, 1, length);
  clearContext(f);
  const value = resolve(arg(f, 2));
  if (!isWhnf(value)) return awaitForce(f, value);
  const string = coerceNow(value, COERCE_DEFAULT);
  if (string != 0) return sliceOf(string, start, intOf(length));
  setStep(f, STRING_COERCED);
  const message = "while evaluating the third argument (the string) passed to builtins.substring";
  return awaitNative2(f, COERCE_TO_STRING, value, coerceRequest(COERCE_DEFAULT, message));
}

function demandLength(f: Frame, length: Value): Value {
  setContext(f, "while evaluating the second argument (the substring length) passed to builtins.substring");
  if (isWhnf(length)) raiseTypeMismatch(length, "an integer");
  setStep(f, LENGTH_FORCED);
  return awaitForce(f, length);
}

/** The bytes from `start` on, at most `length` of them; all when it is negative. */
function sliceOf(string: Value, start: i64, length: i64): Value {
  const size = <i64>stringLength(string);
  if (start == 0 && (length < 0 || length >= size)) return string;
  if (start >= size) return makeStringWithContext(stringBytes(string), 0, stringContext(string));
  const rest = size - start;
  const taken = length < 0 || length > rest ? rest : length;
  return makeStringWithContext(stringBytes(string) + <u32>start, <u32>taken, stringContext(string));
}

// ── concatStringsSep ──

const ITEM_FORCED: u32 = 1;
const ITEM_COERCED: u32 = 2;
/** Locals: the LIST of strings made of the items so far, and the index of the item that is being coerced. */
const STRINGS: u32 = 0;
const INDEX: u32 = 1;
/** The first item that has not been offered to other fibers. */
const OFFERED: u32 = 2;

function offerItems(f: Frame): void {
  const from = max(localInt(f, INDEX) + 1, localInt(f, OFFERED));
  setLocalInt(f, OFFERED, offerStrings(arg(f, 1), from, COERCE_DEFAULT));
}

function concatStringsSep(f: Frame): Value {
  const list = arg(f, 1);
  if (step(f) == ITEM_COERCED) {
    const index = localInt(f, INDEX);
    setListItem(local(f, STRINGS), index, awaited());
    return concatItems(f, index + 1);
  }
  if (step(f) == ITEM_FORCED) return concatItems(f, localInt(f, INDEX));
  const length = listLength(list);
  let i: u32 = 0;
  while (i < length && isString(resolve(listItem(list, i)))) i++;
  if (i == length) return joinStrings(list, arg(f, 0));
  const strings = makeList(length);
  for (let j: u32 = 0; j < length; j++) setListItem(strings, j, j < i ? resolve(listItem(list, j)) : EMPTY_STRING);
  setLocal(f, STRINGS, strings);
  return concatItems(f, i);
}

function concatItems(f: Frame, from: u32): Value {
  const list = arg(f, 1);
  const strings = local(f, STRINGS);
  const length = listLength(list);
  for (let i = from; i < length; i++) {
    const item = resolve(listItem(list, i));
    if (!isWhnf(item)) {
      setLocalInt(f, INDEX, i);
      setStep(f, ITEM_FORCED);
      return awaitForce(f, item);
    }
    const string = coerceNow(item, COERCE_DEFAULT);
    if (string == 0) {
      setLocalInt(f, INDEX, i);
      setStep(f, ITEM_COERCED);
      const message = "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep";
      return awaitNative2(f, COERCE_TO_STRING, item, coerceRequest(COERCE_DEFAULT, message));
    }
    setListItem(strings, i, string);
  }
  return joinStrings(strings, arg(f, 0));
}

// ── replaceStrings ──

const PATTERN_FORCED: u32 = 1;
const TEXT_FORCED: u32 = 2;
const REPLACEMENT_FORCED: u32 = 3;
/** Locals: the index of the first pattern that is not known to be a string, and the offset in the text. */
const PATTERN: u32 = 0;
const OFFSET: u32 = 1;

/**
 * Replacements are forced only where they are used. The pass that meets one that is not forced goes on without writing
 * anything, since what is written would not outlive the wait; when all are there the text is made in one more pass.
 */
function replaceStrings(f: Frame): Value {
  if (step(f) < REPLACEMENT_FORCED && !demandPatterns(f)) return 0;
  const text = resolve(arg(f, 2));
  const patterns = arg(f, 0);
  preparePatterns(patterns);
  const offset = localInt(f, OFFSET);
  if (step(f) != REPLACEMENT_FORCED) return writeReplaced(f, text);
  const missing = replacePatterns(text, patterns, arg(f, 1), offset, false, 0);
  return missing == REPLACED ? writeReplaced(f, text) : demandReplacement(f, missing);
}

function writeReplaced(f: Frame, text: Value): Value {
  const mark = textMark();
  const union = beginUnion();
  addToUnion(union, stringContext(text));
  const missing = replacePatterns(text, arg(f, 0), arg(f, 1), 0, true, union);
  const context = endUnion(union);
  if (missing == REPLACED && anyReplaced) return takeTextAsString(mark, context);
  textRewind(mark);
  return missing == REPLACED ? text : demandReplacement(f, missing);
}

function demandReplacement(f: Frame, index: u32): Value {
  const replacement = resolve(listItem(arg(f, 1), index));
  setContext(f, "while evaluating one of the replacement strings passed to builtins.replaceStrings");
  if (isWhnf(replacement)) raiseTypeMismatch(replacement, "a string");
  setLocalInt(f, OFFSET, stoppedAt);
  setStep(f, REPLACEMENT_FORCED);
  return awaitForce(f, replacement);
}

/** Sees to it that the patterns, and then the text, are strings. False: the builtin waits. */
function demandPatterns(f: Frame): bool {
  const patterns = arg(f, 0);
  const count = listLength(patterns);
  if (count != listLength(arg(f, 1))) {
    fail(ERROR_EVAL, "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths");
  }
  for (let i = localInt(f, PATTERN); i < count; i++) {
    const pattern = resolve(listItem(patterns, i));
    if (isString(pattern)) continue;
    setLocalInt(f, PATTERN, i);
    return demandString(f, pattern, "while evaluating one of the strings to replace passed to builtins.replaceStrings", PATTERN_FORCED);
  }
  setLocalInt(f, PATTERN, count);
  const text = resolve(arg(f, 2));
  if (isString(text)) return true;
  return demandString(f, text, "while evaluating the third argument passed to builtins.replaceStrings", TEXT_FORCED);
}

/** Waits for a string, or raises that it is none. */
function demandString(f: Frame, value: Value, message: string, nextStep: u32): bool {
  setContext(f, message);
  if (isWhnf(value)) raiseTypeMismatch(value, "a string");
  setStep(f, nextStep);
  awaitForce(f, value);
  return false;
}

// ── Paths ──

function baseNameOf(f: Frame): Value {
  const path = coerceArgument(f, 0, CANONICAL_PATH, "while evaluating the first argument passed to builtins.baseNameOf");
  if (path == 0) return 0;
  const bytes = stringBytes(path);
  let length = stringLength(path);
  // One slash at the end is left out, and only one.
  if (length > 1 && load<u8>(bytes + length - 1) == 0x2f) length--;
  const offset = baseNameOffset(bytes, length);
  return makeStringWithContext(bytes + offset, length - offset, stringContext(path));
}

/** No step that `coerceArgument` knows. */
const PATH_FORCED: u32 = 3;

function dirOf(f: Frame): Value {
  const value = resolve(arg(f, 0));
  if (!isWhnf(value)) {
    setStep(f, PATH_FORCED);
    return awaitForce(f, value);
  }
  if (isPath(value)) return makePath(stringBytes(value), parentLength(stringBytes(value), stringLength(value)));
  const message = "while evaluating the first argument passed to 'builtins.dirOf'";
  const path = coerceArgument(f, 0, CANONICAL_PATH, message);
  return path == 0 ? 0 : directoryOf(path);
}

/** Everything before the last slash; "." when there is none. */
function directoryOf(path: Value): Value {
  const bytes = stringBytes(path);
  const offset = baseNameOffset(bytes, stringLength(path));
  if (offset == 0) return dotString(stringContext(path));
  return makeStringWithContext(bytes, offset == 1 ? 1 : offset - 1, stringContext(path));
}

function dotString(context: Value): Value {
  const mark = textMark();
  appendByte(0x2e);
  return takeTextAsString(mark, context);
}

function toPath(f: Frame): Value {
  setStep(f, STEP_RETURN_AWAITED);
  const request = coerceRequest(CANONICAL_PATH, "while evaluating the first argument passed to builtins.toPath");
  return awaitNative2(f, COERCE_TO_PATH, arg(f, 0), request);
}
