// The directory of the files that belong to the evaluator itself. Programs write such a path `<nix/fetchurl.nix>`, and so
// it is printed; inside it is a path like others, below a directory that nobody has.

import { bytesEqualText } from "../memory/bytes";
import { appendBytes, appendText } from "../memory/text";
import { stringBytes, stringIs, stringLength, makeString } from "./string";
import { Value } from "./value";

const DIRECTORY: string = "/__corepkgs__/";

/** Appends the directory, with a slash at the end. */
export function appendCoreDirectory(): void {
  appendText(DIRECTORY);
}

/** Whether a PATH lies in the directory. */
export function isCorePath(path: Value): bool {
  const length = <u32>DIRECTORY.length;
  return stringLength(path) > length && bytesEqualText(stringBytes(path), length, DIRECTORY);
}

/** Whether a PATH for which `isCorePath` is that of the file `name`. */
export function isCorePathOf(path: Value, name: string): bool {
  const length = <u32>DIRECTORY.length;
  return stringIs(makeString(stringBytes(path) + length, stringLength(path) - length), name);
}

/** Appends a PATH for which `isCorePath` as programs write it. */
export function appendCorePath(path: Value): void {
  const length = <u32>DIRECTORY.length;
  appendText("<nix/");
  appendBytes(stringBytes(path) + length, stringLength(path) - length);
  appendText(">");
}
