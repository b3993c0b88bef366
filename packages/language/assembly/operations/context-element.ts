// Elements of string contexts, as their bytes (values/context.ts): a store path, "=" and a derivation's path for all that
// it can make, or "!" output "!" derivation.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { Symbol, internBytes, symbolName } from "../symbols/symbols";
import { stringBytes, stringLength } from "../values/string";

const EQUALS: u32 = 0x3d;
const EXCLAMATION: u32 = 0x21;

/** A path as it is. */
export const ELEMENT_PATH: u32 = 0;
/** A derivation with everything that it needs and makes. */
export const ELEMENT_ALL_OUTPUTS: u32 = 1;
/** An output of a derivation. */
export const ELEMENT_OUTPUT: u32 = 2;

export function elementKind(element: Symbol): u32 {
  const name = symbolName(element);
  if (stringLength(name) == 0) return ELEMENT_PATH;
  const first = <u32>load<u8>(stringBytes(name));
  return first == EQUALS ? ELEMENT_ALL_OUTPUTS : first == EXCLAMATION ? ELEMENT_OUTPUT : ELEMENT_PATH;
}

/** The path that an element is about: for an output, its derivation. */
export function elementPath(element: Symbol): Symbol {
  const name = symbolName(element);
  const kind = elementKind(element);
  if (kind == ELEMENT_PATH) return element;
  const start: u32 = kind == ELEMENT_OUTPUT ? outputEnd(stringBytes(name), stringLength(name)) + 1 : 1;
  return internBytes(stringBytes(name) + start, stringLength(name) - start);
}

/** The name of the output that an ELEMENT_OUTPUT is. */
export function elementOutput(element: Symbol): Symbol {
  const name = symbolName(element);
  return internBytes(stringBytes(name) + 1, outputEnd(stringBytes(name), stringLength(name)) - 1);
}

/** The element for all outputs of a derivation. */
export function allOutputsElement(derivation: Symbol): Symbol {
  const mark = textMark();
  appendByte(EQUALS);
  return internPath(mark, derivation);
}

/** The element for one output of a derivation. */
export function outputElement(derivation: Symbol, output: Symbol): Symbol {
  const mark = textMark();
  appendByte(EXCLAMATION);
  appendBytes(stringBytes(symbolName(output)), stringLength(symbolName(output)));
  appendByte(EXCLAMATION);
  return internPath(mark, derivation);
}

function internPath(mark: u32, path: Symbol): Symbol {
  const name = symbolName(path);
  appendBytes(stringBytes(name), stringLength(name));
  const element = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return element;
}

/** The offset of the "!" behind the output's name. */
function outputEnd(bytes: Address, length: u32): u32 {
  let end: u32 = 1;
  while (end < length && <u32>load<u8>(bytes + end) != EXCLAMATION) end++;
  return end;
}
