// The derivations that this evaluation has made or read, by the symbol of their path, and the references of other paths.
//
//   RECORD      [kind][outputs][inputs][sources][visit][unused][digest, 32 bytes]
//               [output: name, path or 0] … [input: derivation] … [source] …       all symbols, in permanent memory
//   REFERENCES  [count][symbols …]
//
// The digest is the hash modulo, which stands for the derivation where it is an input (Nix manual, "Input-addressing
// derivation outputs"): HASH_OF_DERIVATION that of the derivation, HASH_OF_OUTPUT that of its only output, which is
// fixed; HASH_DEFERRED: none, since it or an input of it is not known before it is built.

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Symbol } from "../symbols/symbols";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";

export const HASH_OF_DERIVATION: u32 = 0;
export const HASH_OF_OUTPUT: u32 = 1;
export const HASH_DEFERRED: u32 = 2;

export type DerivationRecord = usize;

const HEADER_SIZE: u32 = 56;
const DIGEST_OFFSET: u32 = 24;

@unmanaged
class RecordHeader {
  kind: u32;
  outputs: u32;
  inputs: u32;
  sources: u32;
  visit: u32;
}

let derivations: SymbolMap = 0;
let references: SymbolMap = 0;
let visits: u32 = 0;

/** The record of a derivation, or 0. */
export function findDerivation(path: Symbol): DerivationRecord {
  return derivations == 0 ? 0 : mapGet(derivations, path);
}

/** A record whose parts the caller sets before anything else happens. */
export function addDerivation(path: Symbol, kind: u32, outputs: u32, inputs: u32, sources: u32): DerivationRecord {
  if (derivations == 0) derivations = makeSymbolMap();
  const record = allocatePermanent(HEADER_SIZE + (outputs << 3) + ((inputs + sources) << 2));
  const header = changetype<RecordHeader>(record);
  header.kind = kind;
  header.outputs = outputs;
  header.inputs = inputs;
  header.sources = sources;
  mapSet(derivations, path, <u32>record);
  return record;
}

@inline
export function hashKind(record: DerivationRecord): u32 {
  return changetype<RecordHeader>(record).kind;
}

export function setHashKind(record: DerivationRecord, kind: u32): void {
  changetype<RecordHeader>(record).kind = kind;
}

/** The address of the hash modulo. */
@inline
export function moduloDigest(record: DerivationRecord): Address {
  return record + DIGEST_OFFSET;
}

@inline
export function outputCount(record: DerivationRecord): u32 {
  return changetype<RecordHeader>(record).outputs;
}

@inline
export function inputCount(record: DerivationRecord): u32 {
  return changetype<RecordHeader>(record).inputs;
}

@inline
export function sourceCount(record: DerivationRecord): u32 {
  return changetype<RecordHeader>(record).sources;
}

@inline
export function recordOutput(record: DerivationRecord, index: u32): Symbol {
  return load<u32>(record + HEADER_SIZE + (index << 3));
}

/** The path of an output, or 0 while it is not known. */
@inline
export function recordOutputPath(record: DerivationRecord, index: u32): Symbol {
  return load<u32>(record + HEADER_SIZE + (index << 3), 4);
}

export function setRecordOutput(record: DerivationRecord, index: u32, name: Symbol, path: Symbol): void {
  store<u32>(record + HEADER_SIZE + (index << 3), name);
  store<u32>(record + HEADER_SIZE + (index << 3), path, 4);
}

@inline
export function recordInput(record: DerivationRecord, index: u32): Symbol {
  return load<u32>(inputAt(record, index));
}

export function setRecordInput(record: DerivationRecord, index: u32, input: Symbol): void {
  store<u32>(inputAt(record, index), input);
}

@inline
export function recordSource(record: DerivationRecord, index: u32): Symbol {
  return load<u32>(inputAt(record, inputCount(record) + index));
}

export function setRecordSource(record: DerivationRecord, index: u32, source: Symbol): void {
  store<u32>(inputAt(record, inputCount(record) + index), source);
}

@inline
function inputAt(record: DerivationRecord, index: u32): Address {
  return record + HEADER_SIZE + (outputCount(record) << 3) + (index << 2);
}

/** Begins a walk in which `visit` is true once for every record. */
export function beginVisits(): void {
  visits++;
}

export function visit(record: DerivationRecord): bool {
  const header = changetype<RecordHeader>(record);
  if (header.visit == visits) return false;
  header.visit = visits;
  return true;
}

// ── Other paths ──

/** The REFERENCES of a path that is no derivation, or 0 when nobody has said. */
export function findReferences(path: Symbol): Address {
  return references == 0 ? 0 : mapGet(references, path);
}

/** REFERENCES of `count` symbols, which the caller sets. */
export function addReferences(path: Symbol, count: u32): Address {
  if (references == 0) references = makeSymbolMap();
  const list = allocatePermanent(4 + (count << 2));
  store<u32>(list, count);
  mapSet(references, path, <u32>list);
  return list;
}

@inline
export function referenceCount(list: Address): u32 {
  return load<u32>(list);
}

@inline
export function referenceAt(list: Address, index: u32): Symbol {
  return load<u32>(list + (index << 2), 4);
}

export function setReference(list: Address, index: u32, path: Symbol): void {
  store<u32>(list + (index << 2), path, 4);
}
