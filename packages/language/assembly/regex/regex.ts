// POSIX extended regular expressions (POSIX, XBD 9.4) as `builtins.match` and `builtins.split` know them, which is as
// C++'s `std::regex` with the `extended` grammar has them in libstdc++ and the C locale. Bytes, no Nix values.
//
// A pattern is compiled once to a program in permanent memory; the caller keeps programs by pattern. Where libstdc++
// backtracks exponentially or would exhaust its memory, this engine still answers, with the same result.
//
// `groups` is an array of pairs of i32, start and end offsets in the subject: the whole match first, then
// `regexGroupCount` groups; -1, -1 for a group that took no part. The caller gives room for all of them, 8 bytes each;
// what is there is only meaningful after a match.

import { NOT_MATCHED, executeHere, executeSearch, executeWhole } from "./executor";
import { clearFailure, failed } from "./limits";
import { linkProgram } from "./linker";
import { parsePattern } from "./parser";
import { programAt } from "./program";

export { REGEX_INVALID, REGEX_OK, REGEX_TOO_LARGE, regexError } from "./limits";

/** Compiles a pattern; returns the address of its program, or 0 with the reason in `regexError`. */
export function compileRegex(pattern: usize, length: u32): usize {
  clearFailure();
  parsePattern(pattern, length);
  return failed() ? 0 : linkProgram();
}

/** How many groups a program has, the whole match not counted. */
export function regexGroupCount(program: usize): u32 {
  return programAt(program).groups;
}

/** Matches the whole subject, as `std::regex_match`: 1, 0, or -1 when it takes too much memory. */
export function matchWhole(program: usize, text: usize, length: u32, groups: usize): i32 {
  return executeWhole(programAt(program), text, length, groups);
}

/**
 * Finds the first match that starts at offset `from` or later, as `std::regex_search` does with `match_prev_avail` when
 * `from` is not 0: "^" only matches at the start of the subject. Returns 1, 0, or -1 when it takes too much memory.
 */
export function searchFrom(program: usize, text: usize, length: u32, from: u32, groups: usize): i32 {
  return executeSearch(programAt(program), text, length, from, groups);
}

/**
 * Finds the match after the one in `groups` and puts it there, as incrementing a `std::regex_iterator` does: after an
 * empty match, a match that is not empty is first tried at the same place. Returns what `searchFrom` does.
 */
export function searchNext(program: usize, text: usize, length: u32, groups: usize): i32 {
  const start = load<u32>(groups);
  let from = load<u32>(groups, 4);
  if (start == from) {
    if (from == length) return NOT_MATCHED;
    const here = executeHere(programAt(program), text, length, from, groups);
    if (here != NOT_MATCHED) return here;
    from++;
  }
  return executeSearch(programAt(program), text, length, from, groups);
}
