// `derivation`: a function written in Nix around `derivationStrict`. It is compiled when the module is initialized.

import { appendText, textMark } from "../memory/text";
import { opcodeOf, OP_LAMBDA } from "../compile/code";
import { loadSource } from "../compile/load";
import { setInternalPositions } from "../errors/unwind";
import { ORIGIN_INTERNAL, sourceAt, sourceCount } from "../syntax/positions";
import { makeLambda } from "../values/function";
import { makePermanentPath, makePermanentString, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { defineConstant } from "./registry";
import { DERIVATION_SOURCE } from "../derivation/derivation-nix";

let derivation: Value = 0;

/** Makes `derivation` known; `loadDerivation` gives it its code. */
export function defineDerivation(): void {
  derivation = makeLambda(0, 0);
  defineConstant("derivation", derivation);
}

/** Compiles `derivation`, which may use all builtins. */
export function loadDerivation(): void {
  // The text buffer may move while the source is compiled.
  const mark = textMark();
  appendText(DERIVATION_SOURCE);
  const string = takeTextAsString(mark);
  const root = makePermanentPath(stringBytes(string), 0);
  const text = makePermanentString(stringBytes(string), stringLength(string));
  const code = loadSource(stringBytes(string), stringLength(string), ORIGIN_INTERNAL, text, root, 0);
  const source = sourceAt(sourceCount() - 1);
  setInternalPositions(source.start, source.start + source.length + 1);
  assert(opcodeOf(load<u32>(code)) == OP_LAMBDA, "the source of derivation is a function");
  store<u32>(derivation, load<u32>(code, 4), 4);
}
