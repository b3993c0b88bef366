// Traces with a position of their own. A frame's context (machine/native.ts) is usually placed where its builtin was
// called; when the context value is a TABLE, it says the place itself:
//
//   TABLE  [position << 1 | 1][subject: STRING][ORDINARY, or ALWAYS to be shown even without --show-trace][the context
//          inside of this one: TABLE, or 0]

import { appendPosition } from "../values/print-position";
import { appendText, textMark } from "../memory/text";
import { Frame, frameContextValue, setContext } from "../machine/native";
import { keyPosition, keySymbol, keysOf } from "../values/attrs";
import { symbolName } from "../symbols/symbols";
import { takeTextAsString } from "../values/string";
import { makeValueTable, setTableWord, tableWord } from "../values/table";
import { KIND_TABLE, Value, isKind } from "../values/value";
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
  setContextAtPosition(f, "while evaluating the derivation attribute 'name'", position);
}

/** The frame works on the path `path`; nothing is said of a place. */
export function setPathContext(f: Frame, message: string, path: Value): void {
  const mark = textMark();
  appendText(message);
  appendString(path);
  appendText("'");
  setPlacedContext(f, takeTextAsString(mark), 0, ORDINARY);
}

/** The frame works on what is defined at `position`. */
export function setContextAtPosition(f: Frame, message: string, position: u32): void {
  const mark = textMark();
  appendText(message);
  setPlacedContext(f, takeTextAsString(mark), position, ORDINARY);
}

/** The same for what is often evaluated and seldom fails: the message is not copied. No context can be added inside. */
export function setMessageAtPosition(f: Frame, message: string, position: u32): void {
  setPlacedContext(f, 0, position, ORDINARY);
  setContext(f, message, frameContextValue(f));
}

/** The same with a message that is a STRING. */
export function setTextAtPosition(f: Frame, text: Value, position: u32): void {
  setPlacedContext(f, text, position, ORDINARY);
}

/** Whether the value of a frame's context says the place itself. */
@inline
export function isPlacedContext(value: Value): bool {
  return value != 0 && isKind(value, KIND_TABLE);
}

@inline
export function contextPlace(place: Value): u32 {
  return <u32>tableWord(place, 0) >>> 1;
}

/** Adds a context inside of those that the frame has; the first of them says the place itself. */
export function addInnerContext(f: Frame, message: string, position: u32): void {
  const outer = frameContextValue(f);
  setContextAtPosition(f, message, position);
  const inner = frameContextValue(f);
  let last = outer;
  while (tableWord(last, 3) != 0) last = tableWord(last, 3);
  setTableWord(last, 3, inner);
  setContext(f, "%1%", outer);
}

/** The context inside of this one, or 0. */
@inline
export function innerContext(place: Value): Value {
  return tableWord(place, 3);
}

@inline
export function contextSubject(place: Value): Value {
  return tableWord(place, 1);
}

@inline
export function isShownAlways(place: Value): bool {
  return tableWord(place, 2) == ALWAYS;
}

function setPlacedContext(f: Frame, text: Value, position: u32, shown: u32): void {
  const place = makeValueTable(4);
  setTableWord(place, 0, (position << 1) | 1);
  setTableWord(place, 1, text);
  setTableWord(place, 2, shown);
  setContext(f, "%1%", place);
}
