// What a caller may set about parsing. The settings hold until they are changed.

import { Value } from "../values/value";

export const LINT_IGNORE: u32 = 0;
export const LINT_WARN: u32 = 1;
export const LINT_FATAL: u32 = 2;

/** A string: what `~` stands for. */
export let homePath: Value = 0;
/** In pure mode there are no `~/…` paths. */
export let isPure: bool = false;
export let lintUrlLiterals: u32 = LINT_IGNORE;
export let lintShortPathLiterals: u32 = LINT_IGNORE;
export let lintAbsolutePathLiterals: u32 = LINT_IGNORE;

/** A permanent string. */
export function setHomePath(path: Value): void {
  homePath = path;
}

export function setPureParsing(pure: bool): void {
  isPure = pure;
}

export function setSyntaxLints(urlLiterals: u32, shortPathLiterals: u32, absolutePathLiterals: u32): void {
  lintUrlLiterals = urlLiterals;
  lintShortPathLiterals = shortPathLiterals;
  lintAbsolutePathLiterals = absolutePathLiterals;
}
