// Unwinding: from where an error was raised down the machine's stack, to a `tryEval` that catches it, to an
// `addErrorContext` that has something to say of it, or to the end.
//
// On the way every thunk that was being evaluated is marked as failed, so that meeting it again raises the same error,
// and what each evaluation was doing is added to the traces: static contexts of the code (compile/contexts.ts), contexts
// that builtins have set, calls and selections. The innermost trace comes first, as Nix prints them.

import {
  BLOCK_LAMBDA,
  Block,
  Code,
  OP_NIP,
  OP_SELECT,
  blockAt,
  blockEntry,
  opcodeOf,
  operandOf,
} from "../compile/code";
import { contextsCount, coversPc, staticContextAt } from "../compile/contexts";
import { contextPlace, contextSubject, innerContext, isPlacedContext, isShownAlways } from "../derivation/trace-context";
import { jsonPosition, writesJson } from "../formats/write-json";
import { noteFailedMatch } from "../images/shared-calls";
import { pendingArgument, setArgumentContext } from "../machine/builtin-call";
import { callSite, recordedCallSite } from "../machine/call-site";
import {
  Frame,
  Primop,
  TRACED,
  frameContext,
  frameContextValue,
  framePc,
  frameSize,
  localInt,
  primopOf,
  step,
} from "../machine/native";
import { ADD_OPERANDS, leftOperandPosition } from "../machine/operators";
import { raisingFrame, raisingPc, saveRegisters, setRaisingFrame } from "../machine/registers";
import {
  CALL_TARGET,
  RECORD_SIZE,
  REGION_TARGET,
  callDepth,
  isCounted,
  isFunctorTarget,
  previousRecord,
  record,
  recordEnv,
  recordPc,
  recordTarget,
  setCallDepth,
  setRecord,
  setSp,
} from "../machine/stack";
import { ARGUMENT_CODE, RESUME_CODE, RETURN_CODE } from "../machine/static-code";
import { Address } from "../memory/chunks";
import { switchRegion } from "../memory/heap";
import { appendByte, appendBytes, textMark, textRewind } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { COERCE_TO_PATH, COERCE_TO_STRING, NO_ATTRIBUTE, coercedAttributePosition } from "../operations/coerce";
import { DEEP_WALK, deepWalkPosition } from "../operations/deep-force";
import { symbolName } from "../symbols/symbols";
import { findKey, keyPosition, keysOf } from "../values/attrs";
import { rewindAttrs } from "../values/attrs-builder";
import { stringBytes, stringLength, takeTextAsString } from "../values/string";
import { markFailed, unenter } from "../values/thunk";
import { Value, isAttrs } from "../values/value";
import {
  errorKind,
  errorMessage,
  errorPosition,
  errorRecursion,
  errorSuggestions,
  errorTraces,
  makeErrorCell,
  makeTrace,
  setErrorTraces,
} from "./error-cell";
import {
  ERROR_ASSERTION,
  ERROR_INFINITE_RECURSION,
  ERROR_THROWN,
  clearErrorContext,
  raisedAgain,
  raisedContext,
  raisedContextPosition,
  raisedKind,
  raisedMessage,
  raisedOnward,
  raisedPosition,
  raisedSuggestions,
  recursiveThunk,
} from "./raise";

/** The builtin that catches; set by builtins/evaluation.ts. */
let catcher: Value = 0;
/** What `catcher` awaits when an error was caught. */
export const CAUGHT: Value = 0x7ffffff1;

export function setCatcher(builtin: Value): void {
  catcher = builtin;
}

/** The builtin that is given every error which it meets in a step of its own, to raise it again. */
let interceptor: Value = 0;
let interceptorStep: u32 = 0;

export function setInterceptor(builtin: Value, step: u32): void {
  interceptor = builtin;
  interceptorStep = step;
}

/** Positions that are no news to anybody: those of the built-in `derivation`. */
let internalStart: u32 = 0;
let internalEnd: u32 = 0;

export function setInternalPositions(start: u32, end: u32): void {
  internalStart = start;
  internalEnd = end;
}

/** Whether calls are part of traces: with --show-trace, since they are many. */
let tracesCalls: bool = true;

export function setCallTraces(wanted: bool): void {
  tracesCalls = wanted;
}

