// A derivation that is being put together: from the parts that `derivationStrict` has found to its path.
//
// Its text is written in pieces, since nearly the same text is hashed up to three times:
//
//   "Derive(" outputs "," inputs "," rest
//
//   own hash      outputs without paths, inputs modulo, the variables named after outputs empty: makes the output paths
//   path          outputs with paths, inputs as they are, variables filled in: names the derivation
//   hash modulo   outputs with paths, inputs modulo, variables filled in: stands for it where it is an input
//
// The rest is written once; where the variables named after outputs have their values it has holes.
// A host that hashes faster gets each text in one piece.
// There is one draft at a time: from `beginDraft` to the last question nothing may wait. Inputs are those of inputs.ts.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendText, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { HashAlgorithm, algorithmName, digestSize } from "../hash/algorithm";
import { base16Encode, base16EncodedLength, nix32Encode } from "../hash/encoding";
import { SHA256_STATE_SIZE, sha256, sha256Begin, sha256End, sha256Update } from "../hash/sha256";
import { Symbol, symbolName } from "../symbols/symbols";
import { listItem, listLength } from "../values/list";
import { makeString, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { appendInputs, appendInputsModulo, appendReferences, appendSources, derivationAt, derivationsCount, nextDerivation, pairsEnd, sourceAt, sourcesCount } from "./inputs";
import { METHOD_TEXT, Method, appendMethodPrefix } from "./ingestion-method";
import {
  HASH_DEFERRED,
  HASH_OF_DERIVATION,
  HASH_OF_OUTPUT,
  addDerivation,
  findDerivation,
  moduloDigest,
  setRecordInput,
  setRecordOutput,
  setRecordSource,
} from "./known-derivations";
import { appendString, endStorePath, makeFixedPath, makeOutputPath } from "./make-store-path";
import { appendEscaped, appendPlain } from "./print-aterm";
import { compareNames } from "./sort-symbols";
import { WordList, pushWord, wordAt } from "./word-list";

/** Named after what the derivation is made of. */
export const OUTPUTS_INPUT_ADDRESSED: u32 = 0;
/** Named after its contents, which are known. */
export const OUTPUTS_FIXED: u32 = 1;
/** Named after its contents once it is built. */
export const OUTPUTS_FLOATING: u32 = 2;
/** The same, and built again and again. */
export const OUTPUTS_IMPURE: u32 = 3;

const DIGEST_SIZE: u32 = 32;

let name: Value = 0;
let system: Value = 0;
let builder: Value = 0;
let argumentList: Value = 0;
/** Pairs of a name and a STRING, ascending. */
const variables = changetype<WordList>(memory.data(12, 8));
/** Triples of a name, the value of the variable (a STRING, or 0 while it is empty), and the path or 0; ascending. */
const outputs = changetype<WordList>(memory.data(12, 8));
const OUTPUT_WORDS: u32 = 3;
/** Offsets of the holes from the start of the rest. */
const holes = changetype<WordList>(memory.data(12, 8));

let outputKind: u32 = OUTPUTS_INPUT_ADDRESSED;
let method: Method = 0;
let algorithm: HashAlgorithm = 0;
let fixedHash: Address = 0;

const state: Address = memory.data(200, 8);
const digest: Address = memory.data(32, 8);

/** Begins a draft: `args` is a LIST of STRING, `drvName` a STRING. */
export function beginDraft(drvName: Value, drvSystem: Value, drvBuilder: Value, args: Value): void {
  assert(SHA256_STATE_SIZE <= 200, "the state has room");
  name = drvName;
  system = drvSystem;
  builder = drvBuilder;
  argumentList = args;
  variables.count = 0;
  outputs.count = 0;
}

/** Adds a variable; their names ascend. */
export function addVariable(key: Symbol, value: Value): void {
  pushWord(variables, key);
  pushWord(variables, compress(value));
}

/** Adds an output; their names ascend. */
export function addOutput(output: Symbol): void {
  pushWord(outputs, output);
  pushWord(outputs, 0);
  pushWord(outputs, 0);
}

/** What the outputs are named after; `hash` is their hash if they are fixed. */
export function setOutputKind(kind: u32, by: Method, hashAlgorithm: HashAlgorithm, hash: Address): void {
  outputKind = kind;
  method = by;
  algorithm = hashAlgorithm;
  fixedHash = hash;
}

@inline
export function draftOutputCount(): u32 {
  return outputs.count / OUTPUT_WORDS;
}

@inline
export function draftOutput(index: u32): Symbol {
  return wordAt(outputs, index * OUTPUT_WORDS);
}

/** The path of an output, or 0 when it is not known before it is built. Valid after `finishDraft`. */
@inline
export function draftOutputPath(index: u32): Symbol {
  return wordAt(outputs, index * OUTPUT_WORDS + 2);
}

@inline
function outputValue(index: u32): Value {
  return decompress(wordAt(outputs, index * OUTPUT_WORDS + 1));
}

function setOutput(index: u32, value: Value, path: Symbol): void {
  store<u32>(outputs.words + ((index * OUTPUT_WORDS) << 2), compress(value), 4);
  store<u32>(outputs.words + ((index * OUTPUT_WORDS) << 2), path, 8);
}

/** The text of the last finished draft as a STRING, if it was asked for, else 0. */
export let draftText: Value = 0;

/**
 * Names the outputs and the derivation, and records it. Returns the symbol of its path. With `wantsText`, `draftText` is
 * its text afterwards.
 */
export function finishDraft(wantsText: bool): Symbol {
  const mark = textMark();
  appendRest();
  const restLength = textLengthFrom(mark);
  const moduloMark = textMark();
  const known = outputKind == OUTPUTS_INPUT_ADDRESSED && appendInputsModulo();
  const moduloLength = textLengthFrom(moduloMark);
  nameOutputs(mark, restLength, moduloMark, moduloLength, known);
  const drvPath = nameDerivation(mark, restLength, wantsText);
  if (findDerivation(drvPath) == 0) {
    recordDraft(drvPath);
    if (known) {
      hashDraft(mark, restLength, moduloMark, moduloLength, true);
      memory.copy(moduloDigest(findDerivation(drvPath)), digest, DIGEST_SIZE);
    }
  }
  textRewind(mark);
  return drvPath;
}

function nameOutputs(mark: u32, restLength: u32, moduloMark: u32, moduloLength: u32, known: bool): void {
  const count = draftOutputCount();
  if (outputKind == OUTPUTS_FIXED) {
    const path = fixedPath();
    setOutput(0, symbolName(path), path);
  } else if (outputKind != OUTPUTS_INPUT_ADDRESSED) {
    for (let i: u32 = 0; i < count; i++) setOutput(i, placeholderOf(draftOutput(i)), 0);
  } else if (known) {
    hashDraft(mark, restLength, moduloMark, moduloLength, false);
    for (let i: u32 = 0; i < count; i++) {
      const path = makeOutputPath(name, draftOutput(i), digest);
      setOutput(i, symbolName(path), path);
    }
  }
}

function fixedPath(): Symbol {
  if (method != METHOD_TEXT) return makeFixedPath(name, method, algorithm, fixedHash);
  const mark = textMark();
  appendText("text");
  return endStorePath(mark, fixedHash, name);
}

/** "/" and the hash that stands for the path of an output in its own derivation. */
function placeholderOf(output: Symbol): Value {
  const mark = textMark();
  appendText("nix-output:");
  appendString(symbolName(output));
  sha256(textStart(mark), textLengthFrom(mark), digest);
  textRewind(mark);
  appendByte(0x2f);
  nix32Encode(digest, DIGEST_SIZE, textReserve(52));
  textAdvance(52);
  return takeTextAsString(mark);
}

/** Hashes the draft with inputs modulo; `filled`: with its output paths. */
function hashDraft(mark: u32, restLength: u32, moduloMark: u32, moduloLength: u32, filled: bool): void {
  const head = textMark();
  appendHead(filled);
  if (isHostsTurn(restLength + moduloLength)) {
    appendOwnText(moduloMark, moduloLength);
    if (filled) appendFilledRest(mark, restLength);
    else appendOwnText(mark, restLength);
    hashByHost(textStart(head), textLengthFrom(head), digest);
    textRewind(head);
    return;
  }
  sha256Begin(state);
  sha256Update(state, textStart(head), textLengthFrom(head));
  textRewind(head);
  sha256Update(state, textStart(moduloMark), moduloLength);
  hashRest(mark, restLength, filled);
  sha256End(state, digest);
}

function hashRest(mark: u32, length: u32, filled: bool): void {
  const rest = textStart(mark);
  let from: u32 = 0;
  for (let i: u32 = 0; filled && i < holes.count; i++) {
    const value = outputValue(i);
    if (value == 0) continue;
    const hole = wordAt(holes, i);
    sha256Update(state, rest + from, hole - from);
    sha256Update(state, stringBytes(value), stringLength(value));
    from = hole;
  }
  sha256Update(state, rest + from, length - from);
}

function nameDerivation(mark: u32, restLength: u32, wantsText: bool): Symbol {
  const head = textMark();
  appendHead(true);
  appendInputs();
  const isForHost = isHostsTurn(restLength);
  if (!isForHost) {
    sha256Begin(state);
    sha256Update(state, textStart(head), textLengthFrom(head));
    hashRest(mark, restLength, true);
    sha256End(state, digest);
  }
  if (isForHost || wantsText) appendFilledRest(mark, restLength);
  if (isForHost) hashByHost(textStart(head), textLengthFrom(head), digest);
  draftText = wantsText ? makeString(textStart(head), textLengthFrom(head)) : 0;
  textRewind(head);
  appendString(name);
  appendText(".drv");
  const fileName = takeTextAsString(head);
  appendText("text");
  appendReferences();
  return endStorePath(head, digest, fileName);
}

// ── The host's hash ──
//
// Its library has to be loaded, which takes as long as hashing this much here; most evaluations hash less.

const HASHED_HERE: u32 = 1 << 20;

/** Whether there is a host that does it. */
let canHostHash: bool = false;
let hashedBytes: u32 = 0;

/** Says whether `host.sha256` may be called, at the beginning of each evaluation: the library is not loaded in the next one. */
export function setHostHashesDrafts(can: bool): void {
  canHostHash = can;
  hashedBytes = 0;
}

function isHostsTurn(length: u32): bool {
  if (!canHostHash) return false;
  if (hashedBytes > HASHED_HERE) return true;
  hashedBytes += length;
  return false;
}

/** Writes the SHA-256 of a text to `out`. */
@external("host", "sha256")
declare function hashByHost(text: Address, length: u32, out: Address): void;

function appendFilledRest(mark: u32, length: u32): void {
  let from: u32 = 0;
  for (let i: u32 = 0; i < holes.count; i++) {
    const value = outputValue(i);
    if (value == 0) continue;
    const hole = wordAt(holes, i);
    appendOwnText(mark + from, hole - from);
    appendBytes(stringBytes(value), stringLength(value));
    from = hole;
  }
  appendOwnText(mark + from, length - from);
}

/** Appends what stands at `mark` in the text buffer itself. */
function appendOwnText(mark: u32, length: u32): void {
  const at = textReserve(length);
  memory.copy(at, textStart(mark), length);
  textAdvance(length);
}

// ── Pieces ──

/** "Derive(" outputs ",", with paths or without. */
function appendHead(filled: bool): void {
  appendText("Derive([");
  const count = draftOutputCount();
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) appendByte(0x2c);
    appendByte(0x28);
    appendPlain(symbolName(draftOutput(i)));
    appendOutput(filled ? draftOutputPath(i) : 0);
  }
  appendText("],");
}

