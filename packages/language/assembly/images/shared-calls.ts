// Calls whose results are kept with their arguments, so that a later evaluation need not make them: those of the function
// that makes the package set of nixpkgs (shared-trees.ts).
//
// The call is made in the shared region of the heap, by a thunk there. What it made follows from the files that were read
// in that region and from its argument, as far as that was evaluated: the rest of the argument is only referred to. So a
// call with another argument has the same result if that is equal wherever the kept one is evaluated; what it has in the
// places that are not becomes what the result refers to there (holes.ts).
//
// Equal is meant strictly: functions if they are the same one, with equal variables of its surroundings (free-variables.ts),
// and where somebody has asked for positions of attributes, those as well (positions-seen.ts).
//
//   CALL   [block of the function][root: argument][root: result][next CALL or 0], in permanent memory
//
// To compare, the argument is evaluated where the kept one is. If that fails, the program may never have wanted it: then
// `isImageInDoubt` says that the whole evaluation is to be done again without an image. The same holds when a hole is
// evaluated that was not bound.

import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";
import {
  Frame,
  LAZY,
  Primop,
  arg,
  args2,
  args3,
  awaitForce,
  awaitNative3,
  awaited,
  frameSize,
  localInt,
  makePrimop,
  setArg,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { setRaisingPc } from "../machine/registers";
import { previousRecord, record, recordEnv, recordPc } from "../machine/stack";
import { RESUME_CODE } from "../machine/static-code";
import { allocateInArena, resetArena } from "../memory/arena";
import { Address } from "../memory/chunks";
import { REGION_OWN, REGION_SHARED, enterRegion } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { takeRoot } from "../memory/roots";
import { appendText } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { Keys, attrValue, keyPosition, keySymbol, keysCount, keysOf } from "../values/attrs";
import { FALSE, TRUE, makeBool } from "../values/constants";
import { contextCount, contextElement } from "../values/context";
import { ancestor, envSlot } from "../values/env";
import { lambdaBlock, lambdaEnv, partialArgument, partialBuiltin, partialCount } from "../values/function";
import { listItem, listLength } from "../values/list";
import { floatOf, intOf, makeSmallInt, smallInt } from "../values/number";
import { stringContext, stringsEqual } from "../values/string";
import { makeApply1 } from "../values/thunk";
import {
  KIND_ATTRS,
  KIND_FLOAT,
  KIND_INT,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_PARTIAL,
  KIND_PATH,
  KIND_STRING,
  Value,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";
import { TOO_MANY, freeCount, freeLevel, freeSlot, freeVariablesOf } from "./free-variables";
import { bindHole, isHole, isObstacle, unbound } from "./holes";
import { comparesPositions } from "./positions-seen";

/** Calls `function argument` in the shared region, or finds the result of an earlier call. */
export let SHARED_CALL: Value = 0;
/** KEPT GIVEN DEPTH → whether the given value may stand in for the kept one. */
let MATCHES: Value = 0;

@unmanaged
export class Call {
  block: Address;
  argument: Address;
  result: Address;
  next: Address;
}

const CALL_SIZE: u32 = <u32>offsetof<Call>();
/** As deep as arguments are looked at. */
const MAXIMUM_DEPTH: u32 = 256;
/** As many sets, lists and functions are compared in a call. */
const MAXIMUM_COMPARISONS: u32 = 100000;
let comparisons: u32 = 0;

/** The newest call. */
export let newestCall: Address = 0;
let isInDoubt: bool = false;
/** Calls that were found, and made. */
export let foundCalls: u32 = 0;
export let madeCalls: u32 = 0;

export function initializeSharedCalls(): void {
  SHARED_CALL = makePrimop("sharedCall", 2, args2(LAZY, LAZY), 1, sharedCall);
  changetype<Primop>(SHARED_CALL).traced = 0;
  MATCHES = makePrimop("matchesKept", 3, args3(LAZY, LAZY, LAZY), 1, matches);
  changetype<Primop>(MATCHES).traced = 0;
}

/** Whether the evaluation has met an error that it might not have met without what was kept. */
export function isImageInDoubt(): bool {
  return isInDoubt;
}

/** A hole is being evaluated, or something else that an image cannot tell. */
export function raiseHole(): void {
  isInDoubt = true;
  setRaisingPc(0);
  beginError(ERROR_EVAL);
  appendText("what an image does not have was needed");
  raiseError(0);
}

/** An error has passed a builtin which compared a kept argument with another one. */
export function noteFailedMatch(builtin: Value): void {
  if (builtin == MATCHES) isInDoubt = true;
}

/** Forgets all calls but those that `keepCall` then adds again. */
export function takeCalls(): Address {
  const calls = newestCall;
  newestCall = 0;
  foundCalls = 0;
  madeCalls = 0;
  return calls;
}

export function keepCall(call: Address): void {
  changetype<Call>(call).next = newestCall;
  newestCall = call;
}

// ── Calling ──

const COMPARED: u32 = 1;

/** Local: the CALL that is being compared, odd by the bit that marks integers. */
function sharedCall(f: Frame): Value {
  const block = lambdaBlock(arg(f, 0));
  let call: Address;
  if (step(f) == COMPARED) {
    call = localInt(f, 0) << 3;
    if (awaited() == TRUE) {
      bindHoles(decompress(load<u32>(changetype<Call>(call).argument)), arg(f, 1));
      foundCalls++;
      return decompress(load<u32>(changetype<Call>(call).result));
    }
    call = changetype<Call>(call).next;
  } else {
    call = newestCall;
    comparisons = 0;
  }
  call = nextCallOf(block, call);
  if (call == 0) return makeCall(block, arg(f, 0), arg(f, 1));
  setLocalInt(f, 0, <u32>call >>> 3);
  setStep(f, COMPARED);
  return awaitNative3(f, MATCHES, decompress(load<u32>(changetype<Call>(call).argument)), arg(f, 1), makeSmallInt(0));
}

function nextCallOf(block: Address, from: Address): Address {
  let call = from;
  while (call != 0 && changetype<Call>(call).block != block) call = changetype<Call>(call).next;
  return call;
}

function makeCall(block: Address, callee: Value, argument: Value): Value {
  enterRegion(REGION_SHARED);
  const result = makeApply1(callee, argument);
  enterRegion(REGION_OWN);
  const address = allocatePermanent(CALL_SIZE);
  const call = changetype<Call>(address);
  call.block = block;
  call.argument = takeRoot();
  store<u32>(call.argument, compress(argument));
  call.result = takeRoot();
  store<u32>(call.result, compress(result));
  call.next = newestCall;
  newestCall = address;
  madeCalls++;
  return result;
}

// ── Comparing ──

const FORCED: u32 = 1;
const COMPARING: u32 = 2;

/** Local: how many parts were compared. */
function matches(f: Frame): Value {
  const kept = unbound(arg(f, 0));
  if (step(f) == 0) {
    if (isHole(kept)) return makeBool(!isObstacle(kept));
    const given = resolve(arg(f, 1));
    if (kept == given) return TRUE;
    if (!isWhnf(kept)) return FALSE;
    setStep(f, FORCED);
    if (!isWhnf(given)) return awaitForce(f, given);
    setArg(f, 1, given);
  } else if (step(f) == FORCED) {
    setArg(f, 1, awaited());
  } else if (awaited() != TRUE) {
    return FALSE;
  }
  const given = arg(f, 1);
  if (step(f) != COMPARING) {
    if (kept == given) return TRUE;
    if (!isSameAlone(kept, given)) return FALSE;
    if (smallInt(arg(f, 2)) == MAXIMUM_DEPTH || comparisons == MAXIMUM_COMPARISONS) return FALSE;
    comparisons++;
    // Around a circle, what is equal so far stays so.
    if (isComparedAbove(kept, given)) return TRUE;
    setStep(f, COMPARING);
  }
  const part = localInt(f, 0);
  if (part == partCount(kept)) return TRUE;
  setLocalInt(f, 0, part + 1);
  return awaitNative3(f, MATCHES, partAt(kept, part), partAt(given, part), makeSmallInt(smallInt(arg(f, 2)) + 1));
}

/** Whether the same two values are being compared by one of the calls that wait for this one. */
function isComparedAbove(kept: Value, given: Value): bool {
  let at = record;
  while (at != 0 && recordEnv(at) == MATCHES && recordPc(at) == RESUME_CODE) {
    const above: Frame = at - frameSize(changetype<Primop>(MATCHES));
    if (unbound(arg(above, 0)) == kept && resolve(arg(above, 1)) == given) return true;
    at = previousRecord(at);
  }
  return false;
}

/** Whether two evaluated values are the same but for their parts. */
function isSameAlone(kept: Value, given: Value): bool {
  const kind = kindOf(kept);
  if (kind != kindOf(given)) return false;
  switch (kind) {
    case KIND_INT:
      return intOf(kept) == intOf(given);
    case KIND_FLOAT:
      return reinterpret<i64>(floatOf(kept)) == reinterpret<i64>(floatOf(given));
    case KIND_STRING:
      return stringsEqual(kept, given) && isSameContext(stringContext(kept), stringContext(given));
    case KIND_PATH:
      return stringsEqual(kept, given);
    case KIND_LIST:
      return listLength(kept) == listLength(given);
    case KIND_ATTRS:
      return isSameKeys(keysOf(kept), keysOf(given));
    case KIND_LAMBDA:
      if (lambdaBlock(kept) != lambdaBlock(given)) return false;
      return lambdaEnv(kept) == lambdaEnv(given) || freeCount(freeVariablesOf(lambdaBlock(kept))) != TOO_MANY;
    case KIND_PARTIAL:
      return partialBuiltin(kept) == partialBuiltin(given) && partialCount(kept) == partialCount(given);
    default:
      return false;
  }
}

function isSameContext(kept: Value, given: Value): bool {
  const count = contextCount(kept);
  if (contextCount(given) != count) return false;
  for (let i: u32 = 0; i < count; i++) if (contextElement(kept, i) != contextElement(given, i)) return false;
  return true;
}

function isSameKeys(kept: Keys, given: Keys): bool {
  if (kept == given) return true;
  const count = keysCount(kept);
  if (keysCount(given) != count) return false;
  for (let i: u32 = 0; i < count; i++) {
    if (keySymbol(kept, i) != keySymbol(given, i)) return false;
    if (comparesPositions && keyPosition(kept, i) != keyPosition(given, i)) return false;
  }
  return true;
}

function partCount(value: Value): u32 {
  switch (kindOf(value)) {
    case KIND_LIST:
      return listLength(value);
    case KIND_ATTRS:
      return keysCount(keysOf(value));
    case KIND_PARTIAL:
      return partialCount(value);
    case KIND_LAMBDA:
      return freeCount(freeVariablesOf(lambdaBlock(value)));
    default:
      return 0;
  }
}

function partAt(value: Value, index: u32): Value {
  switch (kindOf(value)) {
    case KIND_LIST:
      return listItem(value, index);
    case KIND_ATTRS:
      return attrValue(value, index);
    case KIND_LAMBDA: {
      const free = freeVariablesOf(lambdaBlock(value));
      return envSlot(ancestor(lambdaEnv(value), freeLevel(free, index)), freeSlot(free, index));
    }
    default:
      return partialArgument(value, index);
  }
}

// ── Binding ──

/** What was looked at: addresses in a table of open addressing, as long as nothing moves. */
let visited: Address = 0;
let visitedCount: u32 = 0;
const VISITED_SLOTS: u32 = 1 << 18;

/** After `matches`: binds the holes of the kept value to what the given one has there. */
function bindHoles(kept: Value, given: Value): void {
  visited = allocateInArena(VISITED_SLOTS << 2);
  memory.fill(visited, 0, VISITED_SLOTS << 2);
  visitedCount = 0;
  bindHolesIn(kept, given);
  resetArena();
}

function bindHolesIn(keptValue: Value, givenValue: Value): void {
  const kept = unbound(keptValue);
  if (isHole(kept)) {
    bindHole(kept, givenValue);
    return;
  }
  const given = unbound(givenValue);
  if ((kept & 1) != 0 || kept == given || !isWhnf(kept)) return;
  const parts = partCount(kept);
  if (parts == 0 || !visit(kept)) return;
  for (let i: u32 = 0; i < parts; i++) bindHolesIn(partAt(kept, i), partAt(given, i));
}

/** Notes a cell; false when it was there, or there is no room for it. */
function visit(cell: Value): bool {
  if (visitedCount > VISITED_SLOTS >>> 1) return false;
  const word = compress(cell);
  let slot = (word * 0x9e3779b1) >>> 14;
  while (true) {
    const at = visited + ((slot & (VISITED_SLOTS - 1)) << 2);
    const there = load<u32>(at);
    if (there == word) return false;
    if (there == 0) {
      store<u32>(at, word);
      visitedCount++;
      return true;
    }
    slot++;
  }
}