/** Whether a thunk that has failed stays failed; otherwise it is evaluated again when it is needed again. */
let keepsFailures: bool = true;

export function setFailuresKept(kept: bool): void {
  keepsFailures = kept;
}

let kind: u32 = 0;
let message: Value = 0;
let position: u32 = 0;
let suggestions: Value = 0;
let traces: Value = 0;
/** The thunk that an infinite recursion begins with, or 0. */
let recursion: Value = 0;
/** The ERROR cell of all thunks that fail in this unwinding, or 0 while there are none. It gets the traces in the end. */
let cell: Value = 0;

/**
 * Unwinds after `raise`. True when a builtin has taken the error: then the machine can run on. Otherwise
 * `uncaughtError()`.
 */
export function unwind(): bool {
  beginUnwinding();
  const caught = unwindRecords();
  if (cell != 0) setErrorTraces(cell, traces);
  return caught;
}

/**
 * Whether a `tryEval` takes the error that was raised before anything else that looks at it. In a fiber other than the
 * first nothing but that may happen to an error: everything else is for the first one to meet.
 */
export function isCaughtByTryEval(): bool {
  const raised = raisedAgain != 0 ? errorKind(raisedAgain) : raisedKind;
  if (raised != ERROR_THROWN && raised != ERROR_ASSERTION) return false;
  let at = record;
  while (at != 0) {
    const builtin = recordEnv(at);
    if (recordPc(at) == RESUME_CODE && builtin == catcher) return true;
    const waiting = recordPc(at) == RESUME_CODE || recordPc(at) == ARGUMENT_CODE;
    if (waiting && builtin == interceptor && step(at - frameSize(changetype<Primop>(builtin))) == interceptorStep) return false;
    at = previousRecord(at);
  }
  return false;
}

function unwindRecords(): bool {
  const catchable = kind == ERROR_THROWN || kind == ERROR_ASSERTION;
  const frame = raisingFrame;
  setRaisingFrame(0);
  let pc = raisingPc;
  if (frame != 0) pc = leaveBuiltin(frame, 0);
  if (pc != 0) addCodeTraces(pc, 0);
  while (record != 0) {
    const at = record;
    const above = pc;
    leaveTarget(at);
    setRecord(previousRecord(at));
    pc = recordPc(at);
    const waiting = pc == RESUME_CODE || pc == ARGUMENT_CODE;
    if (recordTarget(at) == CALL_TARGET) addCallTraces(above, at);
    if (!waiting) {
      addCodeTraces(pc, at);
      continue;
    }
    const f: Frame = at - frameSize(changetype<Primop>(recordEnv(at)));
    if (catchable && recordEnv(at) == catcher && pc == RESUME_CODE) {
      resumeWith(CAUGHT, f, at);
      return true;
    }
    if (recordEnv(at) == interceptor && step(f) == interceptorStep) {
      resumeWith(errorCell(), f, at);
      return true;
    }
    noteFailedMatch(recordEnv(at));
    pc = leaveBuiltin(f, pc);
    addCodeTraces(pc, 0);
  }
  return false;
}

/** The error that nothing has caught: an ERROR cell. */
export function uncaughtError(): Value {
  return errorCell();
}

function beginUnwinding(): void {
  const again = raisedAgain;
  if (again != 0) {
    kind = errorKind(again);
    message = errorMessage(again);
    position = errorPosition(again);
    suggestions = errorSuggestions(again);
    traces = errorTraces(again);
    recursion = errorRecursion(again);
    cell = raisedOnward ? again : 0;
    return;
  }
  kind = raisedKind;
  message = raisedMessage;
  position = raisedPosition;
  suggestions = raisedSuggestions;
  traces = 0;
  recursion = kind == ERROR_INFINITE_RECURSION ? recursiveThunk : 0;
  cell = 0;
  if (raisedContext == 0) return;
  addTrace(raisedContextPosition, raisedContext);
  clearErrorContext();
}

function errorCell(): Value {
  if (cell == 0) cell = makeErrorCell(kind, message, position, traces, suggestions, recursion);
  return cell;
}

function addTrace(at: u32, text: Address, subject: Value = 0, always: bool = false): void {
  traces = makeTrace(at, text, subject, always, traces);
}

