// The heap: where values are made. Allocation bumps a pointer and never collects: the collector (collect.ts) runs only
// between two steps of the machine, when everything alive is on the machine's stack. Code that builds values may
// therefore hold addresses in local variables as long as it does not return to the machine. When there is more in the heap than
// `collectionThreshold`, every chunk that is taken asks the machine to come to such a place soon.

import {
  Address,
  CHUNK_BITS,
  CHUNK_SIZE,
  OWNER_HEAP,
  OWNER_PERMANENT,
  chunkLimit,
  chunksFor,
  isTight,
  ownerOf,
  setChunkOwner,
  outOfMemory,
  takeChunks,
} from "./chunks";
import { interruptMachine } from "../machine/stack";

/** Sizes above are no sizes: they have overflowed. */
const LARGEST_CELL: u32 = 0xc0000000;

/** Where the next cell goes. */
export let heapTop: Address = 0;
let heapEnd: Address = 0;
/** Start of the chunk that is being filled, 0 before the first. */
let current: Address = 0;
/** Bytes of the heap's chunks but the current one. */
let filledBytes: u32 = 0;

/** For every chunk, the end of its cells: valid once the chunk is no longer the current one. */
const tops: Address = memory.data(65536);

/** The chunks in the order in which they were taken: small ones, of which the last is being filled, and large runs. */
const smallChunks: Address = memory.data(65536);
let smallCount: u32 = 0;
const largeRuns: Address = memory.data(65536);
let largeCount: u32 = 0;

/** Above this many bytes since the last collection the machine collects at its next safe point. */
export let collectionThreshold: u32 = 184 << 20;

export function setCollectionThreshold(bytes: u32): void {
  collectionThreshold = bytes;
}

/** Takes `size` bytes, a multiple of 8. Not cleared. */
@inline
export function allocate(size: u32): Address {
  const address = heapTop;
  if (size > heapEnd - address) return allocateInNewChunk(size);
  heapTop = address + size;
  return address;
}

/** Bytes used since the last collection, cells that survived it included, and what is left at the ends of chunks. */
export function heapBytes(): u32 {
  return filledBytes + (heapTop - current);
}

/** Chunks of the heap. */
export function heapChunks(): u32 {
  return (filledBytes >>> CHUNK_BITS) + <u32>(current != 0);
}

/** Whether the collector should run at the next place where it may. */
export function wantsCollection(): bool {
  return heapBytes() > collectionThreshold || isTight();
}

/** The end of the cells in a heap chunk. */
export function chunkTop(chunk: u32): Address {
  return chunk == current >>> CHUNK_BITS ? heapTop : load<u32>(tops + (chunk << 2));
}

/** Leaves all chunks to the collector: the next allocation takes a fresh one. */
export function abandonHeap(): void {
  closeCurrent();
  current = 0;
  heapTop = 0;
  heapEnd = 0;
  filledBytes = 0;
  smallCount = 0;
  largeCount = 0;
}

/** Makes everything in the heap permanent. Values made so far will never be moved, and must not be given new parts. */
export function sealHeap(): void {
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    if (ownerOf(chunk << CHUNK_BITS) == OWNER_HEAP) setChunkOwner(chunk, OWNER_PERMANENT);
  }
  abandonHeap();
}

export function smallChunkCount(): u32 {
  return smallCount;
}

export function smallChunkAt(index: u32): Address {
  return load<u32>(smallChunks + (index << 2));
}

export function largeRunCount(): u32 {
  return largeCount;
}

/** The only cell of a large run. */
export function largeRunAt(index: u32): Address {
  return load<u32>(largeRuns + (index << 2));
}

function allocateInNewChunk(size: u32): Address {
  if (size > LARGEST_CELL) outOfMemory();
  if (wantsCollection()) interruptMachine();
  const chunks = chunksFor(size);
  const address = takeChunks(chunks, OWNER_HEAP);
  if (size > CHUNK_SIZE >>> 1) {
    // A large cell has a run of chunks of its own; the current chunk goes on being filled.
    const first = address >>> CHUNK_BITS;
    store<u32>(tops + (first << 2), address + size);
    store<u32>(largeRuns + (largeCount << 2), <u32>address);
    largeCount++;
    filledBytes += chunks * CHUNK_SIZE;
    return address;
  }
  closeCurrent();
  store<u32>(smallChunks + (smallCount << 2), <u32>address);
  smallCount++;
  current = address;
  heapTop = address + size;
  heapEnd = address + CHUNK_SIZE;
  return address;
}

function closeCurrent(): void {
  if (current == 0) return;
  store<u32>(tops + ((current >>> CHUNK_BITS) << 2), heapTop);
  filledBytes += CHUNK_SIZE;
}
