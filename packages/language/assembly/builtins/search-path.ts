// findFile: `<nixpkgs/lib>` in a search path, a list of sets { path; prefix ? ""; }.
//
// An entry with prefix "a" holds what is called "a" or begins with "a/", one without prefix everything. The first entry
// with something of the name that is left in it wins. Where an entry leads, and whether a name is in it, is asked once.

import { Address } from "../memory/chunks";
import { bytesEqual } from "../memory/bytes";
import { appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { isPureEvaluation } from "../derivation/settings";
import { ERROR_THROWN, beginError, errorString, raiseError } from "../errors/raise";
import { REQUEST_RESOLVE_LINKS, REQUEST_SEARCH_PATH_ENTRY } from "../machine/host-request";
import {
  Frame,
  LAZY,
  LIST,
  arg,
  args2,
  awaitForce,
  awaitHost,
  awaitNative1,
  awaitNative2,
  awaited,
  clearContext,
  local,
  localInt,
  setContext,
  setLocal,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { COERCE_TO_STRING, coerceNow, coerceRequest } from "../operations/coerce";
import { appendCanonicalPath } from "../operations/path-name";
import { REGION_OWN, region } from "../memory/heap";
import { SYMBOL_PATH, SYMBOL_PREFIX } from "../symbols/known";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { Symbol, internBytes, internString, symbolName } from "../symbols/symbols";
import { findAttr } from "../values/attrs";
import { EMPTY_STRING, NULL } from "../values/constants";
import { listItem, listLength, makeList, setListItem } from "../values/list";
import { makePath, stringBytes, stringContext, stringLength } from "../values/string";
import { Value, isWhnf, resolve } from "../values/value";
import { expectAttr, expectAttrs, expectPlainString } from "./demand";
import { appendCoreDirectory } from "../values/core-path";
import { REALISE_CONTEXT } from "./files";
import { define } from "./registry";

/** Text of an entry, or of a name in one → symbol of the path that it leads to, or NOWHERE; of each region of the heap. */
let ownResolutions: SymbolMap = 0;
let sharedResolutions: SymbolMap = 0;
const NOWHERE: u32 = 0xffffffff;

export function defineSearchPathBuiltins(): void {
  ownResolutions = makeSymbolMap();
  sharedResolutions = makeSymbolMap();
  define("findFile", 2, args2(LIST, LAZY), LOCALS, findFile);
}

/** Locals: LIST of prefix and path, one after the other, of the entries read so far; the entry that is looked at. */
const ENTRIES: u32 = 0;
const ENTRY: u32 = 1;
/** What is being asked for: the symbol. */
const QUESTION: u32 = 2;
const LOCALS: u32 = 3;

const READING: u32 = 0;
const PATH_COERCED: u32 = 1;
const PATH_REALISED: u32 = 2;
const SEARCHING: u32 = 3;
const ANSWERED: u32 = 4;

function findFile(f: Frame): Value {
  const at = step(f);
  if (local(f, ENTRIES) == 0) setLocal(f, ENTRIES, emptyEntries(listLength(arg(f, 0)) << 1));
  if (at == PATH_COERCED && !takePath(f, awaited())) return 0;
  if (at == PATH_REALISED) keepPath(f, awaited());
  if (at <= PATH_REALISED) {
    const count = listLength(arg(f, 0));
    while (localInt(f, ENTRY) < count) if (!readEntry(f)) return 0;
    setLocalInt(f, ENTRY, 0);
    setStep(f, SEARCHING);
  }
  const name = resolve(arg(f, 1));
  if (!isWhnf(name)) {
    setContext(f, "while evaluating the second argument passed to builtins.findFile");
    return awaitForce(f, name);
  }
  expectPlainString(f, name, "while evaluating the second argument passed to builtins.findFile");
  clearContext(f);
  if (at == ANSWERED) {
    const answer = awaited();
    mapSet(resolutions(), localInt(f, QUESTION), answer == NULL ? NOWHERE : internString(answer));
  }
  return search(f, name);
}

function resolutions(): SymbolMap {
  return region == REGION_OWN ? ownResolutions : sharedResolutions;
}

/** Forgets what the shared region does not depend on. */
export function forgetOwnSearches(): void {
  ownResolutions = makeSymbolMap();
}

function emptyEntries(length: u32): Value {
  const list = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(list, i, EMPTY_STRING);
  return list;
}

// ── Reading the search path ──

/** Reads the entry ENTRY. False: the builtin waits. */
function readEntry(f: Frame): bool {
  const entry = localInt(f, ENTRY);
  const attrs = resolve(listItem(arg(f, 0), entry));
  setStep(f, READING);
  if (!isWhnf(attrs)) return waitFor(f, attrs);
  expectAttrs(f, attrs, "while evaluating an element of the list passed to builtins.findFile");
  const prefixSlot = findAttr(attrs, SYMBOL_PREFIX);
  if (prefixSlot != 0) {
    const message = "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile";
    const prefix = resolve(prefixSlot);
    if (!isWhnf(prefix)) {
      setContext(f, message);
      return waitFor(f, prefix);
    }
    expectPlainString(f, prefix, message);
    setListItem(local(f, ENTRIES), entry << 1, prefix);
  }
  clearContext(f);
  const path = resolve(expectAttr(f, attrs, SYMBOL_PATH, "in an element of the __nixPath"));
  const text = coerceNow(path, 0);
  if (text != 0) return takePath(f, text);
  setStep(f, PATH_COERCED);
  const message = "while evaluating the `path` attribute of an element of the list passed to builtins.findFile";
  awaitNative2(f, COERCE_TO_STRING, path, coerceRequest(0, message));
  return false;
}

function waitFor(f: Frame, value: Value): bool {
  awaitForce(f, value);
  return false;
}

function takePath(f: Frame, path: Value): bool {
  if (stringContext(path) == 0) {
    keepPath(f, path);
    return true;
  }
  setStep(f, PATH_REALISED);
  awaitNative1(f, REALISE_CONTEXT, path);
  return false;
}

function keepPath(f: Frame, path: Value): void {
  const entry = localInt(f, ENTRY);
  setListItem(local(f, ENTRIES), (entry << 1) + 1, path);
  setLocalInt(f, ENTRY, entry + 1);
}

// ── Searching ──

/** Goes on at the entry ENTRY. */
function search(f: Frame, name: Value): Value {
  const entries = local(f, ENTRIES);
  const count = listLength(entries) >>> 1;
  for (let entry = localInt(f, ENTRY); entry < count; entry++) {
    setLocalInt(f, ENTRY, entry);
    const offset = restOffset(listItem(entries, entry << 1), name);
    if (offset < 0) continue;
    const text = internString(listItem(entries, (entry << 1) + 1));
    const directory = mapGet(resolutions(), text);
    if (directory == 0) return ask(f, text, REQUEST_SEARCH_PATH_ENTRY);
    if (directory == NOWHERE) continue;
    const candidate = candidateIn(directory, stringBytes(name) + <u32>offset, stringLength(name) - <u32>offset);
    const found = mapGet(resolutions(), candidate);
    if (found == 0) return ask(f, candidate, REQUEST_RESOLVE_LINKS);
    if (found != NOWHERE) return pathOf(found);
  }
  if (startsWithNix(name)) return corePath(name);
  return failToFind(name);
}

/** Where in `name` the part begins that is looked for in an entry with this prefix, or -1. */
function restOffset(prefix: Value, name: Value): i32 {
  const length = stringLength(prefix);
  if (length > stringLength(name) || !bytesEqual(stringBytes(prefix), stringBytes(name), length)) return -1;
  if (length == 0 || length == stringLength(name)) return <i32>length;
  return load<u8>(stringBytes(name) + length) == 0x2f ? <i32>length + 1 : -1;
}

/** The path of `rest` in a directory; ".." does not lead out of it. */
function candidateIn(directory: Symbol, rest: Address, length: u32): Symbol {
  const path = symbolName(directory);
  const mark = textMark();
  appendText(CANDIDATE);
  if (stringLength(path) != 1) appendBytes(stringBytes(path), stringLength(path));
  const restMark = textMark();
  appendCanonicalPath(rest, length);
  if (textLengthFrom(restMark) == 1) textRewind(restMark);
  if (textLengthFrom(mark) == CANDIDATE_LENGTH) appendText("/");
  const candidate = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return candidate;
}

/** Stands before the texts of names in entries, to tell them from the texts of entries: no path has it. */
const CANDIDATE: string = "\x01";
const CANDIDATE_LENGTH: u32 = 1;

function ask(f: Frame, question: Symbol, request: u32): Value {
  setLocalInt(f, QUESTION, question);
  setStep(f, ANSWERED);
  const text = symbolName(question);
  if (request == REQUEST_SEARCH_PATH_ENTRY) return awaitHost(f, request, text);
  return awaitHost(f, request, makePath(stringBytes(text) + CANDIDATE_LENGTH, stringLength(text) - CANDIDATE_LENGTH));
}

function pathOf(path: Symbol): Value {
  const name = symbolName(path);
  return makePath(stringBytes(name), stringLength(name));
}

/** `<nix/…>` are files that belong to the evaluator itself. */
function startsWithNix(name: Value): bool {
  const bytes = stringBytes(name);
  if (stringLength(name) < 4 || load<u8>(bytes) != 0x6e || load<u8>(bytes + 1) != 0x69) return false;
  return load<u8>(bytes + 2) == 0x78 && load<u8>(bytes + 3) == 0x2f;
}

function corePath(name: Value): Value {
  const mark = textMark();
  appendCoreDirectory();
  appendBytes(stringBytes(name) + 4, stringLength(name) - 4);
  const path = makePath(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return path;
}

function failToFind(name: Value): Value {
  beginError(ERROR_THROWN);
  appendText(isPureEvaluation ? "cannot look up '<" : "file '");
  errorString(name);
  if (isPureEvaluation) appendText(">' in pure evaluation mode (use '--impure' to override)");
  else appendText("' was not found in the Nix search path (add it using $NIX_PATH or -I)");
  raiseError();
  return 0;
}
