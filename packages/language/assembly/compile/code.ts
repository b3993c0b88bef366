// Code: what the compiler makes and the machine runs.
//
// Code is made of blocks. A block is the body of a file, a thunk, a lambda or the default of a formal: a header (Block),
// then instructions. Blocks are permanent and 8-aligned, so that the address of the first instruction is the first word
// of a suspended thunk.
//
// An instruction is a word, opcode in the low byte and operand A above it, followed by as many words as `instructionWords`
// says. Those that may have to wait for another evaluation end with the word of their position: wherever the machine
// waits, the word before the pc says where the program was. Jumps are relative to the instruction after them, in words.

import { Address } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { Symbol } from "../symbols/symbols";

export type Code = usize;

// ── Values ──
/** [value]: push a permanent value. */
export const OP_CONSTANT: u32 = 0;
/** A slot: push env.slot. */
export const OP_LOAD_0: u32 = 1;
/** A slot: push env.parent.slot. */
export const OP_LOAD_1: u32 = 2;
/** A slot: two parents up. */
export const OP_LOAD_2: u32 = 3;
/** A level, [slot]. */
export const OP_LOAD: u32 = 4;
/** [position]: force the top of the stack. */
export const OP_FORCE: u32 = 5;
/** A slot, [position]: push env.slot, forced. */
export const OP_GET_0: u32 = 6;
/** A slot, [position] */
export const OP_GET_1: u32 = 7;
/** A slot, [position] */
export const OP_GET_2: u32 = 8;
/** A level, [slot][position] */
export const OP_GET: u32 = 9;
/** [code]: push a thunk of it in env. */
export const OP_THUNK: u32 = 10;
/** [block]: push a lambda. */
export const OP_LAMBDA: u32 = 11;
/** Leave the evaluation with the top of the stack. */
export const OP_RETURN: u32 = 12;

// ── Scopes ──
/** A slots: env = a new environment, its slots 0. */
export const OP_NEW_ENV: u32 = 13;
/** A slot: pop into env.slot. */
export const OP_SET_SLOT: u32 = 14;
/** A slot: pop into env.parent.slot. */
export const OP_SET_PARENT_SLOT: u32 = 15;
/** env = env.parent. */
export const OP_LEAVE_ENV: u32 = 16;
/** [formals]: the top is a forced argument: check and take it apart into a new environment. */
export const OP_BIND_FORMALS: u32 = 17;
/**
 * A jump, [symbol][cached keys][cached index or NO_INDEX]: the top is a forced `with` set: replace it by its attribute
 * and jump, or pop it.
 */
export const OP_WITH_SELECT: u32 = 18;
/** [symbol][position]: nothing defines the variable. */
export const OP_UNDEFINED: u32 = 19;

// ── Control ──
/** A jump. */
export const OP_JUMP: u32 = 20;
/** A jump, [position]: pop a Boolean, jump if false. */
export const OP_JUMP_IF_FALSE: u32 = 21;
/** A jump, [position]: if the Boolean on top is false keep it and jump, else pop it. */
export const OP_AND: u32 = 22;
/** A jump, [position]: if it is true keep it and jump, else pop it. */
export const OP_OR: u32 = 23;
/** A jump, [position]: if it is false replace it by true and jump, else pop it. */
export const OP_IMPLIES: u32 = 24;
/** [position]: the top must be a Boolean. */
export const OP_CHECK_BOOL: u32 = 25;
/** [text][position]: pop a Boolean that must be true. */
export const OP_ASSERT: u32 = 26;
/** [position] */
export const OP_NOT: u32 = 27;

// ── Operators: two operands, forced, right one on top ──
/** [position] */
export const OP_EQUAL: u32 = 28;
/** [position] */
export const OP_NOT_EQUAL: u32 = 29;
/** [position] */
export const OP_ADD: u32 = 30;
/** [position] */
export const OP_SUBTRACT: u32 = 31;
/** [position] */
export const OP_MULTIPLY: u32 = 32;
/** [position] */
export const OP_DIVIDE: u32 = 33;
/** [position] */
export const OP_LESS_THAN: u32 = 34;
/** [position] */
export const OP_UPDATE: u32 = 35;
/** [position] */
export const OP_CONCAT_LISTS: u32 = 36;

// ── Data ──
/** A count: pop the items, push the list. */
export const OP_LIST: u32 = 37;
/** A count: push a list to be filled. */
export const OP_OPEN_LIST: u32 = 38;
/** A index: pop an item into the list below it. */
export const OP_SET_ITEM: u32 = 39;
/** [keys]: pop as many values, push the set. */
export const OP_ATTRS: u32 = 40;
/** [keys]: push a set to be filled. */
export const OP_OPEN_ATTRS: u32 = 41;
/** A index: pop a value into the set below it. */
export const OP_SET_ATTR: u32 = 42;
/** A level, [keys]: push a set of the slots of an environment. */
export const OP_ATTRS_FROM_ENV: u32 = 43;
/** [position]: set, name, value: push the set with one attribute more. */
export const OP_ADD_DYNAMIC: u32 = 44;
/** A level: set, overrides: apply `__overrides` to the set and to the environment of a recursive one. */
export const OP_OVERRIDE: u32 = 45;

