// The lexer: one token at a time from bytes that it never copies.
//
// Where the text inside of quotes begins and ends depends on the brackets around it, so the lexer keeps a stack of
// modes: `{` and `${` enter plain text, `}` leaves it, quotes enter a string, a path enters "in a path" until something
// comes that is no part of it. As in Nix the longest possible token wins: `a/b` is a path, `x:y` a URI, `-1/2` a path.
//
// A NUL byte in plain text ends it. The value of a token is its bytes; whoever wants it decodes them.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { appendBytes, appendText, textMark } from "../memory/text";
import {
  DIGIT, NAME, NAME_START, PATH_CHAR, SPACE, URI_CHAR, URI_SCHEME, classesOf, initializeCharacters, isClass,
} from "./characters";
import { wordToken } from "./keywords";
import { isFloatLiteral, numberEnd, readFloat, readInt } from "./number-literals";
import {
  commentEnd, endOfIndented, endOfString, isInterpolation, lineEnd, pathRunEnd, pathSegmentsEnd, pieceHasNul,
  searchPathEnd,
} from "./scan";
import { appendUnescaped, makeNulsVisible, unescaped } from "./string-literals";
import { reportError, reportErrorText } from "./syntax-errors";
import {
  TOKEN_AND, TOKEN_ASSIGN, TOKEN_AT, TOKEN_AT_LEAST, TOKEN_AT_MOST, TOKEN_CLOSE_BRACE, TOKEN_CLOSE_BRACKET,
  TOKEN_CLOSE_PAREN, TOKEN_COLON, TOKEN_COMMA, TOKEN_CONCAT, TOKEN_DIVIDE, TOKEN_DOT, TOKEN_ELLIPSIS, TOKEN_END,
  TOKEN_EQUAL, TOKEN_FLOAT, TOKEN_GREATER, TOKEN_HOME_PATH, TOKEN_IMPLIES, TOKEN_INDENTED, TOKEN_INDENTED_CLOSE,
  TOKEN_INDENTED_OPEN, TOKEN_INT, TOKEN_INTERPOLATION, TOKEN_INVALID, TOKEN_LESS, TOKEN_MINUS, TOKEN_NOT,
  TOKEN_NOT_EQUAL, TOKEN_OPEN_BRACE, TOKEN_OPEN_BRACKET, TOKEN_OPEN_PAREN, TOKEN_OR, TOKEN_PATH, TOKEN_PATH_END,
  TOKEN_PIPE_FROM, TOKEN_PIPE_INTO, TOKEN_PLUS, TOKEN_QUESTION, TOKEN_QUOTE, TOKEN_SEARCH_PATH, TOKEN_SEMICOLON,
  TOKEN_STRING, TOKEN_TIMES, TOKEN_UPDATE, TOKEN_URI,
} from "./tokens";

/** The bottom of the stack of modes, which a surplus `}` does not leave. */
const MODE_BOTTOM: u32 = 0;
const MODE_PLAIN: u32 = 1;
const MODE_STRING: u32 = 2;
const MODE_INDENTED: u32 = 3;
const MODE_PATH: u32 = 4;
/** In a path, after a slash: something must follow. */
const MODE_PATH_SLASH: u32 = 5;

let text: Address = 0;
let limit: Address = 0;
/** The position of the first byte. */
let start: u32 = 0;
let cursor: Address = 0;
/** Where messages about the end of the text point to. */
let endAddress: Address = 0;

/** The current token. */
export let token: u32 = 0;
export let tokenStart: Address = 0;
export let tokenEnd: Address = 0;
/** Where the token before it began. */
let beforeLast: Address = 0;
/** The position of a doc comment right before the token, or 0. */
export let tokenDocumentation: u32 = 0;
let pendingDocumentation: u32 = 0;

/** TOKEN_INDENTED: the bytes that it stands for, and whether they may hold indentation. */
export let indentedText: Address = 0;
export let indentedLength: u32 = 0;
export let indentedIsRaw: bool = false;
/** The bytes that `''\n`, `''\r` and `''\t` stand for. */
const escapes: Address = memory.data<u8>([0x0a, 0x0d, 0x09]);

