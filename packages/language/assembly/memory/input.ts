// The input: bytes that the host has written for the module to read, such as the text of a source.

import { Address, CHUNK_SIZE, OWNER_INPUT, chunksFor, returnChunks, takeChunks } from "./chunks";

/** Where the input begins. */
export let input: Address = 0;
let capacity: u32 = 0;

/** Makes room for `length` bytes and returns their address; valid until the next call. */
export function reserveInput(length: u32): Address {
  if (length <= capacity) return input;
  if (capacity != 0) returnChunks(input, chunksFor(capacity));
  const chunks = chunksFor(length);
  input = takeChunks(chunks, OWNER_INPUT);
  capacity = chunks * CHUNK_SIZE;
  return input;
}
