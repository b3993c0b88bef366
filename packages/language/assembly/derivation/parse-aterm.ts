// Reads the text of a derivation (print-aterm.ts has the format): what its inputs and outputs are, and where the rest is.
//
// Outputs are left in `parsedOutputs…`, inputs in inputs.ts. What a parsed text refers to is interned; nothing else is
// kept of it.

import { Address } from "../memory/chunks";
import { appendByte, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { ERROR_EVAL, beginError, errorSymbol, raiseError } from "../errors/raise";
import { Symbol, internBytes } from "../symbols/symbols";
import { makeString, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";
import { addBuilt, addSource, clearInputs } from "./inputs";
import { WordList, pushWord, wordAt } from "./word-list";

/** Four symbols each: name, path, algorithm, hash. */
const outputs = changetype<WordList>(memory.data(12, 8));
let path: Symbol = 0;
let text: Address = 0;
let at: u32 = 0;
let end: u32 = 0;
let outputsEndOffset: u32 = 0;
let restOffset: u32 = 0;

/** Parses `string`, the text of the derivation at `derivationPath`. Raises an error about a text that is none. */
export function parseDerivation(string: Value, derivationPath: Symbol): void {
  text = stringBytes(string);
  end = stringLength(string);
  at = 0;
  path = derivationPath;
  outputs.count = 0;
  clearInputs();
  expect("Derive(");
  parseOutputs();
  outputsEndOffset = at;
  expect(",");
  parseInputs();
  restOffset = at;
  expect(",");
  expect("[");
  while (nextItem()) addSource(parseSymbol());
}

export function parsedOutputCount(): u32 {
  return outputs.count >>> 2;
}

export function parsedOutputName(index: u32): Symbol {
  return wordAt(outputs, index << 2);
}

/** The path of an output, an empty name if it has none. */
export function parsedOutputPath(index: u32): Symbol {
  return wordAt(outputs, (index << 2) + 1);
}

export function parsedOutputAlgorithm(index: u32): Symbol {
  return wordAt(outputs, (index << 2) + 2);
}

export function parsedOutputHash(index: u32): Symbol {
  return wordAt(outputs, (index << 2) + 3);
}

/** The length of the text up to the end of the outputs. */
export function parsedHeadLength(): u32 {
  return outputsEndOffset;
}

/** Where what follows the inputs begins. */
export function parsedRestOffset(): u32 {
  return restOffset;
}

/** The variable of this name of a derivation that was just parsed, a STRING, or 0. */
export function parsedVariable(name: string): Value {
  expect(",");
  skipString();
  expect(",");
  skipString();
  expect(",[");
  while (nextItem()) skipString();
  expect(",[");
  while (nextItem()) {
    expect("(");
    const mark = textMark();
    parseText();
    const found = textIs(mark, name);
    textRewind(mark);
    expect(",");
    parseText();
    const value = makeString(textStart(mark), textLengthFrom(mark));
    textRewind(mark);
    expect(")");
    if (found) return value;
  }
  return 0;
}

function textIs(mark: u32, name: string): bool {
  const length = textLengthFrom(mark);
  if (length != <u32>name.length) return false;
  for (let i: u32 = 0; i < length; i++) if (<i32>load<u8>(textStart(mark) + i) != name.charCodeAt(i)) return false;
  return true;
}

function parseOutputs(): void {
  expect("[");
  while (nextItem()) {
    expect("(");
    pushWord(outputs, parseSymbol());
    for (let i: u32 = 0; i < 3; i++) {
      expect(",");
      pushWord(outputs, parseSymbol());
    }
    expect(")");
  }
}

function parseInputs(): void {
  expect("[");
  while (nextItem()) {
    expect("(");
    const derivation = parseSymbol();
    expect(",[");
    while (nextItem()) addBuilt(derivation, parseSymbol());
    expect(")");
  }
}

/** Steps over a comma to the next item of a list, or over its end: then it is false. */
function nextItem(): bool {
  const byte = peek();
  if (byte == 0x5d) {
    at++;
    return false;
  }
  if (byte == 0x2c) at++;
  return true;
}

function parseSymbol(): Symbol {
  const mark = textMark();
  parseText();
  const symbol = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return symbol;
}

/** Appends a quoted string, its escapes undone, to the text buffer. */
function parseText(): void {
  expect("\"");
  while (true) {
    let byte = peek();
    at++;
    if (byte == 0x22) return;
    if (byte == 0x5c) {
      const letter = peek();
      at++;
      byte = letter == 0x6e ? 0x0a : letter == 0x72 ? 0x0d : letter == 0x74 ? 0x09 : letter;
    }
    appendByte(byte);
  }
}

function skipString(): void {
  const mark = textMark();
  parseText();
  textRewind(mark);
}

function peek(): u32 {
  if (at >= end) fail();
  return <u32>load<u8>(text + at);
}

function expect(literal: string): void {
  const length = <u32>literal.length;
  for (let i: u32 = 0; i < length; i++) {
    if (peek() != <u32>literal.charCodeAt(i)) fail();
    at++;
  }
}

function fail(): void {
  beginError(ERROR_EVAL);
  appendText("error parsing derivation '");
  errorSymbol(path);
  appendText("'");
  raiseError();
}
