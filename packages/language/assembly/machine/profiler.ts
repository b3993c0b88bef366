// The profiler: which functions were on the stack while time passed, and how often each was called.
//
// It costs nothing while it is off, since it has no place of its own in the machine's loop. When it is on, the machine
// leaves its loop at every call (`fuelOfRun`), where the call is counted and the clock looked at; and each builtin has
// `profiledHandler` for a handler, which looks at the clock after the real one: so what a builtin does in one step is
// charged to it, and not to who calls next. If the clock has moved on, the stack is written down: records of calls,
// and frames of builtins that programs know. Forcing a thunk is no call, as in the profiles of Nix.
//
// Samples, one after the other, for the host to take:
//
//   [ticks][frames][position: of the instruction that was run, or 0] then for each frame, the innermost first:
//   [kind][subject][position: of the call, or 0]
//
//   FRAME_LAMBDA: the block; FRAME_BUILTIN: the builtin; FRAME_FUNCTOR: 0; FRAME_DERIVATION: the symbol of its name, for
//   `derivationStrict`; FRAME_COLLECTOR: 0.

import { Address, CHUNK_SIZE, OWNER_BUFFER, takeChunks } from "../memory/chunks";
import { collect } from "../memory/collect";
import { decompress } from "../memory/pointers";
import { BLOCK_LAMBDA, Block, Code, blockAt, operandOf } from "../compile/code";
import { SYMBOL_NAME } from "../symbols/known";
import { internString } from "../symbols/symbols";
import { findAttr } from "../values/attrs";
import { lambdaBlock, partialBuiltin } from "../values/function";
import { KIND_LAMBDA, KIND_PARTIAL, KIND_PRIMOP, Value, isAttrs, isKind, isString, resolve } from "../values/value";
import { callSite, recordedCallSite } from "./call-site";
import { missingArguments } from "./calls";
import { Frame, Primop, arg, framePc, frameSize, primopOf } from "./native";
import { countCallOf, outermostOf, setOutermost } from "./profiled-functions";
import { CALLS_PER_RUN, pc, setFuelOfRun } from "./registers";
import { STATUS_YIELD, returnedLambda, returnsLambda, run } from "./run";
import { CALL_TARGET, functorPosition, isFunctorTarget, previousRecord, record, recordEnv, recordPc, recordTarget, sp } from "./stack";
import { ARGUMENT_CODE, RESUME_CODE } from "./static-code";

export const FRAME_LAMBDA: u32 = 0;
export const FRAME_BUILTIN: u32 = 1;
export const FRAME_FUNCTOR: u32 = 2;
export const FRAME_DERIVATION: u32 = 3;
export const FRAME_COLLECTOR: u32 = 4;

const SAMPLE_HEADER: u32 = 12;
const FRAME_SIZE: u32 = 12;
const BUFFER_CHUNKS: u32 = 4;
const BUFFER_SIZE: u32 = BUFFER_CHUNKS * CHUNK_SIZE;

/** The host's clock: a number that grows by one with every period of sampling. It reads nothing else and never fails. */
@external("host", "ticks")
declare function ticks(): u32;

let isOn: bool = false;
let buffer: Address = 0;
let bufferTop: Address = 0;
/** The tick up to which time has been charged to somebody. */
let charged: u32 = 0;
/** `derivationStrict`, once it was met. */
let derivationBuiltin: Value = 0;
/** Whether the machine was left at a call that has been counted. */
let atCountedCall: bool = false;

/** Turns the profiler on: before builtins are made. */
export function startProfiler(): void {
  isOn = true;
  buffer = takeChunks(BUFFER_CHUNKS, OWNER_BUFFER);
  bufferTop = buffer;
  charged = ticks();
}

/** After `defineAllBuiltins`: which of them makes derivations. */
export function setProfiledDerivation(builtin: Value): void {
  derivationBuiltin = builtin;
}

/** Runs the machine until it is left for another reason than a call, or until it is time for the collector. */
@inline
export function runProfiled(): u32 {
  return isOn ? runCallByCall() : run();
}

function runCallByCall(): u32 {
  let counted = atCountedCall;
  atCountedCall = false;
  for (let i: u32 = 0; i < CALLS_PER_RUN; i++) {
    setFuelOfRun(counted ? 2 : 1);
    const status = run();
    if (status != STATUS_YIELD) return status;
    countCallAt(pc);
    lookAtClock(pc, 0);
    counted = true;
    if (hasManySamples()) break;
  }
  atCountedCall = true;
  return STATUS_YIELD;
}

/** Collects, and charges it to the collector. */
export function collectProfiled(): void {
  collect();
  if (isOn) takeSample(ticks(), pc, 0, FRAME_COLLECTOR);
}

/** The handler of every builtin while the profiler is on. */
export function profiledHandler(f: Frame): Value {
  const result = call_indirect<Value>(primopOf(f).profiledHandler, f);
  lookAtClock(0, f);
  return result;
}

/** Whether the host should take samples before going on. */
@inline
export function hasManySamples(): bool {
  return bufferTop - buffer > BUFFER_SIZE >>> 1;
}

export function samplesStart(): Address {
  return buffer;
}

export function samplesSize(): u32 {
  return <u32>(bufferTop - buffer);
}

export function dropSamples(): void {
  bufferTop = buffer;
}

// ── Counting ──

