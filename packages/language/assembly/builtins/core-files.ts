// Files that belong to the evaluator itself: `<nix/fetchurl.nix>` (values/core-path.ts).

import { appendText, textMark } from "../memory/text";
import { FETCHURL_SOURCE } from "../derivation/fetchurl-nix";
import { isCorePath, isCorePathOf } from "../values/core-path";
import { takeTextAsString } from "../values/string";
import { Value } from "../values/value";

/** Whether a PATH is one of these files. */
export function isCoreFile(path: Value): bool {
  return isCorePath(path) && isCorePathOf(path, "fetchurl.nix");
}

/** The contents of the file at `path`, for which `isCoreFile`. */
export function coreFileContents(path: Value): Value {
  const mark = textMark();
  appendText(FETCHURL_SOURCE);
  return takeTextAsString(mark);
}
