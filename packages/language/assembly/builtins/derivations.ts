// `derivationStrict`: makes a derivation of a set, and names its outputs.
//
// Attributes are looked at in the order of their names, each once. Values that are strings at once (nearly all) cost no
// wait; the others are coerced, or written as JSON, by builtins that wait. Everything is in a frame until all of it is
// there; the derivation itself is put together without waiting (derivation/draft.ts), unless it depends on one that this
// evaluation has not met: that is read first (derivation/read-derivation.ts).

import { Address } from "../memory/chunks";
import { appendByte, appendText, textMark } from "../memory/text";
import { ERROR_EVAL, beginError, errorQuoted, errorString, errorSymbol, fail, raiseError } from "../errors/raise";
import { OUTPUTS_FIXED, OUTPUTS_FLOATING, OUTPUTS_IMPURE, OUTPUTS_INPUT_ADDRESSED } from "../derivation/draft";
import {
  addOutput,
  addVariable,
  beginDraft,
  draftOutput,
  draftOutputCount,
  draftOutputPath,
  draftText,
  finishDraft,
  setOutputKind,
} from "../derivation/draft";
import { collectInputs } from "../derivation/inputs";
import { METHOD_FLAT, METHOD_GIT, METHOD_NAR, METHOD_TEXT, Method, NO_METHOD, methodNamed } from "../derivation/ingestion-method";
import { downstreamPlaceholder } from "../derivation/placeholder";
import { LEARN_PATH, initializeDerivationReading } from "../derivation/read-derivation";
import {
  FEATURE_BLAKE3_HASHES,
  FEATURE_CA_DERIVATIONS,
  FEATURE_DYNAMIC_DERIVATIONS,
  FEATURE_GIT_HASHING,
  FEATURE_IMPURE_DERIVATIONS,
  beginFeatureError,
  endFeatureError,
  isFeatureEnabled,
  requireFeature,
  writesStore,
} from "../derivation/settings";
import { appendNameComplaint, isValidStoreName } from "../derivation/store-name";
import { appendString } from "../derivation/make-store-path";
import { setAttributeContext, setDerivationContext, setNameContext } from "../derivation/trace-context";
import { appendJsonString } from "../formats/json-escape";
import { readJson } from "../formats/read-json";
import { TO_JSON, appendEvaluatedJson } from "../formats/write-json";
import { BLAKE3, HashAlgorithm, NO_ALGORITHM, SHA256, algorithmNamed } from "../hash/algorithm";
import { HASH_ASSUMED, HASH_PARSED, parseHashOrEmpty, parsedAlgorithm } from "../hash/parse-hash";
import { SRI, MAXIMUM_HASH_TEXT, writeHash } from "../hash/format";
import { setProfiledDerivation } from "../machine/profiler";
import { isOfferFull, offerCall, offersSiblings } from "../machine/siblings";
import { MESSAGE_OF_NIX, REQUEST_MESSAGE, REQUEST_WRITE_DERIVATION } from "../machine/host-request";
import {
  ATTRS,
  Frame,
  LAZY,
  Primop,
  STRICT,
  arg,
  args1,
  args2,
  awaitForce,
  awaitHost,
  awaitNative1,
  awaitNative2,
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
import { textAdvance, textReserve } from "../memory/text";
import { CANONICAL_PATH, COERCE_MORE, COERCE_TO_STRING, COPY_TO_STORE, coerceNow, coerceRequest, offerString, offerStrings } from "../operations/coerce";
import { allOutputsElement, outputElement } from "../operations/context-element";
import { isDerivationName } from "../operations/path-name";
import { raiseContextNotAllowed } from "../operations/context-error";
import { raiseTypeMismatch } from "../operations/type-names";
import {
  SYMBOL_ARGS,
  SYMBOL_BUILDER,
  SYMBOL_CONTENT_ADDRESSED,
  SYMBOL_DRV_PATH,
  SYMBOL_IGNORE_NULLS,
  SYMBOL_IMPURE,
  SYMBOL_NAME,
  SYMBOL_OUT,
  SYMBOL_OUTPUTS,
  SYMBOL_OUTPUT_HASH,
  SYMBOL_OUTPUT_HASH_ALGO,
  SYMBOL_OUTPUT_HASH_MODE,
  SYMBOL_STRUCTURED_ATTRS,
  SYMBOL_SYSTEM,
} from "../symbols/known";
import { Symbol, internBytes, internString, internText, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, findAttr, findKey, keyPosition, keySymbol, keysOf, makeAttrs, makePermanentKeys, setAttrValue, setKey } from "../values/attrs";
import { Keys } from "../values/attrs";
import { indexAtRank, orderOf } from "../values/attr-order";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { EMPTY_LIST, NULL, TRUE } from "../values/constants";
import { singletonContext } from "../values/context";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { listItem, listItems, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt } from "../values/number";
import { makeStringWithContext, stringBytes, stringContext, stringLength, stringOfText, takeTextAsString } from "../values/string";
import { makeValueTable, setTableWord, tableWord, tableWords } from "../values/table";
import { Value, isAttrs, isKind, isList, isString, isWhnf, KIND_BOOL, resolve } from "../values/value";
import { expectPlainString, failMissing } from "./demand";
import { failHash } from "./hashing";
import { sortSymbols } from "../derivation/sort-symbols";
import { define } from "./registry";

/** Internal: ATTRS, STRING name → ATTRS of paths. */
let MAKE_DERIVATION: Value = 0;
/** Internal: the value of `name` → STRING without context. */
let DERIVATION_NAME: Value = 0;
/** The names of what a derivation with the output "out" only has. */
let soleOutputKeys: Keys = 0;

let symbolJson: Symbol = 0;

export function defineDerivationBuiltins(): void {
  const strict = define("derivationStrict", 1, args1(ATTRS), 0, derivationStrict);
  setProfiledDerivation(strict);
  describeArgument(strict, 0, "while evaluating the argument passed to builtins.derivationStrict");
  MAKE_DERIVATION = internal(makePrimop("derivationStrict", 2, args2(STRICT, STRICT), LOCALS, makeDerivation));
  offersSiblings(MAKE_DERIVATION, offerAttributes);
  DERIVATION_NAME = internal(makePrimop("derivationStrict", 1, args1(LAZY), 0, derivationName));
  initializeDerivationReading();
  soleOutputKeys = makePermanentKeys(2);
  setKey(soleOutputKeys, 0, SYMBOL_DRV_PATH, 0);
  setKey(soleOutputKeys, 1, SYMBOL_OUT, 0);
  symbolJson = internText("__json");
  initializeIneffective();
}

function internal(builtin: Value): Value {
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

// ── The name, and what the traces say ──

const NAME_FORCED: u32 = 1;
const MADE: u32 = 2;

function derivationStrict(f: Frame): Value {
  if (step(f) == MADE) return awaited();
  const attrs = arg(f, 0);
  const index = findKey(keysOf(attrs), SYMBOL_NAME);
  if (index < 0) {
    return failMissing(f, stringOfText("name"), "in the attrset passed as argument to builtins.derivationStrict");
  }
  const position = keyPosition(keysOf(attrs), <u32>index);
  let name = resolve(attrValue(attrs, <u32>index));
  if (step(f) == 0 && !(isString(name) && stringContext(name) == 0)) {
    setNameContext(f, position);
    setStep(f, NAME_FORCED);
    return awaitNative1(f, DERIVATION_NAME, name);
  }
  name = resolve(attrValue(attrs, <u32>index));
  setDerivationContext(f, name, position);
  setStep(f, MADE);
  return awaitNative2(f, MAKE_DERIVATION, attrs, name);
}

function derivationName(f: Frame): Value {
  const value = resolve(arg(f, 0));
  setContext(f, "while evaluating the `name` attribute passed to builtins.derivationStrict");
  if (!isWhnf(value)) return awaitForce(f, value);
  expectPlainString(f, value, "while evaluating the `name` attribute passed to builtins.derivationStrict");
  return value;
}

// ── The attributes ──

/** The rank of the attribute that is looked at. */
const RANK: u32 = 0;
/** TABLE: for each rank its variable or its JSON, a STRING, or 0. */
const TEXTS: u32 = 1;
/** LIST of STRING: the builder's arguments. */
const ARGUMENTS: u32 = 2;
const FLAGS: u32 = 3;
const METHOD: u32 = 4;
const ALGORITHM: u32 = 5;
/** LIST of small integers: the symbols of the outputs, in the order of their names; 0 for "out" only. */
const OUTPUTS: u32 = 6;
/** The index of the argument that is coerced, or that of the output's name that is forced. */
const INDEX: u32 = 7;
/** What is returned after waiting. */
const RESULT: u32 = 8;
/** The rank of the first attribute that has not been offered to other fibers. */
const OFFERED: u32 = 9;
const LOCALS: u32 = 10;

const STRUCTURED: u32 = 1;
const IGNORE_NULLS: u32 = 2;
const CONTENT_ADDRESSED: u32 = 4;
const IMPURE: u32 = 8;
const WARNED_OF_HASH: u32 = 16;
const WARNED_OF_ATTRIBUTE: u32 = 32;

const FLAGS_READ: u32 = 1;
const ATTRIBUTE_FORCED: u32 = 2;
const COERCED: u32 = 3;
const ARGUMENT_COERCED: u32 = 4;
const JSON_WRITTEN: u32 = 5;
const COMPLETE: u32 = 6;
const WRITTEN: u32 = 7;

/** How attributes become strings. */
const COERCION: u32 = COERCE_MORE | COPY_TO_STORE | CANONICAL_PATH;

function makeDerivation(f: Frame): Value {
  const at = step(f);
  if (at == WRITTEN) return local(f, RESULT);
  if (at == COMPLETE) return complete(f);
  if (at == 0) {
    checkName(arg(f, 1));
    if (!readFlags(f)) return 0;
    setLocal(f, TEXTS, makeValueTable(attrsCount(arg(f, 0))));
    setLocal(f, ARGUMENTS, EMPTY_LIST);
    setStep(f, FLAGS_READ);
  } else if (at == COERCED) {
    takeText(f, awaited());
    nextAttribute(f);
  } else if (at == JSON_WRITTEN) setTableWord(local(f, TEXTS), localInt(f, RANK), awaited());
  else if (at == ARGUMENT_COERCED) {
    setListItem(local(f, ARGUMENTS), localInt(f, INDEX), awaited());
    setLocalInt(f, INDEX, localInt(f, INDEX) + 1);
  }
  const count = attrsCount(arg(f, 0));
  while (localInt(f, RANK) < count) {
    if (!lookAtAttribute(f)) return 0;
    nextAttribute(f);
  }
  clearContext(f);
  setStep(f, COMPLETE);
  return complete(f);
}

function offerAttributes(f: Frame): void {
  const at = step(f);
  if (at < FLAGS_READ || at >= COMPLETE) return;
  const attrs = arg(f, 0);
  const order = orderOf(keysOf(attrs));
  if (at == ARGUMENT_COERCED && localInt(f, OFFERED) == 0) offerArguments(f);
  let rank = max(localInt(f, RANK) + 1, localInt(f, OFFERED));
  while (rank < attrsCount(attrs) && !isOfferFull()) {
    const value = attrValue(attrs, indexAtRank(order, rank));
    if (hasFlag(f, STRUCTURED)) offerCall(TO_JSON, value);
    else offerString(value, COERCION);
    rank++;
  }
  setLocalInt(f, OFFERED, rank);
}

/** The builder's arguments after the one that is being coerced. */
function offerArguments(f: Frame): void {
  const attrs = arg(f, 0);
  const list = resolve(attrValue(attrs, indexAtRank(orderOf(keysOf(attrs)), localInt(f, RANK))));
  offerStrings(list, localInt(f, INDEX) + 1, COERCION);
}

@inline
function nextAttribute(f: Frame): void {
  setLocalInt(f, RANK, localInt(f, RANK) + 1);
  setLocalInt(f, INDEX, 0);
  setLocalInt(f, FLAGS, localInt(f, FLAGS) & ~WARNED_OF_ATTRIBUTE);
}

@inline
function addFlag(f: Frame, flag: u32): void {
  setLocalInt(f, FLAGS, localInt(f, FLAGS) | flag);
}

@inline
function hasFlag(f: Frame, flag: u32): bool {
  return (localInt(f, FLAGS) & flag) != 0;
}

function checkName(name: Value): void {
  if (isValidStoreName(name)) return;
  beginError(ERROR_EVAL);
  appendText("invalid derivation name: ");
  appendNameComplaint(name);
  appendText(". Please pass a different 'name'.");
  raiseError();
}

/** False: the builtin waits, and comes back to its beginning. */
function readFlags(f: Frame): bool {
  const structured = "while evaluating the `__structuredAttrs` attribute passed to builtins.derivationStrict";
  const ignoring = "while evaluating the `__ignoreNulls` attribute passed to builtins.derivationStrict";
  return readFlag(f, SYMBOL_STRUCTURED_ATTRS, STRUCTURED, structured) && readFlag(f, SYMBOL_IGNORE_NULLS, IGNORE_NULLS, ignoring);
}

function readFlag(f: Frame, symbol: Symbol, flag: u32, message: string): bool {
  const slot = findAttr(arg(f, 0), symbol);
  if (slot == 0) return true;
  setContext(f, message);
  const value = resolve(slot);
  if (!isWhnf(value)) {
    awaitForce(f, value);
    return false;
  }
  if (!isKind(value, KIND_BOOL)) raiseTypeMismatch(value, "a Boolean");
  if (value == TRUE) addFlag(f, flag);
  clearContext(f);
  return true;
}

/** False: the builtin waits for something about the attribute at RANK. */
function lookAtAttribute(f: Frame): bool {
  const attrs = arg(f, 0);
  const keys = keysOf(attrs);
  const index = indexAtRank(orderOf(keys), localInt(f, RANK));
  const symbol = keySymbol(keys, index);
  if (symbol == SYMBOL_IGNORE_NULLS) return true;
  const value = resolve(attrValue(attrs, index));
  if (hasFlag(f, IGNORE_NULLS)) {
    if (!isWhnf(value)) return forceAttribute(f, index, value);
    if (value == NULL) return true;
  }
  if (symbol == SYMBOL_CONTENT_ADDRESSED) return lookAtSwitch(f, index, value, CONTENT_ADDRESSED);
  if (symbol == SYMBOL_IMPURE) return lookAtSwitch(f, index, value, IMPURE);
  if (symbol == SYMBOL_ARGS) return lookAtArguments(f, index, value);
  if (hasFlag(f, STRUCTURED)) return symbol == SYMBOL_STRUCTURED_ATTRS || lookAtStructured(f, index, symbol, value);
  if (!isWhnf(value)) return forceAttribute(f, index, value);
  const text = coerceNow(value, COERCION);
  if (text == 0) {
    setAttributeContext(f, attrs, index, arg(f, 1));
    setStep(f, COERCED);
    awaitNative2(f, COERCE_TO_STRING, value, coerceRequest(COERCION, ""));
    return false;
  }
  if (symbol == symbolJson && !hasFlag(f, WARNED_OF_ATTRIBUTE)) return warnOfJson(f, index);
  takeText(f, text);
  return true;
}

function forceAttribute(f: Frame, index: u32, value: Value): bool {
  setAttributeContext(f, arg(f, 0), index, arg(f, 1));
  setStep(f, ATTRIBUTE_FORCED);
  awaitForce(f, value);
  return false;
}

/** `__contentAddressed`, `__impure`. */
function lookAtSwitch(f: Frame, index: u32, value: Value, flag: u32): bool {
  if (!isWhnf(value)) return forceAttribute(f, index, value);
  if (!isKind(value, KIND_BOOL)) failAttribute(f, index, value, "a Boolean");
  if (value != TRUE) return true;
  addFlag(f, flag);
  setAttributeContext(f, arg(f, 0), index, arg(f, 1));
  requireFeature(flag == IMPURE ? FEATURE_IMPURE_DERIVATIONS : FEATURE_CA_DERIVATIONS);
  return true;
}

function failAttribute(f: Frame, index: u32, value: Value, wanted: string): void {
  setAttributeContext(f, arg(f, 0), index, arg(f, 1));
  raiseTypeMismatch(value, wanted);
}

/** `args`: a list, each item of which becomes a string. */
function lookAtArguments(f: Frame, index: u32, list: Value): bool {
  if (!isWhnf(list)) return forceAttribute(f, index, list);
  if (!isList(list)) failAttribute(f, index, list, "a list");
  const length = listLength(list);
  let i = localInt(f, INDEX);
  if (i == 0) setLocal(f, ARGUMENTS, makeFilledList(length));
  while (i < length) {
    const item = resolve(listItem(list, i));
    const text = coerceNow(item, COERCION);
    if (text == 0) {
      setAttributeContext(f, arg(f, 0), index, arg(f, 1));
      setLocalInt(f, INDEX, i);
      setStep(f, ARGUMENT_COERCED);
      awaitNative2(f, COERCE_TO_STRING, item, coerceRequest(COERCION, "while evaluating an element of the argument list"));
      return false;
    }
    setListItem(local(f, ARGUMENTS), i, text);
    i++;
  }
  return true;
}

function makeFilledList(length: u32): Value {
  const list = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(list, i, NULL);
  return list;
}

/** Keeps the variable of the attribute at RANK, and looks at what it says of the outputs. */
function takeText(f: Frame, text: Value): void {
  const rank = localInt(f, RANK);
  const keys = keysOf(arg(f, 0));
  const index = indexAtRank(orderOf(keys), rank);
  const symbol = keySymbol(keys, index);
  setTableWord(local(f, TEXTS), rank, text);
  if (symbol == SYMBOL_OUTPUTS) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    takeOutputWords(f, text);
  } else if (symbol == SYMBOL_OUTPUT_HASH_MODE) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    takeMethod(f, text);
  } else if (symbol == SYMBOL_OUTPUT_HASH_ALGO) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    takeAlgorithm(f, text);
  } else if (symbol == symbolJson) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    setTableWord(local(f, TEXTS), rank, normalizedJson(f, text));
  }
}

