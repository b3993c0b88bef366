// `//`: the attributes of two sets, those of the right one where both have a name.
//
// The key sets are merged, and then the values in the same way. Each name of the right set is looked for in the left one
// from the place of the name before (`lowerBound`), and what lies between is copied as one run: a small set on the
// right costs few comparisons however large the left one is. The merged key set is remembered (derived-cache.ts), so
// that sets of the same two shapes have results of one shape.

import { Address } from "../memory/chunks";
import { copyWords, lowerBound } from "../memory/words";
import { compress } from "../memory/pointers";
import {
  Keys,
  attrsValues,
  keysCount,
  keysOf,
  keysOrder,
  keysPositions,
  keysSymbols,
  makeAttrs,
  makeKeys,
  setKeysOrder,
} from "../values/attrs";
import { Value } from "../values/value";
import { findDerived, rememberDerived } from "./derived-cache";

/** `left // right`. Nothing is forced; it is one of the two where that is possible. */
export function updateAttrs(left: Value, right: Value): Value {
  const leftKeys = keysOf(left);
  const rightKeys = keysOf(right);
  if (keysCount(rightKeys) == 0) return left;
  if (keysCount(leftKeys) == 0 || leftKeys == rightKeys) return right;
  const keys = mergedKeys(leftKeys, rightKeys);
  if (keys == rightKeys) return right;
  const attrs = makeAttrs(keys);
  mergeWords(attrsValues(attrs), leftKeys, rightKeys, attrsValues(left), attrsValues(right));
  return attrs;
}

/** The names of both, with the positions of the right one; it is `right` itself if nothing else is in `left`. */
function mergedKeys(left: Keys, right: Keys): Keys {
  const size = max(keysCount(left), keysCount(right));
  const known = findDerived(compress(left), compress(right), size);
  if (known != 0) return known;
  const merged = mergeKeys(left, right);
  rememberDerived(compress(left), compress(right), size, merged);
  return merged;
}

function mergeKeys(left: Keys, right: Keys): Keys {
  const shared = countShared(left, right);
  if (shared == keysCount(left)) return right;
  const keys = makeKeys(keysCount(left) + keysCount(right) - shared);
  mergeWords(keysSymbols(keys), left, right, keysSymbols(left), keysSymbols(right));
  mergeWords(keysPositions(keys), left, right, keysPositions(left), keysPositions(right));
  // The same names as on the left are in the same order.
  if (shared == keysCount(right)) setKeysOrder(keys, keysOrder(left));
  return keys;
}

/** How many names the two have in common. */
export function countShared(left: Keys, right: Keys): u32 {
  if (keysCount(left) < keysCount(right)) return countShared(right, left);
  const leftSymbols = keysSymbols(left);
  const leftCount = keysCount(left);
  const rightSymbols = keysSymbols(right);
  const rightCount = keysCount(right);
  let shared: u32 = 0;
  let at: u32 = 0;
  for (let i: u32 = 0; i < rightCount; i++) {
    const symbol = load<u32>(rightSymbols + (i << 2));
    at = lowerBound(leftSymbols, at, leftCount, symbol);
    if (at == leftCount) break;
    if (load<u32>(leftSymbols + (at << 2)) == symbol) shared++;
  }
  return shared;
}

/** Writes the words that belong to the names of `left` and `right`, in the order of the merged names. */
function mergeWords(to: Address, left: Keys, right: Keys, leftWords: Address, rightWords: Address): void {
  const leftSymbols = keysSymbols(left);
  const leftCount = keysCount(left);
  const rightSymbols = keysSymbols(right);
  const rightCount = keysCount(right);
  let at: u32 = 0;
  for (let i: u32 = 0; i < rightCount; i++) {
    const symbol = load<u32>(rightSymbols + (i << 2));
    const next = lowerBound(leftSymbols, at, leftCount, symbol);
    copyWords(to, leftWords + (at << 2), next - at);
    to += (next - at) << 2;
    store<u32>(to, load<u32>(rightWords + (i << 2)));
    to += 4;
    at = next;
    if (at < leftCount && load<u32>(leftSymbols + (at << 2)) == symbol) at++;
  }
  copyWords(to, leftWords + (at << 2), leftCount - at);
}
