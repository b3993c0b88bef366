// The module: what the host calls (packages/eval/src/core.ts is its counterpart).
//
// The host makes values through the `new…` functions, starts an evaluation with one of `begin…`, and calls `run` until it
// is done; where `run` asks for something (STATUS_HOST) the host answers and calls it again. A function that raises an
// error throws through the module: the host then calls `handleError`, and if that says that the error was caught, `run`.
//
// Values are addresses. One that the host got is valid until it calls `run` again; `keep` makes a handle that lasts.

import { initializeOperations, defineAllBuiltins } from "./builtins/all";
import { forgetFiles as forgetEvaluatedFiles, makeEnvOf, setFileReports } from "./builtins/evaluation";
import { defineDerivation, loadDerivation } from "./builtins/derivation-function";
import { defineCurrentTime as defineTimeBuiltin } from "./builtins/environment";
import { setTraceVerbose } from "./builtins/control";
import { setHostHashes } from "./builtins/hashing";
import { setHostHashesDrafts } from "./derivation/draft";
import { defineConstantNamed } from "./builtins/registry";
import { Block, Code } from "./compile/code";
import { findGlobal, initializeGlobals } from "./compile/globals";
import { loadBindings, loadSource, loadedBytes, outlineSource, showSource } from "./compile/load";
import {
  appendTraceMessage,
  errorKind as kindOfError,
  errorMessage as messageOfError,
  errorPosition as positionOfError,
  errorSuggestions as suggestionsOfError,
  errorTraces as tracesOfError,
  traceAlways as isTraceAlwaysShown,
  traceInner as traceInside,
  tracePosition as positionOfTrace,
} from "./errors/error-cell";
import { enableFeatureNamed, setEvaluationPurity, setStoreWriting } from "./derivation/settings";
import { beginError, raiseError } from "./errors/raise";
import { isCaughtByTryEval, setCallTraces, setFailuresKept, uncaughtError, unwind } from "./errors/unwind";
import { TO_JSON_WITH } from "./formats/write-json";
import { TO_XML_WITH } from "./formats/write-xml";
import { MAXIMUM_DIGEST_SIZE, hashBytes } from "./hash/algorithm";
import {
  Fiber,
  currentFiber,
  dropFiber,
  holderOf,
  initializeFibers,
  makeFiber,
  switchFiber,
  topOf,
} from "./machine/fibers";
import {
  forgetGathered,
  gatherSiblings,
  gatheredCallee,
  gatheredDepth,
  gatheredRegion,
  gatheredSecond,
  gatheredValue,
} from "./machine/siblings";
import { awaitedThunk, initializeWaiting } from "./machine/waiting";
import { Primop, actionArguments, actionSubject, frameSize, setCommonHandler } from "./machine/native";
import {
  builtinCallCount,
  callCount,
  env,
  listConcatCount,
  lookupCount,
  saveRegisters,
  setFuelOfRun,
  setMaximumCallDepth,
  setRaisingFrame,
  setRaisingPc,
  thunkCount,
  updateCount,
  updatedValueCount,
} from "./machine/registers";
import { profiledFunctionsEntries, profiledFunctionsStart } from "./machine/profiled-functions";
import {
  collectProfiled,
  countedKind as kindOfCounted,
  dropSamples as dropTakenSamples,
  hasManySamples,
  profiledHandler,
  profiledName,
  profiledPosition,
  runProfiled,
  samplesSize,
  samplesStart,
  startProfiler,
} from "./machine/profiler";
import { STATUS_YIELD } from "./machine/run";
import {
  PLAIN_TARGET,
  RECORD_SIZE,
  initializeStack,
  resetStack,
  setCallDepth,
  setMaximumStackSize,
  setSp,
  sp,
  writeRecord,
} from "./machine/stack";
import { FORCE_CODE, HALT_CODE, applyCode, initializeStaticCode } from "./machine/static-code";
import { setKeepsOwnSources } from "./images/own-sources";
import { prepareImage } from "./images/prepare-image";
import { foundCalls, initializeSharedCalls, isImageInDoubt, madeCalls } from "./images/shared-calls";
import { addSharedTree } from "./images/shared-trees";
import {
  Address,
  chunkStart,
  CHUNK_SIZE,
  OWNER_PERMANENT,
  OWNER_SHARED_HEAP,
  chunkLimit,
  isInHeap,
  isExhausted,
  outOfMemory,
  ownerOf,
  usedChunks,
} from "./memory/chunks";
import { checksumOf } from "./memory/checksum";
import { allocatedBytes, collectionCount, isCollecting, movedCells } from "./memory/collect";
import { REGION_SHARED, enterRegion, heapBytes, region, sealHeap, wantsCollection } from "./memory/heap";
import { input, reserveInput } from "./memory/input";
import { permanentBytes } from "./memory/permanent";
import { abandonEvaluation, retryStep } from "./machine/recovery";
import { setStressInterval, stressInterval } from "./memory/stress";
import { postponeNextCollection, setMemoryLimit, setMinimumThreshold } from "./memory/thresholds";
import { releaseRoot, takeRoot } from "./memory/roots";
import { appendBytes, textLengthFrom, textMark, textRewind, textStart } from "./memory/text";
import { compress, decompress } from "./memory/pointers";
import { AUTO_CALL, SELECT_ALONG_PATH } from "./operations/auto-call";
import { COERCE_TO_STRING, coerceRequest, storePathString } from "./operations/coerce";
import { DEEP_FORCE } from "./operations/deep-force";
import { VISIT_DERIVATION } from "./operations/visit-derivation";
import { setStoreDirectory } from "./operations/store-path";
import { SYMBOL_FIND_FILE, SYMBOL_NIX_PATH, initializeKnownSymbols } from "./symbols/known";
import {
  initializeSymbols,
  internBytes,
  isClockNamed,
  symbolBytes,
  symbolCount,
  symbolName,
  watchClock,
} from "./symbols/symbols";
import { setPipeOperators } from "./syntax/lexer";
import { sourceAt, sourceCount as countOfSources } from "./syntax/positions";
import { setHomePath, setPureParsing, setSyntaxLints } from "./syntax/settings";
import { takeSourceWarning, takenSourceWarning } from "./compile/source-warnings";
import { indexAtRank, orderOf } from "./values/attr-order";
import {
  attrsCount, attrValue, findAttr, findKey, keyPosition, keysOf, keySymbol, setAttrCount, setCount,
} from "./values/attrs";
import { addAttr, beginAttrs, endAttrs } from "./values/attrs-builder";
import { FALSE, NULL, TRUE, initializeConstants } from "./values/constants";
import { contextCount, contextElement } from "./values/context";
import { listCount, listItem, listItemCount, listLength, makeList, setListItem } from "./values/list";
import { intOf, makeInt } from "./values/number";
import { appendAmbiguous, appendValue } from "./values/print";
import { appendAttributeName } from "./values/print-text";
import {
  makePath,
  makePermanentPath,
  makePermanentString,
  makeString,
  makeStringOfLength,
  stringBytes,
  stringContext,
  stringLength,
} from "./values/string";
import { isEntered, makeThunk } from "./values/thunk";
import { lambdaBlock } from "./values/function";
import { KIND_LAMBDA, Value, isKind, kindOf, resolve } from "./values/value";
import { envCount, envSlotCount } from "./values/env";
import { nodeCount } from "./syntax/ast";

