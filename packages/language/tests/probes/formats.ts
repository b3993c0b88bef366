// The data formats without the machine: what tests/formats.test.ts calls.
import { Address } from "../../assembly/memory/chunks";
import { initializeSymbols } from "../../assembly/symbols/symbols";
import { initializeKnownSymbols } from "../../assembly/symbols/known";
import { initializeConstants } from "../../assembly/values/constants";
import { makeStringOfLength, stringBytes, stringLength, takeTextAsString } from "../../assembly/values/string";
import { textLengthFrom, textMark, textStart } from "../../assembly/memory/text";
import { Value } from "../../assembly/values/value";
import { raisedMessage } from "../../assembly/errors/raise";
import { readJson } from "../../assembly/formats/read-json";
import { readToml } from "../../assembly/formats/read-toml";
import { enableTomlTimestamps } from "../../assembly/formats/toml-scalars";
import { appendEvaluatedJson } from "../../assembly/formats/write-json";
import { failUnlessUtf8, sawInvalidUtf8 } from "../../assembly/formats/json-escape";

export function initialize(): void {
  initializeConstants();
  initializeSymbols();
  initializeKnownSymbols();
}

/** A string of `length` bytes, to be written at `bytesOf`. */
export function makeText(length: u32): Value {
  return makeStringOfLength(length);
}

export function bytesOf(string: Value): Address {
  return stringBytes(string);
}

export function lengthOf(string: Value): u32 {
  return stringLength(string);
}

export function fromJson(text: Value): Value {
  return readJson(text, 0);
}

/** The JSON text of an evaluated value, or 0. */
export function toJson(value: Value): Value {
  const mark = textMark();
  if (!appendEvaluatedJson(value)) return 0;
  if (sawInvalidUtf8) failUnlessUtf8(textStart(mark), textLengthFrom(mark));
  return takeTextAsString(mark);
}

/** The message of the error that was raised last. */
export function message(): Value {
  return raisedMessage;
}

export function fromToml(text: Value): Value {
  return readToml(text);
}

export function setTimestamps(enabled: bool): void {
  enableTomlTimestamps(enabled);
}
