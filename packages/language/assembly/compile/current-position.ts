// `__curPos`: a constant, since the compiler knows where it is.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { SYMBOL_COLUMN, SYMBOL_FILE, SYMBOL_LINE } from "../symbols/known";
import { ORIGIN_FILE, Position, sourceAt } from "../syntax/positions";
import { attrsCellSize, makePermanentKeys, setAttrValue, setKey } from "../values/attrs";
import { NULL } from "../values/constants";
import { makePermanentString, stringBytes, stringLength } from "../values/string";
import { KIND_ATTRS, Value, cellHeader } from "../values/value";
import { permanentInt } from "./literals";

let text: Address = 0;
let source: u32 = 0;

/** Says which source is being compiled: its text, and its number. */
export function setCompiledSource(address: Address, index: u32): void {
  text = address;
  source = index;
}

/** The path of the source that is being compiled, or 0 if it is no file. */
export function compiledPath(): Value {
  const entry = sourceAt(source);
  return entry.origin == ORIGIN_FILE ? entry.path : 0;
}

/** { column; file; line; } of a position in the source that is being compiled, or null if that is no file. */
export function currentPositionValue(position: Position): Value {
  const entry = sourceAt(source);
  if (entry.origin != ORIGIN_FILE) return NULL;
  const offset = position - entry.start;
  let line: u32 = 1;
  let lineStart: u32 = 0;
  for (let i: u32 = 0; i < offset; i++) {
    if (load<u8>(text + i) != 0x0a) continue;
    line++;
    lineStart = i + 1;
  }
  // Symbols ascend: file, line, column.
  const keys = makePermanentKeys(3);
  setKey(keys, 0, SYMBOL_FILE, 0);
  setKey(keys, 1, SYMBOL_LINE, 0);
  setKey(keys, 2, SYMBOL_COLUMN, 0);
  const attrs = allocatePermanent(attrsCellSize(3));
  store<u32>(attrs, cellHeader(KIND_ATTRS));
  store<u32>(attrs, <u32>keys, 4);
  setAttrValue(attrs, 0, makePermanentString(stringBytes(entry.path), stringLength(entry.path)));
  setAttrValue(attrs, 1, permanentInt(line));
  setAttrValue(attrs, 2, permanentInt(offset - lineStart + 1));
  return attrs;
}
