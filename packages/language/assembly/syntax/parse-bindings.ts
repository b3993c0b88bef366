// Bindings: the inside of a set, of `let … in` and of `let { … }`.

import { Symbol } from "../symbols/symbols";
import { SYMBOL_BODY } from "../symbols/known";
import { AttrsNode, NODE_SELECT, Node, Table, singleNamePath } from "./ast";
import { makeAttrs } from "./attrs-builder";
import { bindAttr } from "./bind-attr";
import { FRAME_BINDING, FRAME_BINDINGS, frameDepth, popFrame, pushFrame, topFrame } from "./frames";
import { nextToken, token, tokenPosition } from "./lexer";
import { beginBindingPath, beginBindingPathWithName, makeSelect } from "./parse-attr-path";
import { beginLetBody } from "./parse-expression";
import { beginInherit } from "./parse-inherit";
import { reach, reachOneOf, skipTo, unexpected } from "./recovery";
import {
  STEP_AFTER_EXPRESSION, STEP_AFTER_SIMPLE, STEP_BINDINGS, STEP_EXPRESSION, Step, makeErrorNode, result, setResult,
} from "./steps";
import {
  ATTR_NAME_START, TOKEN_ASSIGN, TOKEN_CLOSE_BRACE, TOKEN_DOT, TOKEN_END, TOKEN_IN, TOKEN_INHERIT, TOKEN_SEMICOLON, TokenSet,
  either, hasToken, only,
} from "./tokens";

/** What bindings are the inside of. */
export const FORM_SET: u32 = 0;
export const FORM_RECURSIVE: u32 = 1;
/** `let { … }` */
export const FORM_LET_SET: u32 = 2;
export const FORM_LET: u32 = 3;
/** A whole source that is the inside of a set; its end also ends the last binding. */
export const FORM_SOURCE: u32 = 4;

@unmanaged
class BindingsFrame {
  kind: u32;
  begin: u32;
  form: u32;
  attrs: Node;
}

@unmanaged
class BindingFrame {
  kind: u32;
  begin: u32;
  path: Table;
  documentation: u32;
}

/** The current token is the first after the brace, or after `let`. */
export function beginBindings(begin: u32, form: u32): Step {
  pushBindings(begin, form);
  return STEP_BINDINGS;
}

/** The same for a set whose first name is read already. */
export function beginNamedBinding(begin: u32, name: Symbol, position: u32, documentation: u32): Step {
  pushBindings(begin, FORM_SET);
  return beginBindingPathWithName(name, position, documentation);
}

function pushBindings(begin: u32, form: u32): void {
  const frame = changetype<BindingsFrame>(pushFrame(FRAME_BINDINGS, begin));
  frame.form = form;
  frame.attrs = makeAttrs(form == FORM_LET ? 0 : begin);
  changetype<AttrsNode>(frame.attrs).recursive = form == FORM_RECURSIVE || form == FORM_LET_SET ? 1 : 0;
}

/** The set of the newest bindings. */
export function bindingsAttrs(): Node {
  return changetype<BindingsFrame>(topFrame()).attrs;
}

/** Begins a binding, or ends the bindings. */
export function continueBindings(): Step {
  while (true) {
    if (hasToken(ATTR_NAME_START, token)) return beginBindingPath();
    if (token == TOKEN_INHERIT) return beginInherit();
    const form = changetype<BindingsFrame>(topFrame()).form;
    const closing = closingOf(form);
    if (token == closing) return finishBindings(true);
    unexpected(expectedIn(form, closing));
    if (skipTo(TOKEN_SEMICOLON)) nextToken();
    else if (token != closing) return finishBindings(false);
  }
}

function closingOf(form: u32): u32 {
  if (form == FORM_LET) return TOKEN_IN;
  return form == FORM_SOURCE ? TOKEN_END : TOKEN_CLOSE_BRACE;
}

/** In a set the parser has no choice any more when it finds that no name follows. */
function expectedIn(form: u32, closing: u32): TokenSet {
  return form == FORM_SET ? only(TOKEN_INHERIT) : either(TOKEN_INHERIT, closing);
}

function finishBindings(closed: bool): Step {
  const frame = changetype<BindingsFrame>(popFrame());
  const begin = frame.begin;
  const attrs = frame.attrs;
  const form = frame.form;
  if (form == FORM_SOURCE) {
    setResult(attrs, begin);
    return STEP_AFTER_EXPRESSION;
  }
  if (closed) nextToken();
  if (form == FORM_LET) return beginLetBody(begin, attrs);
  if (form == FORM_LET_SET) setResult(makeSelect(NODE_SELECT, begin, attrs, singleNamePath(SYMBOL_BODY, begin), 0), begin);
  else setResult(attrs, begin);
  return STEP_AFTER_SIMPLE;
}

/** The path before the `=` is read. */
export function finishBindingPath(begin: u32, path: Table, documentation: u32): Step {
  const frame = changetype<BindingFrame>(pushFrame(FRAME_BINDING, begin));
  frame.path = path;
  frame.documentation = documentation;
  if (reachOneOf(TOKEN_ASSIGN, either(TOKEN_DOT, TOKEN_ASSIGN))) {
    nextToken();
    return STEP_EXPRESSION;
  }
  setResult(makeErrorNode(tokenPosition()), tokenPosition());
  return STEP_AFTER_EXPRESSION;
}

/** The value of a binding is parsed. */
export function finishBinding(): Step {
  const value = result;
  const found = endsSource() || reach(TOKEN_SEMICOLON);
  const frame = changetype<BindingFrame>(popFrame());
  bindAttr(bindingsAttrs(), frame.path, frame.begin, value, frame.documentation);
  if (found) nextToken();
  return STEP_BINDINGS;
}

/** Whether the source ends here and is bindings: what is being read is among them, and not deeper. */
export function endsSource(): bool {
  return token == TOKEN_END && readsBindings && frameDepth() == SOURCE_BINDING_DEPTH;
}

/** The root, the bindings, and the binding or `inherit`. */
const SOURCE_BINDING_DEPTH: u32 = 3;
let readsBindings: bool = false;

/** Whether the source that is parsed next is bindings. */
export function setSourceForm(bindings: bool): void {
  readsBindings = bindings;
}
