// The stack of the machine: operands, the frames of builtins, and records.
//
// It grows upwards, word by word. Every word is a value, an address in permanent memory, or odd: the collector scans it
// without knowing what is what. A record is what an evaluation leaves behind when it has to wait for another one:
//
//   [target][env][pc][previous record]
//
//   target     the thunk whose value is awaited, and which it becomes; or CALL_TARGET, PLAIN_TARGET, REGION_TARGET, or that of
//              a functor
//   env, pc    how to go on once the value is there (for builtins: the builtin and RESUME code)
//   previous   the record below, as a tagged offset, so that the stack can move; no record is at offset 0
//
// When an evaluation returns, everything above its record is dropped, the record is popped, and the value pushed.

import { Address, CHUNK_SIZE, OWNER_STACK, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { Value } from "../values/value";

/** A function call: counted against the limit of call depth. */
export const CALL_TARGET: Value = 0;
/** Nothing to update, nothing to count. */
export const PLAIN_TARGET: Value = 1;

/** What waits is of the other region of the heap (memory/heap.ts) than what it waits for. Nothing to update. */
export const REGION_TARGET: Value = 0xffffffff;

/** The call of a set, under that of its `__functor`, which is defined at `position` (0: nowhere). Counted as well. */
@inline
export function functorTarget(position: u32): Value {
  return ((position + 1) << 1) | 1;
}

@inline
export function isFunctorTarget(target: Value): bool {
  return (target & 1) != 0 && target != PLAIN_TARGET && target != REGION_TARGET;
}

@inline
export function isCounted(target: Value): bool {
  return target == CALL_TARGET || isFunctorTarget(target);
}

@inline
export function functorPosition(target: Value): u32 {
  return (<u32>target >>> 1) - 1;
}

export const RECORD_SIZE: u32 = 16;
/** Room that is always free above a record, for operands: no code needs more without asking for it. */
export const RED_ZONE: u32 = 65536;
const INITIAL_SIZE: u32 = CHUNK_SIZE;

/** The next free word, as it was when the machine last left `run`. */
export let sp: Address = 0;
/** The newest record's address, 0 if there is none. */
export let record: Address = 0;
/** Where records may still be pushed; 0 for the machine to notice that it is to be left soon (`interruptMachine`). */
export let stackLimit: Address = 0;
/** Nested calls, as Nix counts them. */
export let callDepth: u32 = 0;

let base: Address = 0;
let size: u32 = 0;
/** Bytes beyond which the stack must not grow. */
let maximumSize: u32 = 1 << 30;

export function initializeStack(): void {
  size = INITIAL_SIZE;
  base = takeChunks(chunksFor(size), OWNER_STACK);
  memory.fill(base, 0, RECORD_SIZE);
  sp = base + RECORD_SIZE;
  stackLimit = base + size - RED_ZONE;
}

@inline
export function setSp(address: Address): void {
  sp = address;
}

@inline
export function setRecord(address: Address): void {
  record = address;
}

@inline
export function setCallDepth(depth: u32): void {
  callDepth = depth;
}

export function stackBase(): Address {
  return base;
}

/** Empties the stack. */
export function resetStack(): void {
  record = 0;
  sp = base + RECORD_SIZE;
  callDepth = 0;
}

@inline
export function recordTarget(at: Address): Value {
  return decompress(load<u32>(at));
}

@inline
export function recordEnv(at: Address): Address {
  return decompress(load<u32>(at, 4));
}

@inline
export function recordPc(at: Address): Address {
  return load<u32>(at, 8);
}

/** The record below `at`, or 0. */
@inline
export function previousRecord(at: Address): Address {
  const link = load<u32>(at, 12);
  return link == 1 ? 0 : base + (link >>> 1);
}

/** Writes a record at `at`, which becomes the newest. The caller sees to the limit. */
@inline
export function writeRecord(at: Address, target: Value, env: Address, pc: Address): void {
  store<u32>(at, compress(target));
  store<u32>(at, compress(env), 4);
  store<u32>(at, pc, 8);
  store<u32>(at, record == 0 ? 1 : (<u32>(record - base) << 1) | 1, 12);
  record = at;
}

// ── Fibers: each has a stack of its own (fibers.ts) ──

/** Words that `saveStack` writes. */
export const SAVED_STACK_SIZE: u32 = 24;

/** Writes down which stack this is, and what of it is used. */
export function saveStack(at: Address): void {
  store<u32>(at, base);
  store<u32>(at, size, 4);
  store<u32>(at, sp, 8);
  store<u32>(at, record, 12);
  store<u32>(at, callDepth, 16);
}

/** Makes the stack that was written down at `at` the machine's. */
export function loadStack(at: Address): void {
  base = load<u32>(at);
  size = load<u32>(at, 4);
  sp = load<u32>(at, 8);
  record = load<u32>(at, 12);
  callDepth = load<u32>(at, 16);
  stackLimit = base + size - RED_ZONE;
}

/** Writes down a new, empty stack. */
export function saveNewStack(at: Address): void {
  const place = takeChunks(chunksFor(INITIAL_SIZE), OWNER_STACK);
  memory.fill(place, 0, RECORD_SIZE);
  store<u32>(at, place);
  store<u32>(at, INITIAL_SIZE, 4);
  store<u32>(at, place + RECORD_SIZE, 8);
  store<u32>(at, 0, 12);
  store<u32>(at, 0, 16);
}

export function returnSavedStack(at: Address): void {
  returnChunks(load<u32>(at), chunksFor(load<u32>(at, 4)));
}

@inline
export function savedBase(at: Address): Address {
  return load<u32>(at);
}

@inline
export function savedTop(at: Address): Address {
  return load<u32>(at, 8);
}

@inline
export function savedRecord(at: Address): Address {
  return load<u32>(at, 12);
}

/** The record below `at`, of the stack that begins at `stack`, or 0. */
@inline
export function previousRecordIn(stack: Address, at: Address): Address {
  const link = load<u32>(at, 12);
  return link == 1 ? 0 : stack + (link >>> 1);
}

/** Moves the stack to a place with room for `needed` more bytes and returns the new address of `at`. */
export function growStack(at: Address, needed: u32): Address {
  let larger = size << 1;
  while (larger < <u32>(at - base) + needed + RED_ZONE) larger <<= 1;
  const moved = takeChunks(chunksFor(larger), OWNER_STACK) + (at - base);
  move(moved - (at - base), larger, <u32>(at - base));
  return moved;
}

/** Moves the stack, of which `used` bytes count, to `place`, where there are `newSize`. */
function move(place: Address, newSize: u32, used: u32): void {
  memory.copy(place, base, used);
  returnChunks(base, chunksFor(size));
  if (record != 0) record = place + (record - base);
  sp = place + (sp - base);
  base = place;
  size = newSize;
  stackLimit = base + size - RED_ZONE;
}

/** Has the machine leave its loop at the next call: whoever pushes a record looks at the limit. */
export function interruptMachine(): void {
  stackLimit = 0;
}

/** Whether that was asked for; the limit is true again afterwards. */
export function takeInterrupt(): bool {
  if (stackLimit != 0) return false;
  stackLimit = base + size - RED_ZONE;
  return true;
}

/** Gives back what a deep evaluation has left of a large stack. */
export function trimStack(): void {
  if (size <= LARGE_SIZE || <u64>(sp - base) << 2 > <u64>size) return;
  const smaller = max(LARGE_SIZE, chunksFor(<u32>(sp - base) << 1) * CHUNK_SIZE);
  const place = takeChunks(chunksFor(smaller), OWNER_STACK);
  move(place, smaller, <u32>(sp - base));
}

/** Smaller stacks are kept as they are. */
const LARGE_SIZE: u32 = 4 * CHUNK_SIZE;

/** Whether the stack has reached the size that the settings allow. */
export function stackIsFull(): bool {
  return size >= maximumSize;
}

export function setMaximumStackSize(bytes: u32): void {
  maximumSize = bytes;
}
