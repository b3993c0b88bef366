// Environments: the variables of a scope.
//
//   ENV  [header, count of slots][parent or 0][slots, padded to 8]
//
// The compiler resolves a variable to (level, slot): so many parents up, then the slot. A slot may hold a thunk, and 0
// while its scope is being filled.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { clearBytes } from "../memory/words";
import { compress, decompress } from "../memory/pointers";
import { KIND_ENV, Value, cellHeader } from "./value";

const ENV_HEADER: u32 = 8;

// Counters of NIX_SHOW_STATS.
export let envCount: u32 = 0;
export let envSlotCount: u64 = 0;

@inline
export function envParent(env: Address): Address {
  return decompress(load<u32>(env, 4));
}

/** The environment `level` parents up. */
@inline
export function ancestor(env: Address, level: u32): Address {
  let at = env;
  for (let i = level; i > 0; i--) at = envParent(at);
  return at;
}

@inline
export function envSlot(env: Address, slot: u32): Value {
  return decompress(load<u32>(env + (slot << 2), ENV_HEADER));
}

@inline
export function setEnvSlot(env: Address, slot: u32, value: Value): void {
  store<u32>(env + (slot << 2), compress(value), ENV_HEADER);
}

@inline
export function envSlots(env: Address): Address {
  return env + ENV_HEADER;
}

@inline
export function envCellSize(slots: u32): u32 {
  return (ENV_HEADER + (slots << 2) + 7) & ~7;
}

/** An environment whose slots are 0. */
export function makeEnv(slots: u32, parent: Address): Address {
  const size = envCellSize(slots);
  const env = allocate(size);
  envCount++;
  envSlotCount += slots;
  clearBytes(env + ENV_HEADER, size - ENV_HEADER);
  store<u32>(env, cellHeader(KIND_ENV, slots));
  store<u32>(env, compress(parent), 4);
  return env;
}

/** An environment of one slot: the call of a function without a pattern. */
@inline
export function makeEnv1(value: Value, parent: Address): Address {
  const env = allocate(16);
  envCount++;
  envSlotCount++;
  store<u32>(env, cellHeader(KIND_ENV, 1));
  store<u32>(env, compress(parent), 4);
  store<u32>(env, compress(value), 8);
  store<u32>(env, 0, 12);
  return env;
}
