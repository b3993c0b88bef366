// Replacing many strings in one pass. At every byte the first pattern of the list that matches there is taken; an empty
// one matches everywhere, the end of the text included, and the byte after it is kept.
//
// A table tells for every byte the first pattern that may begin with it, so that what none begins with is copied in runs.

import { Address } from "../memory/chunks";
import { bytesEqual } from "../memory/bytes";
import { appendByte, appendBytes } from "../memory/text";
import { listItem, listLength } from "../values/list";
import { addToUnion } from "../values/context-union";
import { stringBytes, stringContext, stringLength } from "../values/string";
import { Value, isString, resolve } from "../values/value";

const NONE: u32 = u32.MAX_VALUE;
/** For every byte an index into the patterns, or NONE. */
const CANDIDATES: Address = memory.data(1024);
/** The first empty pattern, or NONE. */
let emptyPattern: u32 = NONE;

/** Where the pass stopped: the index of a replacement that is no string yet, or `REPLACED`. */
export const REPLACED: u32 = NONE;
/** The offset in the text at which it stopped, and whether anything was replaced. */
export let stoppedAt: u32 = 0;
export let anyReplaced: bool = false;

/** Gets ready for `patterns`, a list of forced strings. */
export function preparePatterns(patterns: Value): void {
  memory.fill(CANDIDATES, 0xff, 1024);
  emptyPattern = NONE;
  for (let i = listLength(patterns); i > 0; i--) {
    const pattern = resolve(listItem(patterns, i - 1));
    if (stringLength(pattern) == 0) {
      emptyPattern = i - 1;
      for (let byte: u32 = 0; byte < 256; byte++) store<u32>(CANDIDATES + (byte << 2), i - 1);
    } else {
      store<u32>(CANDIDATES + (<u32>load<u8>(stringBytes(pattern)) << 2), i - 1);
    }
  }
}

/**
 * Goes through `text` from the offset `from` on. Where a replacement is no forced string it stops and returns its index.
 * With `write` the result is appended to the text buffer and the contexts of what is used are added to `union`.
 */
export function replacePatterns(text: Value, patterns: Value, replacements: Value, from: u32, write: bool, union: u32): u32 {
  const bytes = stringBytes(text);
  const length = stringLength(text);
  let plain = from;
  let at = nextMatch(bytes, length, patterns, from);
  anyReplaced = false;
  while (matched != NONE) {
    const replacement = resolve(listItem(replacements, matched));
    if (!isString(replacement)) {
      stoppedAt = at;
      return matched;
    }
    anyReplaced = true;
    if (write) {
      appendBytes(bytes + plain, at - plain);
      appendBytes(stringBytes(replacement), stringLength(replacement));
      addToUnion(union, stringContext(replacement));
    }
    const size = stringLength(resolve(listItem(patterns, matched)));
    if (size != 0) at += size;
    else {
      if (write && at < length) appendByte(<u32>load<u8>(bytes + at));
      at++;
    }
    plain = at;
    at = nextMatch(bytes, length, patterns, at);
  }
  if (write && plain < length) appendBytes(bytes + plain, length - plain);
  return REPLACED;
}

/** The pattern that `nextMatch` found, or NONE. */
let matched: u32 = NONE;

/** Where the first match at or after an offset begins. It is called for each, so that engines soon make it fast. */
function nextMatch(bytes: Address, length: u32, patterns: Value, from: u32): u32 {
  let at = from;
  while (at < length) {
    const candidate = load<u32>(CANDIDATES + (<u32>load<u8>(bytes + at) << 2));
    if (candidate != NONE) {
      matched = matchFrom(bytes + at, length - at, patterns, candidate);
      if (matched != NONE) return at;
    }
    at++;
  }
  matched = at == length ? emptyPattern : NONE;
  return at;
}

/** The first pattern from `first` on that matches here, or NONE. */
function matchFrom(bytes: Address, length: u32, patterns: Value, first: u32): u32 {
  const count = listLength(patterns);
  for (let i = first; i < count; i++) {
    const pattern = resolve(listItem(patterns, i));
    const size = stringLength(pattern);
    if (size <= length && bytesEqual(bytes, stringBytes(pattern), size)) return i;
  }
  return NONE;
}
