// Simple expressions: literals, names, parentheses, lists and sets, and how they are put together without operators:
// selection, application, the items of a list.

import { SYMBOL_FIND_FILE, SYMBOL_NIX_PATH, SYMBOL_OR } from "../symbols/known";
import { Symbol, internBytes, internText } from "../symbols/symbols";
import { makePermanentString } from "../values/string";
import {
  AnyNode, ListNode, NODE_CURRENT_POSITION, NODE_LIST, Node, Table, makeNode, positionOfNode, tableCount,
  tableItem,
} from "./ast";
import { makeAttrs } from "./attrs-builder";
import { makeCall, makeNewCall, makeOperatorCall, makeVariable } from "./calls";
import { warnOfCursedOr } from "./cursed-or";
import {
  FRAME_APPLICATION, FRAME_FALLBACK, FRAME_LIST, FRAME_PARENS, Frame, MAX_DEPTH, frameDepth, popFrame, pushFrame,
  topFrame, topFrameKind,
} from "./frames";
import { nextToken, token, tokenEndPosition, tokenLength, tokenPosition, tokenStart } from "./lexer";
import { lintUrl } from "./lints";
import { makeFloatLiteral, makeIntLiteral } from "./number-literals";
import { beginSelectPath, finishFallback } from "./parse-attr-path";
import { FORM_LET_SET, FORM_RECURSIVE, FORM_SET, beginBindings } from "./parse-bindings";
import { beginIndented, beginPath, beginString, makeStringNode } from "./parse-text";
import { giveUp, isAwaited, pass, unexpected } from "./recovery";
import {
  STEP_AFTER_OPERAND, STEP_AFTER_SELECT, STEP_AFTER_SIMPLE, STEP_EXPRESSION, STEP_SIMPLE, Step, makeErrorNode, result,
  resultBegin, setResult,
} from "./steps";
import { appendToTable } from "./tables";
import {
  NO_TOKENS, SIMPLE_START, TOKEN_CLOSE_BRACE, TOKEN_CLOSE_BRACKET, TOKEN_CLOSE_PAREN, TOKEN_DOT, TOKEN_END, TOKEN_FLOAT,
  TOKEN_HOME_PATH, TOKEN_INDENTED_OPEN, TOKEN_INT, TOKEN_LET, TOKEN_NAME, TOKEN_OPEN_BRACE, TOKEN_OPEN_BRACKET,
  TOKEN_OPEN_PAREN, TOKEN_OR_WORD, TOKEN_PATH, TOKEN_QUOTE, TOKEN_REC, TOKEN_SEARCH_PATH, TOKEN_URI, hasToken,
} from "./tokens";

@unmanaged
class ListFrame {
  kind: u32;
  begin: u32;
  items: Table;
}

@unmanaged
class ApplicationFrame {
  kind: u32;
  begin: u32;
  callee: Node;
}

/** Whether the result is `x or`, and where that ends. */
let isCursedOr: bool = false;
let cursedOrEnd: u32 = 0;
let currentPositionName: Symbol = 0;

export function initializeSimple(): void {
  if (currentPositionName == 0) currentPositionName = internText("__curPos");
}

export function beginSimple(): Step {
  const begin = tokenPosition();
  isCursedOr = false;
  switch (token) {
    case TOKEN_NAME: return takeLeaf(makeNameNode(internBytes(tokenStart, tokenLength()), begin));
    case TOKEN_QUOTE: return beginString();
    case TOKEN_INT: return takeLeaf(makeIntLiteral());
    case TOKEN_FLOAT: return takeLeaf(makeFloatLiteral());
    case TOKEN_INDENTED_OPEN: return beginIndented();
    case TOKEN_PATH:
    case TOKEN_HOME_PATH: return beginPath();
    case TOKEN_SEARCH_PATH: return takeLeaf(makeSearchPath(begin));
    case TOKEN_URI: return takeLeaf(makeUri(begin));
    default: return beginBracket(begin);
  }
}

/** `__curPos` or a variable. */
export function makeNameNode(name: Symbol, position: u32): Node {
  if (name == currentPositionName) return makeNode(NODE_CURRENT_POSITION, position, offsetof<AnyNode>());
  return makeVariable(name, position);
}

/** The parentheses are read. */
export function finishParens(): Step {
  pass(TOKEN_CLOSE_PAREN);
  const frame = changetype<Frame>(popFrame());
  isCursedOr = false;
  setResult(result, frame.begin);
  return STEP_AFTER_SIMPLE;
}

