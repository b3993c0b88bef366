// `inherit a b;` and `inherit (e) a b;`

import { Symbol } from "../symbols/symbols";
import { ATTR_INHERITED, ATTR_INHERITED_FROM, AttrName, Node, StaticAttr, Table, tableCount, tableItem } from "./ast";
import { addAttr, addFromExpression, findAttr, makeStaticAttr } from "./attrs-builder";
import { reportDuplicateAttr } from "./bind-attr";
import { makeVariable } from "./calls";
import { FRAME_INHERIT, popFrame, pushFrame, topFrame } from "./frames";
import { nextToken, token, tokenPosition } from "./lexer";
import { makeAttrName, readAttrName, resumeAttrName } from "./parse-attr-path";
import { bindingsAttrs, endsSource } from "./parse-bindings";
import { pass, reachOneOf } from "./recovery";
import { STEP_BINDINGS, STEP_EXPRESSION, STEP_INHERIT, Step, result } from "./steps";
import { reportErrorText } from "./syntax-errors";
import { appendToTable } from "./tables";
import {
  ATTR_NAME_START, NO_TOKENS, TOKEN_CLOSE_PAREN, TOKEN_OPEN_PAREN, TOKEN_SEMICOLON, hasToken,
} from "./tokens";

@unmanaged
class InheritFrame {
  kind: u32;
  begin: u32;
  /** The expression in parentheses, or 0. */
  from: Node;
  /** Whether that is being parsed. */
  inFrom: u32;
  names: Table;
  /** Where the current name begins. */
  position: u32;
}

/** The current token is `inherit`. */
export function beginInherit(): Step {
  const frame = changetype<InheritFrame>(pushFrame(FRAME_INHERIT, tokenPosition()));
  frame.from = 0;
  frame.names = 0;
  frame.inFrom = 0;
  nextToken();
  if (token != TOKEN_OPEN_PAREN) return STEP_INHERIT;
  frame.inFrom = 1;
  nextToken();
  return STEP_EXPRESSION;
}

/** An expression is parsed: the one in parentheses, or the name in `${ }`. */
export function resumeInherit(): Step {
  const frame = changetype<InheritFrame>(topFrame());
  if (frame.inFrom == 0) return resumeAttrName();
  frame.inFrom = 0;
  frame.from = result;
  pass(TOKEN_CLOSE_PAREN);
  return STEP_INHERIT;
}

export function setInheritedNamePosition(position: u32): void {
  changetype<InheritFrame>(topFrame()).position = position;
}

/** A name is read; 0 is one that an expression gives. */
export function afterInheritedName(name: Symbol): Step {
  const frame = changetype<InheritFrame>(topFrame());
  if (name == 0) reportErrorText(frame.position, "dynamic attributes not allowed in inherit");
  else frame.names = appendToTable(frame.names, makeAttrName(name, 0, frame.position));
  return STEP_INHERIT;
}

/** Reads a name, or the end of the names. */
export function continueInherit(): Step {
  if (hasToken(ATTR_NAME_START, token)) return readAttrName();
  const found = endsSource() || reachOneOf(TOKEN_SEMICOLON, NO_TOKENS);
  const frame = changetype<InheritFrame>(popFrame());
  addInherited(frame.from, frame.names);
  if (found) nextToken();
  return STEP_BINDINGS;
}

function addInherited(from: Node, names: Table): void {
  const attrs = bindingsAttrs();
  const index = from == 0 ? 0 : addFromExpression(attrs, from);
  const count = tableCount(names);
  for (let i: u32 = 0; i < count; i++) {
    const name = changetype<AttrName>(tableItem(names, i));
    const existing = findAttr(attrs, name.symbol);
    if (existing != 0) reportDuplicateAttr(0, name.symbol, name.position, changetype<StaticAttr>(existing).position);
    else if (from == 0) {
      const variable = makeVariable(name.symbol, name.position);
      addAttr(attrs, makeStaticAttr(name.symbol, name.position, ATTR_INHERITED, variable, 0));
    } else addAttr(attrs, makeStaticAttr(name.symbol, name.position, ATTR_INHERITED_FROM, 0, index));
  }
}
