// Path literals become absolute: `/a` is normalised, `./a` and `a/b` are below the directory of the source, `~/a` below
// the home directory. The slash before an interpolation stays.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { appendByte, appendBytes, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { appendCanonicalPath } from "../operations/path-name";
import { makePermanentPath, stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";
import { lintAbsolutePath, lintShortPath } from "./lints";
import { homePath, isPure } from "./settings";
import { reportErrorAbout } from "./syntax-errors";
import { TOKEN_HOME_PATH } from "./tokens";

const SLASH: u32 = 0x2f;
let basePath: Value = 0;

/** The directory that relative paths begin at: a PATH. */
export function setBasePath(path: Value): void {
  basePath = path;
}

/** The permanent PATH of a literal. */
export function makePathLiteral(kind: u32, at: Address, length: u32, position: u32): Value {
  const mark = textMark();
  if (kind == TOKEN_HOME_PATH) appendHomePath(at, length, position);
  else {
    const isAbsolute = <u32>load<u8>(at) == SLASH;
    if (isAbsolute) lintAbsolutePath(at, length, position, false);
    else lintShortPath(at, length, position);
    appendPath(at, length, isAbsolute);
    if (length > 1 && <u32>load<u8>(at + length - 1) == SLASH) appendByte(SLASH);
  }
  const path = makePermanentPath(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return path;
}

/** Appends the normal form of a path. */
function appendPath(at: Address, length: u32, isAbsolute: bool): void {
  if (isAbsolute) {
    appendCanonicalPath(at, length);
    return;
  }
  const mark = textMark();
  appendBytes(stringBytes(basePath), stringLength(basePath));
  appendByte(SLASH);
  appendBytes(at, length);
  const size = textLengthFrom(mark);
  const joined = allocateInArena(size);
  memory.copy(joined, textStart(mark), size);
  textRewind(mark);
  appendCanonicalPath(joined, size);
}

/** Home paths are not normalised. */
function appendHomePath(at: Address, length: u32, position: u32): void {
  if (isPure) reportErrorAbout(0, "the path ", at, length, " can not be resolved in pure mode");
  lintAbsolutePath(at, length, position, true);
  if (homePath != 0) appendBytes(stringBytes(homePath), stringLength(homePath));
  appendBytes(at + 1, length - 1);
}
