// Strings of Nix cannot hold a NUL: the error about one that a text spells with an escape.

import { Address } from "../memory/chunks";
import { appendByte, appendText } from "../memory/text";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";

export function hasNul(bytes: Address, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(bytes + i) == 0) return true;
  return false;
}

/** Raises the error about `bytes`, which must not be in the text buffer. Does not return. */
export function raiseNulError(bytes: Address, length: u32, prefix: string): void {
  beginError(ERROR_EVAL);
  appendText(prefix);
  appendText("input string '");
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(bytes + i);
    if (byte != 0) {
      appendByte(byte);
      continue;
    }
    // U+2400, the picture of a NUL.
    appendByte(0xe2);
    appendByte(0x90);
    appendByte(0x80);
  }
  appendText("' cannot be represented as Nix string because it contains null bytes");
  raiseError();
}