function takeMethod(f: Frame, name: Value): void {
  const method = methodNamed(name);
  if (method == NO_METHOD) {
    beginError(ERROR_EVAL);
    appendText("invalid value ");
    errorQuoted(name);
    appendText(" for 'outputHashMode' attribute");
    raiseError();
  }
  if (method == METHOD_TEXT) requireTextHashing(arg(f, 1));
  if (method == METHOD_GIT) requireFeature(FEATURE_GIT_HASHING);
  setLocalInt(f, METHOD, method);
}

function requireTextHashing(name: Value): void {
  if (isFeatureEnabled(FEATURE_DYNAMIC_DERIVATIONS)) return;
  beginFeatureError(FEATURE_DYNAMIC_DERIVATIONS);
  appendText(" (text-hashed derivation '");
  errorString(name);
  appendText("', outputHashMode = \"text\")");
  endFeatureError(FEATURE_DYNAMIC_DERIVATIONS);
}

function takeAlgorithm(f: Frame, name: Value): void {
  const algorithm = algorithmNamed(stringBytes(name), stringLength(name));
  if (algorithm == BLAKE3) requireFeature(FEATURE_BLAKE3_HASHES);
  setLocalInt(f, ALGORITHM, algorithm);
}

// ── Outputs ──

/** The words of a text, as `outputs` lists them. */
function takeOutputWords(f: Frame, text: Value): void {
  const bytes = stringBytes(text);
  const length = stringLength(text);
  let names = makeList(countWords(bytes, length));
  let count: u32 = 0;
  let i: u32 = 0;
  while (true) {
    while (i < length && isSpace(<u32>load<u8>(bytes + i))) i++;
    if (i == length) break;
    const start = i;
    while (i < length && !isSpace(<u32>load<u8>(bytes + i))) i++;
    const name = internBytes(bytes + start, i - start);
    checkOutput(names, count, name);
    setListItem(names, count++, (name << 1) | 1);
  }
  keepOutputs(f, names, count);
}

