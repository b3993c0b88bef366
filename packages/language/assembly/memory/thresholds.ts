// When to collect, and when to give up.
//
// A collection costs what is alive, so the heap may become a multiple of that before the next one: a larger multiple while
// little is alive. It is never less than a minimum, which most evaluations do not reach.
//
// Where memory is limited, the next collection comes in time for everything that is in the heap to exist twice within the
// limit. Once too much is alive for that, the heap may grow up to the limit, and the collection there exceeds it for as long
// as it lasts. When it frees next to nothing, the evaluation ends.

import { CHUNK_SIZE, MAX_CHUNKS, allowedChunks, setAllowedChunks, usedChunks } from "./chunks";
import { HAS_WIDE_ADDRESSES } from "./pointers";
import { collectionThreshold, heapChunks, setCollectionThreshold } from "./heap";

const SMALL_HEAP: u64 = 256 << 20;
const SMALL_GROWTH: u64 = 3;
const GROWTH: u64 = 2;
const LARGEST_THRESHOLD: u64 = HAS_WIDE_ADDRESSES ? 0x2f0000000 : 0xf0000000;

let minimumThreshold: u32 = 184 << 20;

/** Sets how large the heap may become before the first collection, and always. */
export function setMinimumThreshold(bytes: u32): void {
  minimumThreshold = bytes;
  setNextThreshold(0);
}

/** Sets how many bytes of memory there may be in use. */
export function setMemoryLimit(bytes: f64): void {
  setAllowedChunks(<u32>min(bytes / <f64>CHUNK_SIZE, <f64>MAX_CHUNKS));
  setNextThreshold(0);
}

/** Decides when the next collection comes, after one that `surviving` bytes have survived. */
export function setNextThreshold(surviving: usize): void {
  const alive = <u64>surviving;
  const wanted = max(alive * (alive < SMALL_HEAP ? SMALL_GROWTH : GROWTH), <u64>minimumThreshold);
  const room = roomOfHeap();
  const half = room >>> 1;
  // A collection that gains less than an eighth of this is not worth it: `isTight` says when the next one comes.
  const bound = alive < half - (half >>> 3) ? half : LARGEST_THRESHOLD;
  setCollectionThreshold(<usize>min(min(wanted, bound), LARGEST_THRESHOLD));
}

/**
 * The next collection comes when the heap has `bytes`, if it was to come sooner: for who would rather give up the whole memory than
 * collect. Where memory is limited nothing changes.
 */
export function postponeNextCollection(bytes: u32): void {
  if (allowedChunks() < MAX_CHUNKS) return;
  setCollectionThreshold(max(collectionThreshold, <usize>min(<u64>bytes, LARGEST_THRESHOLD)));
}

/** Bytes that the heap may have beside all else that is in use. */
function roomOfHeap(): u64 {
  const others = usedChunks() - heapChunks();
  return <u64>(allowedChunks() - min(others, allowedChunks())) * CHUNK_SIZE;
}

/** Whether there is room to copy as much as was alive the last time. */
export function mayCollect(surviving: usize): bool {
  return <u64>(MAX_CHUNKS - usedChunks()) * CHUNK_SIZE > <u64>surviving;
}
