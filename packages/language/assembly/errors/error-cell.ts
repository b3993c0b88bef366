// Errors as values of the machine: a failed thunk keeps one, and the host reads it when nothing has caught it.
//
//   ERROR  [header, kind][message: STRING][position][traces: newest TRACE or 0][suggestions: LIST or 0]
//          [the thunk that needed its own value, or 0]
//   TRACE  [header, always shown][position][message: literal][subject: STRING or 0][the TRACE inside this one, or 0][unused]
//
// The traces of an error begin with the outermost. A literal's `%1%` stands for the subject.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { appendByte, appendBytes } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { stringBytes, stringLength } from "../values/string";
import { appendErrorValue } from "../values/print";
import { KIND_ERROR, KIND_TRACE, Value, cellHeader, headerExtra, headerOf, isString } from "../values/value";

export const ERROR_CELL_SIZE: u32 = 24;
export const TRACE_CELL_SIZE: u32 = 24;

export function makeErrorCell(
  kind: u32,
  message: Value,
  position: u32,
  traces: Value,
  suggestions: Value,
  recursion: Value,
): Value {
  const cell = allocate(ERROR_CELL_SIZE);
  store<u32>(cell, cellHeader(KIND_ERROR, kind));
  store<u32>(cell, compress(message), 4);
  store<u32>(cell, position, 8);
  store<u32>(cell, compress(traces), 12);
  store<u32>(cell, compress(suggestions), 16);
  store<u32>(cell, compress(recursion), 20);
  return cell;
}

@inline
export function errorKind(cell: Value): u32 {
  return headerExtra(headerOf(cell));
}

@inline
export function errorMessage(cell: Value): Value {
  return decompress(load<u32>(cell, 4));
}

@inline
export function errorPosition(cell: Value): u32 {
  return load<u32>(cell, 8);
}

@inline
export function errorTraces(cell: Value): Value {
  return decompress(load<u32>(cell, 12));
}

@inline
export function setErrorTraces(cell: Value, traces: Value): void {
  store<u32>(cell, compress(traces), 12);
}

/** Leaves of an error what it is, and nothing of how it came about. */
export function forgetTraces(cell: Value): void {
  store<u32>(cell, 0, 12);
  store<u32>(cell, 0, 20);
}

@inline
export function errorSuggestions(cell: Value): Value {
  return decompress(load<u32>(cell, 16));
}

/** The thunk that an infinite recursion began with, or 0. */
@inline
export function errorRecursion(cell: Value): Value {
  return decompress(load<u32>(cell, 20));
}

/** Adds a trace around the others that says `message`, a STRING, and is always shown. */
export function addErrorTrace(cell: Value, message: Value): void {
  setErrorTraces(cell, makeTrace(0, changetype<usize>("%1%"), message, true, errorTraces(cell)));
}

/** A trace around `inner`. `always`: it is shown even without --show-trace. */
export function makeTrace(position: u32, message: Address, subject: Value, always: bool, inner: Value): Value {
  const cell = allocate(TRACE_CELL_SIZE);
  store<u32>(cell, cellHeader(KIND_TRACE, always ? 1 : 0));
  store<u32>(cell, position, 4);
  store<u32>(cell, <u32>message, 8);
  store<u32>(cell, compress(subject), 12);
  store<u32>(cell, compress(inner), 16);
  store<u32>(cell, 0, 20);
  return cell;
}

@inline
export function traceAlways(trace: Value): bool {
  return headerExtra(headerOf(trace)) != 0;
}

@inline
export function tracePosition(trace: Value): u32 {
  return load<u32>(trace, 4);
}

@inline
export function traceInner(trace: Value): Value {
  return decompress(load<u32>(trace, 16));
}

/** Strings as they are, everything else as messages show it. */
function appendSubject(subject: Value): void {
  if (isString(subject)) appendBytes(stringBytes(subject), stringLength(subject));
  else appendErrorValue(subject);
}

/** Appends the text of a trace. */
export function appendTraceMessage(trace: Value): void {
  const literal = changetype<string>(<usize>load<u32>(trace, 8));
  const subject = decompress(load<u32>(trace, 12));
  const from = changetype<usize>(literal);
  const length = <u32>literal.length;
  let i: u32 = 0;
  while (i < length) {
    const unit = <u32>load<u16>(from + (i << 1));
    const isSubject = unit == 0x25 && i + 2 < length && <u32>load<u16>(from + (i << 1), 4) == 0x25;
    if (isSubject) {
      if (subject != 0) appendSubject(subject);
      i += 3;
    } else {
      appendByte(unit);
      i++;
    }
  }
}
