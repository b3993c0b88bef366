// Growing lists of words outside of the heap, for work that does not wait. A list is a static header [words][count][room].

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";

@unmanaged
export class WordList {
  words: Address;
  count: u32;
  room: u32;
}

/** Appends a word. */
export function pushWord(list: WordList, word: u32): void {
  if (list.count == list.room) grow(list);
  store<u32>(list.words + (list.count << 2), word);
  list.count++;
}

@inline
export function wordAt(list: WordList, index: u32): u32 {
  return load<u32>(list.words + (index << 2));
}

function grow(list: WordList): void {
  const size = list.room << 2;
  const larger = size == 0 ? CHUNK_SIZE : size << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (size != 0) {
    memory.copy(place, list.words, size);
    returnChunks(list.words, chunksFor(size));
  }
  list.words = place;
  list.room = larger >>> 2;
}