function leaveTarget(at: Address): void {
  const target = recordTarget(at);
  if (isCounted(target)) setCallDepth(callDepth - 1);
  if (target == REGION_TARGET) switchRegion();
  else if (isFunctorTarget(target)) addFunctorTrace(at);
  else if ((target & 1) == 0 && target != CALL_TARGET) leaveThunk(target);
}

function leaveThunk(thunk: Value): void {
  if (thunk == recursion) {
    addTrace(0, changetype<usize>("entering the infinite recursion"), 0, true);
  }
  if (keepsFailures) markFailed(thunk, errorCell());
  else unenter(thunk);
}

/** Goes on in a builtin whose first locals say where the text buffer and the builder of sets were. */
function resumeWith(value: Value, f: Frame, at: Address): void {
  const env = recordEnv(at);
  textRewind(localInt(f, 0));
  rewindAttrs(localInt(f, 1));
  // As if what it waits for had returned: the value is pushed where the record was.
  store<u32>(at, compress(value));
  setSp(at + 4);
  saveRegisters(RESUME_CODE, env);
}

// ── What was going on ──

/** The position of the instruction before `pc`. */
@inline
function positionBefore(pc: Code): u32 {
  return load<u32>(pc - 4);
}

/** Adds what a builtin was doing, and returns the pc of the code that called it. */
function leaveBuiltin(f: Frame, pc: Code): Code {
  const primop = primopOf(f);
  const callPc = framePc(f);
  if (pc == ARGUMENT_CODE) setPendingContext(f, primop);
  const context = frameContext(f);
  if (context != 0 && load<u32>(context - 4) != 0) {
    const value = frameContextValue(f);
    if (isPlacedContext(value)) addPlacedTraces(value, context);
    else addTrace(contextPosition(f, primop), context, value);
  }
  if (primop.traced == TRACED) {
    addTrace(callSite(callPc, record), changetype<usize>("while calling the '%1%' builtin"), symbolName(primop.name));
  }
  return callPc;
}

function addPlacedTraces(place: Value, message: Address): void {
  const inner = innerContext(place);
  if (inner != 0) addPlacedTraces(inner, message);
  addTrace(contextPlace(place), message, contextSubject(place), isShownAlways(place));
}

/**
 * Where what a builtin was doing is: operators, and what works for them, at the instruction; deep forcing, at the
 * attribute; all else nowhere.
 */
function contextPosition(f: Frame, primop: Primop): u32 {
  const builtin = changetype<usize>(primop);
  if (builtin == DEEP_WALK) return deepWalkPosition(f);
  if (writesJson(builtin)) return jsonContextPosition(f, primop);
  if (builtin == COERCE_TO_STRING || builtin == COERCE_TO_PATH) {
    const position = coercedAttributePosition(f);
    if (position != NO_ATTRIBUTE) return position;
  }
  return instructionPosition(f);
}

/** The position of the instruction that the builtin in `f` works for, 0 when it works for a builtin that programs know. */
function instructionPosition(f: Frame): u32 {
  let at = f;
  while (true) {
    const builtin = primopOf(at);
    if (builtin.traced != 0) return 0;
    if (changetype<usize>(builtin) == ADD_OPERANDS) {
      const position = leftOperandPosition(at);
      if (position != 0) return position;
    }
    if (framePc(at) != RETURN_CODE) return positionBefore(framePc(at));
    at = callerFrame(at, builtin);
  }
}

/** An element of a list is where the attribute is that the list belongs to. */
function jsonContextPosition(f: Frame, primop: Primop): u32 {
  let at = f;
  let builtin = primop;
  while (writesJson(changetype<usize>(builtin))) {
    const position = jsonPosition(at, changetype<usize>(builtin));
    if (position != 0 || framePc(at) != RETURN_CODE) return position;
    at = callerFrame(at, builtin);
    builtin = primopOf(at);
  }
  return 0;
}

/** The frame of the builtin that called the one in `f`, whose code is RETURN_CODE. */
function callerFrame(f: Frame, builtin: Primop): Frame {
  const at = f - (builtin.arity << 2) - RECORD_SIZE;
  return at - frameSize(changetype<Primop>(recordEnv(at)));
}

/** Types that are checked where they are forced name their argument also when forcing it fails. */
function setPendingContext(f: Frame, primop: Primop): void {
  const index = pendingArgument(f, primop);
  const spec = (primop.specs >>> (index << 2)) & 15;
  if (NAMES_PENDING_ARGUMENT & (1 << spec)) setArgumentContext(f, primop, index);
}