function countWords(bytes: Address, length: u32): u32 {
  let words: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    if (isSpace(<u32>load<u8>(bytes + i))) continue;
    if (i == 0 || isSpace(<u32>load<u8>(bytes + i - 1))) words++;
  }
  return words;
}

@inline
function isSpace(byte: u32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d;
}

function checkOutput(names: Value, count: u32, name: Symbol): void {
  for (let i: u32 = 0; i < count; i++) {
    if (<u32>listItem(names, i) >>> 1 != name) continue;
    beginError(ERROR_EVAL);
    appendText("duplicate derivation output '");
    errorSymbol(name);
    appendText("'");
    raiseError();
  }
  if (name == SYMBOL_DRV_PATH) fail(ERROR_EVAL, "invalid derivation output name 'drvPath'");
}

function keepOutputs(f: Frame, names: Value, count: u32): void {
  if (count == 0) fail(ERROR_EVAL, "derivation cannot have an empty set of outputs");
  const words = listItems(names);
  for (let i: u32 = 0; i < count; i++) store<u32>(words + (i << 2), load<u32>(words + (i << 2)) >>> 1);
  sortSymbols(words, count);
  for (let i: u32 = 0; i < count; i++) store<u32>(words + (i << 2), (load<u32>(words + (i << 2)) << 1) | 1);
  setLocal(f, OUTPUTS, names);
}

