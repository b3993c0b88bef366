// What a waiting evaluation will want in any case, and others can evaluate meanwhile.
//
// Builtins that go through many values and need all of them offer those that they have not come to (`offersSiblings`):
// a walk its other items, a derivation its other attributes. An offer is a call of a builtin, or a value to force, whose
// result nobody takes: what counts is what it leaves forced. A builtin remembers in a local how far it has offered, so
// that nothing is offered twice.
//
// The list that `gatherSiblings` makes has four items for each: [function or NULL][value][second argument or NULL]
// [depth of the calls around it, doubled, and the region of the heap that it makes cells in].

import { Address } from "../memory/chunks";
import { region } from "../memory/heap";
import { takeRoot } from "../memory/roots";
import { compress, decompress } from "../memory/pointers";
import { NULL } from "../values/constants";
import { addItem, beginItems, endItems } from "../values/list-collector";
import { listItem } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { TAG_FAILED, TAG_MASK, Value, headerOf, isWhnf, resolve } from "../values/value";
import { isEntered } from "../values/thunk";
import { pendingArgument } from "./builtin-call";
import { Frame, LAZY, Primop, arg, frameSize } from "./native";
import { env, pc } from "./registers";
import { REGION_TARGET, callDepth, isCounted, previousRecord, record, recordEnv, recordPc, recordTarget, sp } from "./stack";
import { ARGUMENT_CODE, RESUME_CODE } from "./static-code";
import { waitingEnv, waitingPc, waitingTop, waitsForThunk } from "./waiting";

/** Offers what the builtin in a frame will want after what it waits for. */
export type SiblingHandler = (f: Frame) => void;

export function offersSiblings(builtin: Value, handler: SiblingHandler): void {
  changetype<Primop>(builtin).siblings = <u32>handler.index;
}

/** The root of the list that was gathered last. */
let gathered: Address = 0;
let depth: u32 = 0;
/** The region in which what is asked makes its cells. */
let regionAsked: u32 = 0;
let room: u32 = 0;

const WORDS: u32 = 4;

/** Whether nothing more can be offered now: then a handler stops and notes where. */
@inline
export function isOfferFull(): bool {
  return room == 0;
}

/** Offers that a value is forced. */
export function offerValue(value: Value): void {
  const resolved = resolve(value);
  if (isWhnf(resolved) || !mayBeEntered(resolved)) return;
  offer(NULL, resolved, NULL);
}

/** Offers a call of `builtin`, also of a value that is forced already. */
export function offerCall(builtin: Value, value: Value, second: Value = NULL): void {
  const resolved = resolve(value);
  if (!isWhnf(resolved) && !mayBeEntered(resolved)) return;
  offer(builtin, resolved, second);
}

/** Offers a call of a function, whatever its argument is. */
export function offerApplication(callee: Value, argument: Value): void {
  const resolved = resolve(callee);
  if (isWhnf(resolved)) offer(resolved, argument, NULL);
}

/** Whether a thunk has neither failed nor is being evaluated. */
function mayBeEntered(thunk: Value): bool {
  return (headerOf(thunk) & TAG_MASK) != TAG_FAILED && !isEntered(thunk);
}

function offer(callee: Value, value: Value, second: Value): void {
  if (room == 0) return;
  room--;
  addItem(callee);
  addItem(value);
  addItem(second);
  addItem(makeSmallInt((depth << 1) | regionAsked));
}

/** Gathers at most `limit` offers of the builtins that wait in the current fiber, the innermost first. Returns how many. */
export function gatherSiblings(limit: u32): u32 {
  if (gathered == 0) gathered = takeRoot();
  const mark = beginItems();
  room = limit;
  depth = callDepth;
  regionAsked = region;
  askTop();
  let at = record;
  while (at != 0 && room != 0) {
    if (isCounted(recordTarget(at))) depth--;
    else if (recordTarget(at) == REGION_TARGET) regionAsked ^= 1;
    ask(recordPc(at), recordEnv(at), at);
    at = previousRecord(at);
  }
  store<u32>(gathered, compress(endItems(mark)));
  return limit - room;
}

/** The builtin that waits for the host, or for a thunk of another fiber. */
function askTop(): void {
  if (waitsForThunk()) ask(waitingPc(sp), waitingEnv(sp), waitingTop(sp));
  else ask(pc, env, sp);
}

/** Asks the builtin whose frame ends at `top`, if it is one that goes on at `pc`. */
function ask(pc: Address, env: Address, top: Address): void {
  if (pc != RESUME_CODE && pc != ARGUMENT_CODE) return;
  const builtin = changetype<Primop>(env);
  const f: Frame = top - frameSize(builtin);
  if (pc == ARGUMENT_CODE) offerArguments(f, builtin);
  else if (builtin.siblings != 0) call_indirect<void>(builtin.siblings, f);
}

/** The arguments that are forced after the one that is being forced. */
function offerArguments(f: Frame, builtin: Primop): void {
  for (let i = pendingArgument(f, builtin) + 1; i < builtin.arity; i++) {
    if (((builtin.specs >>> (i << 2)) & 15) != LAZY) offerValue(arg(f, i));
  }
}

/** The function of an offer, or NULL. */
@inline
export function gatheredCallee(index: u32): Value {
  return listItem(decompress(load<u32>(gathered)), index * WORDS);
}

@inline
export function gatheredValue(index: u32): Value {
  return listItem(decompress(load<u32>(gathered)), index * WORDS + 1);
}

/** The second argument of an offer, or NULL. */
@inline
export function gatheredSecond(index: u32): Value {
  return listItem(decompress(load<u32>(gathered)), index * WORDS + 2);
}

@inline
export function gatheredDepth(index: u32): u32 {
  return smallInt(listItem(decompress(load<u32>(gathered)), index * WORDS + 3)) >>> 1;
}

@inline
export function gatheredRegion(index: u32): u32 {
  return smallInt(listItem(decompress(load<u32>(gathered)), index * WORDS + 3)) & 1;
}

export function forgetGathered(): void {
  if (gathered != 0) store<u32>(gathered, 0);
}
