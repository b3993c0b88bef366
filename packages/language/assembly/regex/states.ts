// The automaton of one pattern while it is put together: numbered states and the operations on chains of them.
//
// A chain is a first and a last state; whatever follows is linked behind the last. The states are those which
// libstdc++ creates for the same pattern, the empty ones included, because their number decides whether a pattern is
// too large. `linkProgram` leaves out what is only needed here.

import { growBuffer, grownCapacity } from "./buffer";
import { MAX_STATES, REGEX_TOO_LARGE, fail } from "./limits";

/** No state. */
export const NONE: u32 = 0xffffffff;

/** Kinds of states; `argument` is given in brackets. */
/** Does nothing, joins chains. */
export const STATE_EMPTY: u32 = 0;
/** Consumes one byte (its value). */
export const STATE_BYTE: u32 = 1;
/** Consumes one byte of a set (the set). */
export const STATE_SET: u32 = 2;
/** Goes into a repetition or past it (the first state of the body). */
export const STATE_REPEAT: u32 = 3;
/** Goes two ways (the first state of the left one). */
export const STATE_EITHER: u32 = 4;
/** Begins and ends a group (its number). */
export const STATE_OPEN: u32 = 5;
export const STATE_CLOSE: u32 = 6;
export const STATE_LINE_START: u32 = 7;
export const STATE_LINE_END: u32 = 8;
export const STATE_ACCEPT: u32 = 9;

/** The body of this repetition can match nothing. */
export const FLAG_EMPTY_BODY: u32 = 1;
/** This repetition comes back to itself after its body. */
export const FLAG_LOOP: u32 = 2;
/** The state is inside of a loop which can go round without consuming anything. */
export const FLAG_IN_EMPTY_LOOP: u32 = 4;

@unmanaged
export class State {
  kind: u32;
  next: u32;
  argument: u32;
  flags: u32;
  /** While cloning, the number of the copy plus one; while linking, the address of the node. */
  image: u32;
}

let states: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

let pending: usize = 0;
let pendingCapacity: u32 = 0;
let pendingCount: u32 = 0;

export function clearStates(): void {
  count = 0;
  pendingCount = 0;
}

@inline
export function stateCount(): u32 {
  return count;
}

@inline
export function stateAt(id: u32): State {
  return changetype<State>(states + id * offsetof<State>());
}

/** Adds a state without a successor. Past the limit it records a failure and hands out the last state again. */
export function addState(kind: u32, argument: u32): u32 {
  if (count == MAX_STATES) {
    fail(REGEX_TOO_LARGE);
    return count - 1;
  }
  const needed = (count + 1) * offsetof<State>();
  if (needed > capacity) {
    const wanted = grownCapacity(capacity, needed);
    states = growBuffer(states, capacity, wanted);
    capacity = wanted;
  }
  const state = stateAt(count);
  state.kind = kind;
  state.next = NONE;
  state.argument = argument;
  state.flags = 0;
  state.image = 0;
  return count++;
}

@inline
export function linkStates(last: u32, next: u32): void {
  stateAt(last).next = next;
}

/** Whether a state has a second successor, named by its argument. */
@inline
export function hasBranch(state: State): bool {
  return state.kind == STATE_REPEAT || state.kind == STATE_EITHER;
}

/** Marks the states from `first` on as being inside of a loop that may consume nothing. */
export function markEmptyLoop(first: u32): void {
  for (let id = first; id < count; id++) stateAt(id).flags |= FLAG_IN_EMPTY_LOOP;
}

/** The last state of the newest clone. */
export let clonedLast: u32 = 0;

/** Copies the chain from `first` to `last`, whose states have numbers from `lowest` to below `end`; returns its first state. */
export function cloneChain(first: u32, last: u32, lowest: u32, end: u32): u32 {
  for (let id = lowest; id < end; id++) stateAt(id).image = 0;
  const firstCopy = count;
  pushPending(first);
  while (pendingCount != 0) {
    const id = popPending();
    const copy = addState(stateAt(id).kind, stateAt(id).argument);
    const original = stateAt(id);
    stateAt(copy).next = original.next;
    stateAt(copy).flags = original.flags;
    original.image = copy + 1;
    if (hasBranch(original)) pushUncloned(original.argument);
    if (id != last) pushUncloned(original.next);
  }
  for (let id = lowest; id < end; id++) redirect(stateAt(id));
  clonedLast = stateAt(last).image - 1;
  return firstCopy;
}

/** Lets the copy of a state lead to the copies of its successors. */
function redirect(original: State): void {
  if (original.image == 0) return;
  const copy = stateAt(original.image - 1);
  if (copy.next != NONE) copy.next = stateAt(copy.next).image - 1;
  if (hasBranch(copy)) copy.argument = stateAt(copy.argument).image - 1;
}

function pushUncloned(id: u32): void {
  if (id != NONE && stateAt(id).image == 0) pushPending(id);
}

/** A stack of numbers for whoever walks the states. */
export function pushPending(id: u32): void {
  const needed = (pendingCount + 1) * sizeof<u32>();
  if (needed > pendingCapacity) {
    const wanted = grownCapacity(pendingCapacity, <u32>needed);
    pending = growBuffer(pending, pendingCapacity, wanted);
    pendingCapacity = wanted;
  }
  store<u32>(pending + pendingCount * sizeof<u32>(), id);
  pendingCount++;
}

export function popPending(): u32 {
  pendingCount--;
  return load<u32>(pending + pendingCount * sizeof<u32>());
}

@inline
export function hasPending(): bool {
  return pendingCount != 0;
}
