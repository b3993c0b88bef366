// What messages call the type of a value, and the message that says that a value has the wrong one.

import { appendByte, appendBytes, appendText } from "../memory/text";
import { symbolName } from "../symbols/symbols";
import { Primop } from "../machine/native";
import { ERROR_TYPE, beginError, raiseError } from "../errors/raise";
import { partialBuiltin } from "../values/function";
import { appendErrorValue } from "../values/print";
import { stringBytes, stringContext, stringLength } from "../values/string";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_NULL,
  KIND_PARTIAL,
  KIND_PATH,
  KIND_PRIMOP,
  KIND_STRING,
  TAG_APPLY,
  TAG_ENTERED,
  TAG_MASK,
  Value,
  headerOf,
  isWhnf,
  kindOf,
  resolve,
} from "../values/value";

/** Appends what a value is, with its article: "a set", "the built-in function 'map'", "a string with context". */
export function appendTypeName(slot: Value): void {
  const value = resolve(slot);
  if (!isWhnf(value)) return appendText(thunkName(value));
  const kind = kindOf(value);
  if (kind == KIND_PRIMOP) return appendBuiltinName("the built-in function '", value);
  if (kind == KIND_PARTIAL) {
    return appendBuiltinName("the partially applied built-in function '", partialBuiltin(value));
  }
  if (kind == KIND_STRING && stringContext(value) != 0) return appendText("a string with context");
  appendText(kindName(kind));
}

/** Raises "expected WHAT but found …" about a value of the wrong type. Does not return. */
export function raiseTypeMismatch(value: Value, what: string, position: u32 = 0): void {
  beginError(ERROR_TYPE);
  appendText("expected ");
  appendText(what);
  appendText(" but found ");
  appendTypeName(value);
  appendText(": ");
  appendErrorValue(value);
  raiseError(position);
}

/** The name of a kind, with its article. */
export function kindName(kind: u32): string {
  switch (kind) {
    case KIND_NULL:
      return "null";
    case KIND_BOOL:
      return "a Boolean";
    case KIND_INT:
      return "an integer";
    case KIND_FLOAT:
      return "a float";
    case KIND_STRING:
      return "a string";
    case KIND_PATH:
      return "a path";
    case KIND_LIST:
      return "a list";
    case KIND_ATTRS:
      return "a set";
    case KIND_LAMBDA:
    case KIND_PRIMOP:
    case KIND_PARTIAL:
      return "a function";
    default:
      return "an unknown value";
  }
}

function thunkName(value: Value): string {
  const tag = headerOf(value) & TAG_MASK;
  return tag == TAG_ENTERED ? "a black hole" : tag == TAG_APPLY ? "a function application" : "a thunk";
}

function appendBuiltinName(before: string, builtin: Value): void {
  const name = symbolName(changetype<Primop>(builtin).name);
  appendText(before);
  appendBytes(stringBytes(name), stringLength(name));
  appendByte(0x27);
}

/** Raises the error of calling what is no function. */
export function raiseNoFunction(callee: Value, position: u32): void {
  beginError(ERROR_TYPE);
  appendText("attempt to call something which is not a function but ");
  appendTypeName(callee);
  appendText(": ");
  appendErrorValue(callee);
  raiseError(position);
}
