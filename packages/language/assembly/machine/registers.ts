// The machine's registers, as they are while it is not running; `run` keeps them in local variables meanwhile.

import { Address } from "../memory/chunks";
import { Code } from "../compile/code";
import { Frame } from "./native";

export let pc: Code = 0;
export let env: Address = 0;

/** Just after the instruction that is being run, wherever it may raise an error; 0 while the host has a source read. */
export let raisingPc: Code = 0;
/** The builtin that is running, 0 outside of builtins. */
export let raisingFrame: Frame = 0;

/** Calls between two looks. */
export const CALLS_PER_RUN: u32 = 4096;
/** Calls after which the machine leaves its loop; at 1 before the next of them. */
export let fuelOfRun: u32 = CALLS_PER_RUN;

@inline
export function setFuelOfRun(fuel: u32): void {
  fuelOfRun = fuel;
}

// Counters of NIX_SHOW_STATS.
export let thunkCount: u32 = 0;
export let callCount: u32 = 0;
export let builtinCallCount: u32 = 0;
export let lookupCount: u32 = 0;
export let updateCount: u32 = 0;
export let updatedValueCount: u64 = 0;
export let listConcatCount: u32 = 0;

/** Nested calls that are allowed: Nix's max-call-depth. */
export let maximumCallDepth: u32 = 10000;

@inline
export function saveRegisters(newPc: Code, newEnv: Address): void {
  pc = newPc;
  env = newEnv;
}

@inline
export function setEnv(newEnv: Address): void {
  env = newEnv;
}

@inline
export function setRaisingPc(at: Code): void {
  raisingPc = at;
}

/** The position of the instruction that is being run: its last word. */
export function raisingPosition(): u32 {
  return load<u32>(raisingPc - 4);
}

@inline
export function setRaisingFrame(f: Frame): void {
  raisingFrame = f;
}

export function setMaximumCallDepth(depth: u32): void {
  maximumCallDepth = depth;
}

@inline
export function countThunk(): void {
  thunkCount++;
}

@inline
export function countCall(): void {
  callCount++;
}

@inline
export function countBuiltinCall(): void {
  builtinCallCount++;
}

@inline
export function countLookup(): void {
  lookupCount++;
}

export function countUpdate(values: u32): void {
  updateCount++;
  updatedValueCount += values;
}

export function countListConcat(): void {
  listConcatCount++;
}
