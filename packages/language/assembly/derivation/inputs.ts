// The inputs of the derivation that is being made: outputs of derivations, and plain paths. They are collected from
// string contexts, and are sorted and without duplicates after `collectInputs`.
//
// There is one set of inputs at a time: from `collectInputs` on nothing may wait until it is done with.

import { Address } from "../memory/chunks";
import { swapBytes64 } from "../numbers/bits";
import { appendByte, appendText, textAdvance, textReserve } from "../memory/text";
import { ERROR_EVAL, beginError, errorSymbol, raiseError } from "../errors/raise";
import { base16Encode } from "../hash/encoding";
import { ELEMENT_ALL_OUTPUTS, ELEMENT_OUTPUT, elementKind, elementOutput, elementPath } from "../operations/context-element";
import { isDerivationName } from "../operations/path-name";
import { SYMBOL_OUT } from "../symbols/known";
import { Symbol, symbolName } from "../symbols/symbols";
import { contextCount, contextElement } from "../values/context";
import { Value } from "../values/value";
import {
  HASH_DEFERRED,
  HASH_OF_OUTPUT,
  beginVisits,
  findDerivation,
  findReferences,
  hashKind,
  inputCount,
  moduloDigest,
  outputCount,
  recordInput,
  recordOutput,
  recordSource,
  referenceAt,
  referenceCount,
  sourceCount,
  visit,
} from "./known-derivations";
import { appendString } from "./make-store-path";
import { appendPlain } from "./print-aterm";
import { compareNames, firstGap, nextGap, sortSymbolPairs, sortSymbols } from "./sort-symbols";
import { WordList, pushWord, wordAt } from "./word-list";

/** Pairs of a derivation and an output of it. */
const built = changetype<WordList>(memory.data(12, 8));
/** Paths. */
const sources = changetype<WordList>(memory.data(12, 8));
/** Derivations whose closure is still to be walked. */
const pending = changetype<WordList>(memory.data(12, 8));

/**
 * Collects what `context` refers to. Returns 0, or the path of which more must be known first: a derivation without
 * record, or another path without references. Then nothing is collected.
 */
export function collectInputs(context: Value): Symbol {
  built.count = 0;
  sources.count = 0;
  const count = contextCount(context);
  let walking = false;
  for (let i: u32 = 0; i < count; i++) {
    const element = contextElement(context, i);
    const kind = elementKind(element);
    const path = elementPath(element);
    if (kind == ELEMENT_OUTPUT) {
      if (findDerivation(path) == 0) return path;
      addBuilt(path, elementOutput(element));
    } else if (kind == ELEMENT_ALL_OUTPUTS) {
      if (!walking) beginVisits();
      walking = true;
      const unknown = addClosure(path);
      if (unknown != 0) return unknown;
    } else pushWord(sources, path);
  }
  sortInputs();
  return 0;
}

/** Puts what was added in order. */
export function sortInputs(): void {
  built.count = sortSymbolPairs(built.words, built.count >>> 1) << 1;
  sources.count = sortSymbols(sources.words, sources.count);
}

/** Starts over with no inputs, for a derivation that is read. */
export function clearInputs(): void {
  built.count = 0;
  sources.count = 0;
}

export function addSource(path: Symbol): void {
  pushWord(sources, path);
}

export function addBuilt(derivation: Symbol, output: Symbol): void {
  pushWord(built, derivation);
  pushWord(built, output);
}

/** A derivation, everything that it needs, and all outputs of the derivations among that. */
function addClosure(derivation: Symbol): Symbol {
  pending.count = 0;
  pushWord(pending, derivation);
  while (pending.count != 0) {
    const path = wordAt(pending, --pending.count);
    pushWord(sources, path);
    const unknown = isDerivationName(symbolName(path)) ? addDerivationParts(path) : addPathParts(path);
    if (unknown != 0) return unknown;
  }
  return 0;
}

function addDerivationParts(path: Symbol): Symbol {
  const record = findDerivation(path);
  if (record == 0) return path;
  if (!visit(record)) return 0;
  for (let i: u32 = 0; i < outputCount(record); i++) addBuilt(path, recordOutput(record, i));
  for (let i: u32 = 0; i < inputCount(record); i++) pushWord(pending, recordInput(record, i));
  for (let i: u32 = 0; i < sourceCount(record); i++) pushWord(pending, recordSource(record, i));
  return 0;
}

function addPathParts(path: Symbol): Symbol {
  const list = findReferences(path);
  if (list == 0) return path;
  for (let i: u32 = 0; i < referenceCount(list); i++) {
    if (referenceAt(list, i) != path) pushWord(pending, referenceAt(list, i));
  }
  return 0;
}

// ── What was collected ──

export function sourcesCount(): u32 {
  return sources.count;
}

export function sourceAt(index: u32): Symbol {
  return wordAt(sources, index);
}

/** How many derivations are inputs. */
export function derivationsCount(): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < built.count; i += 2) if (i == 0 || wordAt(built, i) != wordAt(built, i - 2)) count++;
  return count;
}

/** Derivations are walked by their place among the pairs, from 0 to `pairsEnd()`: the place of the next one. */
export function nextDerivation(at: u32): u32 {
  let next = at + 2;
  while (next < built.count && wordAt(built, next) == wordAt(built, at)) next += 2;
  return next;
}

