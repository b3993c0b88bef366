// Parses a bracket expression, "[...]" or "[^...]", to the set of bytes it matches.
//
// A byte is held back until the next token shows whether it begins a range. Range ends are compared as signed bytes
// (libstdc++ has plain `char`), so a range may run from 0x80 up to 0x7f, and "a-\xff" is out of order. A dash is a
// member of the set at the start, before "]" and as the end of a range, and an error elsewhere; a class can neither
// begin nor end a range, a collating element can begin one.

import { ByteSet, addByte, complement, newByteSet } from "./byte-set";
import { NO_ELEMENT, addClass, collatingElement, isLetter } from "./byte-names";
import { REGEX_INVALID, fail, failed } from "./limits";
import {
  TOKEN_BRACKET_END,
  TOKEN_BRACKET_NEGATED,
  TOKEN_BYTE,
  TOKEN_CLASS,
  TOKEN_COLLATING,
  TOKEN_DASH,
  TOKEN_EQUIVALENCE,
  advance,
  token,
  tokenByte,
  tokenLength,
  tokenText,
} from "./scanner";

const DASH: u32 = 0x2d;
/** The bit in which both cases of an ASCII letter differ. */
const CASE_BIT: u32 = 0x20;

/** What came before the present token: nothing that matters, a byte that may begin a range, or a class. */
const NOTHING: u32 = 0;
const HELD_BYTE: u32 = 1;
const CLASS: u32 = 2;

let members: ByteSet = 0;
let last: u32 = NOTHING;
let heldByte: u32 = 0;

/** Parses from the opening token to the "]" and past it. */
export function parseBracket(): ByteSet {
  const negated = token == TOKEN_BRACKET_NEGATED;
  members = newByteSet();
  last = NOTHING;
  advance();
  if (token == TOKEN_BYTE) holdToken(tokenByte);
  else if (token == TOKEN_DASH) holdToken(DASH);
  while (!failed() && token != TOKEN_BRACKET_END) parseTerm();
  if (failed()) return members;
  release();
  if (negated) complement(members);
  advance();
  return members;
}

function parseTerm(): void {
  switch (token) {
    case TOKEN_BYTE:
      return holdToken(tokenByte);
    case TOKEN_COLLATING: {
      const byte = collatingElement(tokenText, tokenLength);
      return byte == NO_ELEMENT ? fail(REGEX_INVALID) : holdToken(byte);
    }
    case TOKEN_EQUIVALENCE: {
      const byte = collatingElement(tokenText, tokenLength);
      if (byte == NO_ELEMENT) return fail(REGEX_INVALID);
      addEquivalents(byte);
      return endClass();
    }
    case TOKEN_CLASS:
      if (!addClass(members, tokenText, tokenLength)) return fail(REGEX_INVALID);
      return endClass();
    case TOKEN_DASH:
      return parseDash();
    default:
      return fail(REGEX_INVALID);
  }
}

/** After a dash: the end of the bracket, the end of a range, or an error. */
function parseDash(): void {
  advance();
  if (token == TOKEN_BRACKET_END) {
    release();
    last = HELD_BYTE;
    heldByte = DASH;
    return;
  }
  if (last != HELD_BYTE) return fail(REGEX_INVALID);
  if (token == TOKEN_BYTE) addSignedRange(heldByte, tokenByte);
  else if (token == TOKEN_DASH) addSignedRange(heldByte, DASH);
  else return fail(REGEX_INVALID);
  last = NOTHING;
  advance();
}

function holdToken(byte: u32): void {
  release();
  last = HELD_BYTE;
  heldByte = byte;
  advance();
}

function endClass(): void {
  release();
  last = CLASS;
  advance();
}

/** Adds the byte held back, if any. */
function release(): void {
  if (last == HELD_BYTE) addByte(members, heldByte);
}

/** The bytes that sort with this one: in the C locale, after libstdc++'s folding, both cases of a letter. */
function addEquivalents(byte: u32): void {
  addByte(members, byte);
  if (isLetter(byte)) addByte(members, byte ^ CASE_BIT);
}

function addSignedRange(first: u32, end: u32): void {
  const from = <i32>(<i8>first);
  const to = <i32>(<i8>end);
  if (from > to) return fail(REGEX_INVALID);
  for (let byte = from; byte <= to; byte++) addByte(members, <u32>(<u8>byte));
}
