// Builtins that look at files. What they look at is a path, or a string that names one: then the store paths that it
// refers to must be there (REALISE_PATH).

import { Address } from "../memory/chunks";
import { appendBytes, appendText, textMark } from "../memory/text";
import { ERROR_EVAL, beginError, errorString, raiseError } from "../errors/raise";
import { appendString } from "../derivation/make-store-path";
import { downstreamPlaceholder } from "../derivation/placeholder";
import { FEATURE_CA_DERIVATIONS, isFeatureEnabled } from "../derivation/settings";
import { setPathContext } from "../derivation/trace-context";
import { algorithmName } from "../hash/algorithm";
import {
  REQUEST_FILE_TYPE,
  REQUEST_HASH_FILE,
  REQUEST_PATH_REFERENCES,
  REQUEST_READ_DIRECTORY,
  REQUEST_READ_FILE,
  REQUEST_REALISE,
  REQUEST_RESOLVE_LINKS,
} from "../machine/host-request";
import {
  Frame,
  LAZY,
  PLAIN_STRING,
  Primop,
  STRICT,
  arg,
  args1,
  args2,
  awaitHost,
  awaitNative1,
  awaitNative2,
  awaited,
  local,
  makePrimop,
  setArg,
  setLocal,
  setStep,
  step,
} from "../machine/native";
import { bytesEqual } from "../memory/bytes";
import { COERCE_TO_PATH, coerceRequest } from "../operations/coerce";
import { ELEMENT_OUTPUT, elementKind, elementOutput, elementPath } from "../operations/context-element";
import { isStorePathName, storeDirectory } from "../operations/store-path";
import { internString } from "../symbols/symbols";
import { FALSE, NULL, TRUE, makeBool } from "../values/constants";
import { contextCount, contextElement, singletonContext } from "../values/context";
import { addToUnion, beginUnion, endUnion } from "../values/context-union";
import { listItem, listLength } from "../values/list";
import { makePath, makeString, makeStringWithContext, stringBytes, stringContext, stringIs, stringLength, stringOfText, takeTextAsString } from "../values/string";
import { Value, isList, isString, resolve } from "../values/value";
import { coreFileContents, isCoreFile } from "./core-files";
import { algorithmOf } from "./hashing";
import { define } from "./registry";

/** Internal: value → PATH, all that the value refers to being there. */
export let REALISE_PATH: Value = 0;
/** Internal: STRING → the same STRING, all that it refers to being there, with the paths of outputs that had none before. */
export let REALISE_CONTEXT: Value = 0;

/** What the other files of builtins need. First. */
export function initializeFiles(): void {
  REALISE_PATH = internal(makePrimop("realisePath", 1, args1(LAZY), 0, realisePath));
  REALISE_CONTEXT = internal(makePrimop("realiseContext", 1, args1(STRICT), 0, realiseContext));
}

export function defineFileBuiltins(): void {
  define("readFile", 1, args1(LAZY), 1, readFile);
  define("readDir", 1, args1(LAZY), 0, readDir);
  define("readFileType", 1, args1(LAZY), 0, readFileType);
  define("pathExists", 1, args1(STRICT), 0, pathExists);
  define("hashFile", 2, args2(PLAIN_STRING, LAZY), 0, hashFile);
}

function internal(builtin: Value): Value {
  changetype<Primop>(builtin).traced = 0;
  return builtin;
}

// ── Paths ──

const COERCED: u32 = 1;
const REALISED: u32 = 2;

function realisePath(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, COERCED);
    return awaitNative2(f, COERCE_TO_PATH, arg(f, 0), coerceRequest(0, "while realising the context of a path"));
  }
  const string = awaited();
  if (step(f) == REALISED || stringContext(string) == 0) return makePath(stringBytes(string), stringLength(string));
  setStep(f, REALISED);
  setPathContext(f, "while realising the context of path '", string);
  return awaitNative1(f, REALISE_CONTEXT, string);
}

function realiseContext(f: Frame): Value {
  const string = arg(f, 0);
  if (step(f) != 0) return withPathsOfOutputs(string, awaited());
  if (stringContext(string) == 0) return string;
  setStep(f, 1);
  return awaitHost(f, REQUEST_REALISE, string);
}

/** The string with `paths`, those of its context's elements, where placeholders for them stand. */
function withPathsOfOutputs(string: Value, paths: Value): Value {
  if (!isFeatureEnabled(FEATURE_CA_DERIVATIONS)) return string;
  const context = stringContext(string);
  let result = string;
  for (let i: u32 = 0; i < contextCount(context); i++) {
    const element = contextElement(context, i);
    if (elementKind(element) != ELEMENT_OUTPUT) continue;
    const placeholder = downstreamPlaceholder(elementPath(element), elementOutput(element));
    result = replaced(result, placeholder, resolve(listItem(paths, i)));
  }
  return result;
}

/** `string` with `by` wherever `what` stands, and the same context. */
function replaced(string: Value, what: Value, by: Value): Value {
  const bytes = stringBytes(string);
  const length = stringLength(string);
  const whatLength = stringLength(what);
  const mark = textMark();
  let from: u32 = 0;
  let at: u32 = 0;
  while (at + whatLength <= length) {
    if (!bytesEqual(bytes + at, stringBytes(what), whatLength)) {
      at++;
      continue;
    }
    appendBytes(bytes + from, at - from);
    appendString(by);
    at += whatLength;
    from = at;
  }
  appendBytes(bytes + from, length - from);
  return takeTextAsString(mark, stringContext(string));
}

/** Whether a path is the store's directory with something behind it. */
export function isInStore(path: Value): bool {
  const prefix = stringLength(storeDirectory);
  const bytes = stringBytes(path);
  if (stringLength(path) < prefix + 2 || load<u8>(bytes + prefix) != 0x2f) return false;
  return bytesEqual(bytes, stringBytes(storeDirectory), prefix);
}

