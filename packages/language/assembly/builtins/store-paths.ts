// Builtins that make store paths of texts and files: toFile, storePath, path and filterSource.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { addReferences, findReferences, setReference } from "../derivation/known-derivations";
import { METHOD_FLAT, METHOD_NAR, Method } from "../derivation/ingestion-method";
import { appendString, endStorePath, makeFixedPath } from "../derivation/make-store-path";
import { isPureEvaluation, writesStore } from "../derivation/settings";
import { sortSymbols } from "../derivation/sort-symbols";
import { setContextAtPosition, setPathContext } from "../derivation/trace-context";
import { WordList, pushWord, wordAt } from "../derivation/word-list";
import { ERROR_EVAL, beginError, errorString, fail, raiseError } from "../errors/raise";
import { SHA256 } from "../hash/algorithm";
import { HASH_ASSUMED, HASH_PARSED, parseHashOrEmpty } from "../hash/parse-hash";
import { sha256 } from "../hash/sha256";
import {
  REQUEST_ADD_PATH,
  REQUEST_ADD_TEXT,
  REQUEST_ENSURE_PATH,
  REQUEST_FILE_TYPE,
  REQUEST_PATH_REFERENCES,
  REQUEST_READ_DIRECTORY,
  REQUEST_RESOLVE_LINKS,
} from "../machine/host-request";
import {
  ATTRS,
  Frame,
  LAZY,
  PLAIN_STRING,
  Primop,
  STRICT,
  STRING,
  arg,
  args1,
  args2,
  args3,
  args4,
  awaitCall2,
  awaitForce,
  awaitHost,
  awaitNative1,
  awaitNative2,
  awaitNative3,
  awaitNative4,
  awaited,
  clearContext,
  describeArgument,
  local,
  localInt,
  makePrimop,
  setArg,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { COERCE_TO_PATH, coerceRequest, storePathString } from "../operations/coerce";
import { ELEMENT_OUTPUT, ELEMENT_PATH, elementKind, elementOutput, elementPath } from "../operations/context-element";
import { baseNameOffset } from "../operations/path-name";
import { isStorePath, storeDirectory } from "../operations/store-path";
import { raiseContextNotAllowed } from "../operations/context-error";
import { raiseTypeMismatch } from "../operations/type-names";
import { SYMBOL_FILTER, SYMBOL_NAME, SYMBOL_PATH, SYMBOL_RECURSIVE, SYMBOL_SHA256 } from "../symbols/known";
import { Symbol, internString, internText, symbolName } from "../symbols/symbols";
import { attrValue, attrsCount, keyPosition, keySymbol, keysOf } from "../values/attrs";
import { indexAtRank, orderOf } from "../values/attr-order";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { EMPTY_LIST, EMPTY_STRING, NULL, TRUE } from "../values/constants";
import { addToContext, contextCount, contextElement } from "../values/context";
import { addItem, beginItems, endItems } from "../values/list-collector";
import { listItem, makeList, setListItem } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { makePath, makeString, makeStringWithContext, stringBytes, stringContext, stringIs, stringLength, takeTextAsString } from "../values/string";
import { KIND_BOOL, Value, isKind, isString, isWhnf, resolve } from "../values/value";
import { expectBool, isCallable } from "./demand";
import { REALISE_CONTEXT, isInStore, storePathOf } from "./files";
import { failHash } from "./hashing";
import { define } from "./registry";

/** Internal: STRING path, STRING name, filter or NULL, LIST of small int method, STRING of 32 bytes or NULL → STRING. */
let ADD_SOURCE: Value = 0;
/** Internal: filter, STRING directory, STRING relative path of it with a slash at the end → NULL. Appends what is accepted. */
let FILTER_DIRECTORY: Value = 0;

let symbolMethod: Symbol = 0;
let symbolReferences: Symbol = 0;
let symbolAlgorithm: Symbol = 0;

export function defineStorePathBuiltins(): void {
  ADD_SOURCE = internal(makePrimop("addSource", 4, args4(STRICT, STRICT, LAZY, STRICT), ADD_LOCALS, addSource));
  FILTER_DIRECTORY = internal(makePrimop("filterDirectory", 3, args3(LAZY, STRICT, STRICT), 2, filterDirectory));
  define("toFile", 2, args2(PLAIN_STRING, STRING), 1, toFile);
  define("storePath", 1, args1(LAZY), 1, storePath);
  define("filterSource", 2, args2(LAZY, LAZY), 1, filterSource);
  const path = define("path", 1, args1(ATTRS), PATH_LOCALS, addPath);
  describeArgument(path, 0, "while evaluating the argument passed to 'builtins.path'");
  symbolMethod = internText("method");
  symbolReferences = internText("references");
  symbolAlgorithm = internText("algorithm");
}

function internal(builtin: Value): Value {
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

// ── toFile ──

const digest: Address = memory.data(64, 8);
const references = changetype<WordList>(memory.data(12, 8));
const TEXT_PATH: u32 = 0;

function toFile(f: Frame): Value {
  if (step(f) != 0) return local(f, TEXT_PATH);
  const name = arg(f, 0);
  const contents = arg(f, 1);
  collectReferences(name, stringContext(contents));
  sha256(stringBytes(contents), stringLength(contents), digest);
  const mark = textMark();
  appendText("text");
  for (let i: u32 = 0; i < references.count; i++) {
    appendByte(0x3a);
    appendString(symbolName(wordAt(references, i)));
  }
  const path = endStorePath(mark, digest, name);
  if (findReferences(path) == 0) {
    const list = addReferences(path, references.count);
    for (let i: u32 = 0; i < references.count; i++) setReference(list, i, wordAt(references, i));
  }
  const result = storePathString(path);
  if (!writesStore) return result;
  setLocal(f, TEXT_PATH, result);
  setStep(f, 1);
  return awaitHost(f, REQUEST_ADD_TEXT, symbolName(path), contents, referenceList());
}

function collectReferences(name: Value, context: Value): void {
  references.count = 0;
  for (let i: u32 = 0; i < contextCount(context); i++) {
    const element = contextElement(context, i);
    if (elementKind(element) != ELEMENT_PATH) failReference(name, element);
    pushWord(references, element);
  }
  references.count = sortSymbols(references.words, references.count);
}

function failReference(name: Value, element: Symbol): void {
  beginError(ERROR_EVAL);
  appendText("files created by builtins.toFile may not reference derivations, but ");
  errorString(name);
  appendText(" references ");
  appendShortElement(element);
  raiseError();
}

/** Appends an element with the name of its path only. */
function appendShortElement(element: Symbol): void {
  if (elementKind(element) == ELEMENT_OUTPUT) {
    appendText("!");
    errorString(symbolName(elementOutput(element)));
    appendText("!");
  } else appendText("=");
  errorString(baseName(symbolName(elementPath(element))));
}

function referenceList(): Value {
  const list = makeList(references.count);
  for (let i: u32 = 0; i < references.count; i++) setListItem(list, i, symbolName(wordAt(references, i)));
  return list;
}

// ── storePath ──

const COERCED: u32 = 1;
const LINKS_RESOLVED: u32 = 2;
const ENSURED: u32 = 3;
const STORE_PATH: u32 = 0;

function storePath(f: Frame): Value {
  const at = step(f);
  if (at == ENSURED) return local(f, STORE_PATH);
  if (at == 0) {
    if (isPureEvaluation) fail(ERROR_EVAL, "'builtins.storePath' is not allowed in pure evaluation mode");
    setStep(f, COERCED);
    const message = "while evaluating the first argument passed to 'builtins.storePath'";
    return awaitNative2(f, COERCE_TO_PATH, arg(f, 0), coerceRequest(0, message));
  }
  if (at == COERCED) {
    const path = awaited();
    setArg(f, 0, path);
    if (!isStorePath(stringBytes(path), stringLength(path))) {
      setStep(f, LINKS_RESOLVED);
      return awaitHost(f, REQUEST_RESOLVE_LINKS, makePath(stringBytes(path), stringLength(path)));
    }
  }
  const path = at == LINKS_RESOLVED && awaited() != NULL ? awaited() : arg(f, 0);
  const root = isInStore(path) ? storePathOf(path) : 0;
  if (root == 0) failOutside(path);
  const context = addToContext(stringContext(arg(f, 0)), internString(root));
  const result = makeStringWithContext(stringBytes(path), stringLength(path), context);
  if (!writesStore) return result;
  setLocal(f, STORE_PATH, result);
  setStep(f, ENSURED);
  return awaitHost(f, REQUEST_ENSURE_PATH, root);
}

/** A hash and a dash. */
const SHORTEST_NAME: u32 = 32;

function failOutside(path: Value): void {
  const prefix = stringLength(storeDirectory) + 1;
  beginError(ERROR_EVAL);
  if (isInStore(path) && stringLength(path) - prefix <= SHORTEST_NAME) {
    appendText("'");
    appendBytes(stringBytes(path) + prefix, stringLength(path) - prefix);
    appendText("' is too short to be a valid store path");
    raiseError();
  }
  appendText("path '");
  errorString(path);
  appendText("' is not in the Nix store");
  raiseError();
}

// ── filterSource and path ──

const ADDED: u32 = 2;
const PATH: u32 = 0;

function filterSource(f: Frame): Value {
  if (step(f) == ADDED) return awaited();
  if (step(f) == 0) {
    setStep(f, COERCED);
    const message = "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'";
    return awaitNative2(f, COERCE_TO_PATH, arg(f, 1), coerceRequest(0, message));
  }
  if (local(f, PATH) == 0) setLocal(f, PATH, awaited());
  const filter = resolve(arg(f, 0));
  setContext(f, "while evaluating the first argument passed to builtins.filterSource");
  if (!isWhnf(filter)) return awaitForce(f, filter);
  if (!isCallable(filter)) raiseTypeMismatch(filter, "a function");
  clearContext(f);
  setStep(f, ADDED);
  const path = local(f, PATH);
  return awaitNative4(f, ADD_SOURCE, path, baseName(path), filter, howToAdd(METHOD_NAR, NULL));
}

/** The last component of a path. */
function baseName(path: Value): Value {
  const bytes = stringBytes(path);
  const offset = baseNameOffset(bytes, stringLength(path));
  return makeString(bytes + offset, stringLength(path) - offset);
}

function howToAdd(method: Method, hash: Value): Value {
  const list = makeList(2);
  setListItem(list, 0, makeSmallInt(method));
  setListItem(list, 1, hash);
  return list;
}

const ATTRIBUTE: u32 = 0;
const SOURCE: u32 = 1;
const NAME: u32 = 2;
const FILTER: u32 = 3;
const METHOD: u32 = 4;
const HASH: u32 = 5;
const PATH_LOCALS: u32 = 6;

function addPath(f: Frame): Value {
  if (step(f) == ADDED) return awaited();
  if (step(f) == COERCED) {
    clearContext(f);
    setLocal(f, SOURCE, awaited());
    setLocalInt(f, ATTRIBUTE, localInt(f, ATTRIBUTE) + 1);
    setStep(f, 0);
  }
  const attrs = arg(f, 0);
  const count = attrsCount(attrs);
  for (let i = localInt(f, ATTRIBUTE); i < count; i++) {
    setLocalInt(f, ATTRIBUTE, i);
    if (!readArgument(f, keySymbol(keysOf(attrs), i), resolve(attrValue(attrs, i)), keyPosition(keysOf(attrs), i))) return 0;
  }
  clearContext(f);
  if (local(f, SOURCE) == 0) fail(ERROR_EVAL, "missing required 'path' attribute in the first argument to 'builtins.path'");
  const path = local(f, SOURCE);
  let name = local(f, NAME);
  if (name == 0 || stringLength(name) == 0) name = baseName(path);
  const filter = local(f, FILTER) == 0 ? NULL : local(f, FILTER);
  const method = localInt(f, METHOD) == 0 ? METHOD_NAR : localInt(f, METHOD);
  const hash = local(f, HASH) == 0 ? NULL : local(f, HASH);
  setStep(f, ADDED);
  return awaitNative4(f, ADD_SOURCE, path, name, filter, howToAdd(method, hash));
}

/** False: the builtin waits. */
function readArgument(f: Frame, symbol: Symbol, value: Value, position: u32): bool {
  if (symbol == SYMBOL_PATH) {
    setStep(f, COERCED);
    const message = "while evaluating the 'path' attribute passed to 'builtins.path'";
    setContextAtPosition(f, message, position);
    awaitNative2(f, COERCE_TO_PATH, value, coerceRequest(0, ""));
    return false;
  }
  const message = argumentMessage(symbol);
  if (message.length == 0) failArgument(symbol, position);
  if (!isWhnf(value)) {
    setContextAtPosition(f, message, position);
    awaitForce(f, value);
    return false;
  }
  checkArgument(f, symbol, value, message, position);
  clearContext(f);
  if (symbol == SYMBOL_FILTER) setLocal(f, FILTER, value);
  else if (symbol == SYMBOL_RECURSIVE) setLocalInt(f, METHOD, value == TRUE ? METHOD_NAR : METHOD_FLAT);
  else if (symbol == SYMBOL_NAME) setLocal(f, NAME, value);
  else setLocal(f, HASH, digestOf(value));
  return true;
}

function argumentMessage(symbol: Symbol): string {
  if (symbol == SYMBOL_NAME) return "while evaluating the `name` attribute passed to builtins.path";
  if (symbol == SYMBOL_FILTER) return "while evaluating the `filter` parameter passed to builtins.path";
  if (symbol == SYMBOL_RECURSIVE) return "while evaluating the `recursive` attribute passed to builtins.path";
  return symbol == SYMBOL_SHA256 ? "while evaluating the `sha256` attribute passed to builtins.path" : "";
}

function checkArgument(f: Frame, symbol: Symbol, value: Value, message: string, position: u32): void {
  const fits = symbol == SYMBOL_FILTER ? isCallable(value) : symbol == SYMBOL_RECURSIVE ? isKind(value, KIND_BOOL) : isString(value);
  const isPlain = !isString(value) || stringContext(value) == 0;
  if (fits && isPlain) return;
  setContextAtPosition(f, message, position);
  if (symbol == SYMBOL_FILTER) raiseTypeMismatch(value, "a function", position);
  if (symbol == SYMBOL_RECURSIVE) raiseTypeMismatch(value, "a Boolean", position);
  if (!fits) raiseTypeMismatch(value, "a string", position);
  raiseContextNotAllowed(value, position);
}

function failArgument(symbol: Symbol, position: u32): void {
  beginError(ERROR_EVAL);
  appendText("unsupported argument '");
  errorString(symbolName(symbol));
  appendText("' to 'builtins.path'");
  raiseError(position);
}

/** The bytes of a SHA-256 hash. */
function digestOf(hash: Value): Value {
  const outcome = parseHashOrEmpty(stringBytes(hash), stringLength(hash), SHA256, digest);
  if (outcome != HASH_PARSED && outcome != HASH_ASSUMED) failHash(hash, SHA256, outcome);
  return makeString(digest, 32);
}

// ── Adding ──

const SOURCE_REALISED: u32 = 1;
const REFERENCES_TOLD: u32 = 2;
const EXPECTED_LOOKED_UP: u32 = 3;
const SOURCE_RESOLVED: u32 = 4;
const TYPE_TOLD: u32 = 5;
const FILTERED: u32 = 6;
const SOURCE_ADDED: u32 = 7;
/** Locals: LIST of references; the symbol of the expected path or 0; PATH without links; where the accepted names begin. */
const REFERENCES: u32 = 0;
const EXPECTED: u32 = 1;
const RESOLVED: u32 = 2;
const MARK: u32 = 3;
const ADD_LOCALS: u32 = 4;

function addSource(f: Frame): Value {
  const path = arg(f, 0);
  switch (step(f)) {
    case 0:
      setPathContext(f, "while adding path '", path);
      setLocal(f, REFERENCES, EMPTY_LIST);
      if (stringContext(path) == 0 || !isInStore(path)) return lookExpectedUp(f);
      setStep(f, SOURCE_REALISED);
      return awaitNative1(f, REALISE_CONTEXT, path);
    case SOURCE_REALISED: {
      setArg(f, 0, awaited());
      const root = storePathOf(awaited());
      if (root == 0) return lookExpectedUp(f);
      setStep(f, REFERENCES_TOLD);
      return awaitHost(f, REQUEST_PATH_REFERENCES, root);
    }
    case REFERENCES_TOLD:
      if (awaited() != NULL) setLocal(f, REFERENCES, awaited());
      return lookExpectedUp(f);
    case EXPECTED_LOOKED_UP:
      return awaited() != NULL ? storePathString(localInt(f, EXPECTED)) : resolveSource(f);
    case SOURCE_RESOLVED:
      setLocal(f, RESOLVED, awaited() == NULL ? makePath(stringBytes(path), stringLength(path)) : awaited());
      return arg(f, 2) == NULL ? add(f, NULL) : lookAtType(f);
    case TYPE_TOLD:
      return awaited() != NULL && stringIs(awaited(), "directory") ? filter(f) : add(f, NULL);
    case FILTERED:
      return add(f, takeAccepted(localInt(f, MARK)));
    default:
      return added(f, internString(awaited()));
  }
}

function lookExpectedUp(f: Frame): Value {
  const how = arg(f, 3);
  const hash = listItem(how, 1);
  if (hash == NULL) return resolveSource(f);
  memory.copy(digest, stringBytes(hash), 32);
  const expected = makeFixedPath(arg(f, 1), smallInt(listItem(how, 0)), SHA256, digest);
  setLocalInt(f, EXPECTED, expected);
  setStep(f, EXPECTED_LOOKED_UP);
  return awaitHost(f, REQUEST_PATH_REFERENCES, symbolName(expected));
}

function resolveSource(f: Frame): Value {
  const path = arg(f, 0);
  setStep(f, SOURCE_RESOLVED);
  return awaitHost(f, REQUEST_RESOLVE_LINKS, makePath(stringBytes(path), stringLength(path)));
}

function lookAtType(f: Frame): Value {
  setStep(f, TYPE_TOLD);
  return awaitHost(f, REQUEST_FILE_TYPE, local(f, RESOLVED));
}

function filter(f: Frame): Value {
  const path = local(f, RESOLVED);
  setLocalInt(f, MARK, textMark());
  setStep(f, FILTERED);
  return awaitNative3(f, FILTER_DIRECTORY, arg(f, 2), makeString(stringBytes(path), stringLength(path)), EMPTY_STRING);
}

function add(f: Frame, accepted: Value): Value {
  setStep(f, SOURCE_ADDED);
  return awaitHost(f, REQUEST_ADD_PATH, local(f, RESOLVED), arg(f, 1), accepted, detailsOf(f));
}

function detailsOf(f: Frame): Value {
  const mark = beginAttrs();
  const isFlat = smallInt(listItem(arg(f, 3), 0)) == METHOD_FLAT;
  addAttr(symbolMethod, literal(isFlat ? "flat" : "nar"));
  addAttr(symbolAlgorithm, literal("sha256"));
  addAttr(symbolReferences, local(f, REFERENCES));
  return endAttrs(mark);
}

function literal(text: string): Value {
  const mark = textMark();
  appendText(text);
  return takeTextAsString(mark);
}

function added(f: Frame, path: Symbol): Value {
  const expected = localInt(f, EXPECTED);
  if (expected != 0 && expected != path) {
    beginError(ERROR_EVAL);
    appendText("store path mismatch in (possibly filtered) path added from '");
    errorString(arg(f, 0));
    appendText("'");
    raiseError();
  }
  return storePathString(path);
}

// ── Filtering ──
//
// What is accepted is appended to the text buffer, each relative path followed by NUL, while the filter runs: everything
// that writes there meanwhile takes its own text away again.

const DIRECTORY_READ: u32 = 1;
const ASKED: u32 = 2;
const DESCENDED: u32 = 3;
const ENTRIES: u32 = 0;
const ENTRY: u32 = 1;

function filterDirectory(f: Frame): Value {
  const at = step(f);
  if (at == 0) {
    const directory = arg(f, 1);
    setStep(f, DIRECTORY_READ);
    return awaitHost(f, REQUEST_READ_DIRECTORY, makePath(stringBytes(directory), stringLength(directory)));
  }
  if (at == DIRECTORY_READ) setLocal(f, ENTRIES, awaited());
  const entries = local(f, ENTRIES);
  const keys = keysOf(entries);
  let rank = localInt(f, ENTRY);
  if (at == ASKED && accept(f, rank, awaited())) {
    setStep(f, DESCENDED);
    const name = symbolName(keySymbol(keys, indexAtRank(orderOf(keys), rank)));
    return awaitNative3(f, FILTER_DIRECTORY, arg(f, 0), joined(arg(f, 1), name, true), joined(arg(f, 2), name, false));
  }
  if (at != DIRECTORY_READ) rank++;
  if (rank == attrsCount(entries)) return NULL;
  setLocalInt(f, ENTRY, rank);
  setStep(f, ASKED);
  const index = indexAtRank(orderOf(keys), rank);
  return awaitCall2(f, arg(f, 0), joined(arg(f, 1), symbolName(keySymbol(keys, index)), true), resolve(attrValue(entries, index)));
}

/** Takes the filter's answer; true when the entry is accepted and is a directory. */
function accept(f: Frame, rank: u32, answer: Value): bool {
  if (!expectBool(f, answer, "while evaluating the return value of the path filter function")) return false;
  const entries = local(f, ENTRIES);
  const index = indexAtRank(orderOf(keysOf(entries)), rank);
  appendString(arg(f, 2));
  appendString(symbolName(keySymbol(keysOf(entries), index)));
  appendByte(0);
  return stringIs(resolve(attrValue(entries, index)), "directory");
}

/** A directory's path and a name in it; a relative one ends in a slash, and so does what becomes of it. */
function joined(directory: Value, name: Value, absolute: bool): Value {
  const mark = textMark();
  if (!absolute || stringLength(directory) != 1) appendString(directory);
  if (absolute) appendByte(0x2f);
  appendString(name);
  if (!absolute) appendByte(0x2f);
  return takeTextAsString(mark);
}

/** The names that were appended since `mark`, as a list. */
function takeAccepted(mark: u32): Value {
  const items = beginItems();
  const length = textLengthFrom(mark);
  const text = textStart(mark);
  let from: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(text + i) != 0) continue;
    addItem(makeString(text + from, i - from));
    from = i + 1;
  }
  textRewind(mark);
  return endItems(items);
}