// ── Settings ──

/** Makes the module ready for settings and constants. First of all. */
export function initialize(): void {
  initializeConstants();
  initializeSymbols();
  initializeKnownSymbols();
  initializeStaticCode();
  initializeStack();
  initializeFibers();
  initializeWaiting();
  initializeSharedCalls();
  initializeOperations();
  defineAllBuiltins();
  defineDerivation();
}

/** Adds a constant to `builtins`: its name is the input. */
export function defineBuiltin(nameLength: u32, value: Value): void {
  defineConstantNamed(internBytes(input, nameLength), value);
}

/** `builtins.currentTime`, which the host is asked for when a program wants it. */
export function defineCurrentTime(): void {
  defineTimeBuiltin();
}

/** Ends the initialization: nothing may be defined afterwards. */
export function finishInitialization(): void {
  initializeGlobals();
  loadDerivation();
  sealHeap();
  watchClock();
}

/** The store's directory: the input, without a slash at the end. */
export function configureStore(length: u32): void {
  setStoreDirectory(makePermanentString(input, length));
}

export function configureSyntax(pipeOperators: bool, pure: bool, urlLint: u32, shortPathLint: u32, absolutePathLint: u32): void {
  setPipeOperators(pipeOperators);
  setPureParsing(pure);
  setSyntaxLints(urlLint, shortPathLint, absolutePathLint);
}

