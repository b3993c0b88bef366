// The global scope: what every program sees without a binding. A builtin `x` is global as `__x`, a few as plain `x`.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { Symbol, internBytes, internText, symbolName } from "../symbols/symbols";
import { definedCount, definedName, definedValue } from "../builtins/registry";
import { attrsCellSize, makePermanentKeys, setAttrValue, setKey } from "../values/attrs";
import { stringBytes, stringLength } from "../values/string";
import { KIND_ATTRS, Value, cellHeader } from "../values/value";

/** Globals by symbol: symbols interned after them have no entry. */
let globals: Address = 0;
let limit: Symbol = 0;
const CAPACITY: u32 = 4096;

/** `builtins` itself. */
export let builtinsValue: Value = 0;

/** Makes `builtins` and the global scope of what the registry holds. Once, when everything is defined. */
export function initializeGlobals(): void {
  globals = allocatePermanent(CAPACITY << 2);
  limit = CAPACITY;
  const count = definedCount();
  for (let i: u32 = 0; i < count; i++) {
    const name = definedName(i);
    setGlobal(isUnprefixed(name) ? name : prefixed(name), definedValue(i));
  }
  builtinsValue = makeBuiltins();
  setGlobal(internText("builtins"), builtinsValue);
}

/** The value of a global name, or 0. */
@inline
export function findGlobal(name: Symbol): Value {
  return name < limit ? decompress(load<u32>(globals + (name << 2))) : 0;
}

function setGlobal(name: Symbol, value: Value): void {
  assert(name < CAPACITY, "globals are interned early");
  store<u32>(globals + (name << 2), compress(value));
}

function prefixed(name: Symbol): Symbol {
  const mark = textMark();
  appendText("__");
  appendBytes(stringBytes(symbolName(name)), stringLength(symbolName(name)));
  const symbol = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return symbol;
}

function isUnprefixed(name: Symbol): bool {
  return (
    name == internText("abort") ||
    name == internText("baseNameOf") ||
    name == internText("break") ||
    name == internText("derivation") ||
    name == internText("derivationStrict") ||
    name == internText("dirOf") ||
    name == internText("false") ||
    name == internText("fetchGit") ||
    name == internText("fetchMercurial") ||
    name == internText("fetchTarball") ||
    name == internText("fetchTree") ||
    name == internText("fromTOML") ||
    name == internText("import") ||
    name == internText("isNull") ||
    name == internText("map") ||
    name == internText("null") ||
    name == internText("placeholder") ||
    name == internText("removeAttrs") ||
    name == internText("scopedImport") ||
    name == internText("throw") ||
    name == internText("toString") ||
    name == internText("true")
  );
}

/** A permanent set of everything in the registry and of itself, sorted by symbol. */
function makeBuiltins(): Value {
  const count = definedCount() + 1;
  const keys = makePermanentKeys(count);
  const attrs = allocatePermanent(attrsCellSize(count));
  store<u32>(attrs, cellHeader(KIND_ATTRS));
  store<u32>(attrs, <u32>keys, 4);
  const self = internText("builtins");
  let last: Symbol = 0;
  for (let i: u32 = 0; i < count; i++) {
    let next: Symbol = u32.MAX_VALUE;
    let value: Value = 0;
    for (let j: u32 = 0; j < count; j++) {
      const isSelf = j + 1 == count;
      const name = isSelf ? self : definedName(j);
      if (name <= last || name >= next) continue;
      next = name;
      value = isSelf ? attrs : definedValue(j);
    }
    setKey(keys, i, next, 0);
    setAttrValue(attrs, i, value);
    last = next;
  }
  return attrs;
}
