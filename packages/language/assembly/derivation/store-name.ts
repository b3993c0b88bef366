// What is wrong with the name of a store path (operations/store-path.ts says whether it is right), in Nix's words.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { isStoreName } from "../operations/store-path";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const MAXIMUM_NAME_LENGTH: u32 = 211;
const DOT: u32 = 0x2e;
const DASH: u32 = 0x2d;

/** Whether a STRING may be the name of a store path. */
@inline
export function isValidStoreName(name: Value): bool {
  return isStoreName(stringBytes(name), stringLength(name));
}

/** Appends what is wrong with a name that is not valid. */
export function appendNameComplaint(name: Value): void {
  const bytes = stringBytes(name);
  const length = stringLength(name);
  if (length == 0) return appendText("name must not be empty");
  appendText("name '");
  appendBytes(bytes, length);
  if (length > MAXIMUM_NAME_LENGTH) {
    appendText("' must be no longer than ");
    appendInteger(<i64>MAXIMUM_NAME_LENGTH);
    return appendText(" characters");
  }
  const dots = leadingDots(bytes, length);
  if (dots != 0 && length == dots) return appendText("' is not valid");
  if (dots != 0 && <u32>load<u8>(bytes + dots) == DASH) {
    appendText("' is not valid: first dash-separated component must not be '");
    appendBytes(bytes, dots);
    return appendByte(0x27);
  }
  appendText("' contains illegal character '");
  appendByte(firstIllegalByte(bytes, length));
  appendByte(0x27);
}

/** The dots that a name begins with, two at most. */
function leadingDots(bytes: Address, length: u32): u32 {
  if (<u32>load<u8>(bytes) != DOT) return 0;
  return length > 1 && <u32>load<u8>(bytes + 1) == DOT ? 2 : 1;
}

function firstIllegalByte(bytes: Address, length: u32): u32 {
  let i: u32 = 0;
  while (i < length && isNameByte(<u32>load<u8>(bytes + i))) i++;
  return i < length ? <u32>load<u8>(bytes + i) : 0x3f;
}

function isNameByte(byte: u32): bool {
  if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) return true;
  if (byte >= 0x30 && byte <= 0x39) return true;
  return byte == 0x2b || byte == DASH || byte == DOT || byte == 0x3f || byte == 0x3d || byte == 0x5f;
}
