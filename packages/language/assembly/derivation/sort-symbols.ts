// Sorting symbols, mostly store paths, by their names.

import { Address } from "../memory/chunks";
import { swapBytes64 } from "../numbers/bits";
import { Symbol, symbolName } from "../symbols/symbols";
import { stringBytes, stringLength } from "../values/string";

/** As `compareSymbols`, a word at a time: the bytes of a string are aligned, and its padding is zero. */
export function compareNames(a: Symbol, b: Symbol): i32 {
  if (a == b) return 0;
  const left = symbolName(a);
  const right = symbolName(b);
  const leftLength = stringLength(left);
  const rightLength = stringLength(right);
  const shared = leftLength < rightLength ? leftLength : rightLength;
  const leftBytes = stringBytes(left);
  const rightBytes = stringBytes(right);
  for (let i: u32 = 0; i < shared; i += 8) {
    const l = swapBytes64(load<u64>(leftBytes + i));
    const r = swapBytes64(load<u64>(rightBytes + i));
    if (l != r) return l < r ? -1 : 1;
  }
  return <i32>(leftLength > rightLength) - <i32>(leftLength < rightLength);
}

/** Sorts `count` words that are symbols, and drops duplicates. Returns how many are left. */
export function sortSymbols(words: Address, count: u32): u32 {
  for (let gap = firstGap(count); gap > 0; gap = nextGap(gap)) sortWordsApart(words, count, gap);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const symbol = load<u32>(words + (i << 2));
    if (kept != 0 && load<u32>(words + ((kept - 1) << 2)) == symbol) continue;
    store<u32>(words + (kept << 2), symbol);
    kept++;
  }
  return kept;
}

/** The same for pairs, by the first symbol, then by the second. */
export function sortSymbolPairs(pairs: Address, count: u32): u32 {
  for (let gap = firstGap(count); gap > 0; gap = nextGap(gap)) sortPairsApart(pairs, count, gap);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const pair = load<u64>(pairs + (i << 3));
    if (kept != 0 && load<u64>(pairs + ((kept - 1) << 3)) == pair) continue;
    store<u64>(pairs + (kept << 3), pair);
    kept++;
  }
  return kept;
}

// Shell's sort with gaps of about 1, 4, 10, 23, 57 … (after Ciura 2001): in place, and good for a few hundred.

/** The gap to begin with. */
export function firstGap(count: u32): u32 {
  let gap: u32 = 1;
  while (gap * 9 / 4 + 1 < count) gap = gap * 9 / 4 + 1;
  return gap;
}

/** The gap after `gap`, 0 after the last. */
export function nextGap(gap: u32): u32 {
  if (gap == 1) return 0;
  const smaller = gap * 4 / 9;
  return smaller == 0 ? 1 : smaller;
}

function sortWordsApart(words: Address, count: u32, gap: u32): void {
  for (let i = gap; i < count; i++) {
    const moving = load<u32>(words + (i << 2));
    let at = i;
    while (at >= gap && compareNames(moving, load<u32>(words + ((at - gap) << 2))) < 0) {
      store<u32>(words + (at << 2), load<u32>(words + ((at - gap) << 2)));
      at -= gap;
    }
    store<u32>(words + (at << 2), moving);
  }
}

function sortPairsApart(pairs: Address, count: u32, gap: u32): void {
  for (let i = gap; i < count; i++) {
    const moving = load<u64>(pairs + (i << 3));
    let at = i;
    while (at >= gap && comparePairs(moving, load<u64>(pairs + ((at - gap) << 3))) < 0) {
      store<u64>(pairs + (at << 3), load<u64>(pairs + ((at - gap) << 3)));
      at -= gap;
    }
    store<u64>(pairs + (at << 3), moving);
  }
}

@inline
function comparePairs(a: u64, b: u64): i32 {
  const order = compareNames(<u32>a, <u32>b);
  return order != 0 ? order : compareNames(<u32>(a >> 32), <u32>(b >> 32));
}
