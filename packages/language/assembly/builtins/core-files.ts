// Files that belong to the evaluator itself: `<nix/fetchurl.nix>` (values/core-path.ts).

import { FETCHURL_SOURCE } from "../derivation/fetchurl-nix";
import { isCorePath, isCorePathOf } from "../values/core-path";
import { stringOfText } from "../values/string";
import { Value } from "../values/value";

/** Whether a PATH is one of these files. */
export function isCoreFile(path: Value): bool {
  return isCorePath(path) && isCorePathOf(path, "fetchurl.nix");
}

/** The contents of the file at `path`, for which `isCoreFile`. */
export function coreFileContents(path: Value): Value {
  return stringOfText(FETCHURL_SOURCE);
}