/** Before `initialize`: what the settings forbid or allow. */
export function configureEvaluation(pure: bool, restricted: bool, writesStore: bool, traceVerbose: bool): void {
  setTraceVerbose(traceVerbose);
  setEvaluationPurity(pure, restricted);
  setStoreWriting(writesStore);
}

/** Before `initialize`: enables the experimental feature whose name is the input; unknown names are ignored. */
export function enableFeature(nameLength: u32): void {
  enableFeatureNamed(input, nameLength);
}

/** Whether calls of functions are part of traces. */
export function configureTraces(calls: bool): void {
  setCallTraces(calls);
}

/** Whether a thunk that has failed stays failed (the default), or is evaluated again when it is needed again. */
export function configureFailures(kept: bool): void {
  setFailuresKept(kept);
}

/** Whether the host hashes long strings and derivations, since it is faster: REQUEST_HASH_BYTES, `host.sha256`. */
export function configureHashing(byHost: bool): void {
  setHostHashes(byHost);
  setHostHashesDrafts(byHost);
}

/** Whether the host is to be told when a file has been evaluated: REQUEST_FILE_EVALUATED. */
export function configureFileReports(wanted: bool): void {
  setFileReports(wanted);
}

/** Before `initialize`: turns the profiler on. */
export function configureProfiler(): void {
  startProfiler();
  setCommonHandler(profiledHandler);
}

/** What `~` stands for: the input. */
export function configureHome(length: u32): void {
  setHomePath(makePermanentString(input, length));
}

export function configureLimits(maximumCallDepth: u32, maximumStackSize: u32): void {
  setMaximumCallDepth(maximumCallDepth);
  setMaximumStackSize(maximumStackSize);
}

/**
 * How large the heap may become before it is first collected, and how many bytes of memory there may be in use; 0: the core's own
 * choice. `stress` finds bugs: see memory/stress.ts.
 */
export function configureMemory(heapThreshold: u32, limit: f64, stress: u32): void {
  if (heapThreshold != 0) setMinimumThreshold(heapThreshold);
  if (limit != 0) setMemoryLimit(limit);
  setStressInterval(stress);
  if (stress != 0) setFuelOfRun(stress + 1);
}

/** The next collection comes when the heap has so many bytes, if it was to come sooner and memory is not limited. */
export function postponeCollection(bytes: u32): void {
  postponeNextCollection(bytes);
}

// ── Images: the state of the module, kept for later evaluations (images/) ──

/** Whether there may be an image of this state. */
export function configureImages(wanted: bool): void {
  setKeepsOwnSources(wanted);
}

/** Names a tree of files that many evaluations read: the input is the path of its directory, with a slash at the end. */
export function shareTree(length: u32): void {
  addSharedTree(input, length);
}

/** Whether what is going on belongs to the shared region of the heap: so does what the host is asked for. */
export function isInSharedRegion(): bool {
  return region == REGION_SHARED;
}

/** Whether an error may be one of comparing with an image only. */
export function isInDoubt(): bool {
  return isImageInDoubt();
}

/** How many calls were found among what was kept. */
export function foundCallCount(): u32 {
  return foundCalls;
}

/** How many calls were made that could be kept. */
export function madeCallCount(): u32 {
  return madeCalls;
}

/** Whether the clock may have mattered to what would be kept: then it is of no use. */
export function dependsOnClock(): bool {
  return isClockNamed;
}

/** Makes the state one that can be kept; nothing else may be called afterwards but the two below. */
export function makeImage(): void {
  prepareImage();
}

/** A checksum of memory, a multiple of 32 bytes, that goes on from that of what comes before. */
export function checksum(address: Address, length: u32, seed: u64): u64 {
  return checksumOf(address, length, seed);
}

