// Files that belong to the evaluator itself: `<nix/fetchurl.nix>`. They have paths like others, below a directory that
// nobody has.

import { bytesEqualText } from "../memory/bytes";
import { appendText, textMark } from "../memory/text";
import { FETCHURL_SOURCE } from "../derivation/fetchurl-nix";
import { makeString, stringBytes, stringIs, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";

const DIRECTORY: string = "/__corepkgs__/";

/** Appends the directory of these files, with a slash at the end. */
export function appendCoreDirectory(): void {
  appendText(DIRECTORY);
}

/** Whether a PATH is one of these files. */
export function isCoreFile(path: Value): bool {
  const length = <u32>DIRECTORY.length;
  if (stringLength(path) <= length || !bytesEqualText(stringBytes(path), length, DIRECTORY)) return false;
  const name = makeString(stringBytes(path) + length, stringLength(path) - length);
  return stringIs(name, "fetchurl.nix");
}

/** The contents of the file at `path`, for which `isCoreFile`. */
export function coreFileContents(path: Value): Value {
  const mark = textMark();
  appendText(FETCHURL_SOURCE);
  return takeTextAsString(mark);
}
