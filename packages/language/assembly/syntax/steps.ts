// The steps of the parser. Each construct is parsed by functions that read some tokens, push or pop frames and return
// the step that comes next; parser.ts runs the steps. So nothing recurses.
//
// What a step leaves behind is the result: a node and the position where its text begins.

import { AnyNode, NODE_ERROR, Node, makeNode } from "./ast";

export type Step = u32;

/** An expression begins at the current token. */
export const STEP_EXPRESSION: Step = 0;
/** An operand begins, perhaps with `!` or `-`. */
export const STEP_OPERAND: Step = 1;
/** An operand without operators, an argument or an item of a list begins. */
export const STEP_SIMPLE: Step = 2;
/** The result is simple; `.` or `or` may follow. */
export const STEP_AFTER_SIMPLE: Step = 3;
/** The result is complete as an argument or an item. */
export const STEP_AFTER_SELECT: Step = 4;
/** The result is an operand; an operator may follow. */
export const STEP_AFTER_OPERAND: Step = 5;
/** The result is an expression; the newest frame knows what to do with it. */
export const STEP_AFTER_EXPRESSION: Step = 6;
/** A name of an attribute path begins. */
export const STEP_ATTR_PATH: Step = 7;
/** A binding begins, or the bindings end. */
export const STEP_BINDINGS: Step = 8;
/** A name after `inherit` begins, or the names end. */
export const STEP_INHERIT: Step = 9;
/** A formal begins, or the formals end. */
export const STEP_FORMALS: Step = 10;
export const STEP_DONE: Step = 11;

export let result: Node = 0;
export let resultBegin: u32 = 0;

@inline
export function setResult(node: Node, begin: u32): void {
  result = node;
  resultBegin = begin;
}

/** Stands for what could not be parsed. */
export function makeErrorNode(position: u32): Node {
  return makeNode(NODE_ERROR, position, offsetof<AnyNode>());
}
