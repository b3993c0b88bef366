// The variables that a lambda takes from its surroundings, found in its code.
//
//   FREE   [count] then for each variable [level in the lambda's environment][slot]
//
// Every scope that code enters it also leaves, in the order of the words, so that the depth at an instruction is a matter of
// counting (compile/compile.ts).

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import {
  Block,
  Code,
  OP_ATTRS_FROM_ENV,
  OP_BIND_FORMALS,
  OP_END,
  OP_GET,
  OP_GET_0,
  OP_GET_1,
  OP_GET_2,
  OP_LAMBDA,
  OP_LEAVE_ENV,
  OP_LOAD,
  OP_LOAD_0,
  OP_LOAD_1,
  OP_LOAD_2,
  OP_NEW_ENV,
  OP_OVERRIDE,
  OP_THUNK,
  blockEntry,
  formalAt,
  formalCode,
  formalsCount,
  instructionWords,
  opcodeOf,
  operandOf,
} from "../compile/code";

export type FreeVariables = usize;

/** More than these are not compared. */
const MAXIMUM: u32 = 64;
export const TOO_MANY: u32 = 0xffffffff;

/** By the address of the block. */
let known: SymbolMap = 0;
const found: Address = memory.data(512);
let foundCount: u32 = 0;

/** The free variables of the lambda whose block is at `block`. */
export function freeVariablesOf(block: Address): FreeVariables {
  if (known == 0) known = makeSymbolMap();
  const key = <u32>block >>> 3;
  const before = mapGet(known, key);
  if (before != 0) return before;
  foundCount = 0;
  scan(blockEntry(block), changetype<Block>(<usize>block).formals == 0 ? 1 : 0);
  const free = allocatePermanent(4 + (foundCount == TOO_MANY ? 0 : foundCount << 3));
  store<u32>(free, foundCount);
  if (foundCount != TOO_MANY) memory.copy(free + 4, found, foundCount << 3);
  mapSet(known, key, <u32>free);
  return free;
}

/** How many there are, or TOO_MANY. */
@inline
export function freeCount(free: FreeVariables): u32 {
  return load<u32>(free);
}

@inline
export function freeLevel(free: FreeVariables, index: u32): u32 {
  return load<u32>(free + (index << 3), 4);
}

@inline
export function freeSlot(free: FreeVariables, index: u32): u32 {
  return load<u32>(free + (index << 3), 8);
}

/** Looks for variables of more than `depth` scopes above. */
function scan(from: Code, depthThere: u32): void {
  let pc = from;
  let depth = depthThere;
  while (true) {
    const word = load<u32>(pc);
    const op = opcodeOf(word);
    const operand = operandOf(word);
    switch (op) {
      case OP_END:
        return;
      case OP_LOAD_0:
      case OP_GET_0:
        note(0, operand, depth);
        break;
      case OP_LOAD_1:
      case OP_GET_1:
        note(1, operand, depth);
        break;
      case OP_LOAD_2:
      case OP_GET_2:
        note(2, operand, depth);
        break;
      case OP_LOAD:
      case OP_GET:
        note(operand, load<u32>(pc, 4), depth);
        break;
      case OP_ATTRS_FROM_ENV:
      case OP_OVERRIDE:
        // All of a scope: that of a recursive set, which is inside.
        if (operand >= depth) foundCount = TOO_MANY;
        break;
      case OP_NEW_ENV:
        depth++;
        break;
      case OP_LEAVE_ENV:
        depth--;
        break;
      case OP_BIND_FORMALS:
        depth++;
        scanDefaults(load<u32>(pc, 4), depth);
        break;
      case OP_THUNK:
        scan(load<u32>(pc, 4), depth);
        break;
      case OP_LAMBDA: {
        const block = load<u32>(pc, 4);
        scan(blockEntry(block), changetype<Block>(<usize>block).formals == 0 ? depth + 1 : depth);
        break;
      }
      default:
        break;
    }
    pc += instructionWords(word) << 2;
  }
}

function scanDefaults(formals: Address, depth: u32): void {
  const count = formalsCount(formals);
  for (let i: u32 = 0; i < count; i++) {
    const code = formalCode(formalAt(formals, i));
    if (code == 0) continue;
    // An alias: level << 17 | slot << 1 | 1.
    if ((code & 1) != 0) note(<u32>code >>> 17, (<u32>code >>> 1) & 0xffff, depth);
    else scan(code, depth);
  }
}

function note(level: u32, slot: u32, depth: u32): void {
  if (level < depth || foundCount == TOO_MANY) return;
  const free = level - depth;
  for (let i: u32 = 0; i < foundCount; i++) {
    if (load<u32>(found + (i << 3)) == free && load<u32>(found + (i << 3), 4) == slot) return;
  }
  if (foundCount == MAXIMUM) {
    foundCount = TOO_MANY;
    return;
  }
  store<u32>(found + (foundCount << 3), free);
  store<u32>(found + (foundCount << 3), slot, 4);
  foundCount++;
}
