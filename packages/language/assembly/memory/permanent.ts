// Memory that is never moved and never freed: code, symbols, strings of the source, compiled regexes.

import { Address, CHUNK_SIZE, OWNER_PERMANENT, chunksFor, takeChunks } from "./chunks";

let top: Address = 0;
let end: Address = 0;
let total: u32 = 0;

/** Takes `size` bytes, zeroed and 8-aligned, for the life of the module. */
export function allocatePermanent(size: u32): Address {
  const rounded = (size + 7) & ~7;
  if (top + rounded > end || top == 0) takeRoom(rounded);
  const address = top;
  top += rounded;
  total += rounded;
  memory.fill(address, 0, rounded);
  return address;
}

/** Bytes handed out so far. */
export function permanentBytes(): u32 {
  return total;
}

function takeRoom(size: u32): void {
  const chunks = chunksFor(size);
  const address = takeChunks(chunks, OWNER_PERMANENT);
  if (address != end || top == 0) top = address;
  end = address + chunks * CHUNK_SIZE;
}
