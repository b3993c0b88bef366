// The collector: copies what is alive out of the heap's chunks and gives the chunks back (Cheney's algorithm).
//
// Roots are the stack, the machine's environment, the errors being raised, and the words of roots.ts. The machine calls
// it between two instructions, so no address is held anywhere else. Forced thunks disappear: whoever referred to one
// refers to its value afterwards. Permanent memory is not scanned: it refers to the heap through roots only.

import { forgetTraces } from "../errors/error-cell";
import {
  TOO_MANY,
  freeCount,
  freeLevel,
  freeSlot,
  freeVariablesOf,
} from "../images/free-variables";
import { HOLE, OBSTACLE, holeNumber, isHole, isObstacle, makeHole } from "../images/holes";
import { currentFiber, envOf, newestFiber, nextFiber, stackOf } from "../machine/fibers";
import { env, setEnv } from "../machine/registers";
import { savedBase, savedTop, sp, stackBase, trimStack } from "../machine/stack";
import { forgetLarge } from "../operations/derived-cache";
import { orderCellSize } from "../values/attr-order";
import { attrsCellSize, keysCellSize, keysCount } from "../values/attrs";
import { contextCellSize, contextCount } from "../values/context";
import { envCellSize, envParent, envSlot, makeEnv, setEnvSlot } from "../values/env";
import { lambdaBlock, lambdaEnv, partialCellSize } from "../values/function";
import { listCellSize, listLength } from "../values/list";
import { stringCellSize, stringLength } from "../values/string";
import { tableCellSize } from "../values/table";
import {
  KIND_ATTRS,
  KIND_CONTEXT,
  KIND_ENV,
  KIND_ERROR,
  KIND_FLOAT,
  KIND_INT,
  KIND_KEYS,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_ORDER,
  KIND_PARTIAL,
  KIND_PATH,
  KIND_STRING,
  KIND_TABLE,
  KIND_TRACE,
  TAG_APPLY,
  TAG_CELL,
  TAG_FAILED,
  TAG_FORWARD,
  TAG_MASK,
  Value,
  headerExtra,
} from "../values/value";
import {
  Address,
  OWNER_ARENA,
  OWNER_FREE,
  OWNER_POISONED,
  chunkLimit,
  chunkOf,
  chunkStart,
  enforceLimit,
  isEvacuated,
  outOfMemory,
  ownerOf,
  returnChunks,
} from "./chunks";
import {
  REGION_OWN,
  REGION_SHARED,
  allocate,
  chunkTop,
  enterRegion,
  evacuateHeap,
  heapBytes,
  largeRunAt,
  largeRunCount,
  region,
  smallChunkAt,
  smallChunkCount,
} from "./heap";
import { newestRootBlock, previousRootBlock, rootBlockEnd, rootBlockStart } from "./roots";
import { poisonChunk, releasePoisoned, stressInterval } from "./stress";
import { trimText } from "./text";
import { mayCollect, setNextThreshold } from "./thresholds";
import { compress, decompress } from "./pointers";

/** Collections so far, the cells that they have copied, and the bytes that survived the last one. */
export let collectionCount: u32 = 0;
export let movedCells: u64 = 0;
export let survivingBytes: usize = 0;
/** Bytes that were allocated before the last collection. */
let collectedBytes: u64 = 0;

/** Bytes allocated so far, dead or alive. */
export function allocatedBytes(): u64 {
  return collectedBytes + heapBytes() - survivingBytes;
}

/** Whether a collection has begun and not ended: then the memory was not large enough for it, and the heap is lost. */
export let isCollecting: bool = false;

/**
 * Collects. Only between two steps of the machine, with its registers saved. Ends the evaluation where the memory is too small for
 * what is alive.
 */
export function collect(): void {
  if (!mayCollect(survivingBytes)) outOfMemory();
  isCollecting = true;
  enforceLimit(false);
  trimText();
  trimStack();
  releasePoisoned();
  collectedBytes += heapBytes() - survivingBytes;
  const interrupted = region;
  beginScan();
  evacuateStacks();
  evacuateRoots();
  scanSurvivors();
  returnEvacuated();
  enterRegion(interrupted);
  collectionCount++;
  survivingBytes = heapBytes();
  setNextThreshold(survivingBytes);
  enforceLimit(true);
  isCollecting = false;
}

