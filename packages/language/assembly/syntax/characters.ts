// Classes of bytes, for the lexer: one table of 256 entries, a bit for each class.
//
// The classes are those of Nix's lexer: names may contain ' and -, paths may contain . + -, and the characters of URIs
// are a set of their own. Bytes from 128 on belong to no class.

import { Address } from "../memory/chunks";

export const SPACE: u32 = 1;
export const NAME_START: u32 = 2;
export const NAME: u32 = 4;
export const DIGIT: u32 = 8;
export const PATH_CHAR: u32 = 16;
export const URI_SCHEME: u32 = 32;
export const URI_CHAR: u32 = 64;

const table: Address = memory.data(256);
let filled = false;

/** The classes of a byte, a sum of the constants above. */
@inline
export function classesOf(byte: u32): u32 {
  return load<u8>(table + byte);
}

@inline
export function isClass(byte: u32, classes: u32): bool {
  return (load<u8>(table + byte) & classes) != 0;
}

/** Fills the table; called before every use of the lexer, works once. */
export function initializeCharacters(): void {
  if (filled) return;
  filled = true;
  markRange(0x61, 0x7a, NAME_START | NAME | PATH_CHAR | URI_SCHEME | URI_CHAR);
  markRange(0x41, 0x5a, NAME_START | NAME | PATH_CHAR | URI_SCHEME | URI_CHAR);
  markRange(0x30, 0x39, NAME | DIGIT | PATH_CHAR | URI_SCHEME | URI_CHAR);
  markText(" \t\r\n", SPACE);
  markText("_", NAME_START | NAME);
  markText("'-", NAME);
  markText("._-+", PATH_CHAR);
  markText("+-.", URI_SCHEME);
  markText("%/?:@&=+$,-_.!~*'", URI_CHAR);
}

function markRange(first: u32, last: u32, classes: u32): void {
  for (let byte = first; byte <= last; byte++) mark(byte, classes);
}

function markText(text: string, classes: u32): void {
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < <u32>text.length; i++) mark(<u32>load<u8>(from + (i << 1)), classes);
}

function mark(byte: u32, classes: u32): void {
  store<u8>(table + byte, <u8>(<u32>load<u8>(table + byte) | classes));
}