// ── Attributes ──
/** A place in a path of many names or 0, [symbol][cached keys][cached index][position]: replace the forced set on top by its attribute, forced. OP_NIP follows. */
export const OP_SELECT: u32 = 46;
/** Drop the word below the top. Only after a selection that had to wait. */
export const OP_NIP: u32 = 47;
/** A jump, [symbol][cached keys][cached index]: replace a set by its attribute, or pop whatever it is and jump. */
export const OP_SELECT_OR: u32 = 48;
/** [position]: set, name: as OP_SELECT. OP_NIP follows. */
export const OP_SELECT_DYNAMIC: u32 = 49;
/** A jump, [position]: set or anything, name: as OP_SELECT_OR. */
export const OP_SELECT_DYNAMIC_OR: u32 = 50;
/** [symbol]: replace what is on top by whether it is a set with the attribute. */
export const OP_HAS: u32 = 51;
/** [position]: the same with a name on top. */
export const OP_HAS_DYNAMIC: u32 = 52;

// ── Strings ──
/** [position]: turn the top into a string as `${…}` in a string does. */
export const OP_INTERPOLATE: u32 = 53;
/** [position]: the same in a path: nothing is copied to the store. */
export const OP_INTERPOLATE_PATH: u32 = 54;
/** A count: pop strings, push them as one. */
export const OP_CONCAT_STRINGS: u32 = 55;
/** A count, [position]: pop a path and strings, push a path. */
export const OP_CONCAT_PATH: u32 = 56;

// ── Calls ──
/**
 * A count, [position]: function on top, first argument below it, and so on. As many OP_CALL of one argument, less one,
 * follow: a lambda takes the first argument only and returns to the first of them, a builtin skips those it has done.
 */
export const OP_CALL: u32 = 57;

// ── The machine's own ──
/** A builtin's awaited value is on top, env is the builtin. */
export const OP_RESUME: u32 = 58;
/** An argument of a builtin has been forced, env is the builtin. */
export const OP_ARGUMENT: u32 = 59;
/** The evaluation that the host asked for is done. */
export const OP_HALT: u32 = 60;
/** [block]: ends a block; never run. */
export const OP_END: u32 = 61;

// ── Failed assertions ──
/** Push the two words on top once more. */
export const OP_COPY_OPERANDS: u32 = 62;
/** Pop two words. */
export const OP_DROP_OPERANDS: u32 = 63;
/** [position]: the two values on top are not equal: raise an error that says where they differ. */
export const OP_EXPLAIN_DIFFERENCE: u32 = 64;

// ── Sums ──
/** [position]: the value on top is the left operand of `+`: raise an error if nothing can be added to it. */
export const OP_CHECK_ADDEND: u32 = 65;

// ── Images (images/holes.ts) ──
/** Pushes what is in place of the environment. */
export const OP_LOAD_ENV: u32 = 66;
/** A hole that was never bound is needed after all: an error that has the evaluation done again without an image. */
export const OP_HOLE: u32 = 67;

const WORDS: Address = memory.data<u8>([
  2, 1, 1, 1, 2, 2, 2, 2, 2, 3, 2, 2, 1, // values
  1, 1, 1, 1, 2, 4, 3, // scopes
  1, 2, 2, 2, 2, 2, 3, 2, // control
  2, 2, 2, 2, 2, 2, 2, 2, 2, // operators
  1, 1, 1, 2, 2, 1, 2, 2, 1, // data
  5, 1, 4, 2, 2, 2, 2, // attributes
  2, 2, 1, 2, // strings
  2, // calls
  1, 1, 1, 2, // the machine's own
  1, 1, 2, // failed assertions
  2, // sums
  1, 1, // images
]);

/** The length of the instruction, its own word included. */
export function instructionWords(instruction: u32): u32 {
  return load<u8>(WORDS + (instruction & 0xff));
}

@inline
export function instruction(op: u32, a: u32 = 0): u32 {
  return op | (a << 8);
}

@inline
export function opcodeOf(word: u32): u32 {
  return word & 0xff;
}

@inline
export function operandOf(word: u32): u32 {
  return word >>> 8;
}

/** A jump's distance in bytes: A is signed. */
@inline
export function jumpBytes(word: u32): usize {
  return <usize>((<i32>word >> 8) << 2);
}

export const BLOCK_FILE: u32 = 0;
export const BLOCK_THUNK: u32 = 1;
export const BLOCK_LAMBDA: u32 = 2;

