// After a syntax error: one message a place, then the parser looks for the token that it wanted, and goes on as if all
// were well. It gives up the search at a token that something around it awaits.

import {
  FRAME_ATTR_PATH, FRAME_BINDING, FRAME_BINDINGS, FRAME_CONDITION, FRAME_CONSEQUENT, FRAME_FORMALS, FRAME_INHERIT,
  FRAME_LIST, FRAME_PARENS, FRAME_SUBJECT, FRAME_TEXT, frameDepth, frameKindBelow,
} from "./frames";
import { nextToken, skipToEnd, token, tokenErrorPosition, tokenPosition } from "./lexer";
import { MAX_SYNTAX_ERRORS, reportErrorText, reportUnexpected, syntaxErrorCount } from "./syntax-errors";
import {
  TOKEN_CLOSE_BRACE, TOKEN_CLOSE_BRACKET, TOKEN_CLOSE_PAREN, TOKEN_ELSE, TOKEN_END, TOKEN_IN, TOKEN_INTERPOLATION,
  TOKEN_OPEN_BRACE, TOKEN_OPEN_BRACKET, TOKEN_OPEN_PAREN, TOKEN_SEMICOLON, TOKEN_THEN, TokenSet, only,
} from "./tokens";

/** How many frames are asked whether they await a token. */
const SEARCHED_FRAMES: u32 = 64;
let lastPosition: u32 = 0;

export function resetRecovery(): void {
  lastPosition = 0;
}

/** Reports that the current token should not be here, unless that was said already. */
export function unexpected(expected: TokenSet): void {
  const position = tokenErrorPosition();
  if (position == lastPosition) return;
  lastPosition = position;
  reportUnexpected(position, token, expected);
}

/** Too many brackets: nothing of the rest is parsed. */
export function giveUp(): void {
  reportErrorText(tokenPosition(), "memory exhausted");
  skipToEnd();
}

/** Whether the current token is `wanted`; if not, reports that and looks for it. */
@inline
export function reach(wanted: u32): bool {
  return token == wanted || reachAfterError(wanted, only(wanted));
}

/** The same, with another set of tokens for the message. */
@inline
export function reachOneOf(wanted: u32, expected: TokenSet): bool {
  return token == wanted || reachAfterError(wanted, expected);
}

/** Passes over `wanted`. */
@inline
export function pass(wanted: u32): void {
  if (reach(wanted)) nextToken();
}

function reachAfterError(wanted: u32, expected: TokenSet): bool {
  unexpected(expected);
  return skipTo(wanted);
}

/** Passes over tokens up to `wanted`, or to one that a frame awaits: then it returns false. */
export function skipTo(wanted: u32): bool {
  let nesting: u32 = 0;
  if (syntaxErrorCount() >= MAX_SYNTAX_ERRORS) skipToEnd();
  while (token != TOKEN_END) {
    if (nesting == 0) {
      if (token == wanted) return true;
      if (isAwaited()) return false;
    }
    if (isOpening()) nesting++;
    else if (isClosing() && nesting > 0) nesting--;
    nextToken();
  }
  return false;
}

function isOpening(): bool {
  return token == TOKEN_OPEN_PAREN || token == TOKEN_OPEN_BRACE || token == TOKEN_OPEN_BRACKET || token == TOKEN_INTERPOLATION;
}

function isClosing(): bool {
  return token == TOKEN_CLOSE_PAREN || token == TOKEN_CLOSE_BRACE || token == TOKEN_CLOSE_BRACKET;
}

/** Whether a frame awaits the current token. What is outside of a string awaits nothing inside of it. */
export function isAwaited(): bool {
  const depth = frameDepth();
  const count = depth < SEARCHED_FRAMES ? depth : SEARCHED_FRAMES;
  for (let i: u32 = 0; i < count; i++) {
    const kind = frameKindBelow(i);
    if (awaits(kind)) return true;
    if (kind == FRAME_TEXT) return false;
  }
  return false;
}

function awaits(kind: u32): bool {
  switch (token) {
    case TOKEN_CLOSE_PAREN: return kind == FRAME_PARENS || kind == FRAME_INHERIT;
    case TOKEN_CLOSE_BRACKET: return kind == FRAME_LIST;
    case TOKEN_CLOSE_BRACE:
      return kind == FRAME_BINDINGS || kind == FRAME_FORMALS || kind == FRAME_TEXT || kind == FRAME_ATTR_PATH;
    case TOKEN_THEN: return kind == FRAME_CONDITION;
    case TOKEN_ELSE: return kind == FRAME_CONSEQUENT;
    case TOKEN_IN: return kind == FRAME_BINDINGS;
    case TOKEN_SEMICOLON: return kind == FRAME_SUBJECT || kind == FRAME_BINDING || kind == FRAME_INHERIT;
    default: return false;
  }
}
