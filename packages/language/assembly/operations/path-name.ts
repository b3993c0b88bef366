// The names of paths: normalising, and taking them apart. Paths are bytes; "/" separates, and nothing is looked up.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { makePath, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";

const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;

/**
 * Appends the normal form of an absolute path to the text buffer: "." and empty components are left out, ".." takes the
 * component before it away, and there is no slash at the end but that of "/" itself. A missing first slash is supplied.
 * `path` may lie in the text buffer only if there is room for its length again.
 */
export function appendCanonicalPath(path: Address, length: u32): void {
  const mark = textMark();
  let i: u32 = 0;
  while (i < length) {
    while (i < length && <u32>load<u8>(path + i) == SLASH) i++;
    const start = i;
    while (i < length && <u32>load<u8>(path + i) != SLASH) i++;
    const size = i - start;
    if (size == 0 || isDot(path + start, size)) continue;
    if (isDotDot(path + start, size)) dropComponent(mark);
    else {
      appendByte(SLASH);
      appendBytes(path + start, size);
    }
  }
  if (textLengthFrom(mark) == 0) appendByte(SLASH);
}

/** A PATH from the bytes of an absolute path, normalised. */
export function makeCanonicalPath(path: Address, length: u32): Value {
  const mark = textMark();
  appendCanonicalPath(path, length);
  const result = makePath(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return result;
}

/** Whether the bytes are a normal form already. */
export function isCanonicalPath(path: Address, length: u32): bool {
  if (length == 0 || <u32>load<u8>(path) != SLASH) return false;
  if (length == 1) return true;
  let i: u32 = 0;
  while (i < length) {
    const start = ++i;
    while (i < length && <u32>load<u8>(path + i) != SLASH) i++;
    const size = i - start;
    if (size == 0 || isDot(path + start, size) || isDotDot(path + start, size)) return false;
  }
  return true;
}

/** The offset of the last component of a path: what follows the last slash. */
export function baseNameOffset(path: Address, length: u32): u32 {
  let i = length;
  while (i > 0 && <u32>load<u8>(path + i - 1) != SLASH) i--;
  return i;
}

/** The length of what is before the last slash of a normal form: "/" for what lies in it, and for "/" itself. */
export function parentLength(path: Address, length: u32): u32 {
  const offset = baseNameOffset(path, length);
  return offset <= 1 ? 1 : offset - 1;
}

/** Whether a PATH or STRING ends in ".drv". */
export function isDerivationName(name: Value): bool {
  const length = stringLength(name);
  if (length < 4) return false;
  const end = stringBytes(name) + length - 4;
  return load<u8>(end) == 0x2e && load<u8>(end + 1) == 0x64 && load<u8>(end + 2) == 0x72 && load<u8>(end + 3) == 0x76;
}

@inline
function isDot(component: Address, length: u32): bool {
  return length == 1 && <u32>load<u8>(component) == DOT;
}

@inline
function isDotDot(component: Address, length: u32): bool {
  return length == 2 && <u32>load<u8>(component) == DOT && <u32>load<u8>(component + 1) == DOT;
}

/** Takes the last component of what was written since `mark` away. */
function dropComponent(mark: u32): void {
  let length = textLengthFrom(mark);
  const start = textStart(mark);
  while (length > 0 && <u32>load<u8>(start + length - 1) != SLASH) length--;
  textRewind(length == 0 ? mark : mark + length - 1);
}