/** Bytes of the shared region of the heap, with what is free at the ends of its chunks. */
export function sharedBytes(): f64 {
  let chunks: u32 = 0;
  for (let chunk: u32 = 0; chunk < chunkLimit(); chunk++) {
    if (ownerOf(chunkStart(chunk)) == OWNER_SHARED_HEAP) chunks++;
  }
  return <f64>chunks * CHUNK_SIZE;
}

/** One more than the last chunk (memory/chunks.ts). */
export function chunkCount(): u32 {
  return chunkLimit();
}

/** Whether a chunk has something that an image keeps. */
export function isChunkKept(chunk: u32): bool {
  const address = chunkStart(chunk);
  return ownerOf(address) == OWNER_PERMANENT || isInHeap(address);
}

// ── Input: bytes that the host writes ──

/** Room for `length` bytes; valid until the next call. Functions that speak of "the input" read its beginning. */
export function inputBuffer(length: u32): Address {
  return reserveInput(length);
}

// ── Making values ──

/** A string of the input. */
export function newString(length: u32): Value {
  return makeString(input, length);
}

/** A string of `length` bytes, which the host writes to its address. */
export function newStringSpace(length: u32): Value {
  return makeStringOfLength(length);
}

export function nullValue(): Value {
  return NULL;
}

/** The string of the store path that is the input: it refers to itself. */
export function newStorePath(length: u32): Value {
  return storePathString(internBytes(input, length));
}

/** A path of the input, which must be absolute and normalised. */
export function newPath(length: u32): Value {
  return makePath(input, length);
}

export function newInt(n: f64): Value {
  return makeInt(<i64>n);
}

export function newBool(value: bool): Value {
  return value ? TRUE : FALSE;
}

export function newList(length: u32): Value {
  return makeList(length);
}

export function setItem(list: Value, index: u32, item: Value): void {
  setListItem(list, index, item);
}

/** Begins a set; `newAttr` adds to the set begun last, `endSet` makes it. */
export function beginSet(): u32 {
  return beginAttrs();
}

/** Adds an attribute whose name is the input. */
export function newAttr(nameLength: u32, value: Value): void {
  addAttr(internBytes(input, nameLength), value);
}

export function endSet(mark: u32): Value {
  return endAttrs(mark);
}

// ── Looking at values ──

/** The kind of a value (values/value.ts), or -1 if it is not evaluated. */
export function valueKind(value: Value): i32 {
  const resolved = resolve(value);
  if ((resolved & 1) == 0 && (load<u32>(resolved) & 7) != 7) return -1;
  return <i32>kindOf(resolved);
}

/** The value that an evaluated thunk has become: equal addresses are the same set. */
export function resolved(value: Value): Value {
  return resolve(value);
}

export function stringAddress(value: Value): Address {
  return stringBytes(resolve(value));
}

export function stringSize(value: Value): u32 {
  return stringLength(resolve(value));
}

/** The number of context elements of a string, and their names as strings. */
export function contextSize(value: Value): u32 {
  return contextCount(stringContext(resolve(value)));
}

export function contextName(value: Value, index: u32): Value {
  return symbolName(contextElement(stringContext(resolve(value)), index));
}

/** An integer, exact up to 2^53. */
export function intValue(value: Value): f64 {
  return <f64>intOf(resolve(value));
}

export function boolValue(value: Value): bool {
  return resolve(value) == TRUE;
}

export function listSize(value: Value): u32 {
  return listLength(resolve(value));
}

export function itemAt(value: Value, index: u32): Value {
  return listItem(resolve(value), index);
}

export function setSize(value: Value): u32 {
  return attrsCount(resolve(value));
}

/** The name of the attribute at `rank` in bytewise order. */
export function attrNameAt(value: Value, rank: u32): Value {
  const keys = keysOf(resolve(value));
  return symbolName(keySymbol(keys, indexAtRank(orderOf(keys), rank)));
}

export function attrAt(value: Value, rank: u32): Value {
  return attrValue(resolve(value), indexAtRank(orderOf(keysOf(resolve(value))), rank));
}

/** The attribute whose name is the input, or 0. */
export function attrNamed(value: Value, nameLength: u32): Value {
  return findAttr(resolve(value), internBytes(input, nameLength));
}