/** The result is simple: `.` selects from it, `or` is its argument. */
export function afterSimple(): Step {
  isCursedOr = false;
  if (token == TOKEN_DOT) return beginSelectPath();
  if (token != TOKEN_OR_WORD) return STEP_AFTER_SELECT;
  isCursedOr = true;
  cursedOrEnd = tokenEndPosition();
  const argument = makeVariable(SYMBOL_OR, resultBegin);
  setResult(makeNewCall(resultBegin, result, argument), resultBegin);
  nextToken();
  return STEP_AFTER_SELECT;
}

/** The result is the first part of an operand, an argument, an item or a fallback. */
export function afterSelect(): Step {
  const kind = topFrameKind();
  const begin = resultBegin;
  if (kind == FRAME_LIST) {
    warnIfCursed();
    const frame = changetype<ListFrame>(topFrame());
    frame.items = appendToTable(frame.items, result);
    return continueList();
  }
  if (kind == FRAME_FALLBACK) {
    warnIfCursed();
    return finishFallback();
  }
  if (kind == FRAME_APPLICATION) {
    warnIfCursed();
    const frame = changetype<ApplicationFrame>(topFrame());
    frame.callee = makeCall(frame.begin, frame.callee, result);
    if (hasToken(SIMPLE_START, token)) return STEP_SIMPLE;
    popFrame();
    setResult(frame.callee, frame.begin);
    return STEP_AFTER_OPERAND;
  }
  isCursedOr = false;
  if (!hasToken(SIMPLE_START, token)) return STEP_AFTER_OPERAND;
  const frame = changetype<ApplicationFrame>(pushFrame(FRAME_APPLICATION, begin));
  frame.callee = result;
  return STEP_SIMPLE;
}

function beginBracket(begin: u32): Step {
  if (frameDepth() > MAX_DEPTH) giveUp();
  switch (token) {
    case TOKEN_OPEN_PAREN:
      pushFrame(FRAME_PARENS, begin);
      nextToken();
      return STEP_EXPRESSION;
    case TOKEN_OPEN_BRACKET:
      changetype<ListFrame>(pushFrame(FRAME_LIST, begin)).items = 0;
      nextToken();
      return continueList();
    case TOKEN_OPEN_BRACE:
      nextToken();
      if (token != TOKEN_CLOSE_BRACE) return beginBindings(begin, FORM_SET);
      nextToken();
      setResult(makeAttrs(begin), begin);
      return STEP_AFTER_SIMPLE;
    case TOKEN_REC:
      nextToken();
      pass(TOKEN_OPEN_BRACE);
      return beginBindings(begin, FORM_RECURSIVE);
    case TOKEN_LET:
      nextToken();
      pass(TOKEN_OPEN_BRACE);
      return beginBindings(begin, FORM_LET_SET);
    default:
      unexpected(NO_TOKENS);
      setResult(makeErrorNode(begin), begin);
      return STEP_AFTER_SELECT;
  }
}

function continueList(): Step {
  while (true) {
    if (hasToken(SIMPLE_START, token)) return STEP_SIMPLE;
    if (token == TOKEN_CLOSE_BRACKET) {
      nextToken();
      return finishList();
    }
    unexpected(NO_TOKENS);
    if (token == TOKEN_END || isAwaited()) return finishList();
    nextToken();
  }
}

function finishList(): Step {
  const frame = changetype<ListFrame>(popFrame());
  const items = frame.items;
  const position = tableCount(items) == 0 ? 0 : positionOfNode(tableItem(items, 0));
  const node = makeNode(NODE_LIST, position, offsetof<ListNode>());
  changetype<ListNode>(node).items = items;
  setResult(node, frame.begin);
  return STEP_AFTER_SIMPLE;
}

/** Ends an expression of one token, the current one. */
function takeLeaf(node: Node): Step {
  setResult(node, tokenPosition());
  nextToken();
  return STEP_AFTER_SIMPLE;
}

/** `<a/b>` is a call of `__findFile`. */
function makeSearchPath(begin: u32): Node {
  const name = makeStringNode(makePermanentString(tokenStart + 1, tokenLength() - 2));
  return makeOperatorCall(begin, SYMBOL_FIND_FILE, makeVariable(SYMBOL_NIX_PATH, 0), name);
}

function makeUri(begin: u32): Node {
  lintUrl(tokenStart, tokenLength(), begin);
  return makeStringNode(makePermanentString(tokenStart, tokenLength()));
}

function warnIfCursed(): void {
  if (isCursedOr) warnOfCursedOr(positionOfNode(result), cursedOrEnd);
  isCursedOr = false;
}
