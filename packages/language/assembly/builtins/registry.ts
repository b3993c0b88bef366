// The table of builtins: what `builtins` holds, and what is global.
//
// The define functions of the other files add to it in any order; scope.ts and index.ts read it.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { compress, decompress } from "../memory/pointers";
import { Symbol, internText } from "../symbols/symbols";
import { Handler, makePrimop } from "../machine/native";
import { Value } from "../values/value";

const CAPACITY: u32 = 256;
/** [symbol][value] */
const ENTRY_SIZE: u32 = 8;
let entries: Address = 0;
let count: u32 = 0;

/** Adds a builtin: `name` has no leading `__`. Returns it, for `describeArgument`. */
export function define(name: string, arity: u32, specs: u32, locals: u32, handler: Handler): Value {
  const builtin = makePrimop(name, arity, specs, locals, handler);
  defineConstant(name, builtin);
  return builtin;
}

/** Adds a constant, such as `langVersion`. The value must be permanent. */
export function defineConstant(name: string, value: Value): void {
  defineConstantNamed(internText(name), value);
}

export function defineConstantNamed(name: Symbol, value: Value): void {
  if (entries == 0) entries = allocatePermanent(CAPACITY * ENTRY_SIZE);
  assert(count < CAPACITY, "the table of builtins has room");
  const entry = entries + count * ENTRY_SIZE;
  store<u32>(entry, name);
  store<u32>(entry, compress(value), 4);
  count++;
}

export function definedCount(): u32 {
  return count;
}

export function definedName(index: u32): Symbol {
  return load<u32>(entries + index * ENTRY_SIZE);
}

export function definedValue(index: u32): Value {
  return decompress(load<u32>(entries + index * ENTRY_SIZE, 4));
}
