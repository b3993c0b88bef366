// Builtins that fetch. Neve cannot fetch yet: they check their arguments as Nix does, and then say so. Those that belong
// to an experimental feature exist only when it is enabled; those of flakes always do, and fail while it is not.

import { appendText } from "../memory/text";
import {
  FEATURE_DYNAMIC_DERIVATIONS,
  FEATURE_FETCH_CLOSURE,
  FEATURE_FETCH_TREE,
  FEATURE_FLAKES,
  isFeatureEnabled,
  isPureEvaluation,
} from "../derivation/settings";
import { appendNameComplaint, isValidStoreName } from "../derivation/store-name";
import { setMessageAtPosition } from "../derivation/trace-context";
import { ERROR_EVAL, beginError, errorQuoted, errorString, fail, raiseError } from "../errors/raise";
import { SHA256 } from "../hash/algorithm";
import { HASH_ASSUMED, HASH_PARSED, parseHashOrEmpty } from "../hash/parse-hash";
import { Address } from "../memory/chunks";
import {
  ATTRS,
  Frame,
  LAZY,
  PLAIN_STRING,
  STRICT,
  arg,
  args1,
  args2,
  awaitForce,
  clearContext,
  describeArgument,
  local,
  localInt,
  primopOf,
  setLocal,
  setLocalInt,
} from "../machine/native";
import { raiseContextNotAllowed } from "../operations/context-error";
import { baseNameOffset } from "../operations/path-name";
import { raiseTypeMismatch } from "../operations/type-names";
import { SYMBOL_NAME, SYMBOL_SHA256 } from "../symbols/known";
import { Symbol, internText, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { TRUE } from "../values/constants";
import { makeString, stringBytes, stringContext, stringIs, stringLength } from "../values/string";
import { Value, isAttrs, isString, isWhnf, resolve } from "../values/value";
import { expectPlainString } from "./demand";
import { failHash } from "./hashing";
import { define } from "./registry";

let symbolUrl: Symbol = 0;

export function defineFetcherBuiltins(): void {
  symbolUrl = internText("url");
  define("fetchurl", 1, args1(STRICT), LOCALS, fetchUrl);
  define("fetchTarball", 1, args1(STRICT), LOCALS, fetchUrl);
  define("fetchGit", 1, args1(STRICT), 0, fetchTree);
  define("fetchMercurial", 1, args1(STRICT), 0, fetchTree);
  if (isFeatureEnabled(FEATURE_FETCH_TREE) || isFeatureEnabled(FEATURE_FLAKES)) define("fetchTree", 1, args1(STRICT), 0, fetchTree);
  if (isFeatureEnabled(FEATURE_FETCH_CLOSURE)) define("fetchClosure", 1, args1(STRICT), 0, fetchTree);
  let builtin = define("getFlake", 1, args1(PLAIN_STRING), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.getFlake");
  builtin = define("parseFlakeRef", 1, args1(PLAIN_STRING), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.parseFlakeRef");
  builtin = define("flakeRefToString", 1, args1(ATTRS), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.flakeRefToString");
  if (isFeatureEnabled(FEATURE_DYNAMIC_DERIVATIONS)) define("outputOf", 2, args2(LAZY, LAZY), 0, outputOf);
}

const ATTRIBUTE: u32 = 0;
const URL: u32 = 1;
const NAME: u32 = 2;
/** TRUE when there is a hash. */
const HASHED: u32 = 3;
const LOCALS: u32 = 4;
const digest: Address = memory.data(64, 8);

function fetchUrl(f: Frame): Value {
  const argument = arg(f, 0);
  if (isAttrs(argument)) {
    const count = attrsCount(argument);
    for (let i = localInt(f, ATTRIBUTE); i < count; i++) {
      setLocalInt(f, ATTRIBUTE, i);
      if (!readArgument(f, keySymbol(keysOf(argument), i), resolve(attrValue(argument, i)), keyPosition(keysOf(argument), i))) return 0;
    }
    clearContext(f);
    if (local(f, URL) == 0) fail(ERROR_EVAL, "'url' argument required");
  } else {
    expectPlainString(f, argument, "while evaluating the url we should fetch");
    setLocal(f, URL, argument);
  }
  checkName(f, isAttrs(argument));
  if (isPureEvaluation && local(f, HASHED) == 0) {
    beginError(ERROR_EVAL);
    appendText("in pure evaluation mode, ");
    errorQuoted(symbolName(primopOf(f).name));
    appendText(" requires a 'sha256' argument");
    raiseError();
  }
  beginError(ERROR_EVAL);
  appendText("Neve cannot fetch yet: builtins.");
  errorString(symbolName(primopOf(f).name));
  appendText(" of '");
  errorString(local(f, URL));
  appendText("'");
  raiseError();
  return 0;
}

/** False: the builtin waits. */
function readArgument(f: Frame, symbol: Symbol, value: Value, position: u32): bool {
  let message: string;
  if (symbol == symbolUrl) message = "while evaluating the url we should fetch";
  else if (symbol == SYMBOL_SHA256) message = "while evaluating the sha256 of the content we should fetch";
  else if (symbol == SYMBOL_NAME) message = "while evaluating the name of the content we should fetch";
  else {
    failArgument(f, symbol);
    return false;
  }
  if (!isString(value) || stringContext(value) != 0) {
    setMessageAtPosition(f, message, position);
    if (isString(value)) raiseContextNotAllowed(value);
    if (isWhnf(value)) raiseTypeMismatch(value, "a string", position);
    awaitForce(f, value);
    return false;
  }
  if (symbol == symbolUrl) setLocal(f, URL, value);
  else if (symbol == SYMBOL_NAME) setLocal(f, NAME, value);
  else {
    const outcome = parseHashOrEmpty(stringBytes(value), stringLength(value), SHA256, digest);
    if (outcome != HASH_PARSED && outcome != HASH_ASSUMED) failHash(value, SHA256, outcome);
    setLocal(f, HASHED, TRUE);
  }
  return true;
}

function failArgument(f: Frame, symbol: Symbol): void {
  beginError(ERROR_EVAL);
  appendText("unsupported argument '");
  errorString(symbolName(symbol));
  appendText("' to ");
  errorQuoted(symbolName(primopOf(f).name));
  raiseError();
}

function checkName(f: Frame, fromAttrs: bool): void {
  const who = symbolName(primopOf(f).name);
  const url = local(f, URL);
  const given = local(f, NAME);
  let name = given;
  if (given == 0 && stringIs(who, "fetchTarball")) return;
  if (given == 0 || stringLength(given) == 0) name = baseName(url);
  if (isValidStoreName(name)) return;
  beginError(ERROR_EVAL);
  appendText("invalid store path name when fetching URL '");
  errorString(url);
  appendText("': ");
  appendNameComplaint(name);
  if (given != 0) appendText(". Please change the value for the 'name' attribute passed to ");
  else if (fromAttrs) appendText(". Please add a valid 'name' attribute to the argument for ");
  else appendText(". Please pass an attribute set with 'url' and 'name' attributes to ");
  errorQuoted(who);
  appendText(given == 0 && !fromAttrs ? ",  so that it can create a valid store path." : ", so that it can create a valid store path.");
  raiseError();
}

/** What is behind the last slash, a slash at the end left out. */
function baseName(url: Value): Value {
  const bytes = stringBytes(url);
  let length = stringLength(url);
  if (length > 1 && load<u8>(bytes + length - 1) == 0x2f) length--;
  const offset = baseNameOffset(bytes, length);
  return makeString(bytes + offset, length - offset);
}

function useFlake(f: Frame): Value {
  if (isFeatureEnabled(FEATURE_FLAKES)) return fetchTree(f);
  beginError(ERROR_EVAL);
  appendText("experimental Nix feature 'flakes' is disabled; add '--extra-experimental-features flakes' to enable it");
  raiseError();
  return 0;
}

function outputOf(f: Frame): Value {
  fail(ERROR_EVAL, "Neve cannot refer to outputs of derivations that are built first yet: builtins.outputOf");
  return 0;
}

function fetchTree(f: Frame): Value {
  beginError(ERROR_EVAL);
  appendText("Neve cannot fetch yet: builtins.");
  errorString(symbolName(primopOf(f).name));
  const argument = resolve(arg(f, 0));
  if (isWhnf(argument) && isString(argument)) {
    appendText(" of '");
    errorString(argument);
    appendText("'");
  }
  raiseError();
  return 0;
}
