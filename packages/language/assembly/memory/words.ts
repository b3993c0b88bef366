// Copying and sorting adjacent words.

import { Address } from "./chunks";
import { allocate } from "./heap";

/** Below this many words a loop is faster than the engine's copy. */
const SHORT: u32 = 8;

/** Copies `count` 32-bit words between places that do not overlap. */
@inline
export function copyWords(to: Address, from: Address, count: u32): void {
  if (count > SHORT) {
    memory.copy(to, from, count << 2);
    return;
  }
  for (let i: u32 = 0; i < count; i++) store<u32>(to + (i << 2), load<u32>(from + (i << 2)));
}

/** Makes `size` bytes, a multiple of 8, zero. */
@inline
export function clearBytes(at: Address, size: u32): void {
  if (size > SHORT << 3) {
    memory.fill(at, 0, size);
    return;
  }
  for (let i: u32 = 0; i < size; i += 8) store<u64>(at + i, 0);
}

/**
 * The first index in `from` … `end` whose word is not less than `wanted`, in ascending 32-bit words. It looks near
 * `from` first and gallops (Bentley and Yao 1976), so that a walk through both of two arrays costs what the merge of the
 * shorter into the longer must.
 */
export function lowerBound(words: Address, from: u32, end: u32, wanted: u32): u32 {
  if (from >= end || load<u32>(words + (from << 2)) >= wanted) return from;
  let low = from;
  let stride: u32 = 1;
  while (low + stride < end && load<u32>(words + ((low + stride) << 2)) < wanted) {
    low += stride;
    stride <<= 1;
  }
  let high = min(low + stride, end);
  low++;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<u32>(words + (middle << 2)) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ── Sorting 64-bit words ──
//
// A merge sort of pieces of eight, put in order by insertion. Where one half ends below the start of the other, which
// is so everywhere when the input is in order, nothing is compared.

const PIECE: u32 = 8;

/** Sorts `count` 64-bit words ascending. The scratch memory it needs is heap that is garbage afterwards. */
export function sortLongWords(words: Address, count: u32): void {
  sortPieces(words, count);
  if (count <= PIECE) return;
  let from = words;
  let to = allocate(count << 3);
  let width = PIECE;
  while (width < count) {
    for (let start: u32 = 0; start < count; start += width << 1) {
      mergeLongWords(from, to, start, min(start + width, count), min(start + (width << 1), count));
    }
    const swapped = from;
    from = to;
    to = swapped;
    width <<= 1;
  }
  if (from != words) memory.copy(words, from, count << 3);
}

function sortPieces(words: Address, count: u32): void {
  for (let start: u32 = 0; start < count; start += PIECE) {
    const first = words + (start << 3);
    const end = words + (min(start + PIECE, count) << 3);
    for (let next = first + 8; next < end; next += 8) {
      const moving = load<u64>(next);
      let at = next;
      while (at > first && load<u64>(at - 8) > moving) {
        store<u64>(at, load<u64>(at - 8));
        at -= 8;
      }
      store<u64>(at, moving);
    }
  }
}

function mergeLongWords(from: Address, to: Address, start: u32, middle: u32, end: u32): void {
  let at = to + (start << 3);
  let left = from + (start << 3);
  const leftEnd = from + (middle << 3);
  let right = leftEnd;
  const rightEnd = from + (end << 3);
  if (right == rightEnd || load<u64>(leftEnd - 8) <= load<u64>(right)) {
    memory.copy(at, left, rightEnd - left);
    return;
  }
  while (left < leftEnd && right < rightEnd) {
    const a = load<u64>(left);
    const b = load<u64>(right);
    const takeLeft = a <= b;
    store<u64>(at, takeLeft ? a : b);
    at += 8;
    if (takeLeft) left += 8;
    else right += 8;
  }
  memory.copy(at, left, leftEnd - left);
  memory.copy(at + (leftEnd - left), right, rightEnd - right);
}