/** Where the attribute whose name is the input is defined: a position, or 0. */
export function attrPosition(set: Value, nameLength: u32): u32 {
  const keys = keysOf(resolve(set));
  const index = findKey(keys, internBytes(input, nameLength));
  return index < 0 ? 0 : keyPosition(keys, <u32>index);
}

/** The position of a function that is written in a source; 0 for every other value. */
export function lambdaPosition(value: Value): u32 {
  const lambda = resolve(value);
  return isKind(lambda, KIND_LAMBDA) ? changetype<Block>(lambdaBlock(lambda)).position : 0;
}

/** The attribute that such a function is bound to, a string, or 0. */
export function lambdaName(value: Value): Value {
  const name = changetype<Block>(lambdaBlock(resolve(value))).name;
  return name == 0 ? 0 : symbolName(name);
}

/** The position of its doc comment, or 0. */
export function lambdaDocumentation(value: Value): u32 {
  return changetype<Block>(lambdaBlock(resolve(value))).documentation;
}

/** Keeps a value: the handle stays valid until `release`, whatever runs meanwhile. */
export function keep(value: Value): Address {
  const handle = takeRoot();
  store<u32>(handle, compress(value));
  return handle;
}

export function kept(handle: Address): Value {
  return decompress(load<u32>(handle));
}

export function release(handle: Address): void {
  releaseRoot(handle);
}

// ── Evaluating ──

/**
 * Parses and compiles the input, or raises the first error in it; the result is for `newThunk`. `path` is the source's own
 * path as a string, 0 if it is no file, `base` that of the directory of its relative paths.
 */
export function loadInput(length: u32, origin: u32, path: Value, base: Value): Code {
  setRaisingPc(0);
  return loadSource(input, length, origin, permanentPath(path), permanentPath(base), 0);
}

/**
 * The same in a scope: the attributes of the set `scope` are variables. With `bindings` the input is the inside of a set, and
 * its value that set. For `newThunkIn`.
 */
export function loadInputIn(length: u32, origin: u32, base: Value, scope: Value, bindings: bool): Code {
  setRaisingPc(0);
  const keys = keysOf(resolve(scope));
  const directory = permanentPath(base);
  return bindings
    ? loadBindings(input, length, origin, 0, directory, keys)
    : loadSource(input, length, origin, 0, directory, keys);
}

/** A thunk of a program that was loaded in a scope. */
export function newThunkIn(code: Code, scope: Value): Value {
  return makeThunk(code, makeEnvOf(resolve(scope)));
}

/** Forgets what files evaluate to: those that are imported from now on are read again. */
export function forgetFiles(): void {
  forgetEvaluatedFiles();
}

/** A thunk of a program. */
export function newThunk(code: Code): Value {
  return makeThunk(code, 0);
}

function permanentPath(path: Value): Value {
  return path == 0 ? 0 : makePermanentPath(stringBytes(path), stringLength(path));
}

/** Writes what `--parse` prints of the input to the output. */
export function showInput(length: u32, origin: u32, path: Value, base: Value): void {
  setRaisingPc(0);
  outputMark = textMark();
  showSource(input, length, origin, permanentPath(path), permanentPath(base));
}

/** Writes the tree and the code of the input to the output: compile/load.ts says how. */
export function outlineInput(length: u32, origin: u32, path: Value, base: Value): void {
  setRaisingPc(0);
  outputMark = textMark();
  outlineSource(input, length, origin, permanentPath(path), permanentPath(base));
}

/** Begins to force a value. */
export function beginForce(value: Value): void {
  begin(FORCE_CODE);
  push(value);
}

/** Begins to call a function with one argument. */
export function beginCall(callee: Value, argument: Value): void {
  begin(applyCode(1));
  push(argument);
  push(resolve(callee));
}

export function beginDeepForce(value: Value): void {
  beginCall(DEEP_FORCE, value);
}

/** Begins to force a value, and the path of a derivation. */
export function beginVisit(value: Value): void {
  beginCall(VISIT_DERIVATION, value);
}

/** Begins to write a value as JSON; `lazily` without evaluating anything more. */
export function beginJson(value: Value, lazily: bool): void {
  beginCall2(TO_JSON_WITH, value, newInt(lazily ? 1 : 0));
}

