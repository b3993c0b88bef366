// Where the pieces of a text end: pure functions from an address to an address, for the lexer. None reads at or beyond
// `limit`.

import { Address } from "../memory/chunks";
import { PATH_CHAR, isClass } from "./characters";

/** Whether the last piece of a string had a NUL byte, which no string may have. */
export let pieceHasNul = false;

/**
 * The end of a piece of a "…" string: the next quote or `${`. A backslash or a dollar sign takes the byte after it
 * along; alone before the end of the text they are not part of the piece.
 */
export function endOfString(at: Address, limit: Address): Address {
  let i = at;
  pieceHasNul = false;
  while (i < limit) {
    const byte = <u32>load<u8>(i);
    if (byte == 0x22) break;
    if (byte == 0x5c) {
      if (i + 1 == limit) break;
      i++;
      if (load<u8>(i) == 0) pieceHasNul = true;
    } else if (byte == 0x24) {
      if (i + 1 == limit) break;
      const next = <u32>load<u8>(i + 1);
      if (next == 0x7b) break;
      if (next == 0x5c) {
        if (i + 2 == limit) break;
      } else if (next != 0x22) {
        i++;
        if (next == 0) pieceHasNul = true;
      }
    } else if (byte == 0) pieceHasNul = true;
    i++;
  }
  return i;
}

/**
 * The end of a piece of a ''…'' string: the next `''`, `${` or anything special. A quote takes the byte after it along
 * unless that is a quote or a dollar sign, a dollar sign unless it is a quote or a brace.
 */
export function endOfIndented(at: Address, limit: Address): Address {
  let i = at;
  pieceHasNul = false;
  while (i < limit) {
    const byte = <u32>load<u8>(i);
    if (byte == 0x24 || byte == 0x27) {
      if (i + 1 == limit) break;
      const next = <u32>load<u8>(i + 1);
      if (next == 0x27 || next == (byte == 0x24 ? 0x7b : 0x24)) break;
      if (next == 0) pieceHasNul = true;
      i++;
    } else if (byte == 0) pieceHasNul = true;
    i++;
  }
  return i;
}

/** The end of a run of path characters. */
export function pathRunEnd(at: Address, limit: Address): Address {
  let i = at;
  while (i < limit && isClass(load<u8>(i), PATH_CHAR)) i++;
  return i;
}

/** Whether a slash and a path character are at `at`. */
export function isPathSegment(at: Address, limit: Address): bool {
  return at + 1 < limit && load<u8>(at) == 0x2f && isClass(load<u8>(at + 1), PATH_CHAR);
}

/** The end of the segments of a path that begin at `at`, with at most one slash after the last. */
export function pathSegmentsEnd(at: Address, limit: Address): Address {
  let i = at;
  while (isPathSegment(i, limit)) i = pathRunEnd(i + 1, limit);
  if (i > at && i < limit && load<u8>(i) == 0x2f) i++;
  return i;
}

/** The end of `<a/b>`, or 0. `at` is behind the `<`. */
export function searchPathEnd(at: Address, limit: Address): Address {
  let i = pathRunEnd(at, limit);
  if (i == at) return 0;
  while (isPathSegment(i, limit)) i = pathRunEnd(i + 1, limit);
  return i < limit && load<u8>(i) == 0x3e ? i + 1 : 0;
}

/** Behind the end of a long comment whose text begins at `at`, or 0 if it does not end. */
export function commentEnd(at: Address, limit: Address): Address {
  let i = at;
  while (i + 1 < limit) {
    if (load<u8>(i) == 0x2a && load<u8>(i + 1) == 0x2f) return i + 2;
    i++;
  }
  return 0;
}

/** The end of a line, at its CR or LF. */
export function lineEnd(at: Address, limit: Address): Address {
  let i = at;
  while (i < limit && load<u8>(i) != 0x0a && load<u8>(i) != 0x0d) i++;
  return i;
}

/** Whether `${` is at `at`. */
export function isInterpolation(at: Address, limit: Address): bool {
  return at + 1 < limit && load<u8>(at) == 0x24 && load<u8>(at + 1) == 0x7b;
}
