// When the memory was used up: the host has thrown through the module's frames, as for an error of the program, and asks
// whether the evaluation can go on.
//
// It can when the step that wanted too much was a builtin which had only just begun, and garbage was in its way: a builtin
// that has noted nothing in its frame is called once more, after a collection. Otherwise everything that the evaluation had
// entered becomes what it was before, so that it may be evaluated again, say with more memory.

import { isExhausted } from "../memory/chunks";
import { collect, isCollecting } from "../memory/collect";
import { REGION_OWN, enterRegion } from "../memory/heap";
import { textMark, textRewind } from "../memory/text";
import { rewindAttrs } from "../values/attrs-builder";
import { unenter } from "../values/thunk";
import { Frame, frameSize, local, primopOf, step } from "./native";
import { builtinCallCount, callCount, raisingFrame, saveRegisters, setRaisingFrame, setRaisingPc } from "./registers";
import { CALL_TARGET, previousRecord, record, recordTarget, resetStack, setSp } from "./stack";
import { ARGUMENT_CODE } from "./static-code";

/** Where the text buffer ended when the builtin that is running was called. */
let textOfStep: u32 = 0;
/** What was called once more the last time, and how many calls there had been: it is not tried twice. */
let retried: Frame = 0;
let callsBefore: u64 = 0;

/** Notes what a builtin that is about to be called must leave behind if it is to be called again. */
@inline
export function beginStep(): void {
  textOfStep = textMark();
}

/** Collects, and prepares the machine to repeat the step that failed; false when that cannot be or has not helped. */
export function retryStep(): bool {
  const f = raisingFrame;
  const calls = <u64>callCount + <u64>builtinCallCount;
  if (isCollecting || f == 0 || !hasJustBegun(f) || (f == retried && calls == callsBefore)) return false;
  retried = f;
  callsBefore = calls;
  textRewind(textOfStep);
  rewindAttrs(0);
  const primop = primopOf(f);
  // In place of an argument that was forced.
  const above = f + frameSize(primop);
  store<u32>(above, 1);
  setSp(above + 4);
  saveRegisters(ARGUMENT_CODE, changetype<usize>(primop));
  setRaisingFrame(0);
  collect();
  return !isExhausted();
}

function hasJustBegun(f: Frame): bool {
  if (step(f) != 0) return false;
  const locals = primopOf(f).locals;
  for (let i: u32 = 0; i < locals; i++) {
    if (local(f, i) != 0) return false;
  }
  return true;
}

/** Gives the evaluation of the first fiber up, which is the current one, and makes room for others. */
export function abandonEvaluation(): void {
  let at = record;
  while (at != 0) {
    const target = recordTarget(at);
    if ((target & 1) == 0 && target != CALL_TARGET) unenter(target);
    at = previousRecord(at);
  }
  resetStack();
  enterRegion(REGION_OWN);
  textRewind(0);
  rewindAttrs(0);
  saveRegisters(0, 0);
  setRaisingFrame(0);
  setRaisingPc(0);
  collect();
}
