// What a builtin is made of.
//
// A builtin is a function from a frame to a value. It never evaluates anything itself: when it needs a value that is
// not there yet, it remembers where it is (`setStep`, `setLocal`), asks for it (`return awaitForce(f, v)`), and is called
// again from its beginning when the value has arrived (`awaited()`). So a builtin that waits is a frame on the machine's
// stack and nothing on the host's: depth is a number, and evaluation can be suspended anywhere.
//
//   frame: … [argument n] … [argument 1] [builtin] [step] [context] [context value] [env] [pc] [local 0] … [local k]
//                                         ^ f
//   env, pc: where the machine goes on with the result.
//
// The arguments are as `define` says: strict ones are in weak head normal form, of the right type, and not thunks when
// the builtin is first called. Everything in a frame is a value, odd, or permanent: the collector may run while a
// builtin waits, so after an await addresses must be read again from the frame.
// A result may be a thunk: the machine forces it. It must not be 0, which means "waiting".

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { compress, decompress } from "../memory/pointers";
import { Symbol, internText } from "../symbols/symbols";
import { KIND_PRIMOP, Value, cellHeader } from "../values/value";

export type Frame = usize;
export type Handler = (f: Frame) => Value;

/** What an argument has to be; four bits each, first argument lowest. */
export const LAZY: u32 = 0;
/** In weak head normal form, of any type. */
export const STRICT: u32 = 1;
export const INT: u32 = 2;
export const BOOL: u32 = 3;
/** A string; its context is the builtin's business. */
export const STRING: u32 = 4;
/** A string that must not refer to a store path. */
export const PLAIN_STRING: u32 = 5;
export const LIST: u32 = 6;
export const ATTRS: u32 = 7;
/** A lambda, a builtin, a partial application, or a set with `__functor`. */
export const FUNCTION: u32 = 8;
export const FLOAT: u32 = 9;

@inline
export function args1(a: u32): u32 {
  return a;
}
@inline
export function args2(a: u32, b: u32): u32 {
  return a | (b << 4);
}
@inline
export function args3(a: u32, b: u32, c: u32): u32 {
  return a | (b << 4) | (c << 8);
}
@inline
export function args4(a: u32, b: u32, c: u32, d: u32): u32 {
  return a | (b << 4) | (c << 8) | (d << 12);
}

/** A builtin: a permanent cell, and a value. The first word is the header with KIND_PRIMOP. */
@unmanaged
export class Primop {
  header: u32;
  arity: u32;
  /** The name without `__`. */
  name: Symbol;
  /** Four bits an argument. */
  specs: u32;
  locals: u32;
  /** Index into the module's table of functions. */
  handler: u32;
  /** For each argument the context message of its evaluation: the address of a literal, or 0 for the usual one. */
  contexts: Address;
  /** Whether "while calling the 'x' builtin" is part of a trace: 0, TRACED or TRACED_SILENTLY. */
  traced: u32;
  /** Index in the table of functions of what offers what the builtin will want (siblings.ts), or 0. */
  siblings: u32;
  /** The handler that `handler` calls while the profiler is on (profiler.ts). */
  profiledHandler: u32;
}

/** For builtins that programs know. */
export const TRACED: u32 = 1;
/** For a builtin that programs know and no trace names. */
export const TRACED_SILENTLY: u32 = 2;

const PRIMOP_SIZE: u32 = <u32>offsetof<Primop>();

/** The handler of all builtins that are made from now on, or 0: it is to call the real one. */
let commonHandler: u32 = 0;

export function setCommonHandler(handler: Handler): void {
  commonHandler = <u32>handler.index;
}

/** Words of a frame between the builtin and its first local. */
const FRAME_HEADER: u32 = 24;
/** The step of a frame that only passes on what it awaits. */
export const STEP_RETURN_AWAITED: u32 = 0x3fffffff;

/** Makes a builtin of `arity` arguments (see `args1` …) with `locals` words of its own. It is no attribute of `builtins` yet. */
export function makePrimop(name: string, arity: u32, specs: u32, locals: u32, handler: Handler): Value {
  const cell = allocatePermanent(PRIMOP_SIZE);
  const primop = changetype<Primop>(cell);
  primop.header = cellHeader(KIND_PRIMOP);
  primop.arity = arity;
  primop.name = internText(name);
  primop.specs = specs;
  primop.locals = locals;
  primop.handler = commonHandler != 0 ? commonHandler : <u32>handler.index;
  primop.profiledHandler = <u32>handler.index;
  primop.traced = TRACED;
  return cell;
}

/** Replaces the context message "while evaluating the … argument passed to builtins.NAME" of an argument (from 0). */
export function describeArgument(builtin: Value, index: u32, message: string): void {
  const primop = changetype<Primop>(builtin);
  if (primop.contexts == 0) primop.contexts = allocatePermanent(primop.arity << 2);
  store<u32>(primop.contexts + (index << 2), changetype<usize>(message));
}

@inline
export function primopOf(f: Frame): Primop {
  return changetype<Primop>(<usize>load<u32>(f));
}

/** The bytes of a frame above `f` (the builtin's word included). */
@inline
export function frameSize(primop: Primop): u32 {
  return FRAME_HEADER + (primop.locals << 2);
}

/** Argument `index`, from 0. */
@inline
export function arg(f: Frame, index: u32): Value {
  return decompress(load<u32>(f - ((index + 1) << 2)));
}

@inline
export function setArg(f: Frame, index: u32, value: Value): void {
  store<u32>(f - ((index + 1) << 2), compress(value));
}

/** Where the builtin is: 0 when it is called first. */
@inline
export function step(f: Frame): u32 {
  return load<u32>(f, 4) >>> 1;
}

