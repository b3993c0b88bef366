// The tokens, in the order in which messages list them ("unexpected X, expecting A or B"), and their names.
//
// A set of tokens is a 64-bit mask, one bit for each number. An empty set in a message means: too many to list.

import { appendByte, appendText } from "../memory/text";

export const TOKEN_END: u32 = 0;
export const TOKEN_INVALID: u32 = 1;
export const TOKEN_NAME: u32 = 2;
export const TOKEN_STRING: u32 = 3;
export const TOKEN_INDENTED: u32 = 4;
export const TOKEN_INT: u32 = 5;
export const TOKEN_FLOAT: u32 = 6;
export const TOKEN_PATH: u32 = 7;
export const TOKEN_HOME_PATH: u32 = 8;
export const TOKEN_SEARCH_PATH: u32 = 9;
export const TOKEN_PATH_END: u32 = 10;
export const TOKEN_URI: u32 = 11;
export const TOKEN_IF: u32 = 12;
export const TOKEN_THEN: u32 = 13;
export const TOKEN_ELSE: u32 = 14;
export const TOKEN_ASSERT: u32 = 15;
export const TOKEN_WITH: u32 = 16;
export const TOKEN_LET: u32 = 17;
export const TOKEN_IN: u32 = 18;
export const TOKEN_REC: u32 = 19;
export const TOKEN_INHERIT: u32 = 20;
export const TOKEN_EQUAL: u32 = 21;
export const TOKEN_NOT_EQUAL: u32 = 22;
export const TOKEN_AT_MOST: u32 = 23;
export const TOKEN_AT_LEAST: u32 = 24;
export const TOKEN_UPDATE: u32 = 25;
export const TOKEN_CONCAT: u32 = 26;
export const TOKEN_AND: u32 = 27;
export const TOKEN_OR: u32 = 28;
export const TOKEN_IMPLIES: u32 = 29;
/** The word `or`. */
export const TOKEN_OR_WORD: u32 = 30;
export const TOKEN_PIPE_FROM: u32 = 31;
export const TOKEN_PIPE_INTO: u32 = 32;
/** `${` */
export const TOKEN_INTERPOLATION: u32 = 33;
export const TOKEN_INDENTED_OPEN: u32 = 34;
export const TOKEN_INDENTED_CLOSE: u32 = 35;
export const TOKEN_ELLIPSIS: u32 = 36;
export const TOKEN_LESS: u32 = 37;
export const TOKEN_GREATER: u32 = 38;
export const TOKEN_PLUS: u32 = 39;
export const TOKEN_MINUS: u32 = 40;
export const TOKEN_TIMES: u32 = 41;
export const TOKEN_DIVIDE: u32 = 42;
export const TOKEN_QUESTION: u32 = 43;
export const TOKEN_COLON: u32 = 44;
export const TOKEN_AT: u32 = 45;
export const TOKEN_SEMICOLON: u32 = 46;
export const TOKEN_NOT: u32 = 47;
export const TOKEN_DOT: u32 = 48;
export const TOKEN_QUOTE: u32 = 49;
export const TOKEN_OPEN_PAREN: u32 = 50;
export const TOKEN_CLOSE_PAREN: u32 = 51;
export const TOKEN_OPEN_BRACE: u32 = 52;
export const TOKEN_CLOSE_BRACE: u32 = 53;
export const TOKEN_OPEN_BRACKET: u32 = 54;
export const TOKEN_CLOSE_BRACKET: u32 = 55;
export const TOKEN_ASSIGN: u32 = 56;
export const TOKEN_COMMA: u32 = 57;
export const TOKEN_COUNT: u32 = 58;

export type TokenSet = u64;

export const NO_TOKENS: TokenSet = 0;

/** The set of one token. */
@inline
export function only(token: u32): TokenSet {
  return (<u64>1) << (<u64>token);
}

@inline
export function either(a: u32, b: u32): TokenSet {
  return only(a) | only(b);
}

@inline
export function hasToken(set: TokenSet, token: u32): bool {
  return ((set >> (<u64>token)) & 1) != 0;
}

/** What an attribute path may begin with. */
export const ATTR_NAME_START: TokenSet =
  (<u64>1 << <u64>TOKEN_NAME) | (1 << <u64>TOKEN_OR_WORD) | (1 << <u64>TOKEN_INTERPOLATION) | (1 << <u64>TOKEN_QUOTE);

