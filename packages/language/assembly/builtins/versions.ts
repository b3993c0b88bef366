// Builtins on versions: parseDrvName, compareVersions, splitVersion (operations/versions.ts has the rules).

import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { makeList, setListItem } from "../values/list";
import { makeInt } from "../values/number";
import { makeString, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";
import { SYMBOL_NAME, SYMBOL_VERSION } from "../symbols/known";
import { Frame, PLAIN_STRING, arg, args1, args2 } from "../machine/native";
import { compareVersions, componentEnd, componentStart, nextComponent, versionDash } from "../operations/versions";
import { define } from "./registry";

export function defineVersionBuiltins(): void {
  define("parseDrvName", 1, args1(PLAIN_STRING), 0, parseDrvName);
  define("compareVersions", 2, args2(PLAIN_STRING, PLAIN_STRING), 0, compare);
  define("splitVersion", 1, args1(PLAIN_STRING), 0, splitVersion);
}

function parseDrvName(f: Frame): Value {
  const string = arg(f, 0);
  const bytes = stringBytes(string);
  const length = stringLength(string);
  const dash = versionDash(bytes, length);
  const version = dash < length ? dash + 1 : length;
  const mark = beginAttrs();
  addAttr(SYMBOL_NAME, makeString(bytes, dash));
  addAttr(SYMBOL_VERSION, makeString(bytes + version, length - version));
  return endAttrs(mark);
}

function compare(f: Frame): Value {
  const a = arg(f, 0);
  const b = arg(f, 1);
  return makeInt(<i64>compareVersions(stringBytes(a), stringLength(a), stringBytes(b), stringLength(b)));
}

function splitVersion(f: Frame): Value {
  const string = arg(f, 0);
  const bytes = stringBytes(string);
  const length = stringLength(string);
  const components = makeList(countComponents(string));
  let index: u32 = 0;
  let at: u32 = 0;
  while (true) {
    nextComponent(bytes, length, at);
    if (componentStart == componentEnd) return components;
    setListItem(components, index++, makeString(bytes + componentStart, componentEnd - componentStart));
    at = componentEnd;
  }
}

function countComponents(string: Value): u32 {
  let count: u32 = 0;
  let at: u32 = 0;
  while (true) {
    nextComponent(stringBytes(string), stringLength(string), at);
    if (componentStart == componentEnd) return count;
    count++;
    at = componentEnd;
  }
}