/** Begins to write a value as XML, with the flags of formats/write-xml.ts. */
export function beginXml(value: Value, flags: u32): void {
  beginCall2(TO_XML_WITH, value, newInt(<f64>flags));
}

/** Begins to turn a value into a string as `--raw` does: nothing but what is like a string. */
export function beginRaw(value: Value): void {
  beginCall2(COERCE_TO_STRING, value, coerceRequest(RAW_FLAGS, "while generating the output"));
}

const RAW_FLAGS: u32 = 6;

/** Begins to call a function with a pattern with the attributes that it names; see operations/auto-call.ts. */
export function beginAutoCall(argumentSet: Value, value: Value): void {
  beginCall2(AUTO_CALL, argumentSet, value);
}

/** Begins one step along a selection path: `name` and `path` are strings. */
export function beginSelect(value: Value, name: Value, path: Value): void {
  begin(applyCode(3));
  push(path);
  push(name);
  push(value);
  push(SELECT_ALONG_PATH);
}

function beginCall2(callee: Value, a: Value, b: Value): void {
  begin(applyCode(2));
  push(b);
  push(a);
  push(callee);
}

/** Begins to look the name of `<name>`, a string, up in the search path. */
export function beginFindFile(name: Value): void {
  beginCall2(findGlobal(SYMBOL_FIND_FILE), findGlobal(SYMBOL_NIX_PATH), name);
}

/** Prepares the stack for an evaluation of `code`, on top of what may be waiting there. */
function begin(code: Code): void {
  writeRecord(sp, PLAIN_TARGET, env, HALT_CODE);
  setSp(sp + RECORD_SIZE);
  saveRegisters(code, 0);
}

function push(value: Value): void {
  store<u32>(sp, compress(value));
  setSp(sp + 4);
}

/**
 * Runs until the evaluation is done (0), the host is wanted (1), or another fiber has what it needs (3). With the profiler
 * also until there are samples to be taken (2).
 */
export function run(): u32 {
  while (true) {
    const status = runProfiled();
    if (status != STATUS_YIELD) return status;
    lookAtHeap();
    if (hasManySamples()) return STATUS_YIELD;
  }
}

/** Collects when it is time; ends the evaluation when that has freed too little. */
function lookAtHeap(): void {
  const wanted = wantsCollection();
  if (!wanted && stressInterval == 0) return;
  collectProfiled();
  if (wanted && isExhausted()) outOfMemory();
}

/** The same, but not for long: after so many looks at the heap it leaves off (2), and is to be called again. */
export function runBriefly(looks: u32): u32 {
  for (let i: u32 = 0; i < looks; i++) {
    const status = runProfiled();
    if (status != STATUS_YIELD) return status;
    lookAtHeap();
  }
  return STATUS_YIELD;
}

/** Takes the value of an evaluation that is done. */
export function takeResult(): Value {
  setSp(sp - 4);
  return decompress(load<u32>(sp));
}

// ── Fibers (machine/fibers.ts) ──
//
// The host may begin others while the current one waits for an answer: with what `gatherFibers` offers, or by itself
// (`beginFiber`, then one of `begin…`). It switches to a fiber before it answers what that has asked for.

/** How many things others can evaluate while the current fiber waits, `limit` at most. They are for `beginGathered`. */
export function gatherFibers(limit: u32): u32 {
  return gatherSiblings(limit);
}

/** Makes a fiber which evaluates what was gathered at `index`, and switches to it. */
export function beginGathered(index: u32): Fiber {
  const fiber = beginFiber();
  const callee = gatheredCallee(index);
  const value = gatheredValue(index);
  const second = gatheredSecond(index);
  setCallDepth(gatheredDepth(index));
  enterRegion(gatheredRegion(index));
  if (callee == NULL) beginForce(value);
  else if (second == NULL) beginCall(callee, value);
  else beginCall2(callee, value, second);
  return fiber;
}

/** Forgets what was gathered. */
export function endGathering(): void {
  forgetGathered();
}

/** Makes a fiber and switches to it. */
export function beginFiber(): Fiber {
  const fiber = makeFiber();
  switchFiber(fiber);
  return fiber;
}

export function fiber(): Fiber {
  return currentFiber;
}

export function enterFiber(fiber: Fiber): void {
  switchFiber(fiber);
}

