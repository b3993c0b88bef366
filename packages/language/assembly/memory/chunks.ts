// The linear memory, cut into chunks of 256 KiB.
//
// Every chunk has one owner. What is permanent (code, symbols, compiled regexes) is never moved or freed; heap chunks
// are emptied by the collector; arena and stack chunks are given back by whoever took them. The owner table answers
// "may this address move?" with one load, so values may point anywhere without a tag of their own.
//
// Layout: 0..1023 unused (address 0 means absent), 1024..8191 static cells (values/constants.ts), then the module's
// own data, then chunks up to 4 GiB less one, so that the end of each is an address as well.
//
// Where addresses have 64 bits (pointers.ts), the chunks of the heap and buffers are high: from 4 GiB up to 16 GiB less one.
// All others are low, below 1 GiB, and there is nothing in between.
//
// There may be a limit of chunks in use. Only the collector goes beyond it, for as long as what is alive exists twice.

import { FIRST_HIGH_WORD, HAS_WIDE_ADDRESSES, HIGH_BASE } from "./pointers";

export type Address = usize;

export const CHUNK_BITS: u32 = 18;
export const CHUNK_SIZE: u32 = 1 << CHUNK_BITS;
/** One more than the number of the last chunk that there can be. */
export const CHUNKS_END: u32 = (1 << ((HAS_WIDE_ADDRESSES ? 34 : 32) - CHUNK_BITS)) - 1;
/** Low chunks lie below this one. */
const LOW_END: u32 = HAS_WIDE_ADDRESSES ? FIRST_HIGH_WORD >>> CHUNK_BITS : CHUNKS_END;
/** The first high chunk, or 0 where all are low. */
const FIRST_HIGH_CHUNK: u32 = HAS_WIDE_ADDRESSES ? <u32>(HIGH_BASE >>> CHUNK_BITS) : 0;
/** As many chunks can be in use: what there is room for where the heap is. */
export const MAX_CHUNKS: u32 = CHUNKS_END - FIRST_HIGH_CHUNK;
const PAGES_PER_CHUNK: u32 = CHUNK_SIZE >>> 16;
/**
 * The memory grows by a half, and by this many chunks at least: pages that nobody touches cost nothing, but every growth
 * detaches the host's views and moves its own collector to look at the memory.
 */
const MINIMUM_GROWTH: u32 = 64;

/** Who a chunk belongs to. */
export const OWNER_FREE: u8 = 0;
export const OWNER_PERMANENT: u8 = 1;
/** The heap's two regions (heap.ts): the lowest bit says which. */
export const OWNER_HEAP: u8 = 2;
export const OWNER_SHARED_HEAP: u8 = 3;
export const OWNER_ARENA: u8 = 4;
export const OWNER_STACK: u8 = 5;
export const OWNER_BUFFER: u8 = 6;
/** The input, into which syntax trees point. */
export const OWNER_INPUT: u8 = 7;
/** Chunks that were evacuated and are not used again for a while, so that an address into them is found (stress.ts). */
export const OWNER_POISONED: u8 = 8;
/** The state of heap chunks during a collection: everything alive is copied out of them. The lowest bit is the region. */
export const OWNER_EVACUATED: u8 = 10;
export const OWNER_EVACUATED_SHARED: u8 = 11;

const owners: Address = memory.data(CHUNKS_END + 1);

let chunkCount: u32 = 0;
let firstChunk: u32 = 0;
/** No low chunk below this one is free, and no high one below the other. */
let lowestFree: u32 = 0;
let lowestHighFree: u32 = 0;
let chunksInUse: u32 = 0;
/** As many chunks may be in use. */
let chunkAllowance: u32 = MAX_CHUNKS;
let isLimited: bool = true;

/** The number of the chunk that holds `address`. */
@inline
export function chunkOf(address: Address): u32 {
  return <u32>(address >>> CHUNK_BITS);
}

/** The address of the first byte of a chunk. */
@inline
export function chunkStart(chunk: u32): Address {
  return <usize>chunk << CHUNK_BITS;
}

/** The owner of the chunk that holds `address`. Static data below the first chunk counts as permanent. */
@inline
export function ownerOf(address: Address): u8 {
  return load<u8>(owners + (address >>> CHUNK_BITS));
}

/** Whether the chunk that holds `address` belongs to the heap. */
@inline
export function isInHeap(address: Address): bool {
  return (ownerOf(address) & 0xfe) == OWNER_HEAP;
}

/** Whether what is at `address` is being copied out by the collector. */
@inline
export function isEvacuated(address: Address): bool {
  return ownerOf(address) >= OWNER_EVACUATED;
}

@inline
export function setChunkOwner(chunk: u32, owner: u8): void {
  store<u8>(owners + chunk, owner);
}

/**
 * Takes `count` adjacent chunks and returns the address of the first. Their bytes are not cleared. Where there is no room for
 * them the host throws: see `outOfMemory`.
 */
export function takeChunks(count: u32, owner: u8): Address {
  if (chunkCount == 0) initializeChunks();
  // A size that has overflowed, or too much for the limit.
  if (count == 0 || (isLimited && <u64>chunksInUse + <u64>count > <u64>chunkAllowance)) outOfMemory();
  const isHigh = HAS_WIDE_ADDRESSES && ((owner & 0xfe) == OWNER_HEAP || owner == OWNER_BUFFER);
  let first = findFreeRun(count, isHigh);
  if (first == 0) {
    growMemory(count, isHigh);
    first = findFreeRun(count, isHigh);
  }
  for (let i: u32 = 0; i < count; i++) setChunkOwner(first + i, owner);
  if (count == 1) {
    if (isHigh) lowestHighFree = first + 1;
    else lowestFree = first + 1;
  }
  chunksInUse += count;
  return chunkStart(first);
}

