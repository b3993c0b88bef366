// How a file tree becomes the bytes that are hashed, when a path is named after its contents.

import { appendText } from "../memory/text";
import { stringIs } from "../values/string";
import { Value } from "../values/value";

export type Method = u32;

export const NO_METHOD: Method = 0;
/** The contents of one file. */
export const METHOD_FLAT: Method = 1;
/** The tree as an archive. */
export const METHOD_NAR: Method = 2;
/** One file, whose references are part of its address. */
export const METHOD_TEXT: Method = 3;
/** The tree as git hashes it. */
export const METHOD_GIT: Method = 4;

/** The method of this name, or NO_METHOD. `recursive` is the old name of `nar`. */
export function methodNamed(name: Value): Method {
  if (stringIs(name, "recursive") || stringIs(name, "nar")) return METHOD_NAR;
  if (stringIs(name, "flat")) return METHOD_FLAT;
  if (stringIs(name, "text")) return METHOD_TEXT;
  if (stringIs(name, "git")) return METHOD_GIT;
  return NO_METHOD;
}

/** Appends what stands before the algorithm in a derivation. */
export function appendMethodPrefix(method: Method): void {
  if (method == METHOD_NAR) appendText("r:");
  else if (method == METHOD_TEXT) appendText("text:");
  else if (method == METHOD_GIT) appendText("git:");
}
