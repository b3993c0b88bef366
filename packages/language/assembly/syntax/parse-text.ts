// Strings, indented strings and paths, with what is interpolated.

import { SYMBOL_EMPTY } from "../symbols/known";
import { internBytes } from "../symbols/symbols";
import { EMPTY_STRING } from "../values/constants";
import { Value } from "../values/value";
import {
  ConcatStringsNode, LiteralNode, NODE_CONCAT_STRINGS, NODE_PATH, NODE_STRING, Node, Table, makeNode, tableItem,
} from "./ast";
import { FRAME_TEXT, popFrame, pushFrame, topFrame } from "./frames";
import { appendIndentedExpression, appendIndentedText, stripIndentation } from "./indentation";
import {
  indentedIsRaw, indentedLength, indentedText, nextToken, token, tokenLength, tokenPosition, tokenStart,
} from "./lexer";
import { deliverExpression, deliverSymbol } from "./parse-attr-path";
import { makePathLiteral } from "./path-literals";
import { pass, unexpected } from "./recovery";
import { STEP_AFTER_SIMPLE, STEP_EXPRESSION, Step, result, setResult } from "./steps";
import { makeStringLiteral, needsUnescaping } from "./string-literals";
import { appendToTable } from "./tables";
import {
  TOKEN_CLOSE_BRACE, TOKEN_INDENTED, TOKEN_INDENTED_CLOSE, TOKEN_INTERPOLATION, TOKEN_PATH_END, TOKEN_QUOTE,
  TOKEN_STRING, TokenSet, only,
} from "./tokens";

const FORM_STRING: u32 = 0;
/** A string that is the name of an attribute. */
const FORM_NAME: u32 = 1;
const FORM_INDENTED: u32 = 2;
const FORM_PATH: u32 = 3;

@unmanaged
class TextFrame {
  kind: u32;
  begin: u32;
  form: u32;
  /** Pairs of position and node; of an indented string, the entries of indentation.ts. */
  parts: Table;
  /** Where the current interpolation begins. */
  position: u32;
}

export function makeStringNode(value: Value): Node {
  return makeLiteral(NODE_STRING, value);
}

/** The current token is a quote that begins an expression. */
export function beginString(): Step {
  const begin = tokenPosition();
  nextToken();
  if (token == TOKEN_INTERPOLATION) return beginText(begin, FORM_STRING);
  if (token != TOKEN_STRING) return finishPlainString(begin, EMPTY_STRING);
  const position = tokenPosition();
  const value = makeStringLiteral(tokenStart, tokenLength());
  nextToken();
  if (token != TOKEN_INTERPOLATION) return finishPlainString(begin, value);
  return beginTextWith(begin, FORM_STRING, position, makeStringNode(value));
}

/** The current token is a quote that begins the name of an attribute. */
export function beginQuotedName(): Step {
  const begin = tokenPosition();
  nextToken();
  if (token == TOKEN_INTERPOLATION) return beginText(begin, FORM_NAME);
  if (token != TOKEN_STRING) {
    pass(TOKEN_QUOTE);
    return deliverSymbol(SYMBOL_EMPTY);
  }
  const position = tokenPosition();
  const at = tokenStart;
  const length = tokenLength();
  nextToken();
  if (token == TOKEN_INTERPOLATION) {
    return beginTextWith(begin, FORM_NAME, position, makeStringNode(makeStringLiteral(at, length)));
  }
  pass(TOKEN_QUOTE);
  if (needsUnescaping(at, length)) return deliverExpression(makeStringNode(makeStringLiteral(at, length)));
  return deliverSymbol(internBytes(at, length));
}

/** The current token is the opening of an indented string. */
export function beginIndented(): Step {
  const begin = tokenPosition();
  nextToken();
  return beginText(begin, FORM_INDENTED);
}

