// Calling a builtin: its arguments are forced and checked as it declares, then its handler runs.

import { SYMBOL_FUNCTOR } from "../symbols/known";
import { raiseTypeMismatch } from "../operations/type-names";
import { findAttr } from "../values/attrs";
import { isFloat, isInt } from "../values/number";
import { stringContext } from "../values/string";
import { KIND_BOOL, Value, isAttrs, isFunction, isKind, isList, isString, isWhnf, resolve } from "../values/value";
import { symbolName } from "../symbols/symbols";
import {
  ATTRS,
  BOOL,
  FLOAT,
  FUNCTION,
  Frame,
  INT,
  LAZY,
  LIST,
  PLAIN_STRING,
  Primop,
  STRICT,
  STRING,
  arg,
  primopOf,
  setArg,
  setContext,
  setContextAt,
} from "./native";
import { raiseContextNotAllowed } from "../operations/context-error";

/** The thunk that `prepareArguments` met, or 0. */
export let unforcedArgument: Value = 0;

/**
 * Checks the arguments from the first on. False when one has to be forced first (`unforcedArgument`): then it is to be
 * called again.
 */
export function prepareArguments(f: Frame, primop: Primop): bool {
  let specs = primop.specs;
  let index: u32 = 0;
  while (specs != 0) {
    const spec = specs & 15;
    if (spec != LAZY) {
      const value = resolve(arg(f, index));
      if (!isWhnf(value)) {
        unforcedArgument = value;
        return false;
      }
      setArg(f, index, value);
      if (spec != STRICT && !fits(spec, value)) raiseArgumentMismatch(f, primop, index, spec, value);
    }
    specs >>>= 4;
    index++;
  }
  return true;
}

/** The argument that `prepareArguments` wants forced, as an index. */
export function pendingArgument(f: Frame, primop: Primop): u32 {
  let specs = primop.specs;
  let index: u32 = 0;
  while (specs != 0) {
    if ((specs & 15) != LAZY && !isWhnf(resolve(arg(f, index)))) break;
    specs >>>= 4;
    index++;
  }
  return index;
}

@inline
function fits(spec: u32, value: Value): bool {
  switch (spec) {
    case INT:
      return isInt(value);
    case BOOL:
      return isKind(value, KIND_BOOL);
    case STRING:
      return isString(value);
    case PLAIN_STRING:
      return isString(value) && stringContext(value) == 0;
    case LIST:
      return isList(value);
    case ATTRS:
      return isAttrs(value);
    case FLOAT:
      return isInt(value) || isFloat(value);
    default:
      return isFunction(value) || (isAttrs(value) && findAttr(value, SYMBOL_FUNCTOR) != 0);
  }
}

/** Makes the context of a frame what it says of its argument `index`. */
export function setArgumentContext(f: Frame, primop: Primop, index: u32): void {
  const own = primop.contexts == 0 ? 0 : load<u32>(primop.contexts + (index << 2));
  if (own != 0) {
    setContextAt(f, own);
    return;
  }
  const name = symbolName(primop.name);
  if (index == 0) setContext(f, "while evaluating the first argument passed to builtins.%1%", name);
  else if (index == 1) setContext(f, "while evaluating the second argument passed to builtins.%1%", name);
  else setContext(f, "while evaluating the third argument passed to builtins.%1%", name);
}

function raiseArgumentMismatch(f: Frame, primop: Primop, index: u32, spec: u32, value: Value): void {
  setArgumentContext(f, primopOf(f), index);
  if (spec == PLAIN_STRING && isString(value)) raiseContextNotAllowed(value);
  raiseTypeMismatch(value, wantedType(spec));
}

function wantedType(spec: u32): string {
  switch (spec) {
    case INT:
      return "an integer";
    case BOOL:
      return "a Boolean";
    case LIST:
      return "a list";
    case ATTRS:
      return "a set";
    case FLOAT:
      return "a float";
    case FUNCTION:
      return "a function";
    default:
      return "a string";
  }
}
