// The collector: copies what is alive out of the heap's chunks and gives the chunks back (Cheney's algorithm).
//
// Roots are the stack, the machine's environment, the errors being raised, and the words of roots.ts. The machine calls
// it between two instructions, so no address is held anywhere else. Forced thunks disappear: whoever referred to one
// refers to its value afterwards. Permanent memory is not scanned: it refers to the heap through roots only.

import {
  Address,
  CHUNK_BITS,
  OWNER_ARENA,
  OWNER_EVACUATED,
  OWNER_FREE,
  OWNER_HEAP,
  OWNER_POISONED,
  chunkLimit,
  enforceLimit,
  outOfMemory,
  ownerOf,
  returnChunks,
  setChunkOwner,
} from "./chunks";
import {
  abandonHeap,
  allocate,
  chunkTop,
  heapBytes,
  largeRunAt,
  largeRunCount,
  smallChunkAt,
  smallChunkCount,
} from "./heap";
import { newestRootBlock, previousRootBlock, rootBlockEnd, rootBlockStart } from "./roots";
import { poisonChunk, releasePoisoned, stressInterval } from "./stress";
import { trimText } from "./text";
import { mayCollect, setNextThreshold } from "./thresholds";
import { env, setEnv } from "../machine/registers";
import { savedBase, savedTop, sp, stackBase, trimStack } from "../machine/stack";
import { currentFiber, envOf, newestFiber, nextFiber, stackOf } from "../machine/fibers";
import { orderCellSize } from "../values/attr-order";
import { attrsCellSize, keysCellSize, keysCount } from "../values/attrs";
import { contextCellSize, contextCount } from "../values/context";
import { envCellSize } from "../values/env";
import { listCellSize, listLength } from "../values/list";
import { partialCellSize } from "../values/function";
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
  TAG_FORWARD,
  TAG_MASK,
  Value,
  headerExtra,
} from "../values/value";

/** Collections so far, the cells that they have copied, and the bytes that survived the last one. */
export let collectionCount: u32 = 0;
export let movedCells: u64 = 0;
export let survivingBytes: u32 = 0;
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
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    if (ownerOf(chunk << CHUNK_BITS) == OWNER_HEAP) setChunkOwner(chunk, OWNER_EVACUATED);
  }
  abandonHeap();
  evacuateStacks();
  evacuateRoots();
  scanSurvivors();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    const address = chunk << CHUNK_BITS;
    if (ownerOf(address) != OWNER_EVACUATED) continue;
    if (stressInterval != 0) poisonChunk(address);
    else returnChunks(address, 1);
  }
  collectionCount++;
  survivingBytes = heapBytes();
  setNextThreshold(survivingBytes);
  enforceLimit(true);
  isCollecting = false;
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
    assert((word & 1) != 0 || mayBeReferredTo(word), "no address is kept that a collection has not corrected");
    if ((word & 1) == 0 && ownerOf(word) == OWNER_EVACUATED) store<u32>(at, <u32>evacuate(word));
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
    if ((at & 1) != 0 || ownerOf(at) != OWNER_EVACUATED) return at;
    // A forced thunk stands for its value; what has been copied, for its copy.
    if ((load<u32>(at) & TAG_MASK) != TAG_FORWARD) break;
    at = load<u32>(at, 4);
  }
  const size = sizeOf(at);
  const copy = allocate(size);
  movedCells++;
  copyCell(copy, at, size);
  store<u32>(at, TAG_FORWARD);
  store<u32>(at, <u32>copy, 4);
  return copy;
}

@inline
function copyCell(to: Address, from: Address, size: u32): void {
  if (size > 64) {
    memory.copy(to, from, size);
    return;
  }
  for (let i: u32 = 0; i < size; i += 8) store<u64>(to + i, load<u64>(from + i));
}

/** Looks at every surviving cell once and evacuates what it refers to, until nothing new has come. */
function scanSurvivors(): void {
  let small: u32 = 0;
  let at: Address = 0;
  let large: u32 = 0;
  while (small < smallChunkCount() || large < largeRunCount()) {
    while (small < smallChunkCount()) {
      const start = smallChunkAt(small);
      if (at == 0) at = start;
      while (at < chunkTop(start >>> CHUNK_BITS)) {
        scanCell(at);
        at += sizeOf(at);
      }
      // The chunk that is being filled may get more cells.
      if (small + 1 == smallChunkCount()) break;
      small++;
      at = 0;
    }
    if (large == largeRunCount()) {
      if (small + 1 == smallChunkCount() && at == chunkTop(smallChunkAt(small) >>> CHUNK_BITS)) return;
      continue;
    }
    scanCell(largeRunAt(large));
    large++;
  }
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
  const keys = load<u32>(attrs, 4);
  const isCopied = (load<u32>(keys) & TAG_MASK) == TAG_FORWARD;
  return keysCount(isCopied ? load<u32>(keys, 4) : keys);
}
