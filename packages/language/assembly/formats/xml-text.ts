// The elements of Nix's XML: two spaces a level, one element a line, attributes in the order of their names.
//
// Lines and columns are known to the host only. In their place stand markers like those of values/print-position.ts:
//
//   U+0001 "line:" position U+0002, U+0001 "column:" position U+0002

import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { ORIGIN_FILE, sourceAt, sourceOf } from "../syntax/positions";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const MARKER_START: u32 = 1;
const MARKER_END: u32 = 2;

export function appendXmlHeader(): void {
  appendText("<?xml version='1.0' encoding='utf-8'?>\n");
}

export function appendIndent(depth: u32): void {
  for (let i: u32 = 0; i < depth; i++) appendText("  ");
}

/** Begins a line with `<name`. */
export function beginTag(depth: u32, name: string): void {
  appendIndent(depth);
  appendByte(0x3c);
  appendText(name);
}

/** Ends the tag of an element that has content. */
export function endTag(): void {
  appendText(">\n");
}

/** Ends the tag of an element that has none. */
export function endEmptyTag(): void {
  appendText(" />\n");
}

export function appendEmptyElement(depth: u32, name: string): void {
  beginTag(depth, name);
  endEmptyTag();
}

export function appendOpening(depth: u32, name: string): void {
  beginTag(depth, name);
  endTag();
}

export function appendClosing(depth: u32, name: string): void {
  appendIndent(depth);
  appendText("</");
  appendText(name);
  endTag();
}

/** Begins an attribute, whose value is appended next. */
export function beginAttribute(name: string): void {
  appendByte(0x20);
  appendText(name);
  appendText('="');
}

export function endAttribute(): void {
  appendByte(0x22);
}

/** An attribute whose value is a STRING or PATH. */
export function appendAttribute(name: string, value: Value): void {
  beginAttribute(name);
  appendXmlText(value);
  endAttribute();
}

function appendXmlText(string: Value): void {
  const bytes = stringBytes(string);
  const length = stringLength(string);
  let start: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(bytes + i);
    if (byte != 0x22 && byte != 0x3c && byte != 0x3e && byte != 0x26 && byte != 0x0a) continue;
    appendBytes(bytes + start, i - start);
    start = i + 1;
    if (byte == 0x22) appendText("&quot;");
    else if (byte == 0x3c) appendText("&lt;");
    else if (byte == 0x3e) appendText("&gt;");
    else if (byte == 0x26) appendText("&amp;");
    else appendText("&#xA;");
  }
  appendBytes(bytes + start, length - start);
}

/** The attributes of a position that come before "name" in the order of names. */
export function appendLineAndColumn(position: u32): void {
  appendMarker("column", position);
  appendMarker("line", position);
}

/** The attribute of a position that comes after "name". */
export function appendSourcePath(position: u32): void {
  const source = sourceAt(sourceOf(position));
  if (source.origin == ORIGIN_FILE) appendAttribute("path", source.path);
}

function appendMarker(name: string, position: u32): void {
  beginAttribute(name);
  appendByte(MARKER_START);
  appendText(name);
  appendByte(0x3a);
  appendInteger(<i64>position);
  appendByte(MARKER_END);
  endAttribute();
}
