// The paths that this evaluation has added to the store: each is added once, however often it is interpolated, in each
// region of the heap.

import { REGION_OWN, region } from "../memory/heap";
import { Symbol, findSymbol, internString } from "../symbols/symbols";
import { SymbolMap, makeSymbolMap, mapGet, mapSet } from "../symbols/symbol-map";
import { Value } from "../values/value";

/** Symbol of a path → symbol of the store path. */
let ownAdded: SymbolMap = 0;
let sharedAdded: SymbolMap = 0;

/** Forgets what the shared region does not depend on. */
export function forgetOwnAddedPaths(): void {
  ownAdded = 0;
}

/** The symbol of the store path that `path`, a PATH, was added as, or 0. */
export function addedPath(path: Value): Symbol {
  const added = region == REGION_OWN ? ownAdded : sharedAdded;
  if (added == 0) return 0;
  const symbol = findSymbol(path);
  return symbol == 0 ? 0 : mapGet(added, symbol);
}

/** Remembers that `path` has become the store path `storePath`, a STRING; returns the latter's symbol. */
export function rememberAddedPath(path: Value, storePath: Value): Symbol {
  const result = internString(storePath);
  if (region == REGION_OWN) {
    if (ownAdded == 0) ownAdded = makeSymbolMap();
    mapSet(ownAdded, internString(path), result);
  } else {
    if (sharedAdded == 0) sharedAdded = makeSymbolMap();
    mapSet(sharedAdded, internString(path), result);
  }
  return result;
}
