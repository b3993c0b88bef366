// From the text of a source to its code.

import { Address } from "../memory/chunks";
import { resetArena } from "../memory/arena";
import { ERROR_PARSE, beginError, raiseError } from "../errors/raise";
import { appendByte, appendBytes } from "../memory/text";
import { appendPosition } from "../values/print-position";
import { parseSource } from "../syntax/parser";
import { Node } from "../syntax/ast";
import { appendOutline } from "../syntax/outline";
import { addSource, sourceAt, sourceCount } from "../syntax/positions";
import { showNode } from "../syntax/show";
import {
  syntaxErrorCount,
  syntaxErrorLength,
  syntaxErrorMessage,
  syntaxErrorPosition,
  syntaxErrorSecondPosition,
} from "../syntax/syntax-errors";
import { Keys } from "../values/attrs";
import { Value } from "../values/value";
import { Code, blockEntry } from "./code";
import { compileFile } from "./compile";
import { appendListing } from "./listing";
import { setCompiledSource } from "./current-position";
import { keepSourceWarnings } from "./source-warnings";
import { forgetNotedUndefined, raiseNotedUndefined } from "./undefined-variables";

/** Sources read, and their bytes: for NIX_SHOW_STATS. */
export let loadedBytes: u32 = 0;

/**
 * Parses and compiles a source, or raises the first error in it. `origin` and `path` as positions.ts has them,
 * `basePath` the directory of its relative paths, `keys` the names of a `scopedImport`, or 0. The code runs in an
 * environment of these names, or in none.
 */
export function loadSource(text: Address, length: u32, origin: u32, path: Value, basePath: Value, keys: Keys): Code {
  return compileRoot(parse(text, length, origin, path, basePath), keys);
}

/** The same with a source that is the inside of a set, which is not recursive; its last semicolon may be missing. */
export function loadBindings(text: Address, length: u32, origin: u32, path: Value, basePath: Value, keys: Keys): Code {
  return compileRoot(parse(text, length, origin, path, basePath, true), keys);
}

function compileRoot(root: Node, keys: Keys): Code {
  const code = blockEntry(compileFile(root, keys));
  raiseNotedUndefined();
  resetArena();
  return code;
}

/** Appends what `--parse` prints of a source to the text buffer, or raises the first error in it. */
export function showSource(text: Address, length: u32, origin: u32, path: Value, basePath: Value): void {
  const root = parse(text, length, origin, path, basePath);
  compileFile(root, 0);
  raiseNotedUndefined();
  showNode(root);
  resetArena();
}

/**
 * Appends the syntax tree of a source to the text buffer as syntax/outline.ts has it, an empty line, and its code as
 * listing.ts has it; or raises the first error in it. An undefined variable is none here.
 */
export function outlineSource(text: Address, length: u32, origin: u32, path: Value, basePath: Value): void {
  const root = parse(text, length, origin, path, basePath);
  const start = sourceAt(sourceCount() - 1).start;
  appendOutline(root, start);
  appendByte(0x0a);
  appendListing(compileFile(root, 0), start, length);
  forgetNotedUndefined();
  resetArena();
}

function parse(text: Address, length: u32, origin: u32, path: Value, basePath: Value, bindings: bool = false): Node {
  loadedBytes += length;
  const source = addSource(origin, path, length);
  setCompiledSource(text, source);
  const root = parseSource(text, length, source, basePath, bindings);
  keepSourceWarnings();
  if (syntaxErrorCount() != 0) raiseSyntaxError();
  return root;
}

function raiseSyntaxError(): void {
  beginError(ERROR_PARSE);
  appendBytes(syntaxErrorMessage(0), syntaxErrorLength(0));
  const second = syntaxErrorSecondPosition(0);
  if (second != 0) appendPosition(second);
  const position = syntaxErrorPosition(0);
  resetArena();
  raiseError(position);
}
