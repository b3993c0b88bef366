// The text of "…" strings: escapes, and line ends, which are LF whatever the file has.

import { Address } from "../memory/chunks";
import { appendByte, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { Value } from "../values/value";
import { makePermanentString } from "../values/string";

/** The byte that a backslash before `byte` makes of it. */
@inline
export function unescaped(byte: u32): u32 {
  if (byte == 0x6e) return 0x0a;
  if (byte == 0x72) return 0x0d;
  if (byte == 0x74) return 0x09;
  return byte;
}

/** The permanent string that a piece of a "…" string stands for. */
export function makeStringLiteral(at: Address, length: u32): Value {
  if (!needsUnescaping(at, length)) return makePermanentString(at, length);
  const mark = textMark();
  appendUnescaped(at, length);
  const value = makePermanentString(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return value;
}

/** Appends the text that a piece of a "…" string stands for. */
export function appendUnescaped(at: Address, length: u32): void {
  const to = textReserve(length);
  const end = at + length;
  let written: u32 = 0;
  let i = at;
  while (i < end) {
    let byte = <u32>load<u8>(i++);
    if (byte == 0x5c && i < end) byte = unescaped(load<u8>(i++));
    else if (byte == 0x0d) {
      byte = 0x0a;
      if (i < end && load<u8>(i) == 0x0a) i++;
    }
    store<u8>(to + written, <u8>byte);
    written++;
  }
  textAdvance(written);
}

/** Appends what was written since `mark` once more and drops the original, with U+2400 for NUL bytes. */
export function makeNulsVisible(mark: u32): void {
  const length = textLengthFrom(mark);
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(textStart(mark) + i);
    if (byte != 0) appendByte(byte);
    else {
      appendByte(0xe2);
      appendByte(0x90);
      appendByte(0x80);
    }
  }
  const visible = textLengthFrom(mark) - length;
  memory.copy(textStart(mark), textStart(mark) + length, visible);
  textRewind(mark + visible);
}

/** Whether a piece holds a backslash or a CR. */
export function needsUnescaping(at: Address, length: u32): bool {
  const end = at + length;
  for (let i = at; i < end; i++) {
    const byte = <u32>load<u8>(i);
    if (byte == 0x5c || byte == 0x0d) return true;
  }
  return false;
}
