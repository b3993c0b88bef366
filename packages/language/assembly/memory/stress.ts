// Finding addresses that were kept where the collector does not look: with this on it collects all the time, and an address
// that it has not corrected leads to poison.
//
// Poison is the header of a thunk that was not entered, whose code and environment lie above any memory: whoever forces it,
// or reads a field through it, traps. Chunks that were evacuated stay poisoned for some collections, before they are used
// again; the debug build also looks whether the collector itself is led into one.
//
// The machine comes to the collector between any two instructions in the debug build, and at any call in the release build,
// where the loop has no room for more.

import {
  Address,
  CHUNK_SIZE,
  OWNER_POISONED,
  chunkLimit,
  chunkOf,
  chunkStart,
  ownerOf,
  returnChunks,
  setChunkOwner,
} from "./chunks";

const POISON: u8 = 0xf8;
const POISONED_CHUNKS: u32 = 24;

/** Collections happen after so many instructions or calls; 0 when the collector is not stressed. */
export let stressInterval: u32 = 0;
let remaining: u32 = 0;
let poisonedChunks: u32 = 0;

export function setStressInterval(interval: u32): void {
  stressInterval = interval;
  remaining = interval;
}

/** Whether the collector is to run now. */
@inline
export function isStressed(): bool {
  return stressInterval != 0 && countDown();
}

function countDown(): bool {
  if (--remaining != 0) return false;
  remaining = stressInterval;
  return true;
}

/** Before a collection: makes poisoned chunks free when there are many. */
export function releasePoisoned(): void {
  if (poisonedChunks < POISONED_CHUNKS) return;
  const chunks = chunkLimit();
  for (let chunk: u32 = 0; chunk < chunks; chunk++) {
    const address = chunkStart(chunk);
    if (ownerOf(address) == OWNER_POISONED) returnChunks(address, 1);
  }
  poisonedChunks = 0;
}

/** Poisons a chunk that was evacuated. */
export function poisonChunk(address: Address): void {
  memory.fill(address, POISON, CHUNK_SIZE);
  setChunkOwner(chunkOf(address), OWNER_POISONED);
  poisonedChunks++;
}
