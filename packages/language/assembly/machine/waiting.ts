// Meeting a thunk that cannot be entered: it has failed, or it is being evaluated. By the same fiber: then it needs its own
// value. By another one: then the fiber leaves the machine and waits, on top of its stack a frame of RETRY, a builtin
// whose result is the thunk. When the fiber goes on it so meets the thunk once more, as if for the first time.

import { Address } from "../memory/chunks";
import { compress } from "../memory/pointers";
import { TAG_FAILED, TAG_MASK, Value, headerOf } from "../values/value";
import { raiseUnforceable } from "./calls";
import { holderOf } from "./fibers";
import { Frame, LAZY, Primop, arg, args1, frameEnv, framePc, frameSize, initializeFrame, makePrimop, primopOf } from "./native";
import { env, pc, saveRegisters } from "./registers";
import { setSp } from "./stack";
import { ARGUMENT_CODE } from "./static-code";

let RETRY: Value = 0;

export function initializeWaiting(): void {
  RETRY = makePrimop("retry", 1, args1(LAZY), 0, retry);
  changetype<Primop>(RETRY).traced = 0;
}

function retry(f: Frame): Value {
  return arg(f, 0);
}

/**
 * What needs `thunk` waits at `pc` with its operands below `top`. Returns when another fiber evaluates the thunk, with the
 * registers saved; raises the error of the thunk otherwise.
 */
export function waitForThunk(thunk: Value, top: Address, env: Address, pc: Address): void {
  if ((headerOf(thunk) & TAG_MASK) == TAG_FAILED || holderOf(thunk) == 0) raiseUnforceable(thunk, top, env, pc);
  store<u32>(top, compress(thunk));
  const f = top + 4;
  store<u32>(f, compress(RETRY));
  initializeFrame(f, primopOf(f), env, pc);
  // In place of an argument that was forced.
  const above = f + frameSize(primopOf(f));
  store<u32>(above, 1);
  setSp(above + 4);
  saveRegisters(ARGUMENT_CODE, RETRY);
}

/** Whether the current fiber waits for a thunk. */
export function waitsForThunk(): bool {
  return pc == ARGUMENT_CODE && env == RETRY;
}

/** The frame of RETRY at the end of the stack of a fiber that waits for a thunk. */
function retryFrame(top: Address): Frame {
  return top - 4 - frameSize(changetype<Primop>(RETRY));
}

/** The thunk that a fiber waits for whose stack ends at `top`. */
export function awaitedThunk(top: Address): Value {
  return arg(retryFrame(top), 0);
}

/** Where the machine goes on once the thunk is there: pc, env, and where the stack ended before. */
export function waitingPc(top: Address): Address {
  return framePc(retryFrame(top));
}

export function waitingEnv(top: Address): Address {
  return frameEnv(retryFrame(top));
}

export function waitingTop(top: Address): Address {
  return retryFrame(top) - 4;
}