@inline
function hasOnlyOut(f: Frame): bool {
  const names = local(f, OUTPUTS);
  return names == 0 || (listLength(names) == 1 && <u32>listItem(names, 0) >>> 1 == SYMBOL_OUT);
}

// ── Structured attributes ──

function lookAtStructured(f: Frame, index: u32, symbol: Symbol, value: Value): bool {
  if (tableWord(local(f, TEXTS), localInt(f, RANK)) == 0) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    setStep(f, JSON_WRITTEN);
    awaitNative1(f, TO_JSON, value);
    return false;
  }
  // It is evaluated now.
  if (symbol == SYMBOL_BUILDER) return isString(value) || failStructured(f, index, value, "a string");
  if (symbol == SYMBOL_OUTPUTS) return takeOutputList(f, index, value);
  const isPlain = symbol == SYMBOL_SYSTEM || symbol == SYMBOL_OUTPUT_HASH || symbol == SYMBOL_OUTPUT_HASH_ALGO || symbol == SYMBOL_OUTPUT_HASH_MODE;
  if (isPlain) {
    setAttributeContext(f, arg(f, 0), index, arg(f, 1));
    checkPlainString(value);
    if (symbol == SYMBOL_OUTPUT_HASH_MODE) takeMethod(f, value);
    if (symbol == SYMBOL_OUTPUT_HASH_ALGO) takeAlgorithm(f, value);
  }
  if (isIneffective(symbol) && !hasFlag(f, WARNED_OF_ATTRIBUTE)) return warnOfIneffective(f, index, symbol);
  return true;
}

