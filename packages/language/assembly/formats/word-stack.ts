// A growing stack of words, on which the readers of JSON and TOML keep what they have read of unfinished lists and objects.
//
// Readers never wait, so that one stack serves all of them: each begins with `clearWords`.

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";

let base: Address = 0;
let top: Address = 0;
let end: Address = 0;

@inline
export function clearWords(): void {
  top = base;
}

/** How many words there are: the place of the next one. */
@inline
export function wordCount(): u32 {
  return <u32>(top - base) >>> 2;
}

/** The address of the word at `place`; valid until the next push. */
@inline
export function wordsAt(place: u32): Address {
  return base + (place << 2);
}

@inline
export function wordAt(place: u32): u32 {
  return load<u32>(base + (place << 2));
}

@inline
export function setWordAt(place: u32, word: u32): void {
  store<u32>(base + (place << 2), word);
}

@inline
export function pushWord(word: u32): void {
  if (top == end) grow();
  store<u32>(top, word);
  top += 4;
}

/** Forgets the words from `place` on. */
@inline
export function dropWords(place: u32): void {
  top = base + (place << 2);
}

function grow(): void {
  const size = <u32>(end - base);
  const larger = size == 0 ? CHUNK_SIZE : size << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (size != 0) {
    memory.copy(place, base, size);
    returnChunks(base, chunksFor(size));
  }
  base = place;
  top = place + size;
  end = place + larger;
}