function appendOutput(path: Symbol): void {
  appendByte(0x2c);
  if (path == 0) appendText("\"\"");
  else appendPlain(symbolName(path));
  if (outputKind == OUTPUTS_INPUT_ADDRESSED) return appendText(",\"\",\"\")");
  appendText(",\"");
  appendMethodPrefix(method);
  appendText(algorithmName(algorithm));
  appendText("\",\"");
  if (outputKind == OUTPUTS_IMPURE) appendText("impure");
  if (outputKind == OUTPUTS_FIXED) appendFixedHash();
  appendText("\")");
}

function appendFixedHash(): void {
  const size = digestSize(algorithm);
  base16Encode(fixedHash, size, textReserve(base16EncodedLength(size)));
  textAdvance(base16EncodedLength(size));
}

/** "," sources "," … to the end, and notes the holes. */
function appendRest(): void {
  const mark = textMark();
  appendByte(0x2c);
  appendSources();
  appendByte(0x2c);
  appendPlain(system);
  appendByte(0x2c);
  appendEscaped(builder);
  appendText(",[");
  const count = listLength(argumentList);
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) appendByte(0x2c);
    appendEscaped(listItem(argumentList, i));
  }
  appendText("],[");
  appendEnvironment(mark);
  appendText("])");
}

/** The variables and those named after outputs, which win, in one ascending order. */
function appendEnvironment(mark: u32): void {
  holes.count = 0;
  const count = draftOutputCount();
  let output: u32 = 0;
  let at: u32 = 0;
  let first = true;
  while (output < count || at < variables.count) {
    const order = output == count ? 1 : at == variables.count ? -1 : compareNames(draftOutput(output), wordAt(variables, at));
    appendText(first ? "(" : ",(");
    first = false;
    if (order <= 0) {
      appendEscaped(symbolName(draftOutput(output++)));
      appendText(",\"");
      pushWord(holes, textLengthFrom(mark));
      appendText("\")");
      if (order == 0) at += 2;
      continue;
    }
    appendEscaped(symbolName(wordAt(variables, at)));
    appendByte(0x2c);
    appendEscaped(decompress(wordAt(variables, at + 1)));
    appendByte(0x29);
    at += 2;
  }
}

