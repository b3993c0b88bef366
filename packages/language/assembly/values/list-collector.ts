// Making lists whose length is not known before.
//
// `beginItems` … `addItem` … `endItems` collects items on a scratch stack (collectors may nest) and makes the list.
// Nothing on it outlives an await.

import { Address, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { compress } from "../memory/pointers";
import { listItems, makeList } from "./list";
import { Value } from "./value";

const INITIAL_SIZE: u32 = 65536;
let base: Address = 0;
let capacity: u32 = 0;
let used: u32 = 0;

/** Begins a list; the result is the mark that `endItems` wants. */
@inline
export function beginItems(): u32 {
  return used;
}

export function addItem(item: Value): void {
  if (used == capacity) grow();
  store<u32>(base + used, compress(item));
  used += 4;
}

/** The list of all that was added since `mark`. */
export function endItems(mark: u32): Value {
  const list = makeList((used - mark) >>> 2);
  memory.copy(listItems(list), base + mark, used - mark);
  used = mark;
  return list;
}

/** Forgets all that was added since `mark`. */
@inline
export function dropItems(mark: u32): void {
  used = mark;
}

function grow(): void {
  const larger = capacity == 0 ? INITIAL_SIZE : capacity << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (used != 0) memory.copy(place, base, used);
  if (capacity != 0) returnChunks(base, chunksFor(capacity));
  base = place;
  capacity = larger;
}
