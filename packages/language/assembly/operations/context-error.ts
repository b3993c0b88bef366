// The error about a string that must not refer to a store path but does.

import { Address } from "../memory/chunks";
import { appendBytes, appendText, textMark } from "../memory/text";
import { ERROR_EVAL, beginError, errorQuoted, raiseError } from "../errors/raise";
import { symbolName } from "../symbols/symbols";
import { contextElement } from "../values/context";
import { makeString, stringBytes, stringContext, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";

const EXCLAMATION: u32 = 0x21;
const EQUALS: u32 = 0x3d;

/** Raises it about `string`, whose context is not empty. Does not return. */
export function raiseContextNotAllowed(string: Value, position: u32 = 0): void {
  beginError(ERROR_EVAL);
  appendText("the string ");
  errorQuoted(string);
  appendText(" is not allowed to refer to a store path (such as ");
  errorQuoted(displayContextElement(symbolName(contextElement(stringContext(string), 0))));
  appendText(")");
  raiseError(position);
}

/** How messages show an element: a path as it is, "!out!drv" as "drv^out", "=drv" as "drv (deep)". */
function displayContextElement(element: Value): Value {
  const bytes = stringBytes(element);
  const length = stringLength(element);
  const first = <u32>load<u8>(bytes);
  if (first == EQUALS) return deepElement(bytes + 1, length - 1);
  if (first != EXCLAMATION) return element;
  let end: u32 = 1;
  while (end < length && <u32>load<u8>(bytes + end) != EXCLAMATION) end++;
  const shown = makeString(bytes, length - 1);
  const to = stringBytes(shown);
  const drvLength = length - end - 1;
  memory.copy(to, bytes + end + 1, drvLength);
  store<u8>(to + drvLength, 0x5e);
  memory.copy(to + drvLength + 1, bytes + 1, end - 1);
  return shown;
}

function deepElement(path: Address, length: u32): Value {
  const mark = textMark();
  appendBytes(path, length);
  appendText(" (deep)");
  return takeTextAsString(mark);
}