/** Gives `count` chunks that start at `address` back. */
export function returnChunks(address: Address, count: u32): void {
  const first = chunkOf(address);
  for (let i: u32 = 0; i < count; i++) setChunkOwner(first + i, OWNER_FREE);
  if (HAS_WIDE_ADDRESSES && first >= FIRST_HIGH_CHUNK) lowestHighFree = min(lowestHighFree, first);
  else if (first < lowestFree) lowestFree = first;
  chunksInUse -= count;
}

/** Chunks with an owner, static data not counted. */
export function usedChunks(): u32 {
  return chunksInUse;
}

/** How many chunks may be in use. */
export function allowedChunks(): u32 {
  return chunkAllowance;
}

export function setAllowedChunks(count: u32): void {
  chunkAllowance = min(count, MAX_CHUNKS);
}

/** Whether so much is in use that what is garbage should go, whatever the heap's size. */
@inline
export function isTight(): bool {
  return chunksInUse > chunkAllowance - (chunkAllowance >>> 4);
}

/** Whether so much is in use after a collection that the next one would come soon: then it is better to give up. */
export function isExhausted(): bool {
  return chunksInUse > chunkAllowance - (chunkAllowance >>> 3);
}

/** Whether the limit holds: not while the collector copies. */
export function enforceLimit(enforced: bool): void {
  isLimited = enforced;
}

/** One more than the last chunk of the memory as it is. */
export function chunkLimit(): u32 {
  return chunkCount;
}

/** How many chunks hold `size` bytes. */
@inline
export function chunksFor(size: u32): u32 {
  return (size >>> CHUNK_BITS) + <u32>((size & (CHUNK_SIZE - 1)) != 0);
}

/** Twice `capacity`, or more, so that `needed` bytes fit; sizes that no memory has end the evaluation. */
export function largerCapacity(capacity: u32, needed: u64): u32 {
  let larger = max(<u64>capacity << 1, <u64>CHUNK_SIZE);
  while (larger < needed) larger <<= 1;
  // The last doubling may be too much where what is needed is not.
  if (larger > LARGEST_BLOCK) larger = needed;
  if (larger > LARGEST_BLOCK) outOfMemory();
  return <u32>larger;
}

/** Bytes of the largest block that anything is put into: beside it there must be room for what it is made of. */
const LARGEST_BLOCK: u64 = 0xc0000000;

function initializeChunks(): void {
  firstChunk = (<u32>__heap_base + CHUNK_SIZE - 1) >>> CHUNK_BITS;
  lowestFree = firstChunk;
  chunkCount = memoryPages() / PAGES_PER_CHUNK;
  if (chunkCount < firstChunk) {
    growPages(firstChunk * PAGES_PER_CHUNK - memoryPages());
    chunkCount = firstChunk;
  }
  for (let chunk: u32 = 0; chunk < firstChunk; chunk++) setChunkOwner(chunk, OWNER_PERMANENT);
  // What lies below them is there at once: pages that nobody touches cost nothing.
  lowestHighFree = FIRST_HIGH_CHUNK;
  if (HAS_WIDE_ADDRESSES && !growBy(FIRST_HIGH_CHUNK - chunkCount)) raiseOutOfMemory(ENGINE_REFUSES);
}

/** The first chunk of a free run of `count`, or 0. */
function findFreeRun(count: u32, isHigh: bool): u32 {
  let start = isHigh ? lowestHighFree : lowestFree;
  const end = isHigh ? chunkCount : min(chunkCount, LOW_END);
  while (start + count <= end) {
    let length: u32 = 0;
    while (length < count && load<u8>(owners + start + length) == OWNER_FREE) length++;
    if (length == count) return start;
    start += length + 1;
  }
  return 0;
}

function growMemory(count: u32, isHigh: bool): void {
  // Below the first of them there is no more.
  if (HAS_WIDE_ADDRESSES && !isHigh) outOfMemory();
  let step = max(count, max(chunkCount >>> 1, MINIMUM_GROWTH));
  if (<u64>chunkCount + <u64>step > <u64>CHUNKS_END) step = count;
  if (<u64>chunkCount + <u64>step > <u64>CHUNKS_END) outOfMemory();
  if (!growBy(step) && !growBy(count)) raiseOutOfMemory(ENGINE_REFUSES);
}

function growBy(step: u32): bool {
  const pages = (chunkCount + step) * PAGES_PER_CHUNK - memoryPages();
  if (growPages(pages) < 0) return false;
  chunkCount += step;
  return true;
}

// The build replaces these two where addresses have 64 bits (scripts/memory64.mjs): the compiler only knows 32.

/** The size of the memory, in pages of 64 KiB. */
function memoryPages(): u32 {
  return <u32>memory.size();
}

/** Adds so many pages; negative where there are none. */
function growPages(count: u32): i32 {
  return memory.grow(count);
}

/** The limit is reached: that of the settings, or of what addresses reach. */
const LIMIT_REACHED: u32 = 0;
/** The engine, or the system under it, has no more memory. */
const ENGINE_REFUSES: u32 = 1;

/** Ends the evaluation: what it wants has no room. Does not return; `recovery.ts` says how it goes on. */
export function outOfMemory(): void {
  raiseOutOfMemory(LIMIT_REACHED);
}

@external("host", "outOfMemory")
declare function raiseOutOfMemory(reason: u32): void;
