// Operators, by precedence: what is begun waits in a frame until an operator that binds weaker, or none, comes.
//
//   ->  right    ||  left    &&  left    == !=  none    < > <= >=  none    //  right    !  prefix    + -  left
//   * /  left    ++  right    ?  followed by an attribute path    -  prefix
//
// Weakest of all are the pipes, which are not mixed: `|>` left, `<|` right.

import { SYMBOL_DIV, SYMBOL_LESS_THAN, SYMBOL_MUL, SYMBOL_SUB } from "../symbols/known";
import {
  BinaryNode, ConcatStringsNode, IntNode, NODE_AND, NODE_CONCAT_LISTS, NODE_CONCAT_STRINGS, NODE_EQUAL, NODE_IMPLIES,
  NODE_INT, NODE_NOT, NODE_NOT_EQUAL, NODE_OR, NODE_UPDATE, Node, makeNode, makeTable, positionOfNode, setTableItem,
} from "./ast";
import { makeCall, makeOperatorCall } from "./calls";
import { FRAME_BINARY, FRAME_UNARY, popFrame, pushFrame, topFrame, topFrameKind } from "./frames";
import { nextToken, token, tokenPosition } from "./lexer";
import { beginHasAttrPath } from "./parse-attr-path";
import { unexpected } from "./recovery";
import { STEP_AFTER_EXPRESSION, STEP_OPERAND, STEP_SIMPLE, Step, result, resultBegin, setResult } from "./steps";
import {
  NO_TOKENS, TOKEN_AND, TOKEN_AT_LEAST, TOKEN_AT_MOST, TOKEN_CONCAT, TOKEN_DIVIDE, TOKEN_EQUAL, TOKEN_GREATER,
  TOKEN_IMPLIES, TOKEN_LESS, TOKEN_MINUS, TOKEN_NOT, TOKEN_NOT_EQUAL, TOKEN_OR, TOKEN_PIPE_FROM, TOKEN_PIPE_INTO,
  TOKEN_PLUS, TOKEN_QUESTION, TOKEN_TIMES, TOKEN_UPDATE,
} from "./tokens";

@unmanaged
class UnaryFrame {
  kind: u32;
  begin: u32;
  precedence: u32;
}

@unmanaged
class BinaryFrame {
  kind: u32;
  begin: u32;
  precedence: u32;
  operator: u32;
  left: Node;
  position: u32;
}

const NO_OPERATOR: u32 = 0;
const PRECEDENCE_PIPE: u32 = 1;
const PRECEDENCE_IMPLIES: u32 = 2;
const PRECEDENCE_OR: u32 = 3;
const PRECEDENCE_AND: u32 = 4;
const PRECEDENCE_EQUAL: u32 = 5;
const PRECEDENCE_ORDER: u32 = 6;
const PRECEDENCE_UPDATE: u32 = 7;
const PRECEDENCE_NOT: u32 = 8;
const PRECEDENCE_SUM: u32 = 9;
const PRECEDENCE_PRODUCT: u32 = 10;
const PRECEDENCE_CONCAT: u32 = 11;
const PRECEDENCE_HAS_ATTR: u32 = 12;
const PRECEDENCE_NEGATE: u32 = 13;

export function beginOperand(): Step {
  if (token != TOKEN_NOT && token != TOKEN_MINUS) return STEP_SIMPLE;
  const frame = changetype<UnaryFrame>(pushFrame(FRAME_UNARY, tokenPosition()));
  frame.precedence = token == TOKEN_NOT ? PRECEDENCE_NOT : PRECEDENCE_NEGATE;
  nextToken();
  return STEP_OPERAND;
}

/** The result is an operand: finishes what binds stronger than the operator that follows. */
export function afterOperand(): Step {
  let precedence = precedenceOf(token);
  while (topFrameKind() == FRAME_BINARY || topFrameKind() == FRAME_UNARY) {
    const waiting = changetype<UnaryFrame>(topFrame()).precedence;
    if (waiting < precedence) break;
    if (waiting == precedence) {
      if (isRightAssociative(precedence)) break;
      if (precedence == PRECEDENCE_PIPE && !isSamePipe()) precedence = NO_OPERATOR;
      if (precedence == PRECEDENCE_EQUAL || precedence == PRECEDENCE_ORDER) unexpected(NO_TOKENS);
    }
    reduce();
  }
  if (precedence == NO_OPERATOR) return STEP_AFTER_EXPRESSION;
  if (precedence == PRECEDENCE_HAS_ATTR) return beginHasAttrPath();
  const frame = changetype<BinaryFrame>(pushFrame(FRAME_BINARY, resultBegin));
  frame.precedence = precedence;
  frame.operator = token;
  frame.left = result;
  frame.position = tokenPosition();
  nextToken();
  return STEP_OPERAND;
}