function returnEvacuated(): void {
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    const address = chunkStart(chunk);
    if (!isEvacuated(address)) continue;
    if (stressInterval != 0) poisonChunk(address);
    else returnChunks(address, 1);
  }
}

/** The stacks of all fibers, with the register that they go on with. */
function evacuateStacks(): void {
  evacuateWords(stackBase(), sp);
  setEnv(evacuate(env));
  let fiber = newestFiber();
  while (fiber != 0) {
    if (fiber != currentFiber) {
      evacuateWords(savedBase(stackOf(fiber)), savedTop(stackOf(fiber)));
      evacuateWords(envOf(fiber), envOf(fiber) + 4);
    }
    fiber = nextFiber(fiber);
  }
}

function evacuateRoots(): void {
  let block = newestRootBlock();
  while (block != 0) {
    evacuateWords(rootBlockStart(block), rootBlockEnd(block));
    block = previousRootBlock(block);
  }
}

function evacuateWords(from: Address, to: Address): void {
  let at = from;
  while (at < to) {
    const word = load<u32>(at);
    if ((word & 1) == 0) {
      const address = decompress(word);
      assert(mayBeReferredTo(address), "no address is kept that a collection has not corrected");
      if (isEvacuated(address)) store<u32>(at, compress(evacuate(address)));
    }
    at += 4;
  }
}

function mayBeReferredTo(address: Address): bool {
  const owner = ownerOf(address);
  return owner != OWNER_POISONED && owner != OWNER_FREE && owner != OWNER_ARENA;
}

/** The new address of a value. */
function evacuate(value: Value): Value {
  let at = value;
  while (true) {
    if ((at & 1) != 0 || !isEvacuated(at)) return at;
    // A forced thunk stands for its value; what has been copied, for its copy.
    if ((load<u32>(at) & TAG_MASK) != TAG_FORWARD) break;
    at = decompress(load<u32>(at, 4));
    if (isMakingImage && isHole(at) && holeNumber(at) != imageCall) entangled = true;
  }
  if (isMakingImage) return evacuateForImage(at);
  enterRegion(ownerOf(at) & 1);
  return copyOut(at);
}

/** Copies a cell to where cells are being made. */
function copyOut(at: Address): Value {
  const size = sizeOf(at);
  const copy = allocate(size);
  movedCells++;
  copyCell(copy, at, size);
  store<u32>(at, TAG_FORWARD);
  store<u32>(at, compress(copy), 4);
  return copy;
}

// ── For an image (images/prepare-image.ts) ──
//
// Only what is reachable from the roots that are named is copied, into the shared region. Cells of the own region among it
// are arguments of calls: what is evaluated of them is copied, what is not becomes a hole.

let isMakingImage: bool = false;
/** Holes that were made or found so far. */
export let holesMade: u32 = 0;
/** The number of the call whose cells are being collected. */
let imageCall: u32 = 0;
let entangled: bool = false;
/** What is in the slots that were not kept. */
let nowhere: Value = 0;

export function beginImageCollection(): void {
  isMakingImage = true;
  holesMade = 0;
  imageCall = 0;
  enforceLimit(false);
  beginScan();
  enterRegion(REGION_SHARED);
  nowhere = makeHole(OBSTACLE, 0);
}

/** Collects the next call, or file: holes that belong to another one are noted from now on. */
export function beginImageCall(): void {
  imageCall++;
  entangled = false;
}

/** Whether the cells of the call have led to a hole of another one. */
export function isEntangled(): bool {
  return entangled;
}

/** Copies what the value in a root refers to. */
export function collectReachable(root: Address): void {
  evacuateWords(root, root + 4);
  scanSurvivors();
}

export function endImageCollection(): void {
  returnEvacuated();
  isMakingImage = false;
  enterRegion(REGION_OWN);
  survivingBytes = heapBytes();
  collectedBytes = 0;
  enforceLimit(true);
  setEnv(0);
}

