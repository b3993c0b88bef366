// Builtins that fetch a file or an archive: fetchurl and fetchTarball. They check their arguments as Nix does; the host
// fetches (REQUEST_FETCH), and says in its answer where the contents are. What is locked to what is the host's business.

import { isPureEvaluation } from "../derivation/settings";
import { appendNameComplaint, isValidStoreName } from "../derivation/store-name";
import { ERROR_EVAL, beginError, errorQuoted, errorString, fail, raiseError } from "../errors/raise";
import { SHA256 } from "../hash/algorithm";
import { MAXIMUM_HASH_TEXT, SRI, writeHash } from "../hash/format";
import { HASH_ASSUMED, HASH_PARSED, parseHashOrEmpty } from "../hash/parse-hash";
import { MESSAGE_OF_NIX, REQUEST_FETCH, REQUEST_MESSAGE } from "../machine/host-request";
import { Address } from "../memory/chunks";
import {
  Frame,
  STRICT,
  arg,
  args1,
  awaitHost,
  awaited,
  local,
  localInt,
  primopOf,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { appendText, textAdvance, textMark, textReserve } from "../memory/text";
import { baseNameOffset } from "../operations/path-name";
import { SYMBOL_NAME, SYMBOL_OUT_PATH, SYMBOL_SHA256 } from "../symbols/known";
import { Symbol, internText, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, keySymbol, keysOf } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { makeSmallInt } from "../values/number";
import { makeString, stringBytes, stringIs, stringLength, stringOfText, takeTextAsString } from "../values/string";
import { Value, isAttrs, resolve } from "../values/value";
import { demandPlainAttr, expectAttr, expectPlainString } from "./demand";
import { failHash } from "./hashing";
import { define } from "./registry";

let symbolUrl: Symbol = 0;

export function defineFetcherBuiltins(): void {
  symbolUrl = internText("url");
  define("fetchurl", 1, args1(STRICT), LOCALS, fetchUrl);
  define("fetchTarball", 1, args1(STRICT), LOCALS, fetchUrl);
}

const ATTRIBUTE: u32 = 0;
const URL: u32 = 1;
const NAME: u32 = 2;
/** The hash in SRI form, a STRING. */
const HASH: u32 = 3;
const WARNED: u32 = 4;
const LOCALS: u32 = 5;
const digest: Address = memory.data(64, 8);

const FETCHED: u32 = 1;

function fetchUrl(f: Frame): Value {
  if (step(f) == FETCHED) return expectAttr(f, awaited(), SYMBOL_OUT_PATH, "");
  const argument = arg(f, 0);
  if (isAttrs(argument)) {
    const count = attrsCount(argument);
    for (let i = localInt(f, ATTRIBUTE); i < count; i++) {
      setLocalInt(f, ATTRIBUTE, i);
      if (!readArgument(f, argument, i)) return 0;
    }
    if (local(f, URL) == 0) fail(ERROR_EVAL, "'url' argument required");
  } else {
    expectPlainString(f, argument, "while evaluating the url we should fetch");
    setLocal(f, URL, argument);
  }
  checkName(f, isAttrs(argument));
  if (isPureEvaluation && local(f, HASH) == 0) {
    beginError(ERROR_EVAL);
    appendText("in pure evaluation mode, ");
    errorQuoted(symbolName(primopOf(f).name));
    appendText(" requires a 'sha256' argument");
    raiseError();
  }
  setStep(f, FETCHED);
  return awaitHost(f, REQUEST_FETCH, stringOfText(isTarball(f) ? "tarball" : "url"), whatToFetch(f));
}

@inline
function isTarball(f: Frame): bool {
  return stringIs(symbolName(primopOf(f).name), "fetchTarball");
}

function whatToFetch(f: Frame): Value {
  const mark = beginAttrs();
  addAttr(symbolUrl, local(f, URL));
  addAttr(SYMBOL_NAME, nameOf(f));
  if (local(f, HASH) != 0) addAttr(SYMBOL_SHA256, local(f, HASH));
  return endAttrs(mark);
}

/** The name that is given, or that which follows from the URL. */
function nameOf(f: Frame): Value {
  const given = local(f, NAME);
  if (given == 0 && isTarball(f)) return stringOfText("source");
  return given == 0 || stringLength(given) == 0 ? baseName(local(f, URL)) : given;
}

/** False: the builtin waits. */
function readArgument(f: Frame, attrs: Value, index: u32): bool {
  const symbol = keySymbol(keysOf(attrs), index);
  let message: string;
  if (symbol == symbolUrl) message = "while evaluating the url we should fetch";
  else if (symbol == SYMBOL_SHA256) message = "while evaluating the sha256 of the content we should fetch";
  else if (symbol == SYMBOL_NAME) message = "while evaluating the name of the content we should fetch";
  else {
    failArgument(f, symbol);
    return false;
  }
  if (!demandPlainAttr(f, attrs, index, message)) return false;
  const value = resolve(attrValue(attrs, index));
  if (symbol == SYMBOL_SHA256) return readHash(f, value);
  setLocal(f, symbol == symbolUrl ? URL : NAME, value);
  return true;
}

/** False: the builtin waits. */
function readHash(f: Frame, value: Value): bool {
  const outcome = parseHashOrEmpty(stringBytes(value), stringLength(value), SHA256, digest);
  if (outcome != HASH_PARSED && outcome != HASH_ASSUMED) failHash(value, SHA256, outcome);
  const mark = textMark();
  textAdvance(writeHash(SHA256, digest, SRI, true, textReserve(MAXIMUM_HASH_TEXT)));
  setLocal(f, HASH, takeTextAsString(mark));
  if (outcome == HASH_PARSED || localInt(f, WARNED) != 0) return true;
  setLocalInt(f, WARNED, 1);
  const warning = textMark();
  appendText("found empty hash, assuming '");
  errorString(local(f, HASH));
  appendText("'");
  awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_OF_NIX), takeTextAsString(warning));
  return false;
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
  const name = nameOf(f);
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
