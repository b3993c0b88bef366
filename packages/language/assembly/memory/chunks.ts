// The linear memory, cut into chunks of 256 KiB.
//
// Every chunk has one owner. What is permanent (code, symbols, compiled regexes) is never moved or freed; heap chunks
// are emptied by the collector; arena and stack chunks are given back by whoever took them. The owner table answers
// "may this address move?" with one load, so values may point anywhere without a tag of their own.
//
// Layout: 0..1023 unused (address 0 means absent), 1024..8191 static cells (values/constants.ts), then the module's
// own data, then chunks up to 4 GiB.

export type Address = usize;

export const CHUNK_BITS: u32 = 18;
export const CHUNK_SIZE: u32 = 1 << CHUNK_BITS;
const MAX_CHUNKS: u32 = 1 << (32 - CHUNK_BITS);
const PAGES_PER_CHUNK: u32 = CHUNK_SIZE >>> 16;
/**
 * The memory grows by a half, and by this many chunks at least: pages that nobody touches cost nothing, but every growth
 * detaches the host's views and moves its own collector to look at the memory.
 */
const MINIMUM_GROWTH: u32 = 64;

/** Who a chunk belongs to. */
export const OWNER_FREE: u8 = 0;
export const OWNER_PERMANENT: u8 = 1;
export const OWNER_HEAP: u8 = 2;
export const OWNER_ARENA: u8 = 3;
export const OWNER_STACK: u8 = 4;
export const OWNER_BUFFER: u8 = 5;
/** The state of heap chunks during a collection: everything alive is copied out of them. */
export const OWNER_EVACUATED: u8 = 6;

const owners: Address = memory.data(16384);

let chunkCount: u32 = 0;
let firstChunk: u32 = 0;
/** No chunk below this one is free. */
let lowestFree: u32 = 0;
let chunksInUse: u32 = 0;

/** The owner of the chunk that holds `address`. Static data below the first chunk counts as permanent. */
@inline
export function ownerOf(address: Address): u8 {
  return load<u8>(owners + (address >>> CHUNK_BITS));
}

@inline
export function setChunkOwner(chunk: u32, owner: u8): void {
  store<u8>(owners + chunk, owner);
}

/** Takes `count` adjacent chunks and returns the address of the first. Their bytes are not cleared. Traps when the memory is exhausted. */
export function takeChunks(count: u32, owner: u8): Address {
  if (chunkCount == 0) initializeChunks();
  let first = findFreeRun(count);
  if (first == 0) {
    growMemory(count);
    first = findFreeRun(count);
  }
  for (let i: u32 = 0; i < count; i++) setChunkOwner(first + i, owner);
  if (count == 1) lowestFree = first + 1;
  chunksInUse += count;
  return first << CHUNK_BITS;
}

/** Gives `count` chunks that start at `address` back. */
export function returnChunks(address: Address, count: u32): void {
  const first = address >>> CHUNK_BITS;
  for (let i: u32 = 0; i < count; i++) setChunkOwner(first + i, OWNER_FREE);
  if (first < lowestFree) lowestFree = first;
  chunksInUse -= count;
}

/** Chunks with an owner, static data not counted. */
export function usedChunks(): u32 {
  return chunksInUse;
}

/** One more than the last chunk of the memory as it is. */
export function chunkLimit(): u32 {
  return chunkCount;
}

/** How many chunks hold `size` bytes. */
@inline
export function chunksFor(size: u32): u32 {
  return (size + CHUNK_SIZE - 1) >>> CHUNK_BITS;
}

function initializeChunks(): void {
  firstChunk = (<u32>__heap_base + CHUNK_SIZE - 1) >>> CHUNK_BITS;
  lowestFree = firstChunk;
  chunkCount = <u32>memory.size() / PAGES_PER_CHUNK;
  if (chunkCount < firstChunk) {
    memory.grow(firstChunk * PAGES_PER_CHUNK - <u32>memory.size());
    chunkCount = firstChunk;
  }
  for (let chunk: u32 = 0; chunk < firstChunk; chunk++) setChunkOwner(chunk, OWNER_PERMANENT);
}

/** The first chunk of a free run of `count`, or 0. */
function findFreeRun(count: u32): u32 {
  let start = lowestFree;
  while (start + count <= chunkCount) {
    let length: u32 = 0;
    while (length < count && load<u8>(owners + start + length) == OWNER_FREE) length++;
    if (length == count) return start;
    start += length + 1;
  }
  return 0;
}

function growMemory(count: u32): void {
  let step = max(count, max(chunkCount >>> 1, MINIMUM_GROWTH));
  if (chunkCount + step > MAX_CHUNKS) step = count;
  const pages = (chunkCount + step) * PAGES_PER_CHUNK - <u32>memory.size();
  if (chunkCount + step > MAX_CHUNKS || memory.grow(pages) < 0) outOfMemory();
  chunkCount += step;
}

/** Ends the evaluation: the 4 GiB of a 32-bit memory, or what the engine allows, are used up. */
export function outOfMemory(): void {
  raiseOutOfMemory();
}

@external("host", "outOfMemory")
declare function raiseOutOfMemory(): void;
