// Diagnostics that a user can turn into warnings or errors: literals that are better written otherwise.

import { Address } from "../memory/chunks";
import { appendBytes, appendText, textMark } from "../memory/text";
import { LINT_FATAL, LINT_IGNORE, lintAbsolutePathLiterals, lintShortPathLiterals, lintUrlLiterals } from "./settings";
import { reportError, reportWarning } from "./syntax-errors";

export function lintUrl(at: Address, length: u32, position: u32): void {
  if (lintUrlLiterals == LINT_IGNORE) return;
  const mark = textMark();
  appendText("URL literals are ");
  appendText(lintUrlLiterals == LINT_FATAL ? "disallowed" : "discouraged");
  appendText(". Consider using a string literal \"");
  appendBytes(at, length);
  appendText("\" instead");
  finish(mark, position, lintUrlLiterals, "lint-url-literals");
}

export function lintAbsolutePath(at: Address, length: u32, position: u32, home: bool): void {
  if (lintAbsolutePathLiterals == LINT_IGNORE) return;
  const mark = textMark();
  appendText(home ? "home" : "absolute");
  appendText(" path literals are not portable. Consider replacing path literal '");
  appendBytes(at, length);
  appendText("' by a string, relative path, or parameter");
  finish(mark, position, lintAbsolutePathLiterals, "lint-absolute-path-literals");
}

/** A relative path should begin with a point. */
export function lintShortPath(at: Address, length: u32, position: u32): void {
  if (lintShortPathLiterals == LINT_IGNORE || load<u8>(at) == 0x2e) return;
  const mark = textMark();
  appendText("relative path literal '");
  appendBytes(at, length);
  appendText("' should be prefixed with '.' for clarity: './");
  appendBytes(at, length);
  appendText("'");
  finish(mark, position, lintShortPathLiterals, "lint-short-path-literals");
}

function finish(mark: u32, position: u32, level: u32, setting: string): void {
  appendText(" (");
  appendText(setting);
  appendText(")");
  if (level == LINT_FATAL) reportError(position, mark);
  else reportWarning(position, mark);
}
