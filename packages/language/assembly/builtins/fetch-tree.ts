// Builtins that fetch a tree and tell about its origin: fetchTree, fetchGit and fetchMercurial. Attributes are forced and
// checked as Nix does, the host fetches (REQUEST_FETCH), and its answer is the result.
//
// For fetchTree and fetchGit any attribute is good that is a string, a path, a Boolean or a natural number: which of them
// the kind of source knows is for the host to say.

import {
  FEATURE_FETCH_TREE,
  FEATURE_FLAKES,
  FEATURE_VERIFIED_FETCHES,
  isFeatureEnabled,
  requireFeature,
} from "../derivation/settings";
import { setMessageAtPosition } from "../derivation/trace-context";
import { ERROR_EVAL, ERROR_TYPE, beginError, errorQuoted, errorString, fail, raiseError } from "../errors/raise";
import { TO_JSON } from "../formats/write-json";
import { REQUEST_FETCH } from "../machine/host-request";
import {
  Frame,
  STRICT,
  arg,
  args1,
  awaitForce,
  awaitHost,
  awaitNative1,
  awaitNative2,
  awaited,
  clearContext,
  local,
  localInt,
  primopOf,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { appendInteger, appendText } from "../memory/text";
import { COERCE_TO_STRING, coerceRequest } from "../operations/coerce";
import { appendTypeName } from "../operations/type-names";
import { SYMBOL_NAME, SYMBOL_TYPE } from "../symbols/known";
import { Symbol, internText, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, findAttr, findKey, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { NULL, TRUE } from "../values/constants";
import { listItem, makeList, setListItem } from "../values/list";
import { intOf, isInt } from "../values/number";
import { makeString, stringBytes, stringIs, stringLength, stringOfText } from "../values/string";
import { KIND_BOOL, Value, isAttrs, isKind, isPath, isString, isWhnf, resolve } from "../values/value";
import { demandPlainAttr } from "./demand";
import { define } from "./registry";

let symbolUrl: Symbol = 0;
let symbolRef: Symbol = 0;
let symbolRev: Symbol = 0;
let symbolShallow: Symbol = 0;
let symbolSubmodules: Symbol = 0;
let symbolExportIgnore: Symbol = 0;
let symbolPublicKeys: Symbol = 0;

export function defineTreeFetchers(): void {
  symbolUrl = internText("url");
  symbolRef = internText("ref");
  symbolRev = internText("rev");
  symbolShallow = internText("shallow");
  symbolSubmodules = internText("submodules");
  symbolExportIgnore = internText("exportIgnore");
  symbolPublicKeys = internText("publicKeys");
  define("fetchGit", 1, args1(STRICT), LOCALS, fetchTree);
  define("fetchMercurial", 1, args1(STRICT), LOCALS, fetchMercurial);
  if (isFeatureEnabled(FEATURE_FETCH_TREE) || isFeatureEnabled(FEATURE_FLAKES)) define("fetchTree", 1, args1(STRICT), LOCALS, fetchTree);
}

/** Locals: the attribute that is looked at; LIST of what the attributes have become, in the order of the keys. */
const ATTRIBUTE: u32 = 0;
const VALUES: u32 = 1;
const LOCALS: u32 = 2;

const STRING_COERCED: u32 = 1;
const ATTRIBUTE_COERCED: u32 = 2;
const FETCHED: u32 = 3;
const ATTRIBUTE_FORCED: u32 = 4;

// ── fetchTree and fetchGit ──

@inline
function isGit(f: Frame): bool {
  return stringIs(symbolName(primopOf(f).name), "fetchGit");
}

function fetchTree(f: Frame): Value {
  const at = step(f);
  if (at == FETCHED) return awaited();
  const argument = arg(f, 0);
  if (!isAttrs(argument)) return fetchNamed(f, argument);
  if (at == ATTRIBUTE_COERCED) keepAttribute(f);
  else if (at == 0) {
    if (!readType(f, argument)) return 0;
    setLocal(f, VALUES, emptyList(attrsCount(argument)));
  }
  setStep(f, ATTRIBUTE_FORCED);
  const count = attrsCount(argument);
  for (let i = localInt(f, ATTRIBUTE); i < count; i++) {
    setLocalInt(f, ATTRIBUTE, i);
    if (!readAttribute(f, argument, i)) return 0;
  }
  if (!isGit(f) && findAttr(argument, SYMBOL_NAME) != 0) {
    fail(ERROR_EVAL, "argument 'name' isn\xe2\x80\x99t supported in call to 'fetchTree'");
  }
  return fetch(f, isGit(f) ? "git" : "tree", treeToFetch(f, argument));
}

function emptyList(length: u32): Value {
  const list = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(list, i, NULL);
  return list;
}

/** What is fetched is given by a URL alone. */
function fetchNamed(f: Frame, argument: Value): Value {
  if (step(f) == 0) {
    setStep(f, STRING_COERCED);
    const request = isGit(f)
      ? coerceRequest(0, "while evaluating the first argument passed to 'fetchGit'")
      : coerceRequest(0, "while evaluating the first argument passed to 'fetchTree'");
    return awaitNative2(f, COERCE_TO_STRING, argument, request);
  }
  const url = awaited();
  if (!isGit(f)) {
    if (!isFeatureEnabled(FEATURE_FLAKES)) {
      fail(ERROR_EVAL, "passing a string argument to 'fetchTree' requires the 'flakes' experimental feature");
    }
    return fetch(f, "tree", url);
  }
  const mark = beginAttrs();
  addAttr(symbolUrl, url);
  addAttr(symbolExportIgnore, TRUE);
  return fetch(f, "git", endAttrs(mark));
}

function fetch(f: Frame, kind: string, what: Value): Value {
  setStep(f, FETCHED);
  return awaitHost(f, REQUEST_FETCH, stringOfText(kind), what);
}

/** The type is looked at first. False: the builtin waits. */
function readType(f: Frame, attrs: Value): bool {
  const index = findKey(keysOf(attrs), SYMBOL_TYPE);
  if (isGit(f)) {
    if (index >= 0) fail(ERROR_EVAL, "unexpected argument 'type'");
    return true;
  }
  if (index < 0) fail(ERROR_EVAL, "argument 'type' is missing in call to 'fetchTree'");
  const message = "while evaluating the `type` argument passed to 'fetchTree'";
  return demandPlainAttr(f, attrs, <u32>index, message);
}

/** False: the builtin waits. */
function readAttribute(f: Frame, attrs: Value, index: u32): bool {
  const symbol = keySymbol(keysOf(attrs), index);
  const value = resolve(attrValue(attrs, index));
  if (!isWhnf(value)) {
    awaitForce(f, value);
    return false;
  }
  if (isString(value) || isKind(value, KIND_BOOL)) setListItem(local(f, VALUES), index, value);
  else if (isPath(value)) setListItem(local(f, VALUES), index, makeString(stringBytes(value), stringLength(value)));
  else if (isInt(value)) setListItem(local(f, VALUES), index, naturalNumber(f, symbol, value));
  else if (symbol == symbolPublicKeys) {
    requireFeature(FEATURE_VERIFIED_FETCHES);
    setStep(f, ATTRIBUTE_COERCED);
    awaitNative1(f, TO_JSON, value);
    return false;
  } else failAttribute(f, symbol, value);
  return true;
}

/** Keeps what the attribute that is looked at has become, and goes on to the next. */
function keepAttribute(f: Frame): void {
  setListItem(local(f, VALUES), localInt(f, ATTRIBUTE), awaited());
  setLocalInt(f, ATTRIBUTE, localInt(f, ATTRIBUTE) + 1);
  clearContext(f);
}

function naturalNumber(f: Frame, symbol: Symbol, value: Value): Value {
  if (intOf(value) >= 0) return value;
  beginError(ERROR_EVAL);
  appendText("negative value given for ");
  errorQuoted(symbolName(primopOf(f).name));
  appendText(" argument ");
  errorQuoted(symbolName(symbol));
  appendText(": ");
  appendInteger(intOf(value));
  raiseError();
  return value;
}

function failAttribute(f: Frame, symbol: Symbol, value: Value): void {
  beginError(ERROR_TYPE);
  appendText("argument ");
  errorQuoted(symbolName(symbol));
  appendText(" to ");
  errorQuoted(symbolName(primopOf(f).name));
  appendText(" is ");
  appendTypeName(value);
  appendText(" while a string, Boolean or integer is expected");
  raiseError();
}

/** The attributes, with the defaults that are those of the builtin. */
function treeToFetch(f: Frame, attrs: Value): Value {
  const keys = keysOf(attrs);
  const values = local(f, VALUES);
  const mark = beginAttrs();
  for (let i: u32 = 0; i < attrsCount(attrs); i++) addAttr(keySymbol(keys, i), listItem(values, i));
  if (isGit(f)) {
    const submodules = findKey(keys, symbolSubmodules);
    const withSubmodules = submodules >= 0 && listItem(values, <u32>submodules) == TRUE;
    if (findKey(keys, symbolExportIgnore) < 0 && !withSubmodules) addAttr(symbolExportIgnore, TRUE);
  } else if (isTypeGit(attrs) && findKey(keys, symbolShallow) < 0) addAttr(symbolShallow, TRUE);
  return endAttrs(mark);
}

function isTypeGit(attrs: Value): bool {
  return stringIs(resolve(findAttr(attrs, SYMBOL_TYPE)), "git");
}

// ── fetchMercurial ──

function fetchMercurial(f: Frame): Value {
  const at = step(f);
  if (at == FETCHED) return awaited();
  const argument = arg(f, 0);
  if (!isAttrs(argument)) return fetchMercurialNamed(f, argument);
  if (local(f, VALUES) == 0) setLocal(f, VALUES, emptyList(attrsCount(argument)));
  if (at == ATTRIBUTE_COERCED) keepAttribute(f);
  setStep(f, ATTRIBUTE_FORCED);
  const count = attrsCount(argument);
  for (let i = localInt(f, ATTRIBUTE); i < count; i++) {
    setLocalInt(f, ATTRIBUTE, i);
    if (!readMercurialAttribute(f, argument, i)) return 0;
  }
  const url = findKey(keysOf(argument), symbolUrl);
  if (url < 0 || stringLength(listItem(local(f, VALUES), <u32>url)) == 0) fail(ERROR_EVAL, "'url' argument required");
  return fetch(f, "mercurial", repositoryToFetch(f, argument));
}

function fetchMercurialNamed(f: Frame, argument: Value): Value {
  if (step(f) == 0) {
    setStep(f, STRING_COERCED);
    const message = "while evaluating the first argument passed to builtins.fetchMercurial";
    return awaitNative2(f, COERCE_TO_STRING, argument, coerceRequest(0, message));
  }
  const mark = beginAttrs();
  addAttr(symbolUrl, awaited());
  addAttr(SYMBOL_NAME, stringOfText("source"));
  return fetch(f, "mercurial", endAttrs(mark));
}

/** False: the builtin waits. */
function readMercurialAttribute(f: Frame, attrs: Value, index: u32): bool {
  const symbol = keySymbol(keysOf(attrs), index);
  if (symbol == symbolUrl) return coerceUrl(f, attrs, index);
  let message: string;
  if (symbol == symbolRev) message = "while evaluating the `rev` attribute passed to builtins.fetchMercurial";
  else if (symbol == SYMBOL_NAME) message = "while evaluating the `name` attribute passed to builtins.fetchMercurial";
  else {
    beginError(ERROR_EVAL);
    appendText("unsupported argument '");
    errorString(symbolName(symbol));
    appendText("' to 'fetchMercurial'");
    raiseError(keyPosition(keysOf(attrs), index));
    return false;
  }
  if (!demandPlainAttr(f, attrs, index, message)) return false;
  setListItem(local(f, VALUES), index, resolve(attrValue(attrs, index)));
  return true;
}

/** Always false: the builtin waits. */
function coerceUrl(f: Frame, attrs: Value, index: u32): bool {
  const value = resolve(attrValue(attrs, index));
  if (!isWhnf(value)) {
    awaitForce(f, value);
    return false;
  }
  const message = "while evaluating the `url` attribute passed to builtins.fetchMercurial";
  if (!isAttrs(value)) setMessageAtPosition(f, message, keyPosition(keysOf(attrs), index));
  setStep(f, ATTRIBUTE_COERCED);
  awaitNative2(f, COERCE_TO_STRING, value, coerceRequest(0, ""));
  return false;
}

/** `rev` names a revision, or a branch or tag: then it becomes `ref`. */
function repositoryToFetch(f: Frame, attrs: Value): Value {
  const keys = keysOf(attrs);
  const mark = beginAttrs();
  for (let i: u32 = 0; i < attrsCount(attrs); i++) {
    const value = listItem(local(f, VALUES), i);
    const symbol = keySymbol(keys, i);
    addAttr(symbol == symbolRev && !isRevision(value) ? symbolRef : symbol, value);
  }
  if (findKey(keys, SYMBOL_NAME) < 0) addAttr(SYMBOL_NAME, stringOfText("source"));
  return endAttrs(mark);
}

const REVISION_LENGTH: u32 = 40;

/** 40 hexadecimal digits. */
function isRevision(text: Value): bool {
  if (stringLength(text) != REVISION_LENGTH) return false;
  for (let i: u32 = 0; i < REVISION_LENGTH; i++) {
    const byte = <u32>load<u8>(stringBytes(text) + i);
    const isDigit = byte - 0x30 < 10 || (byte | 0x20) - 0x61 < 6;
    if (!isDigit) return false;
  }
  return true;
}