/** The current token is a path. */
export function beginPath(): Step {
  const begin = tokenPosition();
  const path = makeLiteral(NODE_PATH, makePathLiteral(token, tokenStart, tokenLength(), begin));
  nextToken();
  if (token == TOKEN_PATH_END) {
    nextToken();
    setResult(path, begin);
    return STEP_AFTER_SIMPLE;
  }
  beginTextFrame(begin, FORM_PATH);
  addPart(begin, path);
  // A second piece must be followed by an interpolation: there were two slashes.
  if (token == TOKEN_STRING) {
    addPart(tokenPosition(), makeStringNode(makeStringLiteral(tokenStart, tokenLength())));
    nextToken();
    if (token != TOKEN_INTERPOLATION) unexpected(only(TOKEN_INTERPOLATION));
  }
  return continueText();
}

/** An interpolated expression is parsed. */
export function resumeText(): Step {
  const expression = result;
  pass(TOKEN_CLOSE_BRACE);
  const frame = changetype<TextFrame>(topFrame());
  if (frame.form == FORM_INDENTED) frame.parts = appendIndentedExpression(frame.parts, frame.position, expression);
  else addPart(frame.position, expression);
  return continueText();
}

function beginText(begin: u32, form: u32): Step {
  beginTextFrame(begin, form);
  return continueText();
}

function beginTextWith(begin: u32, form: u32, position: u32, first: Node): Step {
  beginTextFrame(begin, form);
  addPart(position, first);
  return continueText();
}

function beginTextFrame(begin: u32, form: u32): void {
  const frame = changetype<TextFrame>(pushFrame(FRAME_TEXT, begin));
  frame.form = form;
  frame.parts = 0;
}

function continueText(): Step {
  const frame = changetype<TextFrame>(topFrame());
  while (true) {
    if (token == TOKEN_INDENTED) {
      frame.parts = appendIndentedText(frame.parts, tokenPosition(), indentedText, indentedLength, indentedIsRaw);
    } else if (token == TOKEN_STRING) {
      addPart(tokenPosition(), makeStringNode(makeStringLiteral(tokenStart, tokenLength())));
    } else if (token == TOKEN_INTERPOLATION) {
      frame.position = tokenPosition();
      nextToken();
      return STEP_EXPRESSION;
    } else return finishText(frame.form);
    nextToken();
  }
}

function finishText(form: u32): Step {
  const closing = form == FORM_INDENTED ? TOKEN_INDENTED_CLOSE : form == FORM_PATH ? TOKEN_PATH_END : TOKEN_QUOTE;
  if (token == closing) nextToken();
  else unexpected(expectedInText(form, closing));
  const frame = changetype<TextFrame>(popFrame());
  const begin = frame.begin;
  const parts = frame.parts;
  if (form == FORM_INDENTED) setResult(stripIndentation(begin, parts), begin);
  else if (form == FORM_PATH) setResult(makeConcatStrings(begin, parts, 0), begin);
  else {
    const node = makeConcatStrings(<u32>tableItem(parts, 0), parts, 1);
    if (form == FORM_NAME) return deliverExpression(node);
    setResult(node, begin);
  }
  return STEP_AFTER_SIMPLE;
}

function expectedInText(form: u32, closing: u32): TokenSet {
  if (form == FORM_INDENTED) return only(TOKEN_INDENTED) | only(TOKEN_INTERPOLATION) | only(closing);
  if (form == FORM_PATH) return only(TOKEN_STRING) | only(TOKEN_INTERPOLATION) | only(closing);
  return only(closing);
}

function finishPlainString(begin: u32, value: Value): Step {
  pass(TOKEN_QUOTE);
  setResult(makeStringNode(value), begin);
  return STEP_AFTER_SIMPLE;
}

function addPart(position: u32, node: Node): void {
  const frame = changetype<TextFrame>(topFrame());
  frame.parts = appendToTable(appendToTable(frame.parts, position), node);
}

export function makeConcatStrings(position: u32, parts: Table, forceString: u32): Node {
  const node = makeNode(NODE_CONCAT_STRINGS, position, offsetof<ConcatStringsNode>());
  changetype<ConcatStringsNode>(node).forceString = forceString;
  changetype<ConcatStringsNode>(node).parts = parts;
  return node;
}

function makeLiteral(kind: u32, value: Value): Node {
  const node = makeNode(kind, 0, offsetof<LiteralNode>());
  changetype<LiteralNode>(node).value = value;
  return node;
}
