// The stack of an exploration: what is still to be tried, and what has to be undone on the way back to it.
//
// A frame is four words: its kind and what the kind needs. The stack replaces recursion, so the length of a subject is
// limited by memory and not by the call stack. When it would exceed its limit the match is given up.

import { growBuffer, grownCapacity } from "./buffer";
import { MAX_MATCH_BYTES } from "./limits";

/** Go on at a node and a position, unless a match was found since. */
export const FRAME_RETRY: u32 = 0;
/** Go on at a node and a position in any case: the second of two alternatives. */
export const FRAME_SECOND: u32 = 1;
/** A match was found before the second alternative was tried. */
export const FRAME_FOUND: u32 = 2;
/** A run (node) that can be shortened: its lowest end and its present end. */
export const FRAME_RUN: u32 = 3;
/** Put back a word: its address and its old value. */
export const FRAME_CAPTURE: u32 = 4;
/** Put back a counter: its address, its old position and times. */
export const FRAME_COUNTER: u32 = 5;
/** Remember how the exploration of a node and a position went. */
export const FRAME_MEMO: u32 = 6;

@unmanaged
export class Frame {
  kind: u32;
  first: u32;
  second: u32;
  third: u32;
}

let base: usize = 0;
let capacity: u32 = 0;
let top: usize = 0;
let limit: usize = 0;

/** Whether the stack, or the memory of what was tried, has grown past its limit. */
export let givenUp: bool = false;

export function giveUp(): void {
  givenUp = true;
}

export function clearFrames(): void {
  top = base;
  givenUp = false;
}

@inline
export function hasFrames(): bool {
  return top != base;
}

@inline
export function pushFrame(kind: u32, first: u32, second: u32, third: u32): void {
  if (top == limit && !growFrames()) return;
  const frame = changetype<Frame>(top);
  frame.kind = kind;
  frame.first = first;
  frame.second = second;
  frame.third = third;
  top += offsetof<Frame>();
}

/** Takes the newest frame away; it stays readable until the next push. */
@inline
export function popFrame(): Frame {
  top -= offsetof<Frame>();
  return changetype<Frame>(top);
}

function growFrames(): bool {
  if (capacity >= MAX_MATCH_BYTES) {
    givenUp = true;
    return false;
  }
  const used = top - base;
  const wanted = grownCapacity(capacity, 1);
  base = growBuffer(base, capacity, wanted);
  capacity = wanted;
  top = base + used;
  limit = base + capacity;
  return true;
}