let mode: u32 = MODE_BOTTOM;
let modes: Address = 0;
let depth: u32 = 0;
let modeCapacity: u32 = 0;

/** The run of path characters that was looked at last: up to `runEnd` there is no path or URI unless `runNext` is set. */
let runEnd: Address = 0;
let runNext: u32 = 0;
/** From here on no long comment ends. */
let unended: Address = 0;
let pipesEnabled: bool = false;

/** Whether `|>` and `<|` are operators; otherwise they are errors. */
export function setPipeOperators(enabled: bool): void {
  pipesEnabled = enabled;
}

/** Begins a text and reads its first token. */
export function startLexer(bytes: Address, length: u32, firstPosition: u32): void {
  initializeCharacters();
  text = bytes;
  limit = bytes + length;
  start = firstPosition;
  cursor = bytes;
  endAddress = limit;
  mode = MODE_BOTTOM;
  depth = 0;
  modeCapacity = 0;
  runEnd = 0;
  unended = limit;
  tokenStart = bytes;
  tokenEnd = bytes;
  pendingDocumentation = 0;
  nextToken();
}

/** The position of the current token. */
@inline
export function tokenPosition(): u32 {
  return start + <u32>(tokenStart - text);
}

/** Where a message about the current token points to: to the end of the text, if that is the token. */
export function tokenErrorPosition(): u32 {
  return positionAt(token == TOKEN_END ? tokenEnd : tokenStart);
}

/** The position of the end of the current token. */
export function tokenEndPosition(): u32 {
  return positionAt(tokenEnd);
}

/** The address of the byte at `position`. */
export function addressOfPosition(position: u32): Address {
  return text + (position - start);
}

@inline
export function tokenLength(): u32 {
  return <u32>(tokenEnd - tokenStart);
}

/** Reads the next token. */
export function nextToken(): void {
  if (mode <= MODE_PLAIN) lexPlain();
  else if (mode == MODE_STRING) lexString();
  else if (mode == MODE_INDENTED) lexIndented();
  else lexInPath();
}

/** Passes over the rest of the text. */
export function skipToEnd(): void {
  cursor = limit;
  mode = MODE_BOTTOM;
  depth = 0;
  nextToken();
}

@inline
function positionAt(address: Address): u32 {
  return start + <u32>(address - text);
}

/** Makes the bytes up to `end` the current token. */
@inline
function take(kind: u32, end: Address): void {
  token = kind;
  beforeLast = tokenStart;
  tokenStart = cursor;
  tokenEnd = end;
  cursor = end;
}

/** The end of the text, `end` being where messages about it point. */
function takeEnd(end: Address): void {
  token = TOKEN_END;
  tokenStart = cursor;
  tokenEnd = end;
}

/** The byte at an address, 0 at the end of the text. */
@inline
function byteAt(address: Address): u32 {
  return address < limit ? <u32>load<u8>(address) : 0;
}

function pushMode(entered: u32): void {
  if (depth == modeCapacity) growModes();
  store<u8>(modes + depth, <u8>mode);
  depth++;
  mode = entered;
}

function popMode(): void {
  if (depth == 0) return;
  depth--;
  mode = load<u8>(modes + depth);
}

function growModes(): void {
  const larger = modeCapacity == 0 ? 256 : modeCapacity << 1;
  const moved = allocateInArena(larger);
  if (depth != 0) memory.copy(moved, modes, depth);
  modes = moved;
  modeCapacity = larger;
}

// --- Plain text

function lexPlain(): void {
  skipBlanks();
  tokenDocumentation = pendingDocumentation;
  pendingDocumentation = 0;
  if (cursor == limit) {
    takeEnd(endAddress);
    return;
  }
  const byte = <u32>load<u8>(cursor);
  const classes = classesOf(byte);
  if ((classes & PATH_CHAR) != 0 && mayBePathOrUri() && lexPathOrUri(classes)) return;
  if ((classes & NAME_START) != 0) lexName();
  else if ((classes & DIGIT) != 0 || (byte == 0x2e && isClass(byteAt(cursor + 1), DIGIT))) lexNumber();
  else lexPunctuation(byte);
}

