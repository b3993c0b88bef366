// Strings and paths. A string is bytes, not characters, with a context: the store paths that it refers to.
//
//   STRING  [header][length][context or 0][symbol or 0][bytes, padded to 8]
//   PATH    the same, with neither context nor symbol: an absolute, normalised path
//
// `symbol` remembers the interned form (symbols/symbols.ts) once somebody has asked for it.

import { Address } from "../memory/chunks";
import { allocate } from "../memory/heap";
import { allocatePermanent } from "../memory/permanent";
import { bytesEqualText, alignedBytesEqual } from "../memory/bytes";
import { appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { swapBytes64 } from "../numbers/bits";
import { EMPTY_STRING } from "./constants";
import { KIND_PATH, KIND_STRING, Value, cellHeader } from "./value";

const STRING_HEADER: u32 = 16;

@inline
export function stringLength(string: Value): u32 {
  return load<u32>(string, 4);
}

/** The address of the first byte. */
@inline
export function stringBytes(string: Value): Address {
  return string + STRING_HEADER;
}

/** The context cell (values/context.ts), or 0 when the string refers to nothing. */
@inline
export function stringContext(string: Value): Value {
  return decompress(load<u32>(string, 8));
}

@inline
export function setStringContext(string: Value, context: Value): void {
  store<u32>(string, compress(context), 8);
}

/** The symbol with these bytes if that is known already, else 0. */
@inline
export function cachedSymbol(string: Value): u32 {
  return load<u32>(string, 12);
}

@inline
export function setCachedSymbol(string: Value, symbol: u32): void {
  store<u32>(string, symbol, 12);
}

/** The size of the cell of a string of `length` bytes. */
@inline
export function stringCellSize(length: u32): u32 {
  return (STRING_HEADER + length + 7) & ~7;
}

/** A string with room for `length` bytes, which the caller writes. Its padding is zero. */
export function makeStringOfLength(length: u32): Value {
  const size = stringCellSize(length);
  return initializeString(allocate(size), size, length, KIND_STRING);
}

export function makeString(bytes: Address, length: u32): Value {
  if (length == 0) return EMPTY_STRING;
  const string = makeStringOfLength(length);
  memory.copy(stringBytes(string), bytes, length);
  return string;
}

export function makeStringWithContext(bytes: Address, length: u32, context: Value): Value {
  if (context == 0) return makeString(bytes, length);
  const string = makeStringOfLength(length);
  memory.copy(stringBytes(string), bytes, length);
  setStringContext(string, context);
  return string;
}

/** A string that is never moved or freed. */
export function makePermanentString(bytes: Address, length: u32): Value {
  const size = stringCellSize(length);
  const string = initializeString(allocatePermanent(size), size, length, KIND_STRING);
  memory.copy(stringBytes(string), bytes, length);
  return string;
}

/** A path from absolute, normalised bytes. */
export function makePath(bytes: Address, length: u32): Value {
  const size = stringCellSize(length);
  const path = initializeString(allocate(size), size, length, KIND_PATH);
  memory.copy(stringBytes(path), bytes, length);
  return path;
}

export function makePermanentPath(bytes: Address, length: u32): Value {
  const size = stringCellSize(length);
  const path = initializeString(allocatePermanent(size), size, length, KIND_PATH);
  memory.copy(stringBytes(path), bytes, length);
  return path;
}

/** Takes what was written to the text buffer since `mark` away as a string. */
export function takeTextAsString(mark: u32, context: Value = 0): Value {
  const string = makeStringWithContext(textStart(mark), textLengthFrom(mark), context);
  textRewind(mark);
  return string;
}

/** A literal as a string of the language. */
export function stringOfText(text: string): Value {
  const mark = textMark();
  appendText(text);
  return takeTextAsString(mark);
}

/** Whether two strings, or two paths, have the same bytes. */
export function stringsEqual(a: Value, b: Value): bool {
  if (a == b) return true;
  const length = stringLength(a);
  return length == stringLength(b) && alignedBytesEqual(stringBytes(a), stringBytes(b), length);
}

/** Negative, zero or positive as `a` sorts before, with or after `b` bytewise: word by word, since padding is zero. */
export function compareStrings(a: Value, b: Value): i32 {
  const aLength = stringLength(a);
  const bLength = stringLength(b);
  const shared = min(aLength, bLength);
  for (let i: u32 = 0; i < shared; i += 8) {
    const left = load<u64>(stringBytes(a) + i);
    const right = load<u64>(stringBytes(b) + i);
    if (left != right) return swapBytes64(left) < swapBytes64(right) ? -1 : 1;
  }
  return <i32>(aLength > bLength) - <i32>(aLength < bLength);
}

export function stringIs(string: Value, text: string): bool {
  return bytesEqualText(stringBytes(string), stringLength(string), text);
}

@inline
function initializeString(cell: Address, size: u32, length: u32, kind: u32): Value {
  // The last word first: it holds the padding.
  store<u64>(cell + size - 8, 0);
  store<u32>(cell, cellHeader(kind));
  store<u32>(cell, length, 4);
  store<u64>(cell, 0, 8);
  return cell;
}