// ── The record ──

function recordDraft(drvPath: Symbol): void {
  const count = draftOutputCount();
  const isKnown = outputKind <= OUTPUTS_FIXED && draftOutputPath(0) != 0;
  const kind = !isKnown ? HASH_DEFERRED : outputKind == OUTPUTS_FIXED ? HASH_OF_OUTPUT : HASH_OF_DERIVATION;
  const record = addDerivation(drvPath, kind, count, derivationsCount(), sourcesCount());
  for (let i: u32 = 0; i < count; i++) setRecordOutput(record, i, draftOutput(i), draftOutputPath(i));
  let index: u32 = 0;
  for (let at: u32 = 0; at < pairsEnd(); at = nextDerivation(at)) setRecordInput(record, index++, derivationAt(at));
  for (let i: u32 = 0; i < sourcesCount(); i++) setRecordSource(record, i, sourceAt(i));
  if (kind == HASH_OF_OUTPUT) hashFixedOutput(draftOutputPath(0), moduloDigest(record));
}

/** The hash that stands for a fixed output: of its hash and path, and not of how it is made. */
function hashFixedOutput(path: Symbol, out: Address): void {
  const mark = textMark();
  appendText("fixed:out:");
  appendMethodPrefix(method);
  appendText(algorithmName(algorithm));
  appendByte(0x3a);
  appendFixedHash();
  appendByte(0x3a);
  appendString(symbolName(path));
  sha256(textStart(mark), textLengthFrom(mark), out);
  textRewind(mark);
}
