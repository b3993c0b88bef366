// Learning about paths that this evaluation has not made: derivations in the store, and what other paths refer to.

import { appendByte, appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { sha256 } from "../hash/sha256";
import { REQUEST_PATH_REFERENCES, REQUEST_READ_FILE } from "../machine/host-request";
import {
  Frame,
  Primop,
  STRICT,
  arg,
  args1,
  awaitHost,
  awaitNative1,
  awaited,
  local,
  makePrimop,
  setLocal,
  setStep,
  step,
} from "../machine/native";
import { isDerivationName } from "../operations/path-name";
import { Symbol, internString, symbolName } from "../symbols/symbols";
import { NULL } from "../values/constants";
import { listItem, listLength } from "../values/list";
import { makePath, stringBytes, stringLength } from "../values/string";
import { Value, isList, resolve } from "../values/value";
import { appendInputsModulo, derivationAt, derivationsCount, nextDerivation, pairsEnd, sortInputs, sourceAt, sourcesCount } from "./inputs";
import {
  DerivationRecord,
  HASH_DEFERRED,
  HASH_OF_DERIVATION,
  HASH_OF_OUTPUT,
  addDerivation,
  addReferences,
  findDerivation,
  moduloDigest,
  setHashKind,
  setRecordInput,
  setRecordOutput,
  setRecordSource,
  setReference,
} from "./known-derivations";
import { appendString } from "./make-store-path";
import {
  parseDerivation,
  parsedHeadLength,
  parsedOutputAlgorithm,
  parsedOutputCount,
  parsedOutputHash,
  parsedOutputName,
  parsedOutputPath,
  parsedRestOffset,
} from "./parse-aterm";

/** Internal: STRING store path → NULL. Afterwards it has a record, or references. */
export let LEARN_PATH: Value = 0;

export function initializeDerivationReading(): void {
  LEARN_PATH = makePrimop("learnPath", 1, args1(STRICT), 1, learnPath);
  changetype<Primop>(LEARN_PATH).traced = 0;
}

const READ: u32 = 1;
const INPUT_LEARNT: u32 = 2;
const REFERENCES_TOLD: u32 = 3;
/** Local: the text of the derivation. */
const TEXT: u32 = 0;

function learnPath(f: Frame): Value {
  const path = arg(f, 0);
  const at = step(f);
  if (at == REFERENCES_TOLD) return rememberReferences(internString(path), awaited());
  if (at == 0) {
    if (!isDerivationName(path)) {
      setStep(f, REFERENCES_TOLD);
      return awaitHost(f, REQUEST_PATH_REFERENCES, path);
    }
    setStep(f, READ);
    return awaitHost(f, REQUEST_READ_FILE, makePath(stringBytes(path), stringLength(path)));
  }
  if (at == READ) setLocal(f, TEXT, awaited());
  const symbol = internString(path);
  parseDerivation(local(f, TEXT), symbol);
  sortInputs();
  const unknown = unknownInput();
  if (unknown != 0) {
    setStep(f, INPUT_LEARNT);
    return awaitNative1(f, LEARN_PATH, symbolName(unknown));
  }
  recordParsed(symbol, local(f, TEXT));
  return NULL;
}

function rememberReferences(path: Symbol, told: Value): Value {
  const list = resolve(told);
  const count: u32 = isList(list) ? listLength(list) : 0;
  const references = addReferences(path, count);
  for (let i: u32 = 0; i < count; i++) setReference(references, i, internString(resolve(listItem(list, i))));
  return NULL;
}

function unknownInput(): Symbol {
  for (let at: u32 = 0; at < pairsEnd(); at = nextDerivation(at)) {
    if (findDerivation(derivationAt(at)) == 0) return derivationAt(at);
  }
  return 0;
}

function recordParsed(path: Symbol, text: Value): void {
  const count = parsedOutputCount();
  const record = addDerivation(path, HASH_DEFERRED, count, derivationsCount(), sourcesCount());
  let known = true;
  for (let i: u32 = 0; i < count; i++) {
    const output = symbolName(parsedOutputPath(i));
    if (stringLength(output) == 0) known = false;
    setRecordOutput(record, i, parsedOutputName(i), stringLength(output) == 0 ? 0 : parsedOutputPath(i));
  }
  let index: u32 = 0;
  for (let at: u32 = 0; at < pairsEnd(); at = nextDerivation(at)) setRecordInput(record, index++, derivationAt(at));
  for (let i: u32 = 0; i < sourcesCount(); i++) setRecordSource(record, i, sourceAt(i));
  if (!known) return;
  if (count == 1 && stringLength(symbolName(parsedOutputHash(0))) != 0) hashFixed(record);
  else hashModulo(record, text);
}

function hashFixed(record: DerivationRecord): void {
  const mark = textMark();
  appendText("fixed:out:");
  appendString(symbolName(parsedOutputAlgorithm(0)));
  appendByte(0x3a);
  appendString(symbolName(parsedOutputHash(0)));
  appendByte(0x3a);
  appendString(symbolName(parsedOutputPath(0)));
  sha256(textStart(mark), textLengthFrom(mark), moduloDigest(record));
  textRewind(mark);
  setHashKind(record, HASH_OF_OUTPUT);
}

function hashModulo(record: DerivationRecord, text: Value): void {
  const mark = textMark();
  appendBytes(stringBytes(text), parsedHeadLength());
  appendByte(0x2c);
  if (appendInputsModulo()) {
    const offset = parsedRestOffset();
    appendBytes(stringBytes(text) + offset, stringLength(text) - offset);
    sha256(textStart(mark), textLengthFrom(mark), moduloDigest(record));
    setHashKind(record, HASH_OF_DERIVATION);
  }
  textRewind(mark);
}