/** INT, BOOL, STRING, PLAIN_STRING, FUNCTION, FLOAT; not STRICT, LIST and ATTRS. */
const NAMES_PENDING_ARGUMENT: u32 = 0b1100111100;

/** Adds the static contexts around the instruction before `pc`; `at` is the record that waited there, or 0. */
function addCodeTraces(pc: Code, at: Address): void {
  const block = changetype<Block>(blockAt(pc));
  addInstructionTraces(pc, at);
  const table = block.contexts;
  if (table == 0) return;
  const count = contextsCount(table);
  for (let i: u32 = 0; i < count; i++) {
    const context = staticContextAt(table, i);
    if (coversPc(table, context, pc)) addTrace(context.position, context.message, context.subject);
  }
}

/** What single instructions say of themselves. */
function addInstructionTraces(pc: Code, at: Address): void {
  const select = pc - 20;
  if (opcodeOf(load<u32>(pc)) == OP_NIP && opcodeOf(load<u32>(select)) == OP_SELECT) {
    const symbol = load<u32>(select, 4);
    const definition = at != 0 ? definitionOf(decompress(load<u32>(at - 4)), symbol) : 0;
    if (isInternal(definition)) return;
    const path = selectedPath(select);
    if (definition != 0) addTrace(definition, changetype<usize>("from the definition of '%1%'"), path);
    // A path of many names has a static context.
    if (operandOf(load<u32>(select)) != 0) return;
    addTrace(positionBefore(pc), changetype<usize>("while evaluating the attribute '%1%'"), symbolName(symbol));
    return;
  }
}

/** The names that have been selected up to the OP_SELECT at `select`, as far as they are no expressions. */
function selectedPath(select: Code): Value {
  const last = symbolName(load<u32>(select, 4));
  const before = operandOf(load<u32>(select));
  if (before < 2) return last;
  let first = select;
  for (let i = before; i > 1; i--) {
    first -= SELECT_BYTES;
    if (opcodeOf(load<u32>(first)) != OP_SELECT || operandOf(load<u32>(first)) != i - 1) return last;
  }
  const mark = textMark();
  for (let at = first; at <= select; at += SELECT_BYTES) {
    const name = symbolName(load<u32>(at, 4));
    if (at != first) appendByte(0x2e);
    appendBytes(stringBytes(name), stringLength(name));
  }
  return takeTextAsString(mark);
}

/** OP_SELECT and the OP_NIP after it. */
const SELECT_BYTES: u32 = 24;

/** Where the attribute that was being forced is defined, or 0. */
function definitionOf(set: Value, symbol: u32): u32 {
  if (!isAttrs(set)) return 0;
  const index = findKey(keysOf(set), symbol);
  return index < 0 ? 0 : keyPosition(keysOf(set), <u32>index);
}

@inline
function isInternal(position: u32): bool {
  return position >= internalStart && position < internalEnd;
}

/** The call of a function whose code was at `pc`; 0: what was raised says already where the call is. */
function addCallTraces(pc: Code, at: Address): void {
  if (pc == 0) return;
  const block = changetype<Block>(blockAt(pc));
  if (block.kind != BLOCK_LAMBDA) return;
  // What takes the argument apart belongs to the call, not to the function.
  if (block.formals != 0 && pc <= blockEntry(changetype<usize>(block)) + FORCED_ARGUMENT) return addCallSite(at);
  if (!tracesCalls) return;
  if (block.name != 0) addTrace(block.position, changetype<usize>("while calling '%1%'"), symbolName(block.name));
  else addTrace(block.position, changetype<usize>("while calling anonymous lambda"));
  addCallSite(at);
}

/** Bytes from the beginning of a function with formals to where its argument is forced. */
const FORCED_ARGUMENT: u32 = 8;

function addCallSite(at: Address): void {
  const position = recordedCallSite(at);
  if (position != 0) addTrace(position, changetype<usize>("from call site"));
}

function addFunctorTrace(at: Address): void {
  const position = recordedCallSite(at);
  addTrace(position, changetype<usize>("while calling a functor (an attribute set with a '__functor' attribute)"));
}
