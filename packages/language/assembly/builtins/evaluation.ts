// Builtins that are about evaluation itself: tryEval, import and scopedImport.
//
// A file is evaluated once. Its value is a delayed call of an internal builtin that reads, parses and compiles it, kept
// in a root by the path that the import leads to; so a file that imports itself is an infinite recursion like any other.

import { Code } from "../compile/code";
import { loadSource } from "../compile/load";
import { hasSourceWarnings } from "../compile/source-warnings";
import { CAUGHT, setCatcher } from "../errors/unwind";
import { findOwnSource, keepOwnSource, keepsOwnSources } from "../images/own-sources";
import { isInSharedTree } from "../images/shared-trees";
import { REQUEST_FILE_EVALUATED, REQUEST_READ_SOURCE, REQUEST_RESOLVE_IMPORT } from "../machine/host-request";
import {
  ATTRS,
  Frame,
  LAZY,
  Primop,
  STEP_RETURN_AWAITED,
  STRICT,
  arg,
  args1,
  args2,
  awaitForce,
  awaitHost,
  awaitNative1,
  awaited,
  local,
  makePrimop,
  setArg,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { Address } from "../memory/chunks";
import { REGION_OWN, REGION_SHARED, enterRegion, region } from "../memory/heap";
import { input } from "../memory/input";
import { releaseRoot, takeRoot } from "../memory/roots";
import { textMark } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { parentLength } from "../operations/path-name";
import { SYMBOL_SUCCESS, SYMBOL_VALUE } from "../symbols/known";
import { SymbolMap, clearMap, makeSymbolMap, mapGet, mapSet, mapSlots, mapWordAt, setMapWordAt } from "../symbols/symbol-map";
import { Symbol, internString, symbolName } from "../symbols/symbols";
import { ORIGIN_FILE } from "../syntax/positions";
import { Keys, attrValue, attrsCount, keysOf } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { FALSE, NULL, TRUE } from "../values/constants";
import { makeEnv, setEnvSlot } from "../values/env";
import { smallInt } from "../values/number";
import { makePath, makePermanentPath, stringBytes, stringLength } from "../values/string";
import { makeApply1, makeThunk } from "../values/thunk";
import { Value, isPath } from "../values/value";
import { coreFileContents, isCoreFile } from "./core-files";
import { finishWith } from "./demand";
import { REALISE_PATH } from "./files";
import { IMPORT_DERIVATION, isDerivationFile } from "./import-derivation";
import { define } from "./registry";

/** Internal: PATH of a file → its value. */
let EVALUATE_FILE: Value = 0;

export function defineEvaluationBuiltins(): void {
  setCatcher(define("tryEval", 1, args1(LAZY), 2, tryEval));
  define("import", 1, args1(LAZY), 0, importFile);
  define("scopedImport", 2, args2(ATTRS, LAZY), 0, scopedImport);
  forgetOwnFiles();
  sharedResolutions = makeSymbolMap();
  sharedFiles = makeSymbolMap();
  EVALUATE_FILE = makePrimop("evaluateFile", 1, args1(STRICT), 1, evaluateFile);
  changetype<Primop>(EVALUATE_FILE).traced = 0;
}

/** Locals: where the text buffer and the builder of sets were, for the unwinder. */
function tryEval(f: Frame): Value {
  if (step(f) == 0) {
    setLocalInt(f, 0, textMark());
    setLocalInt(f, 1, beginAttrs());
    setStep(f, 1);
    return awaitForce(f, arg(f, 0));
  }
  const value = awaited();
  const success = value != CAUGHT;
  const mark = beginAttrs();
  addAttr(SYMBOL_SUCCESS, success ? TRUE : FALSE);
  addAttr(SYMBOL_VALUE, success ? value : FALSE);
  return endAttrs(mark);
}

// ── import ──

/** PATH as written → PATH that an import of it reads, both by symbol; of each region of the heap. */
let ownResolutions: SymbolMap = 0;
let sharedResolutions: SymbolMap = 0;
/** PATH of a file, by symbol → the root that holds its value: files that are evaluated in the own region, and others. */
let ownFiles: SymbolMap = 0;
let sharedFiles: SymbolMap = 0;

function resolutions(): SymbolMap {
  return region == REGION_OWN ? ownResolutions : sharedResolutions;
}

/** Forgets what the shared region does not depend on. */
export function forgetOwnFiles(): void {
  ownResolutions = makeSymbolMap();
  ownFiles = makeSymbolMap();
}

const DERIVATION_IMPORTED: u32 = 3;

function importFile(f: Frame): Value {
  if (step(f) == 0) {
    setStep(f, 1);
    return awaitNative1(f, REALISE_PATH, arg(f, 0));
  }
  if (step(f) == 1) {
    const path = awaited();
    if (isCoreFile(path)) return finishWith(f, fileValue(path));
    if (isDerivationFile(path)) {
      setArg(f, 0, path);
      setStep(f, DERIVATION_IMPORTED);
      return awaitNative1(f, IMPORT_DERIVATION, path);
    }
    const known = mapGet(resolutions(), internString(path));
    if (known != 0) return finishWith(f, fileValue(symbolPath(known)));
    setArg(f, 0, path);
    setStep(f, 2);
    return awaitHost(f, REQUEST_RESOLVE_IMPORT, path);
  }
  if (step(f) == DERIVATION_IMPORTED) {
    if (awaited() != NULL) return awaited();
    setStep(f, 2);
    return awaitHost(f, REQUEST_RESOLVE_IMPORT, arg(f, 0));
  }
  const resolved = awaited();
  if (!isPath(resolved)) return resolved;
  mapSet(resolutions(), internString(arg(f, 0)), internString(resolved));
  return finishWith(f, fileValue(resolved));
}

/**
 * The value of a file: what an earlier import left in its root, or a thunk. That of a file in a shared tree is in the shared
 * region of the heap, and so is that of one which such a file imports.
 */
export function fileValue(path: Value): Value {
  const symbol = internString(path);
  const isShared = region == REGION_SHARED || isInSharedTree(path);
  const files = isShared ? sharedFiles : ownFiles;
  const known = mapGet(files, symbol);
  if (known != 0) return decompress(load<u32>(known));
  const root = takeRoot();
  mapSet(files, symbol, <u32>root);
  const interrupted = region;
  enterRegion(isShared ? REGION_SHARED : REGION_OWN);
  const value = makeApply1(EVALUATE_FILE, region == interrupted ? path : makePath(stringBytes(path), stringLength(path)));
  enterRegion(interrupted);
  store<u32>(root, compress(value));
  return value;
}

/** Forgets what files evaluate to: whoever imports them from now on has them read again. */
export function forgetFiles(): void {
  forgetAll(ownFiles);
  forgetAll(sharedFiles);
  clearMap(ownResolutions);
  clearMap(sharedResolutions);
}

function forgetAll(files: SymbolMap): void {
  const slots = mapSlots(files);
  for (let i: u32 = 0; i < slots; i++) {
    const root = mapWordAt(files, i);
    if (root != 0) releaseRoot(root);
  }
  clearMap(files);
}

// ── Files of the shared region, one after the other (images/prepare-image.ts) ──

let sharedFileAt: u32 = 0;

export function rewindSharedFiles(): void {
  sharedFileAt = 0;
}

/** The root of the next file, or 0. */
export function nextSharedFile(): Address {
  while (sharedFileAt < mapSlots(sharedFiles)) {
    const root = mapWordAt(sharedFiles, sharedFileAt++);
    if (root != 0) return root;
  }
  return 0;
}

/** Forgets the file that `nextSharedFile` has named: it is evaluated again when it is imported. */
export function forgetSharedFile(): void {
  setMapWordAt(sharedFiles, sharedFileAt - 1, 0);
}

/** Whether the host wants to know when a file has been evaluated. */
let reportsFiles: bool = false;

export function setFileReports(wanted: bool): void {
  reportsFiles = wanted;
}

const FILE_EVALUATED: u32 = 2;
const FILE_REPORTED: u32 = 3;

function evaluateFile(f: Frame): Value {
  if (step(f) == FILE_EVALUATED) {
    setLocal(f, 0, awaited());
    setStep(f, FILE_REPORTED);
    return awaitHost(f, REQUEST_FILE_EVALUATED, arg(f, 0));
  }
  if (step(f) == FILE_REPORTED) return local(f, 0);
  if (step(f) == 0) {
    if (isCoreFile(arg(f, 0))) {
      const contents = coreFileContents(arg(f, 0));
      return awaitCode(f, loadFile(stringBytes(contents), stringLength(contents), arg(f, 0), 0));
    }
    setStep(f, 1);
    return awaitHost(f, REQUEST_READ_SOURCE, arg(f, 0), TRUE);
  }
  return awaitCode(f, codeOfFile(arg(f, 0), smallInt(awaited())));
}

/** The code of the file `path`, whose text is the input. */
function codeOfFile(path: Value, length: u32): Code {
  if (region == REGION_SHARED || !keepsOwnSources) return loadFile(input, length, path, 0);
  const symbol = internString(path);
  const known = findOwnSource(symbol, input, length);
  if (known != 0) return known;
  const code = loadFile(input, length, path, 0);
  // Warnings are for every evaluation that reads the file.
  if (!hasSourceWarnings()) keepOwnSource(symbol, input, length, code);
  return code;
}

/** Ends `evaluateFile` with what the code of the file evaluates to. */
function awaitCode(f: Frame, code: Code): Value {
  setContext(f, "while evaluating the file '%1%':", arg(f, 0));
  setStep(f, reportsFiles && !isCoreFile(arg(f, 0)) ? FILE_EVALUATED : STEP_RETURN_AWAITED);
  return awaitForce(f, makeThunk(code, 0));
}

function scopedImport(f: Frame): Value {
  switch (step(f)) {
    case 0:
      setStep(f, 1);
      return awaitNative1(f, REALISE_PATH, arg(f, 1));
    case 1:
      setStep(f, 2);
      return awaitHost(f, REQUEST_RESOLVE_IMPORT, awaited());
    case 2:
      setArg(f, 1, awaited());
      setStep(f, 3);
      return awaitHost(f, REQUEST_READ_SOURCE, awaited());
    default:
      return evaluateInScope(smallInt(awaited()), arg(f, 1), arg(f, 0));
  }
}

/** A thunk of the source that is the input, in which the attributes of `scope` are variables. */
function evaluateInScope(length: u32, path: Value, scope: Value): Value {
  return makeThunk(loadFile(input, length, path, keysOf(scope)), makeEnvOf(scope));
}

/** The environment of code that was compiled with the keys of a set. */
export function makeEnvOf(scope: Value): Address {
  const count = attrsCount(scope);
  const env = makeEnv(count, 0);
  for (let i: u32 = 0; i < count; i++) setEnvSlot(env, i, attrValue(scope, i));
  return env;
}

function loadFile(text: Address, length: u32, path: Value, keys: Keys): Code {
  const bytes = stringBytes(path);
  const directory = makePermanentPath(bytes, parentLength(bytes, stringLength(path)));
  const permanent = makePermanentPath(bytes, stringLength(path));
  return loadSource(text, length, ORIGIN_FILE, permanent, directory, keys);
}

function symbolPath(symbol: Symbol): Value {
  const name = symbolName(symbol);
  return makePath(stringBytes(name), stringLength(name));
}
