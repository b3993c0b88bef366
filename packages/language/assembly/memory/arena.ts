// The arena: memory that lives for one task (parsing and compiling a file) and is given back as a whole.

import { Address, CHUNK_SIZE, OWNER_ARENA, chunksFor, returnChunks, takeChunks } from "./chunks";

let top: Address = 0;
let end: Address = 0;
/** The newest run of chunks; its first two words link to the run before it and hold its number of chunks. */
let run: Address = 0;
const RUN_HEADER: u32 = 8;

/** Takes `size` bytes, 8-aligned and not cleared, until `resetArena`. */
export function allocateInArena(size: u32): Address {
  const rounded = (size + 7) & ~7;
  if (top + rounded > end || run == 0) takeRun(rounded);
  const address = top;
  top += rounded;
  return address;
}

/** Frees everything but one chunk, which the next task will use. */
export function resetArena(): void {
  while (run != 0) {
    const previous = load<u32>(run);
    const chunks = load<u32>(run, 4);
    if (previous == 0 && chunks == 1) break;
    returnChunks(run, chunks);
    run = previous;
  }
  if (run == 0) {
    top = 0;
    end = 0;
  } else {
    top = run + RUN_HEADER;
    end = run + CHUNK_SIZE;
  }
}

function takeRun(size: u32): void {
  const chunks = chunksFor(size + RUN_HEADER);
  const address = takeChunks(chunks, OWNER_ARENA);
  store<u32>(address, run);
  store<u32>(address, chunks, 4);
  run = address;
  top = address + RUN_HEADER;
  end = address + chunks * CHUNK_SIZE;
}