function failStructured(f: Frame, index: u32, value: Value, wanted: string): bool {
  failAttribute(f, index, value, wanted);
  return false;
}

function checkPlainString(value: Value): void {
  if (!isString(value)) raiseTypeMismatch(value, "a string");
  if (stringContext(value) != 0) raiseContextNotAllowed(value);
}

function takeOutputList(f: Frame, index: u32, list: Value): bool {
  setAttributeContext(f, arg(f, 0), index, arg(f, 1));
  if (!isList(list)) raiseTypeMismatch(list, "a list");
  const length = listLength(list);
  const names = makeList(length);
  for (let i: u32 = 0; i < length; i++) {
    const item = resolve(listItem(list, i));
    checkPlainString(item);
    setListItem(names, i, (internString(item) << 1) | 1);
  }
  for (let i: u32 = 0; i < length; i++) checkOutput(names, i, <u32>listItem(names, i) >>> 1);
  keepOutputs(f, names, length);
  return true;
}

/** The attributes as one JSON object. */
function structuredJson(f: Frame): Value {
  const texts = local(f, TEXTS);
  const keys = keysOf(arg(f, 0));
  const mark = textMark();
  appendByte(0x7b);
  let first = true;
  for (let rank: u32 = 0; rank < tableWords(texts); rank++) {
    const text: Value = tableWord(texts, rank);
    if (text == 0) continue;
    if (!first) appendByte(0x2c);
    first = false;
    appendJsonString(symbolName(keySymbol(keys, indexAtRank(orderOf(keys), rank))));
    appendByte(0x3a);
    appendString(text);
  }
  appendByte(0x7d);
  return takeTextAsString(mark);
}

