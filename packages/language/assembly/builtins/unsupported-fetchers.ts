// Builtins for what Neve does not have yet: flakes and closures. They check their arguments as Nix does, and then say so, and
// what does instead.
// Those of an experimental feature exist only when it is enabled; those of flakes always do, and fail while it is not.

import {
  FEATURE_DYNAMIC_DERIVATIONS,
  FEATURE_FETCH_CLOSURE,
  FEATURE_FLAKES,
  isFeatureEnabled,
  requireFeature,
} from "../derivation/settings";
import { ERROR_EVAL, beginError, errorString, fail, raiseError } from "../errors/raise";
import { ATTRS, Frame, LAZY, PLAIN_STRING, STRICT, arg, args1, args2, describeArgument, primopOf } from "../machine/native";
import { appendText } from "../memory/text";
import { symbolName } from "../symbols/symbols";
import { Value, isString, isWhnf, resolve } from "../values/value";
import { define } from "./registry";

export function defineUnsupportedFetchers(): void {
  if (isFeatureEnabled(FEATURE_FETCH_CLOSURE)) define("fetchClosure", 1, args1(STRICT), 0, fetchClosure);
  let builtin = define("getFlake", 1, args1(PLAIN_STRING), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.getFlake");
  builtin = define("parseFlakeRef", 1, args1(PLAIN_STRING), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.parseFlakeRef");
  builtin = define("flakeRefToString", 1, args1(ATTRS), 0, useFlake);
  describeArgument(builtin, 0, "while evaluating the argument passed to builtins.flakeRefToString");
  if (isFeatureEnabled(FEATURE_DYNAMIC_DERIVATIONS)) define("outputOf", 2, args2(LAZY, LAZY), 0, outputOf);
}

function useFlake(f: Frame): Value {
  requireFeature(FEATURE_FLAKES);
  beginRefusal(f, "use flakes");
  const argument = resolve(arg(f, 0));
  if (isWhnf(argument) && isString(argument)) {
    appendText(" of '");
    errorString(argument);
    appendText("'");
  }
  appendText("; import a file of what builtins.fetchGit or builtins.fetchTarball gives");
  raiseError();
  return 0;
}

function fetchClosure(f: Frame): Value {
  beginRefusal(f, "fetch closures");
  appendText("; have it copied before, and use builtins.storePath");
  raiseError();
  return 0;
}

function beginRefusal(f: Frame, what: string): void {
  beginError(ERROR_EVAL);
  appendText("Neve cannot ");
  appendText(what);
  appendText(" yet: builtins.");
  errorString(symbolName(primopOf(f).name));
}

function outputOf(f: Frame): Value {
  fail(ERROR_EVAL, "Neve cannot refer to outputs of derivations that are built first yet: builtins.outputOf");
  return 0;
}
