// Positions inside of texts. The module knows a position as a number; file, line and column are known to the host, which
// has the sources. A text that shows a position holds a marker in its place:
//
//   U+0001 "pos:" decimal digits U+0002
//
// The host replaces every marker by "file:line:column" before it shows the text to anybody, and one that begins with
// "line:" or "column:" (formats/xml-text.ts) by that number.

import { appendByte, appendInteger, appendText } from "../memory/text";

const MARKER_START: u32 = 1;
const MARKER_END: u32 = 2;

/** Appends the marker of a position. */
export function appendPosition(position: u32): void {
  appendByte(MARKER_START);
  appendText("pos:");
  appendInteger(<i64>position);
  appendByte(MARKER_END);
}