/** Passes over white space and comments and remembers the last doc comment. */
function skipBlanks(): void {
  while (cursor < limit) {
    const byte = <u32>load<u8>(cursor);
    if (isClass(byte, SPACE)) cursor++;
    else if (byte == 0x23) cursor = lineEnd(cursor, limit);
    else if (byte != 0x2f || byteAt(cursor + 1) != 0x2a || !skipLongComment()) return;
  }
}

function skipLongComment(): bool {
  const end = cursor + 2 < unended ? commentEnd(cursor + 2, limit) : 0;
  if (end == 0) {
    if (cursor + 2 < unended) unended = cursor + 2;
    return false;
  }
  // A doc comment is longer than "/**/" and has exactly two stars.
  if (byteAt(cursor + 2) == 0x2a && cursor + 4 < end) {
    const fourth = byteAt(cursor + 3);
    if (fourth != 0x2a && fourth != 0x2f) pendingDocumentation = positionAt(cursor);
  }
  cursor = end;
  return true;
}

/** Looks at the run of path characters here, unless it is known already. */
@inline
function mayBePathOrUri(): bool {
  if (cursor >= runEnd) {
    runEnd = pathRunEnd(cursor, limit);
    const next = byteAt(runEnd);
    runNext = next == 0x2f || next == 0x3a ? next : 0;
  }
  return runNext != 0;
}

function lexPathOrUri(classes: u32): bool {
  if (runNext == 0x2f) {
    if (lexPath(TOKEN_PATH, runEnd)) return true;
    runNext = 0;
    return false;
  }
  if ((classes & NAME_START) == 0 || !isClass(byteAt(runEnd + 1), URI_CHAR)) return false;
  for (let i = cursor; i < runEnd; i++) if (!isClass(load<u8>(i), URI_SCHEME)) return false;
  let end = runEnd + 1;
  while (end < limit && isClass(load<u8>(end), URI_CHAR)) end++;
  take(TOKEN_URI, end);
  return true;
}

/** A path whose first slash is at `slash`, if something that belongs to a path follows. */
function lexPath(kind: u32, slash: Address): bool {
  let end = pathSegmentsEnd(slash, limit);
  if (end == slash) {
    if (!isInterpolation(slash + 1, limit)) return false;
    end = slash + 1;
  }
  take(kind, end);
  pushMode(modeInPath());
  return true;
}

/** The mode after a piece of a path. */
@inline
function modeInPath(): u32 {
  return load<u8>(tokenEnd - 1) == 0x2f ? MODE_PATH_SLASH : MODE_PATH;
}

function lexName(): void {
  let end = cursor + 1;
  while (end < limit && isClass(load<u8>(end), NAME)) end++;
  take(0, end);
  token = wordToken(tokenStart, <u32>(end - tokenStart));
}

function lexNumber(): void {
  const end = numberEnd(cursor, limit);
  const isFloat = isFloatLiteral(cursor, end);
  take(isFloat ? TOKEN_FLOAT : TOKEN_INT, end);
  if (isFloat) readFloat(tokenStart, tokenEnd, tokenPosition());
  else readInt(tokenStart, tokenEnd, tokenPosition());
}

