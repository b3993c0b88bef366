// The formals of a function: `{ a, b ? 1, ... }`, with `@ name` before or after.

import { allocateInArena } from "../memory/arena";
import { Address } from "../memory/chunks";
import { Symbol, internBytes } from "../symbols/symbols";
import { Formal, Node, Table, makeTable } from "./ast";
import { FRAME_FORMALS, FRAME_LAMBDA, pushFrame, topFrame } from "./frames";
import { nextToken, token, tokenLength, tokenPosition, tokenStart } from "./lexer";
import { reach, reachOneOf, unexpected } from "./recovery";
import { STEP_EXPRESSION, STEP_FORMALS, Step, result } from "./steps";
import { appendToTable } from "./tables";
import {
  TOKEN_AT, TOKEN_CLOSE_BRACE, TOKEN_COLON, TOKEN_COMMA, TOKEN_ELLIPSIS, TOKEN_NAME, TOKEN_QUESTION, either, only,
} from "./tokens";

/** Begins as the LambdaFrame that it becomes when the formals are complete. */
@unmanaged
class FormalsFrame {
  kind: u32;
  begin: u32;
  argument: Symbol;
  formals: Table;
  ellipsis: u32;
  documentation: u32;
  /** The formal whose default is being parsed. */
  name: Symbol;
  position: u32;
}

/** `argument` is the name before the `@`, or 0. */
export function beginFormals(begin: u32, argument: Symbol, documentation: u32): void {
  const frame = changetype<FormalsFrame>(pushFrame(FRAME_FORMALS, begin));
  frame.argument = argument;
  frame.formals = 0;
  frame.ellipsis = 0;
  frame.documentation = documentation;
}

/** After the brace or a comma. */
export function continueFormals(): Step {
  if (token == TOKEN_NAME) {
    const position = tokenPosition();
    const name = internBytes(tokenStart, tokenLength());
    nextToken();
    return afterFormalName(name, position);
  }
  if (token == TOKEN_ELLIPSIS) {
    currentFrame().ellipsis = 1;
    nextToken();
    if (reach(TOKEN_CLOSE_BRACE)) nextToken();
    return afterFormals();
  }
  if (reachOneOf(TOKEN_CLOSE_BRACE, only(TOKEN_NAME) | only(TOKEN_ELLIPSIS) | only(TOKEN_CLOSE_BRACE))) nextToken();
  return afterFormals();
}

export function afterFormalName(name: Symbol, position: u32): Step {
  if (token == TOKEN_QUESTION) {
    const frame = currentFrame();
    frame.name = name;
    frame.position = position;
    nextToken();
    return STEP_EXPRESSION;
  }
  addFormal(name, position, 0);
  return afterFormal();
}

/** The default of a formal is parsed. */
export function resumeFormals(): Step {
  const frame = currentFrame();
  addFormal(frame.name, frame.position, result);
  return afterFormal();
}

function afterFormal(): Step {
  if (token == TOKEN_COMMA) {
    nextToken();
    return STEP_FORMALS;
  }
  if (reachOneOf(TOKEN_CLOSE_BRACE, either(TOKEN_CLOSE_BRACE, TOKEN_COMMA))) nextToken();
  return afterFormals();
}

/** After the closing brace: the body of the function comes next. */
export function afterFormals(): Step {
  const frame = currentFrame();
  if (frame.argument == 0) {
    if (token == TOKEN_AT) nameArgument(frame);
    else if (token != TOKEN_COLON) unexpected(either(TOKEN_COLON, TOKEN_AT));
  }
  // An empty table, not none: `{ }: …` has formals.
  if (frame.formals == 0) frame.formals = makeTable(0);
  frame.kind = FRAME_LAMBDA;
  if (token == TOKEN_COLON) nextToken();
  else unexpected(only(TOKEN_COLON));
  return STEP_EXPRESSION;
}

function nameArgument(frame: FormalsFrame): void {
  nextToken();
  if (token != TOKEN_NAME) {
    unexpected(only(TOKEN_NAME));
    return;
  }
  frame.argument = internBytes(tokenStart, tokenLength());
  nextToken();
}

function addFormal(name: Symbol, position: u32, fallback: Node): void {
  const formal = changetype<Formal>(allocateInArena(offsetof<Formal>()));
  formal.name = name;
  formal.position = position;
  formal.fallback = fallback;
  const frame = currentFrame();
  frame.formals = appendToTable(frame.formals, changetype<Address>(formal));
}

function currentFrame(): FormalsFrame {
  return changetype<FormalsFrame>(topFrame());
}