@inline
export function setStep(f: Frame, n: u32): void {
  store<u32>(f, (n << 1) | 1, 4);
}

@inline
export function local(f: Frame, index: u32): Value {
  return decompress(load<u32>(f + (index << 2), FRAME_HEADER));
}

@inline
export function setLocal(f: Frame, index: u32, value: Value): void {
  store<u32>(f + (index << 2), compress(value), FRAME_HEADER);
}

/** A local that holds a number of up to 31 bits. It is 0 before it is set. */
@inline
export function localInt(f: Frame, index: u32): u32 {
  return load<u32>(f + (index << 2), FRAME_HEADER) >>> 1;
}

@inline
export function setLocalInt(f: Frame, index: u32, n: u32): void {
  store<u32>(f + (index << 2), (n << 1) | 1, FRAME_HEADER);
}

/**
 * Says what the builtin is doing, for the trace of an error: a literal such as "while evaluating an element of the list".
 * `%1%` in it stands for `value`: a string or a symbol's name. It holds until it is set again; "" ends it.
 */
@inline
export function setContext(f: Frame, message: string, value: Value = 0): void {
  store<u32>(f, changetype<usize>(message), 8);
  store<u32>(f, compress(value), 12);
}

/** The same with the address of a literal. */
export function setContextAt(f: Frame, message: Address): void {
  store<u32>(f, <u32>message, 8);
  store<u32>(f, 0, 12);
}

@inline
export function clearContext(f: Frame): void {
  store<u32>(f, 0, 8);
}

@inline
export function frameContext(f: Frame): Address {
  return load<u32>(f, 8);
}

@inline
export function frameContextValue(f: Frame): Value {
  return decompress(load<u32>(f, 12));
}

@inline
export function frameEnv(f: Frame): Address {
  return decompress(load<u32>(f, 16));
}

@inline
export function framePc(f: Frame): Address {
  return load<u32>(f, 20);
}

/** Clears what is above the builtin's word, and notes where the machine goes on. */
@inline
export function initializeFrame(f: Frame, primop: Primop, env: Address, pc: Address): void {
  store<u32>(f, 1, 4);
  store<u32>(f, 0, 8);
  store<u32>(f, 0, 12);
  store<u32>(f, compress(env), 16);
  store<u32>(f, <u32>pc, 20);
  const locals = primop.locals;
  for (let i: u32 = 0; i < locals; i++) setLocal(f, i, 0);
}

// ── Waiting ──

/** What a builtin that returned 0 waits for. */
export const ACTION_NONE: u32 = 0;
export const ACTION_FORCE: u32 = 1;
export const ACTION_CALL: u32 = 2;
export const ACTION_NATIVE: u32 = 3;
export const ACTION_HOST: u32 = 4;

export let action: u32 = ACTION_NONE;
/** ACTION_FORCE: the thunk. ACTION_CALL: the function. ACTION_NATIVE: the builtin. ACTION_HOST: the kind of request. */
export let actionSubject: Value = 0;
export let actionCount: u32 = 0;
/** The arguments of the awaited call, four at most. */
export const actionArguments: Address = memory.data(16);
let awaitedValue: Value = 0;

/** The value that the builtin waited for, in weak head normal form. Valid until the next await. */
@inline
export function awaited(): Value {
  return awaitedValue;
}

@inline
export function setAwaited(value: Value): void {
  awaitedValue = value;
}

/** Waits for `value` to be forced. */
export function awaitForce(f: Frame, value: Value): Value {
  action = ACTION_FORCE;
  actionSubject = value;
  return 0;
}

/** Waits for `callee a`; the callee may be anything that can be called, forced or not. */
export function awaitCall1(f: Frame, callee: Value, a: Value): Value {
  action = ACTION_CALL;
  actionSubject = callee;
  actionCount = 1;
  store<u32>(actionArguments, compress(a));
  return 0;
}

/** Waits for `callee a b`. */
export function awaitCall2(f: Frame, callee: Value, a: Value, b: Value): Value {
  awaitCall1(f, callee, a);
  actionCount = 2;
  store<u32>(actionArguments, compress(b), 4);
  return 0;
}

/** Waits for another builtin, whose arguments need not be forced: they are, as its `specs` say. */
export function awaitNative1(f: Frame, builtin: Value, a: Value): Value {
  awaitCall1(f, builtin, a);
  action = ACTION_NATIVE;
  return 0;
}

export function awaitNative2(f: Frame, builtin: Value, a: Value, b: Value): Value {
  awaitCall2(f, builtin, a, b);
  action = ACTION_NATIVE;
  return 0;
}

export function awaitNative3(f: Frame, builtin: Value, a: Value, b: Value, c: Value): Value {
  awaitNative2(f, builtin, a, b);
  actionCount = 3;
  store<u32>(actionArguments, compress(c), 8);
  return 0;
}

export function awaitNative4(f: Frame, builtin: Value, a: Value, b: Value, c: Value, d: Value): Value {
  awaitNative3(f, builtin, a, b, c);
  actionCount = 4;
  store<u32>(actionArguments, compress(d), 12);
  return 0;
}

/** Asks the host (host-request.ts): what it answers is `awaited()`. Arguments are values that it can read: strings, paths, small integers. */
export function awaitHost(f: Frame, request: u32, a: Value = 0, b: Value = 0, c: Value = 0, d: Value = 0): Value {
  awaitNative4(f, request, a, b, c, d);
  action = ACTION_HOST;
  return 0;
}

/** Ends the builtin with the value of `callee a`. */
export function tailCall1(f: Frame, callee: Value, a: Value): Value {
  setStep(f, STEP_RETURN_AWAITED);
  return awaitCall1(f, callee, a);
}