function lexPunctuation(byte: u32): void {
  switch (byte) {
    case 0x22: takeInto(TOKEN_QUOTE, 1, MODE_STRING); break;
    case 0x7b: takeInto(TOKEN_OPEN_BRACE, 1, MODE_PLAIN); break;
    case 0x7d: takeBrace(); break;
    case 0x24:
      if (byteAt(cursor + 1) == 0x7b) takeInto(TOKEN_INTERPOLATION, 2, MODE_PLAIN);
      else take(TOKEN_INVALID, cursor + 1);
      break;
    case 0x27: lexQuotes(); break;
    case 0x2f:
      if (!lexPath(TOKEN_PATH, cursor)) takeOneOrTwo(TOKEN_DIVIDE, 0x2f, TOKEN_UPDATE);
      break;
    case 0x7e:
      if (byteAt(cursor + 1) != 0x2f || !lexPath(TOKEN_HOME_PATH, cursor + 1)) take(TOKEN_INVALID, cursor + 1);
      break;
    case 0x3c: lexLess(); break;
    case 0x7c:
      if (byteAt(cursor + 1) == 0x3e) takePipe(TOKEN_PIPE_INTO);
      else takeOneOrTwo(TOKEN_INVALID, 0x7c, TOKEN_OR);
      break;
    case 0x2e:
      if (byteAt(cursor + 1) == 0x2e && byteAt(cursor + 2) == 0x2e) take(TOKEN_ELLIPSIS, cursor + 3);
      else take(TOKEN_DOT, cursor + 1);
      break;
    case 0: takeNul(); break;
    case 0x26: takeOneOrTwo(TOKEN_INVALID, 0x26, TOKEN_AND); break;
    case 0x3d: takeOneOrTwo(TOKEN_ASSIGN, 0x3d, TOKEN_EQUAL); break;
    case 0x21: takeOneOrTwo(TOKEN_NOT, 0x3d, TOKEN_NOT_EQUAL); break;
    case 0x3e: takeOneOrTwo(TOKEN_GREATER, 0x3d, TOKEN_AT_LEAST); break;
    case 0x2b: takeOneOrTwo(TOKEN_PLUS, 0x2b, TOKEN_CONCAT); break;
    case 0x2d: takeOneOrTwo(TOKEN_MINUS, 0x3e, TOKEN_IMPLIES); break;
    default: take(singleToken(byte), cursor + 1);
  }
}

function singleToken(byte: u32): u32 {
  switch (byte) {
    case 0x3b: return TOKEN_SEMICOLON;
    case 0x28: return TOKEN_OPEN_PAREN;
    case 0x29: return TOKEN_CLOSE_PAREN;
    case 0x5b: return TOKEN_OPEN_BRACKET;
    case 0x5d: return TOKEN_CLOSE_BRACKET;
    case 0x3a: return TOKEN_COLON;
    case 0x2c: return TOKEN_COMMA;
    case 0x40: return TOKEN_AT;
    case 0x3f: return TOKEN_QUESTION;
    case 0x2a: return TOKEN_TIMES;
    default: return TOKEN_INVALID;
  }
}

/** A token that is longer by a byte if that is `second`. */
function takeOneOrTwo(one: u32, second: u32, two: u32): void {
  if (byteAt(cursor + 1) == second) take(two, cursor + 2);
  else take(one, cursor + 1);
}

function takeInto(kind: u32, length: u32, entered: u32): void {
  take(kind, cursor + length);
  pushMode(entered);
}

function takeBrace(): void {
  take(TOKEN_CLOSE_BRACE, cursor + 1);
  if (mode != MODE_BOTTOM) popMode();
}

/** Two quotes open an indented string and take blanks up to the end of the line along. */
function lexQuotes(): void {
  if (byteAt(cursor + 1) != 0x27) {
    take(TOKEN_INVALID, cursor + 1);
    return;
  }
  let end = cursor + 2;
  while (byteAt(end) == 0x20) end++;
  take(TOKEN_INDENTED_OPEN, byteAt(end) == 0x0a ? end + 1 : cursor + 2);
  pushMode(MODE_INDENTED);
}

function lexLess(): void {
  const end = searchPathEnd(cursor + 1, limit);
  if (end != 0) take(TOKEN_SEARCH_PATH, end);
  else if (byteAt(cursor + 1) == 0x7c) takePipe(TOKEN_PIPE_FROM);
  else takeOneOrTwo(TOKEN_LESS, 0x3d, TOKEN_AT_MOST);
}

function takePipe(kind: u32): void {
  take(kind, cursor + 2);
  if (pipesEnabled) return;
  reportErrorText(
    tokenPosition(),
    "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it",
  );
}

