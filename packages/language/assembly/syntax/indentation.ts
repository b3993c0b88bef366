// Indented strings: the smallest indentation of a line that is not blank is taken from every line, and blanks before the
// closing quotes on a line of their own are dropped.
//
// The pieces of such a string are a table of four words each: [position][node or 0][address of text][length * 2 + raw].
// Only raw text can hold indentation: escapes and interpolations count as something that is no blank.

import { Address } from "../memory/chunks";
import { textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { EMPTY_STRING } from "../values/constants";
import { makePermanentString } from "../values/string";
import { NODE_STRING, Node, Table, kindOfNode } from "./ast";
import { makeConcatStrings, makeStringNode } from "./parse-text";
import { appendToTable, tableCount, tableItem } from "./tables";

const PIECE_WORDS: u32 = 4;
const NO_INDENTATION: u32 = 1000000;
const SPACE: u32 = 0x20;
const NEWLINE: u32 = 0x0a;

/** Whether only spaces were seen in the current line, and how many of them were dropped from it. */
let atLineStart: bool = false;
let dropped: u32 = 0;

export function appendIndentedText(pieces: Table, position: u32, text: Address, length: u32, raw: bool): Table {
  return appendPiece(pieces, position, 0, text, (length << 1) | (raw ? 1 : 0));
}

export function appendIndentedExpression(pieces: Table, position: u32, expression: Node): Table {
  return appendPiece(pieces, position, expression, 0, 0);
}

/** The node of an indented string: a string if there is nothing else in it. */
export function stripIndentation(begin: u32, pieces: Table): Node {
  const count = tableCount(pieces) / PIECE_WORDS;
  const indentation = smallestIndentation(pieces, count);
  atLineStart = true;
  dropped = 0;
  let parts: Table = 0;
  for (let i: u32 = 0; i < count; i++) {
    let node: Node = nodeOf(pieces, i);
    if (node != 0) {
      atLineStart = false;
      dropped = 0;
    } else node = stripText(textOf(pieces, i), lengthOf(pieces, i), indentation, i == count - 1);
    if (node != 0) parts = appendToTable(appendToTable(parts, positionOf(pieces, i)), node);
  }
  if (parts == 0) return makeStringNode(EMPTY_STRING);
  if (tableCount(parts) == 2 && kindOfNode(tableItem(parts, 1)) == NODE_STRING) return tableItem(parts, 1);
  return makeConcatStrings(begin, parts, 1);
}

function smallestIndentation(pieces: Table, count: u32): u32 {
  let smallest = NO_INDENTATION;
  let current: u32 = 0;
  let blank = true;
  for (let i: u32 = 0; i < count; i++) {
    if (!isRaw(pieces, i)) {
      if (blank && current < smallest) smallest = current;
      blank = false;
      continue;
    }
    const end = textOf(pieces, i) + lengthOf(pieces, i);
    for (let at = textOf(pieces, i); at < end; at++) {
      const byte = <u32>load<u8>(at);
      if (byte == NEWLINE) {
        blank = true;
        current = 0;
      } else if (blank) {
        if (byte == SPACE) current++;
        else {
          blank = false;
          if (current < smallest) smallest = current;
        }
      }
    }
  }
  return smallest;
}

/** The string that is left of a piece of text, or 0 if nothing is. */
function stripText(text: Address, length: u32, indentation: u32, last: bool): Node {
  const mark = textMark();
  const to = textReserve(length);
  const end = text + length;
  let written: u32 = 0;
  for (let at = text; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == NEWLINE) {
      atLineStart = true;
      dropped = 0;
    } else if (atLineStart) {
      if (byte == SPACE) {
        if (dropped++ < indentation) continue;
      } else {
        atLineStart = false;
        dropped = 0;
      }
    }
    store<u8>(to + written, <u8>byte);
    written++;
  }
  textAdvance(written);
  if (last) dropBlankEnd(mark);
  written = textLengthFrom(mark);
  const node: Node = written == 0 ? 0 : makeStringNode(makePermanentString(textStart(mark), written));
  textRewind(mark);
  return node;
}

/** Drops the spaces after the last newline written since `mark`, if there is nothing but spaces. */
function dropBlankEnd(mark: u32): void {
  const start = textStart(mark);
  let length = textLengthFrom(mark);
  while (length > 0 && <u32>load<u8>(start + length - 1) == SPACE) length--;
  if (length > 0 && <u32>load<u8>(start + length - 1) == NEWLINE) textRewind(mark + length);
}

function appendPiece(pieces: Table, position: u32, node: Node, text: Address, size: u32): Table {
  return appendToTable(appendToTable(appendToTable(appendToTable(pieces, position), node), text), size);
}

function positionOf(pieces: Table, index: u32): u32 {
  return <u32>tableItem(pieces, index * PIECE_WORDS);
}

function nodeOf(pieces: Table, index: u32): Node {
  return tableItem(pieces, index * PIECE_WORDS + 1);
}

function textOf(pieces: Table, index: u32): Address {
  return tableItem(pieces, index * PIECE_WORDS + 2);
}

function lengthOf(pieces: Table, index: u32): u32 {
  return <u32>tableItem(pieces, index * PIECE_WORDS + 3) >>> 1;
}

function isRaw(pieces: Table, index: u32): bool {
  return (tableItem(pieces, index * PIECE_WORDS + 3) & 1) != 0;
}