@inline
export function pairsEnd(): u32 {
  return built.count;
}

@inline
export function derivationAt(at: u32): Symbol {
  return wordAt(built, at);
}

/** Appends the inputs as a derivation's text has them: "[(…,[…]),…]". */
export function appendInputs(): void {
  appendByte(0x5b);
  for (let at: u32 = 0; at < built.count; at = nextDerivation(at)) {
    appendText(at == 0 ? "(" : ",(");
    appendPlain(symbolName(derivationAt(at)));
    appendText(",[");
    const end = nextDerivation(at);
    for (let i = at; i < end; i += 2) {
      if (i != at) appendByte(0x2c);
      appendPlain(symbolName(wordAt(built, i + 1)));
    }
    appendText("])");
  }
  appendByte(0x5d);
}

/** Appends the plain paths: "[…]". */
export function appendSources(): void {
  appendByte(0x5b);
  for (let i: u32 = 0; i < sources.count; i++) {
    if (i != 0) appendByte(0x2c);
    appendPlain(symbolName(wordAt(sources, i)));
  }
  appendByte(0x5d);
}

/** Appends ":" and each path that a derivation with these inputs refers to, in order. */
export function appendReferences(): void {
  let at: u32 = 0;
  let i: u32 = 0;
  while (true) {
    const next = nextReference(at, i);
    if (next == 0) return;
    appendByte(0x3a);
    appendString(symbolName(next));
    if (i < sources.count && wordAt(sources, i) == next) i++;
    if (at < built.count && derivationAt(at) == next) at = nextDerivation(at);
  }
}

function nextReference(at: u32, i: u32): Symbol {
  if (at >= built.count) return i < sources.count ? wordAt(sources, i) : 0;
  if (i >= sources.count) return derivationAt(at);
  const derivation = derivationAt(at);
  const source = wordAt(sources, i);
  return compareNames(source, derivation) < 0 ? source : derivation;
}

// ── Inputs modulo ──

/** Pairs of the address of a digest and an output. */
const modulo = changetype<WordList>(memory.data(12, 8));

/**
 * Appends the inputs with hashes for the derivations' paths: what two derivations have in common if they are the same but
 * for how their sources are fetched. False, and nothing appended, when an input is not known before it is built.
 */
export function appendInputsModulo(): bool {
  modulo.count = 0;
  for (let i: u32 = 0; i < built.count; i += 2) {
    const record = findDerivation(wordAt(built, i));
    const kind = hashKind(record);
    if (kind == HASH_DEFERRED) return false;
    const output = wordAt(built, i + 1);
    if (kind == HASH_OF_OUTPUT && output != recordOutput(record, 0)) failOutput(output);
    pushWord(modulo, <u32>moduloDigest(record));
    pushWord(modulo, kind == HASH_OF_OUTPUT ? SYMBOL_OUT : output);
  }
  sortModulo();
  appendSortedModulo();
  return true;
}

function failOutput(output: Symbol): void {
  beginError(ERROR_EVAL);
  appendText("no hash for output '");
  errorSymbol(output);
  appendText("' of derivation");
  raiseError();
}

function appendSortedModulo(): void {
  appendByte(0x5b);
  let i: u32 = 0;
  while (i < modulo.count) {
    const digest: Address = wordAt(modulo, i);
    appendText(i == 0 ? "(\"" : ",(\"");
    base16Encode(digest, 32, textReserve(64));
    textAdvance(64);
    appendText("\",[");
    let last: Symbol = 0;
    while (i < modulo.count && compareDigests(wordAt(modulo, i), digest) == 0) {
      const output = wordAt(modulo, i + 1);
      if (output != last) {
        if (last != 0) appendByte(0x2c);
        appendPlain(symbolName(output));
      }
      last = output;
      i += 2;
    }
    appendText("])");
  }
  appendByte(0x5d);
}

function sortModulo(): void {
  const count = modulo.count >>> 1;
  for (let gap = firstGap(count); gap > 0; gap = nextGap(gap)) sortModuloApart(modulo.words, count, gap);
}

function sortModuloApart(pairs: Address, count: u32, gap: u32): void {
  for (let i = gap; i < count; i++) {
    const moving = load<u64>(pairs + (i << 3));
    let at = i;
    while (at >= gap && compareEntries(moving, load<u64>(pairs + ((at - gap) << 3))) < 0) {
      store<u64>(pairs + (at << 3), load<u64>(pairs + ((at - gap) << 3)));
      at -= gap;
    }
    store<u64>(pairs + (at << 3), moving);
  }
}

function compareEntries(a: u64, b: u64): i32 {
  const order = compareDigests(<u32>a, <u32>b);
  return order != 0 ? order : compareNames(<u32>(a >> 32), <u32>(b >> 32));
}

/** Digests are 8-aligned. */
function compareDigests(a: Address, b: Address): i32 {
  if (a == b) return 0;
  for (let i: u32 = 0; i < 32; i += 8) {
    const left = swapBytes64(load<u64>(a + i));
    const right = swapBytes64(load<u64>(b + i));
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}