/** A NUL byte ends the text: messages point behind it, and it is never passed. */
function takeNul(): void {
  takeEnd(cursor + 1);
}

// --- Strings

function lexString(): void {
  const end = endOfString(cursor, limit);
  if (end > cursor) {
    take(TOKEN_STRING, end);
    if (pieceHasNul) reportNul(false);
  } else if (cursor == limit) takeEnd(endAddress);
  else if (load<u8>(cursor) == 0x22) {
    take(TOKEN_QUOTE, cursor + 1);
    popMode();
  } else if (isInterpolation(cursor, limit)) takeInto(TOKEN_INTERPOLATION, 2, MODE_PLAIN);
  else {
    cursor = limit;
    takeEnd(limit);
  }
}

function lexIndented(): void {
  const end = endOfIndented(cursor, limit);
  if (end > cursor) takeIndented(end, cursor, <u32>(end - cursor), true);
  else if (cursor == limit) takeEnd(endAddress);
  else if (load<u8>(cursor) == 0x24) {
    if (byteAt(cursor + 1) == 0x7b) takeInto(TOKEN_INTERPOLATION, 2, MODE_PLAIN);
    else takeIndented(cursor + 1, cursor, 1, false);
  } else if (byteAt(cursor + 1) != 0x27) takeIndented(cursor + 1, cursor, 1, false);
  else lexQuotesInside();
}

/** Two quotes in an indented string: with a third, a dollar sign or a backslash an escape, else its end. */
function lexQuotesInside(): void {
  const third = byteAt(cursor + 2);
  if (third == 0x24) takeIndented(cursor + 3, cursor + 2, 1, false);
  else if (third == 0x27) takeIndented(cursor + 3, cursor, 2, false);
  else if (third == 0x5c && cursor + 3 < limit) takeIndented(cursor + 4, escapedByte(cursor + 3), 1, false);
  else {
    take(TOKEN_INDENTED_CLOSE, cursor + 2);
    popMode();
  }
}

function takeIndented(end: Address, bytes: Address, length: u32, raw: bool): void {
  take(TOKEN_INDENTED, end);
  indentedText = bytes;
  indentedLength = length;
  indentedIsRaw = raw;
  if (raw ? pieceHasNul : load<u8>(bytes) == 0) reportNul(true);
}

/** Where the byte that a backslash makes of the one at `at` can be found. */
function escapedByte(at: Address): Address {
  const byte = <u32>load<u8>(at);
  const meant = unescaped(byte);
  if (meant == byte) return at;
  return meant == 0x0a ? escapes : meant == 0x0d ? escapes + 1 : escapes + 2;
}

function reportNul(indented: bool): void {
  const mark = textMark();
  appendText("input string '");
  const shown = textMark();
  if (indented) appendBytes(indentedText, indentedLength);
  else appendUnescaped(tokenStart, tokenLength());
  makeNulsVisible(shown);
  appendText("' cannot be represented as Nix string because it contains null bytes");
  reportError(tokenPosition(), mark);
}

// --- Paths

function lexInPath(): void {
  if (isInterpolation(cursor, limit)) {
    mode = MODE_PATH;
    takeInto(TOKEN_INTERPOLATION, 2, MODE_PLAIN);
    return;
  }
  const run = pathRunEnd(cursor, limit);
  let end = pathSegmentsEnd(run, limit);
  if (end == run && byteAt(run) == 0x2f) end = run + 1;
  if (end > cursor) {
    take(TOKEN_STRING, end);
    mode = modeInPath();
    return;
  }
  if (mode == MODE_PATH_SLASH) reportErrorText(cursor == limit ? tokenPosition() : positionAt(cursor), "path has a trailing slash");
  takePathEnd();
}

/**
 * The end of a path, which has no bytes. Its place is that of the token before it, and at the end of the text, where
 * Nix's lexer has less to go back to, the one before that; the end of the text then is where the last token began.
 */
function takePathEnd(): void {
  popMode();
  token = TOKEN_PATH_END;
  if (cursor < limit) return;
  endAddress = tokenStart;
  tokenStart = beforeLast;
}
