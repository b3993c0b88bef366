// Importing a derivation of the store: it becomes a set like that which `derivation` makes, of what its file says.

import { findDerivation, outputCount, recordOutput, recordOutputPath } from "../derivation/known-derivations";
import { parseDerivation, parsedVariable } from "../derivation/parse-aterm";
import { LEARN_PATH } from "../derivation/read-derivation";
import { REQUEST_FILE_TYPE, REQUEST_READ_FILE } from "../machine/host-request";
import {
  Frame,
  Primop,
  STRICT,
  arg,
  args1,
  awaitHost,
  awaitNative1,
  awaited,
  makePrimop,
  setStep,
  step,
} from "../machine/native";
import { appendText, textMark } from "../memory/text";
import { allOutputsElement } from "../operations/context-element";
import { isDerivationName } from "../operations/path-name";
import { isStorePath } from "../operations/store-path";
import { SYMBOL_ALL_OUTPUTS, SYMBOL_DRV_PATH, SYMBOL_NAME, SYMBOL_OUT_PATH, SYMBOL_TYPE } from "../symbols/known";
import { Symbol, internBytes, internText, symbolName } from "../symbols/symbols";
import { attrsCount, findKey, keysOf, makeAttrs, setAttrValue, attrValue } from "../values/attrs";
import { addAttr, beginAttrs, endAttrs } from "../values/attrs-builder";
import { EMPTY_STRING, NULL } from "../values/constants";
import { singletonContext } from "../values/context";
import { makeList, listItem, setListItem } from "../values/list";
import { makeString, makeStringWithContext, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { outputString } from "./derivations";

/** Internal: PATH → ATTRS, or NULL when there is no such derivation in the store. */
export let IMPORT_DERIVATION: Value = 0;
let symbolOutputName: Symbol = 0;

export function initializeDerivationImport(): void {
  IMPORT_DERIVATION = makePrimop("importDerivation", 1, args1(STRICT), 0, importDerivation);
  changetype<Primop>(IMPORT_DERIVATION).traced = 0;
  symbolOutputName = internText("outputName");
}

/** Whether a PATH is named like a derivation of the store. */
export function isDerivationFile(path: Value): bool {
  return isDerivationName(path) && isStorePath(stringBytes(path), stringLength(path));
}

const EXISTENCE_TOLD: u32 = 1;
const LEARNT: u32 = 2;
const READ: u32 = 3;

function importDerivation(f: Frame): Value {
  const path = arg(f, 0);
  switch (step(f)) {
    case 0:
      setStep(f, EXISTENCE_TOLD);
      return awaitHost(f, REQUEST_FILE_TYPE, path);
    case EXISTENCE_TOLD:
      if (awaited() == NULL) return NULL;
      setStep(f, LEARNT);
      return awaitNative1(f, LEARN_PATH, makeString(stringBytes(path), stringLength(path)));
    case LEARNT:
      setStep(f, READ);
      return awaitHost(f, REQUEST_READ_FILE, path);
    default:
      return valueOf(internBytes(stringBytes(path), stringLength(path)), awaited());
  }
}

function valueOf(path: Symbol, text: Value): Value {
  parseDerivation(text, path);
  const name = parsedVariable("name");
  const record = findDerivation(path);
  const count = outputCount(record);
  const all = makeList(count);
  const first = firstOutput(path, name == 0 ? EMPTY_STRING : name, all);
  setListItem(all, 0, first);
  for (let i: u32 = 1; i < count; i++) setListItem(all, i, copyOf(first));
  for (let i: u32 = 0; i < count; i++) standFor(listItem(all, i), all, path, i);
  return first;
}

/** A set of everything that an output's set has; what depends on the output is set afterwards. */
function firstOutput(path: Symbol, name: Value, all: Value): Value {
  const record = findDerivation(path);
  const text = symbolName(path);
  const mark = beginAttrs();
  addAttr(SYMBOL_OUT_PATH, NULL);
  addAttr(symbolOutputName, NULL);
  addAttr(SYMBOL_ALL_OUTPUTS, all);
  addAttr(SYMBOL_DRV_PATH, makeStringWithContext(stringBytes(text), stringLength(text), singletonContext(allOutputsElement(path))));
  addAttr(SYMBOL_NAME, name);
  addAttr(SYMBOL_TYPE, typeString());
  for (let i: u32 = 0; i < outputCount(record); i++) addAttr(recordOutput(record, i), NULL);
  return endAttrs(mark);
}

function typeString(): Value {
  const mark = textMark();
  appendText("derivation");
  return takeTextAsString(mark);
}

function copyOf(attrs: Value): Value {
  const copy = makeAttrs(keysOf(attrs));
  for (let i: u32 = 0; i < attrsCount(attrs); i++) setAttrValue(copy, i, attrValue(attrs, i));
  return copy;
}

/** Makes `attrs` stand for the output at `index`, and refer to the sets of all outputs. */
function standFor(attrs: Value, all: Value, path: Symbol, index: u32): void {
  const keys = keysOf(attrs);
  const record = findDerivation(path);
  for (let i: u32 = 0; i < outputCount(record); i++) {
    const at = <u32>findKey(keys, recordOutput(record, i));
    // An output named like one of the other attributes is hidden by it.
    if (attrValue(attrs, at) == NULL && !isOwnName(recordOutput(record, i))) setAttrValue(attrs, at, listItem(all, i));
  }
  const output = recordOutput(record, index);
  setAttrValue(attrs, <u32>findKey(keys, SYMBOL_OUT_PATH), outputString(path, output, recordOutputPath(record, index)));
  setAttrValue(attrs, <u32>findKey(keys, symbolOutputName), symbolName(output));
}

function isOwnName(output: Symbol): bool {
  return output == SYMBOL_OUT_PATH || output == symbolOutputName;
}
