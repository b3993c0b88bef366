// The pieces of a derivation's text, an ATerm (Nix manual, "Derivation ATerm Format").
//
//   "Derive(" outputs "," inputs ",[" sources "]," system "," builder ",[" arguments "],[" environment "])"
//   outputs     = "[" ("(" name "," path "," algorithm "," hash ")") … "]"
//   inputs      = "[" ("(" derivation "," "[" outputs "]" ")") … "]"
//   environment = ("(" name "," value ")") …
//
// Strings are quoted; `"`, `\`, line feed, carriage return and tab are escaped in the builder, the arguments and the
// environment. Everything else is written as it is.

import { Address } from "../memory/chunks";
import { appendByte, textAdvance, textReserve } from "../memory/text";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;

/** Appends a STRING in quotes, as it is. */
export function appendPlain(string: Value): void {
  appendPlainBytes(stringBytes(string), stringLength(string));
}

/** `bytes` may not lie in the text buffer. */
export function appendPlainBytes(bytes: Address, length: u32): void {
  const at = textReserve(length + 2);
  store<u8>(at, <u8>QUOTE);
  memory.copy(at + 1, bytes, length);
  store<u8>(at + length + 1, <u8>QUOTE);
  textAdvance(length + 2);
}

/** Appends a STRING in quotes, escaped. */
export function appendEscaped(string: Value): void {
  const bytes = stringBytes(string);
  const length = stringLength(string);
  appendByte(QUOTE);
  let from: u32 = 0;
  let at = textReserve((length << 1) + 1);
  const start = at;
  while (from < length) {
    const clean = cleanLength(bytes + from, length - from);
    memory.copy(at, bytes + from, clean);
    at += clean;
    from += clean;
    if (from == length) break;
    store<u8>(at, <u8>BACKSLASH);
    store<u8>(at + 1, <u8>escapeLetter(<u32>load<u8>(bytes + from)));
    at += 2;
    from++;
  }
  store<u8>(at, <u8>QUOTE);
  textAdvance(<u32>(at - start) + 1);
}

/** How many bytes need no escape. */
function cleanLength(bytes: Address, length: u32): u32 {
  let i: u32 = 0;
  while (i < length && !isEscaped(<u32>load<u8>(bytes + i))) i++;
  return i;
}

@inline
function isEscaped(byte: u32): bool {
  return byte == QUOTE || byte == BACKSLASH || byte == 0x0a || byte == 0x0d || byte == 0x09;
}

@inline
function escapeLetter(byte: u32): u32 {
  if (byte == 0x0a) return 0x6e;
  if (byte == 0x0d) return 0x72;
  return byte == 0x09 ? 0x74 : byte;
}
