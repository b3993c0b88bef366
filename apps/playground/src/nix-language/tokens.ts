/**
 * The tokens of Nix that no regular expression of the grammar finds: pieces of strings and paths, whose ends depend on
 * what is next, and paths and URIs, which win over names, numbers and operators where they are longer.
 *
 * The rules are those of Nix's lexer: `$$` is no beginning of an interpolation, `''$`, `'''` and `''\` are escapes in
 * indented strings, a path has a slash and something behind it, and `x:y` is a URI.
 */
import { ExternalTokenizer, type InputStream } from '@lezer/lr';
import * as terms from '../../build/nix-parser.terms.js';

const end = -1;
const quote = 0x22;
const dollar = 0x24;
const percent = 0x25;
const apostrophe = 0x27;
const slash = 0x2f;
const colon = 0x3a;
const less = 0x3c;
const greater = 0x3e;
const backslash = 0x5c;
const openBrace = 0x7b;
const tilde = 0x7e;

const constants: ReadonlySet<string> = new Set(['true', 'false', 'null']);

/** What is global besides `builtins`, and commonly used. */
const globals: ReadonlySet<string> = new Set(
  (
    'builtins import throw abort map toString derivation removeAttrs isNull baseNameOf dirOf placeholder fetchGit ' +
    'fetchTarball fetchTree fromTOML scopedImport break'
  ).split(' '),
);

/** Constants and global functions have terms of their own, to be shown as what they mostly are. */
export function knownNames(name: string): number {
  if (constants.has(name)) return terms.Constant;
  return globals.has(name) ? terms.Global : -1;
}

/** `a/b`, `./a`, `/a`, `~/a`, `<a>`, `a:b`, and the beginning of a path with an interpolation. */
export const paths: ExternalTokenizer = new ExternalTokenizer((input) => {
  if (input.next === less) readSearchPath(input);
  else if (input.next === tilde) {
    if (input.peek(1) === slash) readPath(input, { from: 1, whole: terms.homePath });
  } else {
    let length = 0;
    while (isPathCharacter(input.peek(length))) length += 1;
    const next = input.peek(length);
    if (next === slash) readPath(input, { from: length, whole: terms.Path });
    else if (next === colon) readUri(input, length);
  }
});

/** What goes on in a path after an interpolation, and its end, which has no characters. */
export const pathTexts: ExternalTokenizer = new ExternalTokenizer((input) => {
  let length = 0;
  while (isPathCharacter(input.peek(length)) || input.peek(length) === slash) length += 1;
  if (length > 0) input.acceptToken(terms.pathText, length);
  else if (!isInterpolation(input, 0)) input.acceptToken(terms.pathEnd);
});

export const strings: ExternalTokenizer = new ExternalTokenizer((input) => {
  let length = 0;
  while (true) {
    const next = input.peek(length);
    if (next === end || next === quote || next === backslash || isInterpolation(input, length)) break;
    // The dollar sign before another one takes that along.
    length += next === dollar && input.peek(length + 1) === dollar ? 2 : 1;
  }
  if (length > 0) input.acceptToken(terms.stringText, length);
  else if (input.next === quote) input.acceptToken(terms.stringEnd, 1);
  else if (input.next === backslash) input.acceptToken(terms.Escape, input.peek(1) === end ? 1 : 2);
});

export const indentedStrings: ExternalTokenizer = new ExternalTokenizer((input) => {
  let length = 0;
  while (true) {
    const next = input.peek(length);
    if (next === end || isInterpolation(input, length)) break;
    if (next === apostrophe && input.peek(length + 1) === apostrophe) break;
    length += next === dollar && input.peek(length + 1) === dollar ? 2 : 1;
  }
  if (length > 0) {
    input.acceptToken(terms.indentedText, length);
    return;
  }
  if (input.next !== apostrophe) return;
  const third = input.peek(2);
  if (third === dollar || third === apostrophe) input.acceptToken(terms.IndentedEscape, 3);
  else if (third === backslash && input.peek(3) !== end) input.acceptToken(terms.IndentedEscape, 4);
  else input.acceptToken(terms.indentedEnd, 2);
});

/** A path whose first slash is `from` characters ahead, if something of a path follows it. */
function readPath(input: InputStream, { from, whole }: { from: number; whole: number }): void {
  let length = from;
  while (input.peek(length) === slash && isPathCharacter(input.peek(length + 1))) {
    length += 1;
    while (isPathCharacter(input.peek(length))) length += 1;
  }
  const isEmpty = length === from;
  if (input.peek(length) === slash && (!isEmpty || isInterpolation(input, length + 1))) length += 1;
  else if (isEmpty) return;
  input.acceptToken(isInterpolation(input, length) ? terms.pathStart : whole, length);
}

/** `<nixpkgs/lib>` */
function readSearchPath(input: InputStream): void {
  let length = 1;
  while (true) {
    const before = length;
    while (isPathCharacter(input.peek(length))) length += 1;
    if (length === before) return;
    if (input.peek(length) !== slash) break;
    length += 1;
  }
  if (input.peek(length) === greater) input.acceptToken(terms.SearchPath, length + 1);
}

/** A URI whose colon is `schemeLength` characters ahead. */
function readUri(input: InputStream, schemeLength: number): void {
  if (!isLetter(input.next)) return;
  for (let i = 1; i < schemeLength; i++) if (input.peek(i) === 0x5f) return;
  let length = schemeLength + 1;
  while (isUriCharacter(input.peek(length))) length += 1;
  if (length > schemeLength + 1) input.acceptToken(terms.Uri, length);
}

function isInterpolation(input: InputStream, at: number): boolean {
  return input.peek(at) === dollar && input.peek(at + 1) === openBrace;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

/** Letters, digits and `.`, `_`, `-`, `+`. */
function isPathCharacter(code: number): boolean {
  return (
    isLetter(code) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x2d ||
    code === 0x2b
  );
}

/** Path characters, and `%/?:@&=$,!~*'`. */
function isUriCharacter(code: number): boolean {
  return (
    isPathCharacter(code) ||
    code === percent ||
    (code !== end && "/?:@&=$,!~*'".includes(String.fromCharCode(code)))
  );
}