/** The store path that a path in the store is, or lies in: a STRING, or 0 when its name is no store path's. */
export function storePathOf(path: Value): Value {
  const from = stringLength(storeDirectory) + 1;
  const bytes = stringBytes(path);
  const length = stringLength(path);
  let end = from;
  while (end < length && load<u8>(bytes + end) != 0x2f) end++;
  return isStorePathName(bytes + from, end - from) ? makeString(bytes, end) : 0;
}

// ── Contents ──

const PATH_REALISED: u32 = 1;
const READ: u32 = 2;
const REFERENCES_TOLD: u32 = 3;
const CONTENTS: u32 = 0;

function readFile(f: Frame): Value {
  switch (step(f)) {
    case 0:
      setStep(f, PATH_REALISED);
      return awaitNative1(f, REALISE_PATH, arg(f, 0));
    case PATH_REALISED:
      if (isCoreFile(awaited())) return coreFileContents(awaited());
      setArg(f, 0, awaited());
      setStep(f, READ);
      return awaitHost(f, REQUEST_READ_FILE, awaited());
    case READ:
      return contentsRead(f, awaited());
    default:
      return withReferences(local(f, CONTENTS), resolve(awaited()));
  }
}

function contentsRead(f: Frame, contents: Value): Value {
  const path = arg(f, 0);
  if (hasNul(stringBytes(contents), stringLength(contents))) {
    beginError(ERROR_EVAL);
    appendText("the contents of the file '");
    errorString(path);
    appendText("' cannot be represented as a Nix string");
    raiseError();
  }
  const storePath = isInStore(path) ? storePathOf(path) : 0;
  if (storePath == 0) return contents;
  setLocal(f, CONTENTS, contents);
  setStep(f, REFERENCES_TOLD);
  return awaitHost(f, REQUEST_PATH_REFERENCES, storePath);
}

function hasNul(bytes: Address, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(bytes + i) == 0) return true;
  return false;
}

/** The contents, referring to those of the references whose hashes are in them. */
function withReferences(contents: Value, references: Value): Value {
  if (!isList(references)) return contents;
  const union = beginUnion();
  for (let i: u32 = 0; i < listLength(references); i++) {
    const path = resolve(listItem(references, i));
    if (containsHashOf(contents, path)) addToUnion(union, singletonContext(internString(path)));
  }
  return makeStringWithContext(stringBytes(contents), stringLength(contents), endUnion(union));
}

const HASH_LENGTH: u32 = 32;

function containsHashOf(contents: Value, path: Value): bool {
  const hash = stringBytes(path) + stringLength(storeDirectory) + 1;
  const bytes = stringBytes(contents);
  const length = stringLength(contents);
  for (let i: u32 = 0; i + HASH_LENGTH <= length; i++) {
    if (load<u8>(bytes + i) == load<u8>(hash) && bytesEqual(bytes + i, hash, HASH_LENGTH)) return true;
  }
  return false;
}

function readDir(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, PATH_REALISED);
    return awaitNative1(f, REALISE_PATH, arg(f, 0));
  }
  if (step(f) == READ) return awaited();
  setStep(f, READ);
  return awaitHost(f, REQUEST_READ_DIRECTORY, awaited());
}

function hashFile(f: Frame): Value {
  if (step(f) == 0) {
    algorithmOf(arg(f, 0));
    setStep(f, PATH_REALISED);
    return awaitNative1(f, REALISE_PATH, arg(f, 1));
  }
  if (step(f) == READ) return awaited();
  setStep(f, READ);
  return awaitHost(f, REQUEST_HASH_FILE, awaited(), stringOfText(algorithmName(algorithmOf(arg(f, 0)))));
}

// ── What is there ──

const LINKS_RESOLVED: u32 = 3;

function readFileType(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, PATH_REALISED);
    return awaitNative1(f, REALISE_PATH, arg(f, 0));
  }
  if (step(f) == PATH_REALISED) {
    setArg(f, 0, awaited());
    setStep(f, READ);
    return awaitHost(f, REQUEST_FILE_TYPE, awaited());
  }
  if (awaited() != NULL) return awaited();
  beginError(ERROR_EVAL);
  appendText("path '");
  errorString(arg(f, 0));
  appendText("' does not exist");
  raiseError();
  return 0;
}

/** A string that ends in "/" or "/." must name a directory, or a link to one. */
function pathExists(f: Frame): Value {
  const at = step(f);
  if (at == 0) {
    setStep(f, PATH_REALISED);
    return awaitNative1(f, REALISE_PATH, arg(f, 0));
  }
  const mustBeDirectory = wantsDirectory(arg(f, 0));
  const answer = awaited();
  if (at == PATH_REALISED && isCoreFile(answer)) return TRUE;
  if (at == READ) return makeBool(answer != NULL && (!mustBeDirectory || stringIs(answer, "directory")));
  if (at == LINKS_RESOLVED && answer == NULL) return FALSE;
  setStep(f, at == PATH_REALISED && mustBeDirectory ? LINKS_RESOLVED : READ);
  return awaitHost(f, at == PATH_REALISED && mustBeDirectory ? REQUEST_RESOLVE_LINKS : REQUEST_FILE_TYPE, answer);
}

function wantsDirectory(value: Value): bool {
  if (!isString(value)) return false;
  const length = stringLength(value);
  const end = stringBytes(value) + length;
  if (length >= 1 && load<u8>(end - 1) == 0x2f) return true;
  return length >= 2 && load<u8>(end - 1) == 0x2e && load<u8>(end - 2) == 0x2f;
}
