// What an exploration has already tried: for a node and a position, whether a match was found from there.
//
// This keeps a match polynomial. It is only started when an exploration has taken suspiciously many steps, as most need
// nothing of it. Two bits an entry, ordered by position and then by node; memory is cleared as positions are reached.

import { giveUp } from "./backtrack";
import { growBuffer, grownCapacity } from "./buffer";
import { MAX_MATCH_BYTES } from "./limits";

export const UNKNOWN: u32 = 0;
export const NOT_FOUND: u32 = 1;
export const FOUND: u32 = 2;

const CLEAR_STEP: u32 = 4096;

let entries: usize = 0;
let capacity: u32 = 0;
/** Bytes from the start that are valid. */
let cleared: u32 = 0;
let origin: usize = 0;
let nodesPerPosition: u32 = 0;

/** Forgets everything. Positions will not be below `first`, node numbers below `nodes`. */
export function startMemo(first: usize, nodes: u32): void {
  origin = first;
  nodesPerPosition = nodes;
  cleared = 0;
}

export function recall(node: u32, position: usize): u32 {
  const entry = entryOf(node, position);
  const at = entry >> 2;
  if (at >= <u64>cleared) return UNKNOWN;
  return (<u32>load<u8>(entries + <u32>at) >>> shiftOf(entry)) & 3;
}

export function remember(node: u32, position: usize, verdict: u32): void {
  const entry = entryOf(node, position);
  if (entry >> 2 >= <u64>MAX_MATCH_BYTES - CLEAR_STEP) return giveUp();
  const at = <u32>(entry >> 2);
  if (at >= cleared) clearUpTo(at + CLEAR_STEP);
  store<u8>(entries + at, load<u8>(entries + at) | <u8>(verdict << shiftOf(entry)));
}

@inline
function entryOf(node: u32, position: usize): u64 {
  return <u64>(position - origin) * nodesPerPosition + node;
}

@inline
function shiftOf(entry: u64): u32 {
  return (<u32>entry & 3) << 1;
}

function clearUpTo(end: u32): void {
  if (end > capacity) {
    const wanted = grownCapacity(capacity, end);
    entries = growBuffer(entries, capacity, wanted);
    capacity = wanted;
  }
  memory.fill(entries + cleared, 0, end - cleared);
  cleared = end;
}
