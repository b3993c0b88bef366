// The warning for `f or`: `or` as a variable, which a future grammar will read otherwise.

import { appendBytes, appendText, textMark } from "../memory/text";
import { addressOfPosition } from "./lexer";
import { reportWarning } from "./syntax-errors";

/** Warns of the expression between two positions. The position is shown in front of the message. */
export function warnOfCursedOr(begin: u32, end: u32): void {
  const mark = textMark();
  appendText("This expression uses `or` as an identifier in a way that will change in a future Nix release.\n");
  appendText("Wrap this entire expression in parentheses to preserve its current meaning:\n    (");
  appendBytes(addressOfPosition(begin), end - begin);
  appendText(")\nGive feedback at https://github.com/NixOS/nix/pull/11121");
  reportWarning(begin, mark, begin);
}
