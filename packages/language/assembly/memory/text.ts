// One growing buffer in which texts are put together: messages, printed values, JSON, derivations.
//
// It is used like a stack. A writer remembers where it began (`textMark`), appends, and at the end takes its bytes away
// (`textStart(mark)`, `textLengthFrom(mark)`, then `textRewind(mark)`); writers may nest. Marks are offsets, since the
// buffer moves when it grows: an address taken from it is valid until the next append.

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, largerCapacity, returnChunks, takeChunks } from "./chunks";
import { compress, decompress } from "./pointers";

let base: Address = 0;
let capacity: u32 = 0;
let used: u32 = 0;

// ── Fibers: each has a buffer of its own while there is text in it (machine/fibers.ts) ──

/** Bytes that `saveText` writes. */
export const SAVED_TEXT_SIZE: u32 = 12;
/** A buffer that nobody uses. */
let spare: Address = 0;
let spareCapacity: u32 = 0;

/** Writes the buffer down, if there is anything in it, and begins another one. */
export function saveText(at: Address): void {
  saveNoText(at);
  if (used == 0) keepSpare();
  else {
    store<u32>(at, compress(base));
    store<u32>(at, capacity, 4);
    store<u32>(at, used, 8);
  }
  base = 0;
  capacity = 0;
  used = 0;
}

/** Writes down that there is no text. */
@inline
export function saveNoText(at: Address): void {
  store<u32>(at, 0, 4);
}

/** Makes the buffer that was written down at `at` the current one, after `saveText`. */
export function loadText(at: Address): void {
  if (load<u32>(at, 4) != 0) {
    base = decompress(load<u32>(at));
    capacity = load<u32>(at, 4);
    used = load<u32>(at, 8);
    return;
  }
  base = spare;
  capacity = spareCapacity;
  spareCapacity = 0;
}

/** Gives back what is written down at `at`. */
export function returnSavedText(at: Address): void {
  if (load<u32>(at, 4) != 0) returnChunks(decompress(load<u32>(at)), chunksFor(load<u32>(at, 4)));
}

function keepSpare(): void {
  if (spareCapacity != 0) {
    if (capacity != 0) returnChunks(base, chunksFor(capacity));
    return;
  }
  spare = base;
  spareCapacity = capacity;
}

/** Where the text that is about to be written begins. */
@inline
export function textMark(): u32 {
  return used;
}

/** The address of the text written since `mark`; valid until the next append. */
@inline
export function textStart(mark: u32): Address {
  return base + mark;
}

/** Bytes written since `mark`. */
@inline
export function textLengthFrom(mark: u32): u32 {
  return used - mark;
}

/** Forgets everything since `mark`. */
@inline
export function textRewind(mark: u32): void {
  used = mark;
}

/** Gives a buffer back that has become large and is empty. */
export function trimText(): void {
  if (spareCapacity > CHUNK_SIZE) {
    returnChunks(spare, chunksFor(spareCapacity));
    spareCapacity = 0;
  }
  if (used != 0 || capacity <= CHUNK_SIZE) return;
  returnChunks(base, chunksFor(capacity));
  base = 0;
  capacity = 0;
}

/** Makes room for `size` more bytes and returns their address; `textAdvance` says how many were written. */
export function textReserve(size: u32): Address {
  if (size > capacity - used) grow(size);
  return base + used;
}

@inline
export function textAdvance(size: u32): void {
  used += size;
}

export function appendByte(byte: u32): void {
  const at = textReserve(1);
  store<u8>(at, <u8>byte);
  used += 1;
}

export function appendBytes(address: Address, length: u32): void {
  const at = textReserve(length);
  memory.copy(at, address, length);
  used += length;
}

/** Appends a literal of this source, ASCII only. */
export function appendText(text: string): void {
  const length = <u32>text.length;
  const from = changetype<usize>(text);
  const at = textReserve(length);
  for (let i: u32 = 0; i < length; i++) store<u8>(at + i, load<u8>(from + (i << 1)));
  used += length;
}

/** Appends a decimal number. */
export function appendInteger(value: i64): void {
  let rest: u64 = value < 0 ? 0 - <u64>value : <u64>value;
  const at = textReserve(20);
  let digits: u32 = 0;
  let probe = rest;
  do {
    digits++;
    probe /= 10;
  } while (probe != 0);
  const sign: u32 = value < 0 ? 1 : 0;
  if (sign) store<u8>(at, 0x2d);
  for (let i = digits; i > 0; i--) {
    store<u8>(at + sign + i - 1, <u8>(0x30 + <u32>(rest % 10)));
    rest /= 10;
  }
  used += sign + digits;
}

function grow(size: u32): void {
  const chunks = chunksFor(largerCapacity(capacity, <u64>used + <u64>size));
  const address = takeChunks(chunks, OWNER_BUFFER);
  memory.copy(address, base, used);
  if (capacity != 0) returnChunks(base, chunksFor(capacity));
  base = address;
  capacity = chunks * CHUNK_SIZE;
}
