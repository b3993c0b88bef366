// Static contexts: what a piece of code is doing, for the traces of errors, beside the code and not in it.
//
//   [count][first instruction] then StaticContext entries, inner ones before those around them
//
// Offsets are in bytes from the block's first instruction. An entry whose range is empty is a remark: it gives the
// instruction that ends there a second position.

import { Address } from "../memory/chunks";
import { Value } from "../values/value";
import { Code } from "./code";

@unmanaged
export class StaticContext {
  from: u32;
  to: u32;
  position: u32;
  /** The address of a literal. `%1%` in it stands for `subject`. */
  message: usize;
  /** A permanent STRING, or 0. */
  subject: Value;
}

export const CONTEXT_SIZE: u32 = <u32>offsetof<StaticContext>();
const TABLE_HEADER: u32 = 8;

export function contextsSize(count: u32): u32 {
  return TABLE_HEADER + count * CONTEXT_SIZE;
}

export function initializeContexts(table: Address, count: u32, entry: Code): void {
  store<u32>(table, count);
  store<u32>(table, <u32>entry, 4);
}

@inline
export function contextsCount(table: Address): u32 {
  return load<u32>(table);
}

@inline
export function staticContextAt(table: Address, index: u32): StaticContext {
  return changetype<StaticContext>(table + TABLE_HEADER + index * CONTEXT_SIZE);
}

/** Another position of the instruction that ends at `pc`, the first or a later one, or 0. */
export function remarkAt(table: Address, pc: Code, which: u32 = 0): u32 {
  if (table == 0) return 0;
  const offset = <u32>(pc - load<u32>(table, 4));
  const count = contextsCount(table);
  let passed: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const context = staticContextAt(table, i);
    if (context.from != offset || context.to != offset) continue;
    if (passed == which) return context.position;
    passed++;
  }
  return 0;
}

/** Whether the instruction that ends at `pc` lies in the range of `context`. */
export function coversPc(table: Address, context: StaticContext, pc: Code): bool {
  const offset = <u32>(pc - load<u32>(table, 4));
  return context.from < offset && offset <= context.to;
}