/** What comes before the first instruction of a block. Addresses are words here: code is not the heap's. */
@unmanaged
export class Block {
  kind: u32;
  /** Where the expression begins; for a lambda, its own position. */
  position: u32;
  /** BLOCK_LAMBDA: the attribute that it is bound to, or 0. */
  name: Symbol;
  /** BLOCK_LAMBDA: the formals descriptor, or 0 when the argument is one name. */
  formals: u32;
  /** Static contexts, for traces: a table as compile/contexts.ts lays it out, or 0. */
  contexts: u32;
  /** BLOCK_LAMBDA: the name of the whole argument, or 0. */
  argument: Symbol;
  /** BLOCK_LAMBDA: the position of its doc comment, or 0. */
  documentation: u32;
  /** Always 0: the word before the first instruction, where a place to go on has its position. */
  noPosition: u32;
}

export const BLOCK_HEADER: u32 = 32;

@inline
export function blockEntry(block: Address): Code {
  return block + BLOCK_HEADER;
}

/** The block that holds the instruction at `pc`: found by going on to its end. For errors only. */
export function blockAt(pc: Code): Address {
  let at = pc;
  while (opcodeOf(load<u32>(at)) != OP_END) at += instructionWords(load<u32>(at)) << 2;
  return load<u32>(at, 4);
}

// ── Formals ──
//
// [count][ellipsis: 1, and SHARED_FUNCTION][argument: 1 if the whole argument has a slot, the first] then for each formal,
// ascending by symbol:
// [symbol][code of the default or 0][constant default or 0][position]
//
// A default that is only a variable which has its value already is no code but an alias: level << 17 | slot << 1 | 1.

const FORMALS_HEADER: u32 = 12;
/** A function whose results are kept (images/shared-calls.ts). */
const SHARED_FUNCTION: u32 = 2;
const FORMAL_SIZE: u32 = 16;

export function formalsSize(count: u32): u32 {
  return FORMALS_HEADER + count * FORMAL_SIZE;
}

@inline
export function formalsCount(formals: Address): u32 {
  return load<u32>(formals);
}

@inline
export function formalsEllipsis(formals: Address): bool {
  return (load<u32>(formals, 4) & 1) != 0;
}

@inline
export function isSharedFunction(formals: Address): bool {
  return (load<u32>(formals, 4) & SHARED_FUNCTION) != 0;
}

export function setSharedFunction(formals: Address): void {
  store<u32>(formals, load<u32>(formals, 4) | SHARED_FUNCTION, 4);
}

/** 1 when slot 0 is the whole argument, else 0: the slot of the first formal. */
@inline
export function formalsFirstSlot(formals: Address): u32 {
  return load<u32>(formals, 8);
}

export function initializeFormals(formals: Address, count: u32, ellipsis: u32, firstSlot: u32): void {
  store<u32>(formals, count);
  store<u32>(formals, ellipsis, 4);
  store<u32>(formals, firstSlot, 8);
}

@inline
export function formalAt(formals: Address, index: u32): Address {
  return formals + FORMALS_HEADER + index * FORMAL_SIZE;
}

@inline
export function formalSymbol(formal: Address): Symbol {
  return load<u32>(formal);
}

@inline
export function formalCode(formal: Address): Code {
  return load<u32>(formal, 4);
}

@inline
export function formalConstant(formal: Address): usize {
  return decompress(load<u32>(formal, 8));
}

@inline
export function formalPosition(formal: Address): u32 {
  return load<u32>(formal, 12);
}

export function setFormal(formal: Address, symbol: Symbol, constant: usize, position: u32): void {
  store<u32>(formal, symbol);
  store<u32>(formal, 0, 4);
  store<u32>(formal, compress(constant), 8);
  store<u32>(formal, position, 12);
}

/** The address of the word that holds a default's code, for the compiler to fill in. */
export function formalCodeWord(formal: Address): Address {
  return formal + 4;
}

const LARGEST_ALIAS_SLOT: u32 = 0xffff;
const LARGEST_ALIAS_LEVEL: u32 = 0x7fff;

/** Makes a default the slot `slot` of the environment `level` parents up from that of the formals; false if it is too far. */
export function setFormalAlias(formal: Address, level: u32, slot: u32): bool {
  if (level > LARGEST_ALIAS_LEVEL || slot > LARGEST_ALIAS_SLOT) return false;
  store<u32>(formal, (level << 17) | (slot << 1) | 1, 4);
  return true;
}

@inline
export function isAlias(code: Code): bool {
  return (code & 1) != 0;
}

@inline
export function aliasLevel(code: Code): u32 {
  return <u32>code >>> 17;
}

@inline
export function aliasSlot(code: Code): u32 {
  return (<u32>code >>> 1) & LARGEST_ALIAS_SLOT;
}

/** Whether a call may leave the formal out. */
@inline
export function formalHasDefault(formal: Address): bool {
  return formalCode(formal) != 0 || formalConstant(formal) != 0;
}
