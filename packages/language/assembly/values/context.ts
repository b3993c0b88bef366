// String contexts: the store paths that a string refers to, as a set of symbols.
//
//   CONTEXT  [header][count][symbols, count words, ascending, padded to 8]
//
// The symbol's bytes are Nix's own encoding of an element: a plain store path ("opaque"), "=<drv>" (a derivation and its
// whole closure), or "!<output>!<drv>" (an output of a derivation). No context is 0, never an empty cell.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { Symbol } from "../symbols/symbols";
import { KIND_CONTEXT, Value, cellHeader } from "./value";

const CONTEXT_HEADER: u32 = 8;

@inline
export function contextCount(context: Value): u32 {
  return context == 0 ? 0 : load<u32>(context, 4);
}

@inline
export function contextElement(context: Value, index: u32): Symbol {
  return load<u32>(context + (index << 2), CONTEXT_HEADER);
}

export function contextCellSize(count: u32): u32 {
  return (CONTEXT_HEADER + (count << 2) + 7) & ~7;
}

/** The context of one element. */
export function singletonContext(element: Symbol): Value {
  const context = makeContext(1);
  setElement(context, 0, element);
  return context;
}

/** The union of two contexts, either of which may be 0. It is one of them where that is possible. */
export function mergeContexts(a: Value, b: Value): Value {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  const shared = countShared(a, b);
  const aCount = contextCount(a);
  const bCount = contextCount(b);
  if (shared == bCount) return a;
  if (shared == aCount) return b;
  const merged = makeContext(aCount + bCount - shared);
  let i: u32 = 0;
  let j: u32 = 0;
  let at: u32 = 0;
  while (i < aCount || j < bCount) {
    const left = i < aCount ? contextElement(a, i) : u32.MAX_VALUE;
    const right = j < bCount ? contextElement(b, j) : u32.MAX_VALUE;
    setElement(merged, at++, left < right ? left : right);
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return merged;
}

/** `context` with one more element. */
export function addToContext(context: Value, element: Symbol): Value {
  return mergeContexts(context, singletonContext(element));
}

function countShared(a: Value, b: Value): u32 {
  const aCount = contextCount(a);
  const bCount = contextCount(b);
  let i: u32 = 0;
  let j: u32 = 0;
  let shared: u32 = 0;
  while (i < aCount && j < bCount) {
    const left = contextElement(a, i);
    const right = contextElement(b, j);
    if (left == right) shared++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return shared;
}

function makeContext(count: u32): Value {
  const size = contextCellSize(count);
  const context = allocate(size);
  store<u32>(context + size - 4, 0);
  store<u32>(context, cellHeader(KIND_CONTEXT));
  store<u32>(context, count, 4);
  return context;
}

@inline
function setElement(context: Address, index: u32, element: Symbol): void {
  store<u32>(context + (index << 2), element, CONTEXT_HEADER);
}