/** The OP_CALL at `at`, with the function on top of the stack. */
function countCallAt(at: Code): void {
  const callee = decompress(load<u32>(sp - 4));
  const count = operandOf(load<u32>(at));
  if (isKind(callee, KIND_LAMBDA)) {
    let block = lambdaBlock(callee);
    const outermost = outermostOf(block);
    for (let more = count; returnsLambda(block); more--) {
      block = returnedLambda(block);
      setOutermost(block, outermost);
      if (more == 1) return;
    }
    countCallOf(outermost);
    return;
  }
  const missing = missingArguments(callee);
  if (missing == 0 || count < missing) return;
  const builtin = isKind(callee, KIND_PARTIAL) ? partialBuiltin(callee) : callee;
  if (changetype<Primop>(builtin).traced != 0) countCallOf(builtin);
}

// ── Sampling ──

/** Where the machine is: before the instruction at `at`, or in the builtin in `f`. */
@inline
function lookAtClock(at: Code, f: Frame): void {
  const now = ticks();
  if (now != charged) takeSample(now, at, f);
}

function takeSample(now: u32, at: Code, f: Frame, leaf: u32 = FRAME_LAMBDA): void {
  // Time for which there is no room goes to the next sample.
  if (now == charged || bufferTop + SAMPLE_HEADER + FRAME_SIZE > buffer + BUFFER_SIZE) return;
  const sample = bufferTop;
  bufferTop += SAMPLE_HEADER;
  store<u32>(sample, now - charged);
  if (leaf == FRAME_COLLECTOR) writeFrame(FRAME_COLLECTOR, 0, 0);
  writeStack(f == 0 ? at : writeBuiltin(f, record));
  store<u32>(sample, (bufferTop - sample - SAMPLE_HEADER) / FRAME_SIZE, 4);
  store<u32>(sample, f == 0 ? load<u32>(at, 4) : load<u32>(framePc(f) - 4), 8);
  charged = now;
}

/** Writes what is below the code at `from`. A stack that is higher than the buffer loses its outermost frames. */
function writeStack(from: Code): void {
  let above = from;
  let at = record;
  while (at != 0) {
    const below = previousRecord(at);
    const target = recordTarget(at);
    if (target == CALL_TARGET) writeCall(above, at);
    else if (isFunctorTarget(target)) {
      const site = recordedCallSite(at);
      writeFrame(FRAME_FUNCTOR, 0, site != 0 ? site : functorPosition(target));
    }
    above = recordPc(at);
    if (above == RESUME_CODE || above == ARGUMENT_CODE) {
      above = writeBuiltin(at - frameSize(changetype<Primop>(recordEnv(at))), below);
    }
    at = below;
  }
}

/** The function whose code is at `code`, and whose call has left the record `at`. */
function writeCall(code: Code, at: Address): void {
  const block = knownBlockAt(code);
  if (changetype<Block>(block).kind == BLOCK_LAMBDA) writeFrame(FRAME_LAMBDA, <u32>outermostOf(block), recordedCallSite(at));
}

/** Returns where the builtin in `f`, above the record `below`, goes on. */
function writeBuiltin(f: Frame, below: Address): Code {
  const primop = primopOf(f);
  const code = framePc(f);
  if (primop.traced == 0) return code;
  const site = callSite(code, below);
  const name = changetype<usize>(primop) == derivationBuiltin ? derivationName(arg(f, 0)) : 0;
  if (name != 0) writeFrame(FRAME_DERIVATION, name, site);
  else writeFrame(FRAME_BUILTIN, <u32>changetype<usize>(primop), site);
  return code;
}

/** The symbol of the name of a derivation that is being made, as far as it is known; 0 else. */
function derivationName(argument: Value): u32 {
  const attrs = resolve(argument);
  if (!isAttrs(attrs)) return 0;
  const name = resolve(findAttr(attrs, SYMBOL_NAME));
  return name != 0 && isString(name) ? internString(name) : 0;
}

function writeFrame(kind: u32, subject: u32, position: u32): void {
  if (bufferTop + FRAME_SIZE > buffer + BUFFER_SIZE) return;
  store<u32>(bufferTop, kind);
  store<u32>(bufferTop, subject, 4);
  store<u32>(bufferTop, position, 8);
  bufferTop += FRAME_SIZE;
}

// ── Blocks by code ──

const CACHE_ENTRIES: u32 = 4096;
/** [code][block]… */
const cache: Address = memory.data(32768);

/** As `blockAt`, which walks through the rest of the block: long ones are on the stack all the time. */
function knownBlockAt(code: Code): Address {
  const entry = cache + (((<u32>code >>> 2) & (CACHE_ENTRIES - 1)) << 3);
  if (load<u32>(entry) != <u32>code) {
    store<u32>(entry, <u32>code);
    store<u32>(entry, <u32>blockAt(code), 4);
  }
  return load<u32>(entry, 4);
}

/** What a frame of FRAME_LAMBDA or FRAME_BUILTIN is about: the symbol of its name, or 0. */
export function profiledName(kind: u32, subject: Address): u32 {
  if (kind == FRAME_DERIVATION) return <u32>subject;
  if (kind == FRAME_BUILTIN) return changetype<Primop>(subject).name;
  return kind == FRAME_LAMBDA ? changetype<Block>(subject).name : 0;
}

/** Where the function of FRAME_LAMBDA stands in a source. */
export function profiledPosition(kind: u32, subject: Address): u32 {
  return kind == FRAME_LAMBDA ? changetype<Block>(subject).position : 0;
}

/** Whether a counted function is a builtin: FRAME_BUILTIN or FRAME_LAMBDA. */
export function countedKind(address: Address): u32 {
  return isKind(<u32>address, KIND_PRIMOP) ? FRAME_BUILTIN : FRAME_LAMBDA;
}