/** The text of `__json` as it is written by a machine. */
function normalizedJson(f: Frame, text: Value): Value {
  const value = readJson(text, f);
  if (!isAttrs(value)) fail(ERROR_EVAL, "cannot process __json attribute: it must be an object");
  const mark = textMark();
  if (!appendEvaluatedJson(value)) fail(ERROR_EVAL, "cannot process __json attribute: it has an attribute named __toString or outPath");
  return takeTextAsString(mark, stringContext(text));
}

function warnOfJson(f: Frame, index: u32): bool {
  const mark = textMark();
  appendText("setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. ");
  appendText("Set '__structuredAttrs = true' instead.");
  return warnOfAttribute(f, index, takeTextAsString(mark));
}

function warnOfIneffective(f: Frame, index: u32, symbol: Symbol): bool {
  const name = symbolName(symbol);
  const mark = textMark();
  appendText("'structuredAttrs' disables the effect of the derivation attribute '");
  appendString(name);
  appendText("'; use 'outputChecks.<output>.");
  appendString(name);
  appendText("' instead");
  return warnOfAttribute(f, index, takeTextAsString(mark));
}

function warnOfAttribute(f: Frame, index: u32, text: Value): bool {
  addFlag(f, WARNED_OF_ATTRIBUTE);
  setStep(f, ATTRIBUTE_FORCED);
  const mark = textMark();
  appendText("while evaluating derivation '");
  appendString(arg(f, 1));
  appendText("'");
  const position = makeSmallInt(keyPosition(keysOf(arg(f, 0)), index));
  awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_OF_NIX), text, position, takeTextAsString(mark));
  return false;
}

