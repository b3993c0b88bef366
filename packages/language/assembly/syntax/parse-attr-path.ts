// Attribute paths: `a.b`, `a."b c".${d}`, after a dot, after `?`, and before the `=` of a binding; and the single names
// after `inherit`, which are read in the same way.
//
// A name in quotes or in `${ }` that turns out to be a plain string is a name like any other.

import { allocateInArena } from "../memory/arena";
import { Address } from "../memory/chunks";
import { Symbol, internBytes, internString } from "../symbols/symbols";
import {
  AttrName, LiteralNode, NODE_HAS_ATTR, NODE_SELECT, NODE_STRING, Node, SelectNode, Table, kindOfNode, makeNode,
  positionOfNode,
} from "./ast";
import { FRAME_ATTR_PATH, FRAME_FALLBACK, FRAME_INHERIT, popFrame, pushFrame, topFrame, topFrameKind } from "./frames";
import { nextToken, token, tokenDocumentation, tokenLength, tokenPosition, tokenStart } from "./lexer";
import { afterInheritedName, setInheritedNamePosition } from "./parse-inherit";
import { finishBindingPath } from "./parse-bindings";
import { beginQuotedName } from "./parse-text";
import { pass, unexpected } from "./recovery";
import {
  STEP_AFTER_OPERAND, STEP_AFTER_SELECT, STEP_ATTR_PATH, STEP_EXPRESSION, STEP_SIMPLE, Step, makeErrorNode, result,
  resultBegin, setResult,
} from "./steps";
import { appendToTable } from "./tables";
import {
  ATTR_NAME_START, TOKEN_CLOSE_BRACE, TOKEN_DOT, TOKEN_INTERPOLATION, TOKEN_NAME, TOKEN_OR_WORD, TOKEN_QUOTE,
} from "./tokens";

const FOR_SELECT: u32 = 0;
const FOR_HAS_ATTR: u32 = 1;
const FOR_BINDING: u32 = 2;

@unmanaged
class AttrPathFrame {
  kind: u32;
  begin: u32;
  purpose: u32;
  /** What is selected from; the doc comment before a binding. */
  subject: u32;
  path: Table;
  /** Where the current name begins. */
  position: u32;
}

/** A selection whose fallback is being parsed. */
@unmanaged
class FallbackFrame {
  kind: u32;
  begin: u32;
  subject: Node;
  path: Table;
}

/** The current token is the dot after the result. */
export function beginSelectPath(): Step {
  pushAttrPath(resultBegin, FOR_SELECT, <u32>result);
  nextToken();
  return STEP_ATTR_PATH;
}

/** The current token is the question mark after the result. */
export function beginHasAttrPath(): Step {
  pushAttrPath(resultBegin, FOR_HAS_ATTR, <u32>result);
  nextToken();
  return STEP_ATTR_PATH;
}

/** The current token begins a binding. */
export function beginBindingPath(): Step {
  pushAttrPath(tokenPosition(), FOR_BINDING, tokenDocumentation);
  return STEP_ATTR_PATH;
}

/** The same, with the first name read already. */
export function beginBindingPathWithName(name: Symbol, position: u32, documentation: u32): Step {
  pushAttrPath(position, FOR_BINDING, documentation);
  changetype<AttrPathFrame>(topFrame()).position = position;
  return deliverSymbol(name);
}

/** Reads a name; the newest frame is an attribute path or `inherit`. */
export function readAttrName(): Step {
  setNamePosition(tokenPosition());
  if (token == TOKEN_QUOTE) return beginQuotedName();
  if (token == TOKEN_INTERPOLATION) {
    nextToken();
    return STEP_EXPRESSION;
  }
  const name = internBytes(tokenStart, tokenLength());
  nextToken();
  return deliverSymbol(name);
}

/** The expression in `${ }` is parsed. */
export function resumeAttrName(): Step {
  const expression = result;
  pass(TOKEN_CLOSE_BRACE);
  return deliverExpression(expression);
}

/** The name is known. */
export function deliverSymbol(name: Symbol): Step {
  return deliver(name, 0);
}

/** The name is what an expression gives. */
export function deliverExpression(expression: Node): Step {
  if (kindOfNode(expression) == NODE_STRING) return deliver(internString(changetype<LiteralNode>(expression).value), 0);
  return deliver(0, expression);
}

export function makeAttrName(symbol: Symbol, expression: Node, position: u32): Address {
  const name = changetype<AttrName>(allocateInArena(offsetof<AttrName>()));
  name.symbol = symbol;
  name.expression = expression;
  name.position = position;
  return changetype<Address>(name);
}

/** What follows `or` is parsed: the result becomes the fallback. */
export function finishFallback(): Step {
  const frame = changetype<FallbackFrame>(popFrame());
  setResult(makeSelect(NODE_SELECT, frame.begin, frame.subject, frame.path, result), frame.begin);
  return STEP_AFTER_SELECT;
}

export function makeSelect(kind: u32, position: u32, subject: Node, path: Table, fallback: Node): Node {
  const node = makeNode(kind, position, offsetof<SelectNode>());
  const select = changetype<SelectNode>(node);
  select.subject = subject;
  select.path = path;
  select.fallback = fallback;
  return node;
}

function pushAttrPath(begin: u32, purpose: u32, subject: u32): void {
  const frame = changetype<AttrPathFrame>(pushFrame(FRAME_ATTR_PATH, begin));
  frame.purpose = purpose;
  frame.subject = subject;
  frame.path = 0;
}

/** Reads the name that begins here; something else is an error. */
export function continueAttrPath(): Step {
  if (token == TOKEN_NAME || token == TOKEN_OR_WORD || token == TOKEN_QUOTE || token == TOKEN_INTERPOLATION) return readAttrName();
  unexpected(ATTR_NAME_START);
  setNamePosition(tokenPosition());
  return deliver(0, makeErrorNode(tokenPosition()));
}

function setNamePosition(position: u32): void {
  if (topFrameKind() == FRAME_INHERIT) setInheritedNamePosition(position);
  else changetype<AttrPathFrame>(topFrame()).position = position;
}

function deliver(symbol: Symbol, expression: Node): Step {
  if (topFrameKind() == FRAME_INHERIT) return afterInheritedName(symbol);
  const frame = changetype<AttrPathFrame>(topFrame());
  frame.path = appendToTable(frame.path, makeAttrName(symbol, expression, frame.position));
  if (token == TOKEN_DOT) {
    nextToken();
    return STEP_ATTR_PATH;
  }
  return finishAttrPath();
}

function finishAttrPath(): Step {
  const frame = changetype<AttrPathFrame>(popFrame());
  const begin = frame.begin;
  const subject = frame.subject;
  const path = frame.path;
  if (frame.purpose == FOR_BINDING) return finishBindingPath(begin, path, subject);
  if (frame.purpose == FOR_HAS_ATTR) {
    setResult(makeSelect(NODE_HAS_ATTR, positionOfNode(subject), subject, path, 0), begin);
    return STEP_AFTER_OPERAND;
  }
  if (token == TOKEN_OR_WORD) {
    const fallback = changetype<FallbackFrame>(pushFrame(FRAME_FALLBACK, begin));
    fallback.subject = subject;
    fallback.path = path;
    nextToken();
    return STEP_SIMPLE;
  }
  setResult(makeSelect(NODE_SELECT, begin, subject, path, 0), begin);
  return STEP_AFTER_SELECT;
}
