// Traces with a position of their own. A frame's context (machine/native.ts) is usually placed where its builtin was
// called; when the context value is a TABLE, it says the place itself:
//
//   TABLE  [position << 1 | 1][subject: STRING][ORDINARY, or ALWAYS to be shown even without --show-trace]

import { appendPosition } from "../values/print-position";
import { appendText, textMark } from "../memory/text";
import { Frame, setContext } from "../machine/native";
import { keyPosition, keySymbol, keysOf } from "../values/attrs";
import { symbolName } from "../symbols/symbols";
import { takeTextAsString } from "../values/string";
import { makeValueTable, setTableWord } from "../values/table";
import { Value } from "../values/value";
import { appendString } from "./make-store-path";

const ORDINARY: u32 = 1;
const ALWAYS: u32 = 3;

/** The frame works on the derivation `name`, whose attribute of that name is at `position`. */
export function setDerivationContext(f: Frame, name: Value, position: u32): void {
  const mark = textMark();
  appendText("while evaluating derivation '");
  appendString(name);
  appendText("'\n  whose name attribute is located at ");
  appendPosition(position);
  setPlacedContext(f, takeTextAsString(mark), 0, ALWAYS);
}

/** The frame works on the attribute at `index` of what makes the derivation `name`. */
export function setAttributeContext(f: Frame, attrs: Value, index: u32, name: Value): void {
  const keys = keysOf(attrs);
  const mark = textMark();
  appendText("while evaluating attribute '");
  appendString(symbolName(keySymbol(keys, index)));
  appendText("' of derivation '");
  appendString(name);
  appendText("'");
  setPlacedContext(f, takeTextAsString(mark), keyPosition(keys, index), ORDINARY);
}

/** The frame evaluates the name of a derivation, defined at `position`. */
export function setNameContext(f: Frame, position: u32): void {
  const mark = textMark();
  appendText("while evaluating the derivation attribute 'name'");
  setPlacedContext(f, takeTextAsString(mark), position, ORDINARY);
}

/** The frame works on the path `path`; nothing is said of a place. */
export function setPathContext(f: Frame, message: string, path: Value): void {
  const mark = textMark();
  appendText(message);
  appendString(path);
  appendText("'");
  setPlacedContext(f, takeTextAsString(mark), 0, ORDINARY);
}

function setPlacedContext(f: Frame, text: Value, position: u32, shown: u32): void {
  const place = makeValueTable(3);
  setTableWord(place, 0, (position << 1) | 1);
  setTableWord(place, 1, <u32>text);
  setTableWord(place, 2, shown);
  setContext(f, "%1%", place);
}
