// Naming derivations and store paths by themselves, for builtins-derivations.test.ts. Texts are numbers: those of symbols.
import { addOutput, addVariable, beginDraft, draftOutputPath, finishDraft, setOutputKind } from "../../assembly/derivation/draft";
import { addBuilt, addSource, clearInputs, sortInputs } from "../../assembly/derivation/inputs";
import { makeFixedPath } from "../../assembly/derivation/make-store-path";
import { base16Decode } from "../../assembly/hash/encoding";
import { setStoreDirectory } from "../../assembly/operations/store-path";
import { initializeKnownSymbols } from "../../assembly/symbols/known";
import { initializeSymbols, internBytes, symbolName } from "../../assembly/symbols/symbols";
import { EMPTY_LIST, initializeConstants } from "../../assembly/values/constants";
import { stringBytes, stringLength } from "../../assembly/values/string";

export const buffer: usize = memory.data(4096, 8);
const hash: usize = memory.data(64, 8);

export function initialize(storeLength: u32): void {
  initializeConstants();
  initializeSymbols();
  initializeKnownSymbols();
  setStoreDirectory(symbolName(internBytes(buffer, storeLength)));
}

/** The symbol of the text in the buffer. */
export function intern(length: u32): u32 {
  return internBytes(buffer, length);
}

export function textAddress(symbol: u32): usize {
  return stringBytes(symbolName(symbol));
}

export function textLength(symbol: u32): u32 {
  return stringLength(symbolName(symbol));
}

/** Begins a derivation without arguments. */
export function begin(name: u32, system: u32, builder: u32): void {
  clearInputs();
  beginDraft(symbolName(name), symbolName(system), symbolName(builder), EMPTY_LIST);
}

export function variable(name: u32, value: u32): void {
  addVariable(name, symbolName(value));
}

export function output(name: u32): void {
  addOutput(name);
}

export function inputDerivation(path: u32, outputName: u32): void {
  addBuilt(path, outputName);
}

export function inputSource(path: u32): void {
  addSource(path);
}

/** `hashText`: base16 digits, or 0. */
export function outputsBy(kind: u32, method: u32, algorithm: u32, hashText: u32): void {
  if (hashText != 0) base16Decode(stringBytes(symbolName(hashText)), stringLength(symbolName(hashText)), hash);
  setOutputKind(kind, method, algorithm, hash);
}

/** The symbol of the derivation's path. */
export function finish(): u32 {
  sortInputs();
  return finishDraft(false);
}

export function outputPath(index: u32): u32 {
  return draftOutputPath(index);
}

export function fixedPath(name: u32, method: u32, algorithm: u32, hashText: u32): u32 {
  base16Decode(stringBytes(symbolName(hashText)), stringLength(symbolName(hashText)), hash);
  return makeFixedPath(symbolName(name), method, algorithm, hash);
}
