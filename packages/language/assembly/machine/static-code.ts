// Code that belongs to no program: where builtins resume, and how the host's requests begin and end.

import { openBlock, closeBlock, emit, emitOp } from "../compile/emitter";
import { BLOCK_FILE, Code, OP_ARGUMENT, OP_CALL, OP_FORCE, OP_HALT, OP_HOLE, OP_LOAD_ENV, OP_RESUME, OP_RETURN, blockEntry } from "../compile/code";

/** Gives a builtin the value that it awaits. */
export let RESUME_CODE: Code = 0;
/** Goes on preparing the arguments of a builtin. */
export let ARGUMENT_CODE: Code = 0;
/** Returns what is on top. */
export let RETURN_CODE: Code = 0;
/** Ends what the host asked for. */
export let HALT_CODE: Code = 0;
/** Forces what is on top and returns it. */
export let FORCE_CODE: Code = 0;

/** That of a hole (images/holes.ts): never run. */
export let HOLE_CODE: Code = 0;
/** Forces the value that is in place of an environment. */
export let BOUND_CODE: Code = 0;

/** `applyCode(n)` calls the function on top with the n arguments below it and returns the value. */
const MAXIMUM_ARGUMENTS: u32 = 4;
const applyCodes: usize = memory.data(20);

export function initializeStaticCode(): void {
  RESUME_CODE = single(OP_RESUME);
  ARGUMENT_CODE = single(OP_ARGUMENT);
  RETURN_CODE = single(OP_RETURN);
  HALT_CODE = single(OP_HALT);
  openBlock();
  emitOp(OP_FORCE);
  emit(0);
  emitOp(OP_RETURN);
  FORCE_CODE = close();
  HOLE_CODE = single(OP_HOLE);
  openBlock();
  emitOp(OP_LOAD_ENV);
  emitOp(OP_FORCE);
  emit(0);
  emitOp(OP_RETURN);
  BOUND_CODE = close();
  for (let count: u32 = 1; count <= MAXIMUM_ARGUMENTS; count++) store<u32>(applyCodes + (count << 2), <u32>makeApplyCode(count));
}

@inline
export function applyCode(count: u32): Code {
  return load<u32>(applyCodes + (count << 2));
}

/** Whether `pc` is in what `applyCode` gives. */
export function isApplyCode(pc: Code): bool {
  for (let count: u32 = 1; count <= MAXIMUM_ARGUMENTS; count++) {
    const entry = applyCode(count);
    if (pc > entry && pc <= entry + count * CALL_BYTES) return true;
  }
  return false;
}

/** OP_CALL and its position. */
const CALL_BYTES: u32 = 8;

function makeApplyCode(count: u32): Code {
  openBlock();
  emitOp(OP_CALL, count);
  emit(0);
  for (let i: u32 = 1; i < count; i++) {
    emitOp(OP_CALL, 1);
    emit(0);
  }
  emitOp(OP_RETURN);
  return close();
}

function single(op: u32): Code {
  openBlock();
  emitOp(op);
  return close();
}

function close(): Code {
  return blockEntry(closeBlock(BLOCK_FILE, 0));
}