/** Drops a fiber which is done, or whose evaluation is given up: then what it has begun is as if it had not. */
export function endFiber(fiber: Fiber): void {
  dropFiber(fiber);
}

/** Whether what a fiber was blocked by is still being evaluated. */
export function isFiberBlocked(fiber: Fiber): bool {
  return isEntered(awaitedThunk(topOf(fiber)));
}

/** The fiber that evaluates what a fiber, the current one, is blocked by; 0 when nobody does any more. */
export function blockingFiber(): Fiber {
  return holderOf(awaitedThunk(sp));
}

/**
 * As `handleError`, in a fiber other than the first. When it says no, the fiber is only to be dropped: the error is
 * raised again where somebody needs what has failed.
 */
export function handleErrorOfFiber(): bool {
  return isCaughtByTryEval() && unwind();
}

// ── The profiler (machine/profiler.ts) ──

/** Where the samples are that were taken so far; valid until the machine runs again. */
export function profileSamples(): Address {
  return samplesStart();
}

/** Their size in bytes. */
export function profileSamplesSize(): u32 {
  return samplesSize();
}

/** Forgets them. */
export function dropProfileSamples(): void {
  dropTakenSamples();
}

/** The name of what a frame is about, a string, or 0. */
export function profileName(kind: u32, subject: Address): Value {
  const symbol = profiledName(kind, subject);
  return symbol == 0 ? 0 : symbolName(symbol);
}

/** The position where a function is defined, or 0. */
export function profilePosition(kind: u32, subject: Address): u32 {
  return profiledPosition(kind, subject);
}

/** The functions that were called: entries as machine/profiled-functions.ts lays them out. */
export function profileFunctions(): Address {
  return profiledFunctionsStart();
}

export function profileFunctionsEntries(): u32 {
  return profiledFunctionsEntries();
}

/** The kind of frame that a counted function has. */
export function profileCountedKind(address: Address): u32 {
  return kindOfCounted(address);
}

// ── What the machine asks for ──

/** The kind of the request (machine/host-request.ts). */
export function requestKind(): u32 {
  return <u32>actionSubject;
}

export function requestArgument(index: u32): Value {
  return decompress(load<u32>(actionArguments + (index << 2)));
}

/** Answers the request; then `run`. */
export function answer(value: Value): void {
  push(value);
}

/** Makes the bytes of a string the input: the answer to REQUEST_READ_SOURCE, when they came late. */
export function stringToInput(string: Value): Value {
  const length = stringLength(string);
  memory.copy(reserveInput(length), stringBytes(string), length);
  return newInt(length);
}

/** Answers it with an error of `kind`, whose message is the input. Raises it. */
export function answerError(kind: u32, length: u32): void {
  const frame = sp - frameSize(changetype<Primop>(env));
  setRaisingFrame(frame);
  beginError(kind);
  appendBytes(input, length);
  raiseError();
}

// ── Errors ──

/** After an error was thrown: whether something in the program caught it. If so, `run` again. */
export function handleError(): bool {
  if (unwind()) return true;
  error = uncaughtError();
  // Nothing waits any more: an error that nobody catches ends everything.
  resetStack();
  return false;
}

/**
 * After the memory was used up: whether there is room now, and the step that failed is to be tried once more: by `run`. Used by the
 * fiber that is current. May throw again.
 */
export function retryAfterCollection(): bool {
  return retryStep();
}

/** Gives up what the first fiber, which is the current one, evaluates: what it has begun is as if it had not. */
export function abandon(): void {
  abandonEvaluation();
}

/** Whether the memory was used up in the middle of a collection, after which nothing is left to go on with. */
export function isLost(): bool {
  return isCollecting;
}

let error: Value = 0;
let trace: Value = 0;

export function errorKind(): u32 {
  return kindOfError(error);
}

export function errorMessage(): Value {
  return messageOfError(error);
}

export function errorPosition(): u32 {
  return positionOfError(error);
}

/** A LIST of STRING, or 0. */
export function errorSuggestions(): Value {
  return suggestionsOfError(error);
}

/** Goes to the next trace, outermost first; false when there is none. Before the first: `rewindTraces`. */
export function nextTrace(): bool {
  trace = trace == 0 ? tracesOfError(error) : traceInside(trace);
  return trace != 0;
}