/** The symbols of attributes that structured attributes make ineffective. */
const ineffective: Address = memory.data(24);
const INEFFECTIVE_COUNT: u32 = 6;

function initializeIneffective(): void {
  store<u32>(ineffective, internText("allowedReferences"));
  store<u32>(ineffective, internText("allowedRequisites"), 4);
  store<u32>(ineffective, internText("disallowedReferences"), 8);
  store<u32>(ineffective, internText("disallowedRequisites"), 12);
  store<u32>(ineffective, internText("maxSize"), 16);
  store<u32>(ineffective, internText("maxClosureSize"), 20);
}

function isIneffective(symbol: Symbol): bool {
  for (let i: u32 = 0; i < INEFFECTIVE_COUNT; i++) if (load<u32>(ineffective + (i << 2)) == symbol) return true;
  return false;
}

// ── The derivation ──

const digest: Address = memory.data(64, 8);

/** Makes the derivation, unless something about its inputs has to be learnt first. */
function complete(f: Frame): Value {
  const unknown = collectInputs(contextOfAll(f));
  if (unknown != 0) return awaitNative1(f, LEARN_PATH, symbolName(unknown));
  const builder = specialText(f, SYMBOL_BUILDER);
  const system = specialText(f, SYMBOL_SYSTEM);
  if (isEmptyText(builder)) fail(ERROR_EVAL, "required attribute 'builder' missing");
  if (isEmptyText(system)) fail(ERROR_EVAL, "required attribute 'system' missing");
  checkDerivationSuffix(f);
  beginDraft(arg(f, 1), system, builder, local(f, ARGUMENTS));
  if (!decideOutputs(f)) return 0;
  addOutputs(f);
  addVariables(f);
  const path = finishDraft(writesStore);
  const result = resultOf(path);
  if (draftText == 0) return result;
  setLocal(f, RESULT, result);
  setStep(f, WRITTEN);
  return awaitHost(f, REQUEST_WRITE_DERIVATION, symbolName(path), draftText);
}

function contextOfAll(f: Frame): Value {
  const union = beginUnion();
  const texts = local(f, TEXTS);
  for (let i: u32 = 0; i < tableWords(texts); i++) {
    const text: Value = tableWord(texts, i);
    if (text != 0) addToUnion(union, stringContext(text));
  }
  const args = local(f, ARGUMENTS);
  for (let i: u32 = 0; i < listLength(args); i++) addToUnion(union, stringContext(listItem(args, i)));
  return endUnion(union);
}

/** The string of an attribute, or 0. */
function specialText(f: Frame, symbol: Symbol): Value {
  const keys = keysOf(arg(f, 0));
  const index = findKey(keys, symbol);
  if (index < 0) return 0;
  const order = orderOf(keys);
  if (hasFlag(f, STRUCTURED)) {
    const value = resolve(attrValue(arg(f, 0), <u32>index));
    return isString(value) ? value : 0;
  }
  let rank: u32 = 0;
  while (indexAtRank(order, rank) != <u32>index) rank++;
  return tableWord(local(f, TEXTS), rank);
}

@inline
function isEmptyText(text: Value): bool {
  return text == 0 || stringLength(text) == 0;
}

function checkDerivationSuffix(f: Frame): void {
  if (!isDerivationName(arg(f, 1))) return;
  if (localInt(f, METHOD) == METHOD_TEXT && hasOnlyOut(f)) return;
  fail(ERROR_EVAL, "derivation names are allowed to end in '.drv' only if they produce a single derivation file");
}

