// Fibers: evaluations that share the heap and have a stack each, so that one can go on while others wait for the host.
//
// One fiber is the machine's at a time: its stack and registers are the variables of stack.ts and registers.ts, its text
// that of memory/text.ts. Those of all others are written down here. The first fiber runs what the host asks for; the
// others are begun by the host while the first one waits, and evaluate what it will want (siblings.ts).
//
//   FIBER  [next][env][pc][stack: SAVED_STACK_SIZE][text: SAVED_TEXT_SIZE][region], in permanent memory, used again
//
// A fiber that meets a thunk which another one is evaluating waits for that one (waiting.ts). A fiber other than the first
// that fails leaves no trace: its thunks become what they were before it entered them, so that whoever needs them meets
// the failure himself.

import { Address } from "../memory/chunks";
import { enterRegion, region } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { SAVED_TEXT_SIZE, loadText, returnSavedText, saveNoText, saveText } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { unenter } from "../values/thunk";
import { Value } from "../values/value";
import { env, pc, saveRegisters, setRaisingFrame, setRaisingPc } from "./registers";
import {
  CALL_TARGET,
  SAVED_STACK_SIZE,
  loadStack,
  previousRecordIn,
  recordTarget,
  returnSavedStack,
  saveNewStack,
  saveStack,
  savedBase,
  savedRecord,
  savedTop,
  sp,
} from "./stack";

export type Fiber = usize;

const STACK: u32 = 12;
const TEXT: u32 = STACK + SAVED_STACK_SIZE;
const REGION: u32 = TEXT + SAVED_TEXT_SIZE;
const FIBER_SIZE: u32 = REGION + 4;

/** The fiber that runs what the host asks for. */
let first: Fiber = 0;
/** The fiber that the machine runs. */
export let currentFiber: Fiber = 0;
/** The newest of all fibers; the first one is the last in the chain. */
let newest: Fiber = 0;
let released: Fiber = 0;

export function initializeFibers(): void {
  first = allocatePermanent(FIBER_SIZE);
  currentFiber = first;
  newest = first;
}

/** Makes a fiber with an empty stack; it makes cells in the same region as the current one. */
export function makeFiber(): Fiber {
  let fiber = released;
  if (fiber == 0) fiber = allocatePermanent(FIBER_SIZE);
  else released = nextFiber(fiber);
  store<u32>(fiber, newest);
  store<u32>(fiber, 0, 4);
  store<u32>(fiber, 0, 8);
  saveNewStack(fiber + STACK);
  saveNoText(fiber + TEXT);
  store<u32>(fiber + REGION, region);
  newest = fiber;
  return fiber;
}

/** Makes `fiber` the machine's. */
export function switchFiber(fiber: Fiber): void {
  if (fiber == currentFiber) return;
  store<u32>(currentFiber, compress(env), 4);
  store<u32>(currentFiber, <u32>pc, 8);
  saveStack(currentFiber + STACK);
  saveText(currentFiber + TEXT);
  store<u32>(currentFiber + REGION, region);
  currentFiber = fiber;
  saveRegisters(load<u32>(fiber, 8), decompress(load<u32>(fiber, 4)));
  loadStack(fiber + STACK);
  loadText(fiber + TEXT);
  enterRegion(load<u32>(fiber + REGION));
  setRaisingFrame(0);
  setRaisingPc(0);
}

/** Drops a fiber other than the first: the thunks that it was evaluating are as before. */
export function dropFiber(fiber: Fiber): void {
  if (fiber == currentFiber) switchFiber(first);
  const stack = savedBase(fiber + STACK);
  let at = savedRecord(fiber + STACK);
  while (at != 0) {
    const target = recordTarget(at);
    if ((target & 1) == 0 && target != CALL_TARGET) unenter(target);
    at = previousRecordIn(stack, at);
  }
  returnSavedStack(fiber + STACK);
  returnSavedText(fiber + TEXT);
  unlink(fiber);
  store<u32>(fiber, released);
  released = fiber;
}

function unlink(fiber: Fiber): void {
  if (newest == fiber) {
    newest = nextFiber(fiber);
    return;
  }
  let at = newest;
  while (nextFiber(at) != fiber) at = nextFiber(at);
  store<u32>(at, nextFiber(fiber));
}

// ── All of them, for the collector ──

@inline
export function newestFiber(): Fiber {
  return newest;
}

/** The one that was made before, or 0. */
@inline
export function nextFiber(fiber: Fiber): Fiber {
  return load<u32>(fiber);
}

/** What is written down of a stack, unless the fiber is current. */
@inline
export function stackOf(fiber: Fiber): Address {
  return fiber + STACK;
}

/** The register of a fiber that is not current. */
@inline
export function envOf(fiber: Fiber): Address {
  return fiber + 4;
}

/** Where the stack of a fiber ends. */
export function topOf(fiber: Fiber): Address {
  return fiber == currentFiber ? sp : savedTop(stackOf(fiber));
}

// ── Waiting for one another ──

/** The fiber, other than the current one, that evaluates `thunk`; 0 when the current one does, or none. */
export function holderOf(thunk: Value): Fiber {
  if (newest == first) return 0;
  let fiber = newest;
  while (fiber != 0) {
    if (fiber != currentFiber && holds(fiber, thunk)) return fiber;
    fiber = nextFiber(fiber);
  }
  return 0;
}

function holds(fiber: Fiber, thunk: Value): bool {
  const stack = savedBase(fiber + STACK);
  let at = savedRecord(fiber + STACK);
  while (at != 0) {
    if (recordTarget(at) == thunk) return true;
    at = previousRecordIn(stack, at);
  }
  return false;
}
