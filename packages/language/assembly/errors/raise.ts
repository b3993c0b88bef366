// Raising an error of the evaluated program.
//
// A message is written to the text buffer between `beginError` and `raiseError`, which does not return: the host throws
// through the module's frames and then asks the machine to unwind its own stack (unwind.ts). Nothing in linear memory is
// lost by that, since the machine keeps no state on the host's stack.
//
// Texts are Nix's own, since people and tools know them.

import { appendByte, appendBytes, appendText, textMark } from "../memory/text";
import { Symbol, symbolName } from "../symbols/symbols";
import { stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";

/** Why an evaluation failed. `tryEval` catches THROWN and ASSERTION. */
export const ERROR_EVAL: u32 = 0;
export const ERROR_TYPE: u32 = 1;
export const ERROR_THROWN: u32 = 2;
export const ERROR_ASSERTION: u32 = 3;
export const ERROR_ABORT: u32 = 4;
export const ERROR_UNDEFINED_VARIABLE: u32 = 5;
export const ERROR_MISSING_ARGUMENT: u32 = 6;
export const ERROR_INFINITE_RECURSION: u32 = 7;
export const ERROR_STACK_OVERFLOW: u32 = 8;
/** The host could not do what was asked: files, the store. */
export const ERROR_HOST: u32 = 9;
export const ERROR_PARSE: u32 = 10;
/** A word that is none of those that may stand there: Nix hints at --help. */
export const ERROR_USAGE: u32 = 11;

/** The error being raised, read by unwind.ts. */
export let raisedKind: u32 = 0;
export let raisedMessage: Value = 0;
export let raisedPosition: u32 = 0;
/** Names for "Did you mean …?": a LIST of STRING, or 0. */
export let raisedSuggestions: Value = 0;
/** An ERROR cell when an earlier error is raised again, else 0. */
export let raisedAgain: Value = 0;
/** Whether that is the same failure, which was only held up: its traces grow for all who keep it. */
export let raisedOnward: bool = false;

/** A thunk that was met while it was being evaluated, for ERROR_INFINITE_RECURSION. */
export let recursiveThunk: Value = 0;
/** What was being done where the error was raised: a literal and its position, or 0. The innermost trace. */
export let raisedContext: usize = 0;
export let raisedContextPosition: u32 = 0;

let mark: u32 = 0;
let kindBegun: u32 = 0;

/** Begins a message of a failure of `kind`. */
export function beginError(kind: u32): void {
  kindBegun = kind;
  mark = textMark();
  raisedSuggestions = 0;
}

/** Appends the bytes of a STRING or PATH to the message. */
export function errorString(string: Value): void {
  appendBytes(stringBytes(string), stringLength(string));
}

/** Appends a name in single quotes. */
export function errorQuoted(string: Value): void {
  appendByte(0x27);
  errorString(string);
  appendByte(0x27);
}

export function errorSymbol(symbol: Symbol): void {
  errorString(symbolName(symbol));
}

export function suggest(names: Value): void {
  raisedSuggestions = names;
}

/** Ends the message and raises it at `position` (0: nowhere in particular). Does not return. */
export function raiseError(position: u32 = 0): void {
  raisedKind = kindBegun;
  raisedMessage = takeTextAsString(mark);
  raisedPosition = position;
  raisedAgain = 0;
  raise();
}

/** Says what is being done, for the trace of the error that is raised next. */
export function setErrorContext(message: string, position: u32): void {
  raisedContext = changetype<usize>(message);
  raisedContextPosition = position;
}

export function clearErrorContext(): void {
  raisedContext = 0;
}

/** Raises the error of needing a thunk for its own value. Does not return. */
export function raiseInfiniteRecursion(thunk: Value, position: u32): void {
  recursiveThunk = thunk;
  fail(ERROR_INFINITE_RECURSION, "infinite recursion encountered", position);
}

/** Raises an error whose whole message is a literal. Does not return. */
export function fail(kind: u32, message: string, position: u32 = 0): void {
  beginError(kind);
  appendText(message);
  raiseError(position);
}

/** Raises the error of a thunk that failed before. Does not return. */
export function raiseErrorAgain(error: Value): void {
  raisedAgain = error;
  raisedOnward = false;
  raise();
}

/** Lets an error go on that a builtin was given while it was unwound. Does not return. */
export function raiseErrorOnward(error: Value): void {
  raisedAgain = error;
  raisedOnward = true;
  raise();
}

@external("host", "raise")
declare function raise(): void;