/** Finds out what the outputs are named after. False: the builtin waits, and comes back to `complete`. */
function decideOutputs(f: Frame): bool {
  const hash = specialText(f, SYMBOL_OUTPUT_HASH);
  const method: Method = localInt(f, METHOD);
  const algorithm: HashAlgorithm = localInt(f, ALGORITHM);
  if (hash != 0) return decideFixed(f, hash, method == NO_METHOD ? METHOD_FLAT : method, algorithm);
  const isImpure = hasFlag(f, IMPURE);
  if (!isImpure && !hasFlag(f, CONTENT_ADDRESSED)) {
    setOutputKind(OUTPUTS_INPUT_ADDRESSED, NO_METHOD, NO_ALGORITHM, 0);
    return true;
  }
  if (isImpure && hasFlag(f, CONTENT_ADDRESSED)) {
    fail(ERROR_EVAL, "derivation cannot be both content-addressed and impure");
  }
  const kind = isImpure ? OUTPUTS_IMPURE : OUTPUTS_FLOATING;
  setOutputKind(kind, method == NO_METHOD ? METHOD_NAR : method, algorithm == NO_ALGORITHM ? SHA256 : algorithm, 0);
  return true;
}

function decideFixed(f: Frame, hash: Value, method: Method, expected: HashAlgorithm): bool {
  if (!hasOnlyOut(f)) fail(ERROR_EVAL, "multiple outputs are not supported in fixed-output derivations");
  const outcome = parseHashOrEmpty(stringBytes(hash), stringLength(hash), expected, digest);
  if (parsedAlgorithm() == BLAKE3) requireFeature(FEATURE_BLAKE3_HASHES);
  if (outcome == HASH_ASSUMED) {
    if (!hasFlag(f, WARNED_OF_HASH)) return warnOfHash(f);
  } else if (outcome != HASH_PARSED) failHash(hash, expected, outcome);
  setOutputKind(OUTPUTS_FIXED, method, parsedAlgorithm(), digest);
  return true;
}

function warnOfHash(f: Frame): bool {
  addFlag(f, WARNED_OF_HASH);
  const mark = textMark();
  appendText("found empty hash, assuming '");
  textAdvance(writeHash(parsedAlgorithm(), digest, SRI, true, textReserve(MAXIMUM_HASH_TEXT)));
  appendByte(0x27);
  awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_OF_NIX), takeTextAsString(mark));
  return false;
}

function addOutputs(f: Frame): void {
  const names = local(f, OUTPUTS);
  if (names == 0) return addOutput(SYMBOL_OUT);
  for (let i: u32 = 0; i < listLength(names); i++) addOutput(<u32>listItem(names, i) >>> 1);
}

function addVariables(f: Frame): void {
  if (hasFlag(f, STRUCTURED)) return addVariable(symbolJson, structuredJson(f));
  const texts = local(f, TEXTS);
  const keys = keysOf(arg(f, 0));
  const order = orderOf(keys);
  for (let rank: u32 = 0; rank < tableWords(texts); rank++) {
    const text: Value = tableWord(texts, rank);
    if (text != 0) addVariable(keySymbol(keys, indexAtRank(order, rank)), text);
  }
}

// ── What it gives ──

function resultOf(path: Symbol): Value {
  const name = symbolName(path);
  const context = singletonContext(allOutputsElement(path));
  const drvPath = makeStringWithContext(stringBytes(name), stringLength(name), context);
  if (draftOutputCount() == 1 && draftOutput(0) == SYMBOL_OUT) {
    const sole = makeAttrs(soleOutputKeys);
    setAttrValue(sole, 0, drvPath);
    setAttrValue(sole, 1, outputString(path, SYMBOL_OUT, draftOutputPath(0)));
    return sole;
  }
  const mark = beginAttrs();
  addAttr(SYMBOL_DRV_PATH, drvPath);
  for (let i: u32 = 0; i < draftOutputCount(); i++) {
    addAttr(draftOutput(i), outputString(path, draftOutput(i), draftOutputPath(i)));
  }
  return endAttrs(mark);
}

/** The string that refers to an output: its path, or what stands for it while that is not known. */
export function outputString(derivation: Symbol, output: Symbol, path: Symbol): Value {
  const text = path == 0 ? downstreamPlaceholder(derivation, output) : symbolName(path);
  return makeStringWithContext(stringBytes(text), stringLength(text), singletonContext(outputElement(derivation, output)));
}
