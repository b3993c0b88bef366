// The parser's stack: what is begun and not finished yet. It is in memory, not on the host's stack, so that depth is
// bounded by a limit that the parser itself checks.
//
// A frame is 8 words: its kind, the position at which its expression begins, and up to six fields that belong to the
// construct, which declares them as a class of its own. A frame's address is valid until the next push.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { HAS_WIDE_ADDRESSES } from "../memory/pointers";

export const FRAME_ROOT: u32 = 0;
export const FRAME_PARENS: u32 = 1;
export const FRAME_LIST: u32 = 2;
/** The arguments of a function. */
export const FRAME_APPLICATION: u32 = 3;
/** What follows `or` in `a.b or c`. */
export const FRAME_FALLBACK: u32 = 4;
export const FRAME_UNARY: u32 = 5;
export const FRAME_BINARY: u32 = 6;
export const FRAME_LAMBDA: u32 = 7;
export const FRAME_FORMALS: u32 = 8;
export const FRAME_CONDITION: u32 = 9;
export const FRAME_CONSEQUENT: u32 = 10;
export const FRAME_ALTERNATIVE: u32 = 11;
/** Between `assert` or `with` and the semicolon. */
export const FRAME_SUBJECT: u32 = 12;
/** The body of `assert`, `with` or `let`. */
export const FRAME_BODY: u32 = 13;
export const FRAME_BINDINGS: u32 = 14;
/** The value of an attribute. */
export const FRAME_BINDING: u32 = 15;
/** The names after `inherit`, or the expression in parentheses before them. */
export const FRAME_INHERIT: u32 = 16;
export const FRAME_ATTR_PATH: u32 = 17;
/** A string, an indented string or a path with interpolations. */
export const FRAME_TEXT: u32 = 18;

const FRAME_SIZE: u32 = HAS_WIDE_ADDRESSES ? 48 : 32;
/** A deeper nesting of brackets and keywords than this is a syntax error. */
export const MAX_DEPTH: u32 = 1000000;

@unmanaged
export class Frame {
  kind: u32;
  begin: u32;
}

let base: Address = 0;
let top: Address = 0;
let end: Address = 0;

export function resetFrames(): void {
  const size = FRAME_SIZE << 6;
  base = allocateInArena(size);
  top = base;
  end = base + size;
}

/** Pushes a frame and returns its address; its other fields are the caller's to set. */
export function pushFrame(kind: u32, begin: u32): Address {
  if (top == end) grow();
  const frame = changetype<Frame>(top);
  frame.kind = kind;
  frame.begin = begin;
  top += FRAME_SIZE;
  return changetype<Address>(frame);
}

/** The newest frame. There is always the root. */
@inline
export function topFrame(): Address {
  return top - FRAME_SIZE;
}

@inline
export function topFrameKind(): u32 {
  return load<u32>(top - FRAME_SIZE);
}

/** Removes the newest frame, which stays readable until the next push. */
@inline
export function popFrame(): Address {
  top -= FRAME_SIZE;
  return top;
}

@inline
export function frameDepth(): u32 {
  return <u32>(top - base) / FRAME_SIZE;
}

/** The kind of the frame that is `below` frames under the newest one. */
export function frameKindBelow(below: u32): u32 {
  return load<u32>(top - (below + 1) * FRAME_SIZE);
}

function grow(): void {
  const size = <u32>(end - base);
  const moved = allocateInArena(size << 1);
  memory.copy(moved, base, size);
  base = moved;
  top = moved + size;
  end = moved + (size << 1);
}
