// Why a pattern or a match was given up, and the limits behind it.

/** No failure. */
export const REGEX_OK: u32 = 0;
/** The pattern is malformed: "invalid regular expression". */
export const REGEX_INVALID: u32 = 1;
/** The automaton has too many states: "memory limit exceeded by regular expression". */
export const REGEX_TOO_LARGE: u32 = 2;

/** As many states as libstdc++ allows (its _GLIBCXX_REGEX_STATE_LIMIT), counted the same way. */
export const MAX_STATES: u32 = 100000;
/** The backtracking stack and the memory of what was tried may take this much each before a match is given up. */
export const MAX_MATCH_BYTES: u32 = 1 << 29;

let failure: u32 = REGEX_OK;

/** Records the first failure of a compilation; later ones are consequences. */
export function fail(reason: u32): void {
  if (failure == REGEX_OK) failure = reason;
}

@inline
export function failed(): bool {
  return failure != REGEX_OK;
}

export function clearFailure(): void {
  failure = REGEX_OK;
}

/** Why the newest `compileRegex` returned 0: one of the constants of this file. */
export function regexError(): u32 {
  return failure;
}