function evacuateForImage(at: Address): Value {
  if (isHole(at)) return replaceByHole(at, isObstacle(at) ? OBSTACLE : HOLE);
  if ((ownerOf(at) & 1) == REGION_SHARED) return copyOut(at);
  const header = load<u32>(at);
  const tag = header & TAG_MASK;
  if (tag != TAG_CELL) return replaceByHole(at, tag == TAG_FAILED ? OBSTACLE : HOLE);
  switch ((header >>> 3) & 31) {
    case KIND_TRACE:
    case KIND_TABLE:
      return replaceByHole(at, OBSTACLE);
    case KIND_ENV:
      return copyEmptyEnv(at);
    case KIND_LAMBDA: {
      const free = freeVariablesOf(lambdaBlock(at));
      if (freeCount(free) == TOO_MANY) return replaceByHole(at, OBSTACLE);
      const env = lambdaEnv(at);
      for (let i: u32 = 0; i < freeCount(free); i++) keepSlot(env, freeLevel(free, i), freeSlot(free, i));
      return copyOut(at);
    }
    default:
      return copyOut(at);
  }
}

// Of an environment of the own region only those slots are kept that some function needs: a slot that none does may refer
// to all of the evaluation. A copy has one more slot, for the address of the original, tagged as an integer is.

/** Copies an environment; its slots lead nowhere. */
function copyEmptyEnv(env: Address): Address {
  const slots = headerExtra(load<u32>(env));
  const copy = makeEnv(slots + 1, envParent(env));
  for (let slot: u32 = 0; slot < slots; slot++) setEnvSlot(copy, slot, nowhere);
  setEnvSlot(copy, slots, compress(env) | 1);
  store<u32>(env, TAG_FORWARD);
  store<u32>(env, compress(copy), 4);
  return copy;
}

/** Keeps a slot of the environment that is `level` above `env`, unless that is of the shared region, which is kept as it is. */
function keepSlot(env: Address, level: u32, slot: u32): void {
  let at = copyOfEnv(env);
  for (let i = level; i > 0; i--) at = copyOfEnv(envParent(at));
  const last = headerExtra(load<u32>(at)) - 1;
  if (isEvacuated(at) || !isEmptied(at, last) || envSlot(at, slot) != nowhere) return;
  const original = originalOf(envSlot(at, last));
  setEnvSlot(at, slot, evacuate(envSlot(original, slot)));
}

/** The copy of an environment of the own region; one of the shared region where it is now. */
function copyOfEnv(env: Address): Address {
  if (!isEvacuated(env)) return env;
  if ((load<u32>(env) & TAG_MASK) == TAG_FORWARD) return decompress(load<u32>(env, 4));
  return (ownerOf(env) & 1) == REGION_SHARED ? env : copyEmptyEnv(env);
}

/** Whether an environment is such a copy: its original says so as well. */
function isEmptied(env: Address, last: u32): bool {
  const word = envSlot(env, last);
  const original = originalOf(word);
  if ((word & 1) == 0 || (original & 7) != 0 || !isEvacuated(original)) return false;
  return load<u32>(original) == TAG_FORWARD && decompress(load<u32>(original, 4)) == env;
}

@inline
function originalOf(word: Value): Address {
  return decompress(<u32>word & ~1);
}

function replaceByHole(at: Address, kind: u32): Value {
  const hole = makeHole(kind, imageCall);
  holesMade++;
  store<u32>(at, TAG_FORWARD);
  store<u32>(at, compress(hole), 4);
  return hole;
}

@inline
function copyCell(to: Address, from: Address, size: u32): void {
  if (size > 64) {
    memory.copy(to, from, size);
    return;
  }
  for (let i: u32 = 0; i < size; i += 8) store<u64>(to + i, load<u64>(from + i));
}

/** How far the cells of each region were looked at: the number of a small chunk, and an address in it or 0. */
let ownScannedChunk: u32 = 0;
let ownScannedAddress: Address = 0;
let sharedScannedChunk: u32 = 0;
let sharedScannedAddress: Address = 0;
/** How many large cells were looked at. */
let scannedLarge: u32 = 0;

/** Leaves the heap's chunks to be evacuated. */
function beginScan(): void {
  forgetLarge();
  evacuateHeap();
  noteScanned(REGION_OWN, 0, 0);
  noteScanned(REGION_SHARED, 0, 0);
  scannedLarge = 0;
}

/** Looks at every surviving cell once and evacuates what it refers to, until nothing new has come. */
function scanSurvivors(): void {
  let isDone = false;
  while (!isDone) {
    isDone = true;
    if (scanRegion(REGION_OWN)) isDone = false;
    if (scanRegion(REGION_SHARED)) isDone = false;
    while (scannedLarge < largeRunCount()) {
      scanCell(largeRunAt(scannedLarge));
      scannedLarge++;
      isDone = false;
    }
  }
}

