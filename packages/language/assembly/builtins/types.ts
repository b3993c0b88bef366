// Builtins that tell what a value is, and what arguments a function takes.

import { Block, formalAt, formalHasDefault, formalPosition, formalSymbol, formalsCount } from "../compile/code";
import { internText, symbolName } from "../symbols/symbols";
import { makeAttrs, makeKeys, setAttrValue, setKey } from "../values/attrs";
import { EMPTY_ATTRS, makeBool } from "../values/constants";
import { lambdaBlock } from "../values/function";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_NULL,
  KIND_PATH,
  KIND_STRING,
  Value,
  isFunction,
  kindOf,
} from "../values/value";
import { ERROR_TYPE, fail } from "../errors/raise";
import { FUNCTION_ARGUMENTS, findDerived, rememberDerived } from "../operations/derived-cache";
import { Frame, STRICT, arg, args1 } from "../machine/native";
import { define } from "./registry";

export function defineTypeBuiltins(): void {
  const strict = args1(STRICT);
  define("typeOf", 1, strict, 0, typeOf);
  define("isNull", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_NULL));
  define("isBool", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_BOOL));
  define("isInt", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_INT));
  define("isFloat", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_FLOAT));
  define("isString", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_STRING));
  define("isPath", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_PATH));
  define("isList", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_LIST));
  define("isAttrs", 1, strict, 0, (f) => makeBool(kindOf(arg(f, 0)) == KIND_ATTRS));
  define("isFunction", 1, strict, 0, (f) => makeBool(isFunction(arg(f, 0))));
  define("functionArgs", 1, strict, 0, functionArgs);
}

/** The names of types are the strings of symbols: they are made once. */
function typeOf(f: Frame): Value {
  return symbolName(internText(typeName(kindOf(arg(f, 0)))));
}

function typeName(kind: u32): string {
  switch (kind) {
    case KIND_NULL:
      return "null";
    case KIND_BOOL:
      return "bool";
    case KIND_INT:
      return "int";
    case KIND_FLOAT:
      return "float";
    case KIND_STRING:
      return "string";
    case KIND_PATH:
      return "path";
    case KIND_LIST:
      return "list";
    case KIND_ATTRS:
      return "set";
    default:
      return "lambda";
  }
}

/** For each formal whether it has a default. The answer is the same for all closures of one lambda, and remembered. */
function functionArgs(f: Frame): Value {
  const value = arg(f, 0);
  if (!isFunction(value)) fail(ERROR_TYPE, "'functionArgs' requires a function");
  if (kindOf(value) != KIND_LAMBDA) return EMPTY_ATTRS;
  const formals = changetype<Block>(lambdaBlock(value)).formals;
  if (formals == 0) return EMPTY_ATTRS;
  const count = formalsCount(formals);
  const known = findDerived(<u32>formals, FUNCTION_ARGUMENTS, count);
  if (known != 0) return known;
  const keys = makeKeys(count);
  const attrs = makeAttrs(keys);
  for (let i: u32 = 0; i < count; i++) {
    const formal = formalAt(formals, i);
    setKey(keys, i, formalSymbol(formal), formalPosition(formal));
    setAttrValue(attrs, i, makeBool(formalHasDefault(formal)));
  }
  rememberDerived(<u32>formals, FUNCTION_ARGUMENTS, count, attrs);
  return attrs;
}