function precedenceOf(operator: u32): u32 {
  switch (operator) {
    case TOKEN_PIPE_FROM:
    case TOKEN_PIPE_INTO: return PRECEDENCE_PIPE;
    case TOKEN_IMPLIES: return PRECEDENCE_IMPLIES;
    case TOKEN_OR: return PRECEDENCE_OR;
    case TOKEN_AND: return PRECEDENCE_AND;
    case TOKEN_EQUAL:
    case TOKEN_NOT_EQUAL: return PRECEDENCE_EQUAL;
    case TOKEN_LESS:
    case TOKEN_GREATER:
    case TOKEN_AT_MOST:
    case TOKEN_AT_LEAST: return PRECEDENCE_ORDER;
    case TOKEN_UPDATE: return PRECEDENCE_UPDATE;
    case TOKEN_PLUS:
    case TOKEN_MINUS: return PRECEDENCE_SUM;
    case TOKEN_TIMES:
    case TOKEN_DIVIDE: return PRECEDENCE_PRODUCT;
    case TOKEN_CONCAT: return PRECEDENCE_CONCAT;
    case TOKEN_QUESTION: return PRECEDENCE_HAS_ATTR;
    default: return NO_OPERATOR;
  }
}

/** Of the pipes it depends on which. */
function isRightAssociative(precedence: u32): bool {
  if (precedence == PRECEDENCE_PIPE) return token == TOKEN_PIPE_FROM && isSamePipe();
  return precedence == PRECEDENCE_IMPLIES || precedence == PRECEDENCE_UPDATE || precedence == PRECEDENCE_CONCAT;
}

function isSamePipe(): bool {
  return changetype<BinaryFrame>(topFrame()).operator == token;
}

/** Applies the operator of the newest frame to the result. */
function reduce(): void {
  if (topFrameKind() == FRAME_UNARY) {
    const unary = changetype<UnaryFrame>(popFrame());
    setResult(unary.precedence == PRECEDENCE_NOT ? makeNot(result) : makeNegation(unary.begin, result), unary.begin);
    return;
  }
  const frame = changetype<BinaryFrame>(popFrame());
  setResult(makeBinary(frame), frame.begin);
}

function makeBinary(frame: BinaryFrame): Node {
  const left = frame.left;
  const position = frame.position;
  switch (frame.operator) {
    case TOKEN_PIPE_FROM: return makeCall(position, left, result);
    case TOKEN_PIPE_INTO: return makeCall(position, result, left);
    case TOKEN_LESS: return makeOperatorCall(position, SYMBOL_LESS_THAN, left, result);
    case TOKEN_GREATER: return makeOperatorCall(position, SYMBOL_LESS_THAN, result, left);
    case TOKEN_AT_MOST: return makeNot(makeOperatorCall(position, SYMBOL_LESS_THAN, result, left));
    case TOKEN_AT_LEAST: return makeNot(makeOperatorCall(position, SYMBOL_LESS_THAN, left, result));
    case TOKEN_MINUS: return makeOperatorCall(position, SYMBOL_SUB, left, result);
    case TOKEN_TIMES: return makeOperatorCall(position, SYMBOL_MUL, left, result);
    case TOKEN_DIVIDE: return makeOperatorCall(position, SYMBOL_DIV, left, result);
    case TOKEN_PLUS: return makeSum(position, frame.begin, left, resultBegin, result);
    default: return makeOperator(nodeOfOperator(frame.operator), position, left, result);
  }
}

function nodeOfOperator(operator: u32): u32 {
  switch (operator) {
    case TOKEN_EQUAL: return NODE_EQUAL;
    case TOKEN_NOT_EQUAL: return NODE_NOT_EQUAL;
    case TOKEN_AND: return NODE_AND;
    case TOKEN_OR: return NODE_OR;
    case TOKEN_IMPLIES: return NODE_IMPLIES;
    case TOKEN_UPDATE: return NODE_UPDATE;
    default: return NODE_CONCAT_LISTS;
  }
}

function makeOperator(kind: u32, position: u32, left: Node, right: Node): Node {
  const node = makeNode(kind, position, offsetof<BinaryNode>());
  changetype<BinaryNode>(node).left = left;
  changetype<BinaryNode>(node).right = right;
  return node;
}

function makeNot(operand: Node): Node {
  return makeOperator(NODE_NOT, positionOfNode(operand), operand, 0);
}

/** `0 - operand` */
function makeNegation(position: u32, operand: Node): Node {
  const zero = makeNode(NODE_INT, 0, offsetof<IntNode>());
  changetype<IntNode>(zero).value = 0;
  return makeOperatorCall(position, SYMBOL_SUB, zero, operand);
}

function makeSum(position: u32, leftBegin: u32, left: Node, rightBegin: u32, right: Node): Node {
  const node = makeNode(NODE_CONCAT_STRINGS, position, offsetof<ConcatStringsNode>());
  const sum = changetype<ConcatStringsNode>(node);
  sum.forceString = 0;
  sum.parts = makeTable(4);
  setTableItem(sum.parts, 0, leftBegin);
  setTableItem(sum.parts, 1, left);
  setTableItem(sum.parts, 2, rightBegin);
  setTableItem(sum.parts, 3, right);
  return node;
}
