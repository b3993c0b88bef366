// The code of files that belong to one evaluation alone, by their texts. A later one that reads the same text has the same
// code, and so the same functions: what it passes to a kept call can then be compared (shared-calls.ts).
//
//   SOURCE   [code][length][text …], in permanent memory

import { Address } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Code } from "../compile/code";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { Symbol } from "../symbols/symbols";

const LARGEST: u32 = 256 << 10;
/** Bytes of texts that may be kept. */
let room: u32 = 8 << 20;
/** By the symbol of the path. */
let sources: SymbolMap = 0;

/** Whether codes are kept: when there may be an image. */
export let keepsOwnSources: bool = false;

export function setKeepsOwnSources(wanted: bool): void {
  keepsOwnSources = wanted;
}

/** The code of the file `path` if its text was the same, or 0. */
export function findOwnSource(path: Symbol, text: Address, length: u32): Code {
  const source = sources == 0 ? 0 : mapGet(sources, path);
  if (source == 0 || load<u32>(source, 4) != length || memory.compare(source + 8, text, length) != 0) return 0;
  return load<u32>(source);
}

/** The newest text of a file is the one that is kept. */
export function keepOwnSource(path: Symbol, text: Address, length: u32, code: Code): void {
  if (length > LARGEST || length > room) return;
  room -= length;
  if (sources == 0) sources = makeSymbolMap();
  const source = allocatePermanent(8 + length);
  store<u32>(source, <u32>code);
  store<u32>(source, length, 4);
  memory.copy(source + 8, text, length);
  mapSet(sources, path, <u32>source);
}