export function rewindTraces(): void {
  trace = 0;
}

/** Writes the trace's message to the output. */
export function writeTraceMessage(): void {
  outputMark = textMark();
  appendTraceMessage(trace);
}

export function tracePosition(): u32 {
  return positionOfTrace(trace);
}

export function traceAlways(): bool {
  return isTraceAlwaysShown(trace);
}

// ── Output: bytes that the module writes ──

let outputMark: u32 = 0;

/** Prints a value as `nix-instantiate --eval` does (0), or as `nix eval` (1). */
export function printValue(value: Value, style: u32): void {
  outputMark = textMark();
  if (style == 0) appendAmbiguous(value);
  else appendValue(value);
}

/** Prints the name of an attribute as a set shows it, quoted where it must be; `rank` as for `attrNameAt`. */
export function printAttrName(set: Value, rank: u32): void {
  const keys = keysOf(resolve(set));
  outputMark = textMark();
  appendAttributeName(symbolName(keySymbol(keys, indexAtRank(orderOf(keys), rank))));
}

export function outputAddress(): Address {
  return textStart(outputMark);
}

export function outputSize(): u32 {
  return textLengthFrom(outputMark);
}

export function clearOutput(): void {
  textRewind(outputMark);
}

// ── Warnings of the parser ──

/** Goes on to the next warning that the host has not seen; false when there is none. */
export function nextWarning(): bool {
  return takeSourceWarning();
}

export function warningPosition(): u32 {
  return takenSourceWarning().position;
}

/** The position that the message begins with ("at …: "), or 0. */
export function warningSecondPosition(): u32 {
  return takenSourceWarning().second;
}

export function warningAddress(): Address {
  return takenSourceWarning().message;
}

export function warningSize(): u32 {
  return takenSourceWarning().length;
}

// ── Sources ──

export function sourceCount(): u32 {
  return countOfSources();
}

export function sourceStart(index: u32): u32 {
  return sourceAt(index).start;
}

export function sourceLength(index: u32): u32 {
  return sourceAt(index).length;
}

export function sourceOrigin(index: u32): u32 {
  return sourceAt(index).origin;
}

/** A PATH, the text of a source that is the core's own (a STRING), or 0. */
export function sourcePath(index: u32): Value {
  return sourceAt(index).path;
}

// ── Hashing ──

const digest: Address = memory.data(64, 8);

/**
 * Hashes the input by an algorithm of hash/algorithm.ts and returns where the digest is, until the next call. This alone
 * may be called without `initialize`: the host hashes in an instance of its own, whatever the machine is doing.
 */
export function hashInput(algorithm: u32, length: u32): Address {
  assert(MAXIMUM_DIGEST_SIZE <= 64, "there is room for every digest");
  hashBytes(algorithm, input, length, digest);
  return digest;
}

// ── Statistics ──

/** One of the counters of NIX_SHOW_STATS, by its place in packages/eval/src/statistics.ts. */
export function statistic(index: u32): f64 {
  switch (index) {
    case 0:
      return <f64>thunkCount;
    case 1:
      return <f64>callCount;
    case 2:
      return <f64>builtinCallCount;
    case 3:
      return <f64>lookupCount;
    case 4:
      return <f64>updateCount;
    case 5:
      return <f64>updatedValueCount;
    case 6:
      return <f64>listConcatCount;
    case 7:
      return <f64>symbolCount();
    case 8:
      return <f64>heapBytes();
    case 9:
      return <f64>permanentBytes();
    case 10:
      return <f64>collectionCount;
    case 11:
      return <f64>loadedBytes;
    case 12:
      return <f64>usedChunks() * CHUNK_SIZE;
    case 13:
      return <f64>allocatedBytes();
    case 14:
      return <f64>envCount;
    case 15:
      return <f64>envSlotCount;
    case 16:
      return <f64>setCount;
    case 17:
      return <f64>setAttrCount;
    case 18:
      return <f64>listCount;
    case 19:
      return <f64>listItemCount;
    case 20:
      return <f64>nodeCount;
    case 21:
      return <f64>symbolBytes();
    default:
      return <f64>movedCells;
  }
}