function noteScanned(which: u32, chunk: u32, address: Address): void {
  if (which == REGION_OWN) {
    ownScannedChunk = chunk;
    ownScannedAddress = address;
  } else {
    sharedScannedChunk = chunk;
    sharedScannedAddress = address;
  }
}

/** Looks at the cells in small chunks of a region that have come since the last time; false when there were none. */
function scanRegion(which: u32): bool {
  let chunk = which == REGION_OWN ? ownScannedChunk : sharedScannedChunk;
  let at = which == REGION_OWN ? ownScannedAddress : sharedScannedAddress;
  let found = false;
  while (chunk < smallChunkCount(which)) {
    const start = smallChunkAt(which, chunk);
    if (at == 0) at = start;
    while (at < chunkTop(chunkOf(start))) {
      scanCell(at);
      at += sizeOf(at);
      found = true;
    }
    // The chunk that is being filled may get more cells.
    if (chunk + 1 == smallChunkCount(which)) break;
    chunk++;
    at = 0;
  }
  noteScanned(which, chunk, at);
  return found;
}

function scanCell(cell: Address): void {
  const header = load<u32>(cell);
  const tag = header & TAG_MASK;
  if (tag != TAG_CELL) {
    // Thunks: the environment or the error; a delayed call's function and arguments.
    evacuateWords(cell + 4, cell + (tag == TAG_APPLY ? 16 : 8));
    return;
  }
  switch ((header >>> 3) & 31) {
    case KIND_STRING:
      evacuateWords(cell + 8, cell + 12);
      return;
    case KIND_ATTRS:
    case KIND_ENV:
    case KIND_PARTIAL:
    case KIND_LAMBDA:
    case KIND_TABLE:
      evacuateWords(cell + 4, cell + sizeOf(cell));
      return;
    case KIND_LIST:
      evacuateWords(cell + 8, cell + 8 + (listLength(cell) << 2));
      return;
    case KIND_KEYS:
      evacuateWords(cell + 8, cell + 12);
      return;
    case KIND_ERROR:
      // What fails is evaluated again without the image, so that only what it catches is left to be seen.
      if (isMakingImage) forgetTraces(cell);
      evacuateWords(cell + 4, cell + 8);
      evacuateWords(cell + 12, cell + 24);
      return;
    case KIND_TRACE:
      evacuateWords(cell + 8, cell + 20);
      return;
    default:
      // Numbers, paths, orders and contexts refer to nothing.
      return;
  }
}

function sizeOf(cell: Address): u32 {
  const header = load<u32>(cell);
  const tag = header & TAG_MASK;
  if (tag != TAG_CELL) return tag == TAG_APPLY ? 16 : 8;
  switch ((header >>> 3) & 31) {
    case KIND_STRING:
    case KIND_PATH:
      return stringCellSize(stringLength(cell));
    case KIND_INT:
    case KIND_FLOAT:
    case KIND_LAMBDA:
      return 16;
    case KIND_LIST:
      return listCellSize(listLength(cell));
    case KIND_ATTRS:
      return attrsCellSize(attrsCountDuringCollection(cell));
    case KIND_ENV:
      return envCellSize(headerExtra(header));
    case KIND_KEYS:
      return keysCellSize(keysCount(cell));
    case KIND_ORDER:
      return orderCellSize(load<u32>(cell, 4));
    case KIND_CONTEXT:
      return contextCellSize(contextCount(cell));
    case KIND_PARTIAL:
      return partialCellSize(headerExtra(header));
    case KIND_TABLE:
      return tableCellSize(cell);
    default:
      assert(((header >>> 3) & 31) == KIND_ERROR || ((header >>> 3) & 31) == KIND_TRACE, "every kind has a size");
      return 24;
  }
}

/** The key set may have been copied already: then its old first word leads to the copy. */
function attrsCountDuringCollection(attrs: Value): u32 {
  const keys = decompress(load<u32>(attrs, 4));
  const isCopied = (load<u32>(keys) & TAG_MASK) == TAG_FORWARD;
  return keysCount(isCopied ? decompress(load<u32>(keys, 4)) : keys);
}
