// Undefined variables are an error of the whole file, found before anything of it runs, even in code that never runs.

import { ERROR_UNDEFINED_VARIABLE, beginError, errorQuoted, raiseError } from "../errors/raise";
import { appendText } from "../memory/text";
import { resetArena } from "../memory/arena";
import { Symbol, symbolName } from "../symbols/symbols";

/** The first undefined variable of the file that is being compiled: its position, or 0. */
let undefinedPosition: u32 = 0;
let undefinedName: Symbol = 0;

/** Notes a variable that neither a scope nor a `with` can define. Of several the one Nix would report counts: the first in the text. */
export function noteUndefined(name: Symbol, position: u32): void {
  if (undefinedPosition != 0 && undefinedPosition <= position) return;
  undefinedPosition = position;
  undefinedName = name;
}

/** Raises the error about what was noted, if anything was. */
export function raiseNotedUndefined(): void {
  if (undefinedPosition == 0) return;
  const position = undefinedPosition;
  undefinedPosition = 0;
  resetArena();
  beginError(ERROR_UNDEFINED_VARIABLE);
  appendText("undefined variable ");
  errorQuoted(symbolName(undefinedName));
  raiseError(position);
}

/** For whoever looks at code without running it. */
export function forgetNotedUndefined(): void {
  undefinedPosition = 0;
}
