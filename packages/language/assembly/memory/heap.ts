// The heap: where values are made. Allocation bumps a pointer and never collects: the collector (collect.ts) runs only
// between two steps of the machine, when everything alive is on the machine's stack. Code that builds values may
// therefore hold addresses in local variables as long as it does not return to the machine. When there is more in the heap than
// `collectionThreshold`, every chunk that is taken asks the machine to come to such a place soon.
//
// It has two regions, each with chunks of its own. What an evaluation makes for itself is in its own one. The shared one
// has what follows from files alone that other evaluations read as well (images/ says what that is): it can be kept as an
// image. `region` is where cells are being made; a cell stays in its region when it is moved.

import {
  Address,
  CHUNK_BITS,
  CHUNKS_END,
  CHUNK_SIZE,
  OWNER_EVACUATED,
  OWNER_HEAP,
  OWNER_PERMANENT,
  chunkLimit,
  chunkOf,
  chunkStart,
  chunksFor,
  isInHeap,
  isTight,
  ownerOf,
  setChunkOwner,
  outOfMemory,
  takeChunks,
} from "./chunks";
import { compress, decompress } from "./pointers";
import { interruptMachine } from "../machine/stack";

/** Sizes above are no sizes: they have overflowed. */
const LARGEST_CELL: u32 = 0xc0000000;

export const REGION_OWN: u32 = 0;
export const REGION_SHARED: u32 = 1;

/** The region in which cells are made. */
export let region: u32 = REGION_OWN;
/** Who has the chunks of the other region. */
export let foreignOwner: u8 = OWNER_HEAP + 1;

/** Where the next cell goes. */
export let heapTop: Address = 0;
let heapEnd: Address = 0;
/** Start of the chunk that is being filled, 0 before the first. */
let current: Address = 0;
/** The same of the other region. */
let otherTop: Address = 0;
let otherEnd: Address = 0;
let otherCurrent: Address = 0;
/** Bytes of the heap's chunks but those that are being filled. */
let filledBytes: usize = 0;

/** Bytes of a table with a word for every chunk that there can be. */
const CHUNK_TABLE_SIZE: u32 = (CHUNKS_END + 1) << 2;
/** For every chunk, the end of its cells: valid once the chunk is no longer being filled. */
const tops: Address = memory.data(CHUNK_TABLE_SIZE);

/**
 * The chunks of each region in the order in which they were taken: small ones, of which the last is being filled, and large
 * runs.
 */
const ownSmallChunks: Address = memory.data(CHUNK_TABLE_SIZE);
const sharedSmallChunks: Address = memory.data(CHUNK_TABLE_SIZE);
let ownSmallCount: u32 = 0;
let sharedSmallCount: u32 = 0;
const largeRuns: Address = memory.data(CHUNK_TABLE_SIZE);
let largeCount: u32 = 0;

/** Above this many bytes since the last collection the machine collects at its next safe point. */
export let collectionThreshold: usize = 184 << 20;

export function setCollectionThreshold(bytes: usize): void {
  collectionThreshold = bytes;
}

/** Takes `size` bytes, a multiple of 8. Not cleared. */
@inline
export function allocate(size: u32): Address {
  const address = heapTop;
  if (<usize>size > heapEnd - address) return allocateInNewChunk(size);
  heapTop = address + size;
  return address;
}

/** Makes cells in the other region from now on. */
export function switchRegion(): void {
  const top = heapTop;
  const end = heapEnd;
  const start = current;
  heapTop = otherTop;
  heapEnd = otherEnd;
  current = otherCurrent;
  otherTop = top;
  otherEnd = end;
  otherCurrent = start;
  foreignOwner = OWNER_HEAP + <u8>region;
  region ^= 1;
}

/** Makes cells in `wanted` from now on. */
@inline
export function enterRegion(wanted: u32): void {
  if (region != wanted) switchRegion();
}

/** Bytes used since the last collection, cells that survived it included, and what is left at the ends of chunks. */
export function heapBytes(): usize {
  return filledBytes + (heapTop - current) + (otherTop - otherCurrent);
}

/** Chunks of the heap. */
export function heapChunks(): u32 {
  return <u32>(filledBytes >>> CHUNK_BITS) + <u32>(current != 0) + <u32>(otherCurrent != 0);
}

/** Whether the collector should run at the next place where it may. */
export function wantsCollection(): bool {
  return heapBytes() > collectionThreshold || isTight();
}

/** The end of the cells in a heap chunk. */
export function chunkTop(chunk: u32): Address {
  if (chunk == chunkOf(current)) return heapTop;
  return chunk == chunkOf(otherCurrent) ? otherTop : decompress(load<u32>(tops + (chunk << 2)));
}

/** Leaves all chunks to the collector: the next allocation takes a fresh one. */
export function abandonHeap(): void {
  closeCurrent();
  switchRegion();
  closeCurrent();
  switchRegion();
  filledBytes = 0;
  ownSmallCount = 0;
  sharedSmallCount = 0;
  largeCount = 0;
}

/** Marks the chunks of the heap as evacuated, and abandons them. */
export function evacuateHeap(): void {
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    const address = chunkStart(chunk);
    if (isInHeap(address)) setChunkOwner(chunk, ownerOf(address) - OWNER_HEAP + OWNER_EVACUATED);
  }
  abandonHeap();
}

/** Makes everything in the heap permanent. Values made so far will never be moved, and must not be given new parts. */
export function sealHeap(): void {
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    if (isInHeap(chunkStart(chunk))) setChunkOwner(chunk, OWNER_PERMANENT);
  }
  abandonHeap();
}

export function smallChunkCount(which: u32): u32 {
  return which == REGION_OWN ? ownSmallCount : sharedSmallCount;
}

export function smallChunkAt(which: u32, index: u32): Address {
  return decompress(load<u32>((which == REGION_OWN ? ownSmallChunks : sharedSmallChunks) + (index << 2)));
}

export function largeRunCount(): u32 {
  return largeCount;
}

/** The only cell of a large run, of either region. */
export function largeRunAt(index: u32): Address {
  return decompress(load<u32>(largeRuns + (index << 2)));
}

function allocateInNewChunk(size: u32): Address {
  if (size > LARGEST_CELL) outOfMemory();
  if (wantsCollection()) interruptMachine();
  const chunks = chunksFor(size);
  const address = takeChunks(chunks, OWNER_HEAP + <u8>region);
  if (size > CHUNK_SIZE >>> 1) {
    // A large cell has a run of chunks of its own; the current chunk goes on being filled.
    const first = chunkOf(address);
    store<u32>(tops + (first << 2), compress(address + size));
    store<u32>(largeRuns + (largeCount << 2), compress(address));
    largeCount++;
    filledBytes += <usize>chunks * CHUNK_SIZE;
    return address;
  }
  leaveCurrent();
  if (region == REGION_OWN) store<u32>(ownSmallChunks + (ownSmallCount++ << 2), compress(address));
  else store<u32>(sharedSmallChunks + (sharedSmallCount++ << 2), compress(address));
  current = address;
  heapTop = address + size;
  heapEnd = address + CHUNK_SIZE;
  return address;
}

function leaveCurrent(): void {
  if (current == 0) return;
  store<u32>(tops + (chunkOf(current) << 2), compress(heapTop));
  filledBytes += CHUNK_SIZE;
}

function closeCurrent(): void {
  leaveCurrent();
  current = 0;
  heapTop = 0;
  heapEnd = 0;
}