/** What a simple expression may begin with: an operand without operators, an argument, an item of a list. */
export const SIMPLE_START: TokenSet =
  (<u64>1 << <u64>TOKEN_NAME) |
  (<u64>1 << <u64>TOKEN_INT) |
  (<u64>1 << <u64>TOKEN_FLOAT) |
  (<u64>1 << <u64>TOKEN_PATH) |
  (<u64>1 << <u64>TOKEN_HOME_PATH) |
  (<u64>1 << <u64>TOKEN_SEARCH_PATH) |
  (<u64>1 << <u64>TOKEN_URI) |
  (<u64>1 << <u64>TOKEN_LET) |
  (<u64>1 << <u64>TOKEN_REC) |
  (<u64>1 << <u64>TOKEN_INDENTED_OPEN) |
  (<u64>1 << <u64>TOKEN_QUOTE) |
  (<u64>1 << <u64>TOKEN_OPEN_PAREN) |
  (<u64>1 << <u64>TOKEN_OPEN_BRACE) |
  (<u64>1 << <u64>TOKEN_OPEN_BRACKET);

/** Appends the name by which messages call a token. */
export function appendTokenName(token: u32): void {
  switch (token) {
    case TOKEN_END: appendText("end of file"); break;
    case TOKEN_INVALID: appendText("invalid token"); break;
    case TOKEN_NAME: appendText("identifier"); break;
    case TOKEN_STRING: appendText("string"); break;
    case TOKEN_INDENTED: appendText("indented string"); break;
    case TOKEN_INT: appendText("integer"); break;
    case TOKEN_FLOAT: appendText("floating-point literal"); break;
    case TOKEN_PATH: appendText("path"); break;
    case TOKEN_HOME_PATH: appendPathName("~/", ""); break;
    case TOKEN_SEARCH_PATH: appendPathName("<", ">"); break;
    case TOKEN_PATH_END: appendText("end of path"); break;
    case TOKEN_URI: appendText("URI"); break;
    case TOKEN_INDENTED_OPEN: appendText("start of an indented string"); break;
    case TOKEN_INDENTED_CLOSE: appendText("end of an indented string"); break;
    default:
      appendByte(0x27);
      appendSpelling(token);
      appendByte(0x27);
  }
}

/** `'~/…' path` and `'<…>' path`. */
function appendPathName(before: string, after: string): void {
  appendByte(0x27);
  appendText(before);
  // U+2026
  appendByte(0xe2);
  appendByte(0x80);
  appendByte(0xa6);
  appendText(after);
  appendText("' path");
}

function appendSpelling(token: u32): void {
  switch (token) {
    case TOKEN_IF: appendText("if"); break;
    case TOKEN_THEN: appendText("then"); break;
    case TOKEN_ELSE: appendText("else"); break;
    case TOKEN_ASSERT: appendText("assert"); break;
    case TOKEN_WITH: appendText("with"); break;
    case TOKEN_LET: appendText("let"); break;
    case TOKEN_IN: appendText("in"); break;
    case TOKEN_REC: appendText("rec"); break;
    case TOKEN_INHERIT: appendText("inherit"); break;
    case TOKEN_EQUAL: appendText("=="); break;
    case TOKEN_NOT_EQUAL: appendText("!="); break;
    case TOKEN_AT_MOST: appendText("<="); break;
    case TOKEN_AT_LEAST: appendText(">="); break;
    case TOKEN_UPDATE: appendText("//"); break;
    case TOKEN_CONCAT: appendText("++"); break;
    case TOKEN_AND: appendText("&&"); break;
    case TOKEN_OR: appendText("||"); break;
    case TOKEN_IMPLIES: appendText("->"); break;
    case TOKEN_OR_WORD: appendText("or"); break;
    case TOKEN_PIPE_FROM: appendText("<|"); break;
    case TOKEN_PIPE_INTO: appendText("|>"); break;
    case TOKEN_INTERPOLATION: appendText("${"); break;
    case TOKEN_ELLIPSIS: appendText("..."); break;
    case TOKEN_LESS: appendText("<"); break;
    case TOKEN_GREATER: appendText(">"); break;
    case TOKEN_PLUS: appendText("+"); break;
    case TOKEN_MINUS: appendText("-"); break;
    case TOKEN_TIMES: appendText("*"); break;
    case TOKEN_DIVIDE: appendText("/"); break;
    case TOKEN_QUESTION: appendText("?"); break;
    case TOKEN_COLON: appendText(":"); break;
    case TOKEN_AT: appendText("@"); break;
    case TOKEN_SEMICOLON: appendText(";"); break;
    case TOKEN_NOT: appendText("!"); break;
    case TOKEN_DOT: appendText("."); break;
    case TOKEN_QUOTE: appendText("\""); break;
    case TOKEN_OPEN_PAREN: appendText("("); break;
    case TOKEN_CLOSE_PAREN: appendText(")"); break;
    case TOKEN_OPEN_BRACE: appendText("{"); break;
    case TOKEN_CLOSE_BRACE: appendText("}"); break;
    case TOKEN_OPEN_BRACKET: appendText("["); break;
    case TOKEN_CLOSE_BRACKET: appendText("]"); break;
    case TOKEN_ASSIGN: appendText("="); break;
    default: appendText(",");
  }
}
