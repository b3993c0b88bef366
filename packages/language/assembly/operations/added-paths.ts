// The paths that this evaluation has added to the store: each is added once, however often it is interpolated.

import { Symbol, findSymbol, internString } from "../symbols/symbols";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { Value } from "../values/value";

/** Symbol of a path → symbol of the store path. */
let added: SymbolMap = 0;

/** The symbol of the store path that `path`, a PATH, was added as, or 0. */
export function addedPath(path: Value): Symbol {
  if (added == 0) return 0;
  const symbol = findSymbol(path);
  return symbol == 0 ? 0 : mapGet(added, symbol);
}

/** Remembers that `path` has become the store path `storePath`, a STRING; returns the latter's symbol. */
export function rememberAddedPath(path: Value, storePath: Value): Symbol {
  if (added == 0) added = makeSymbolMap();
  const result = internString(storePath);
  mapSet(added, internString(path), result);
  return result;
}
