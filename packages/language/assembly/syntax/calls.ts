// Calls. As in Nix's parser, an argument of a call is added to that call, with or without parentheses: `(f a) b` is
// `f a b`, and `x |> f a` is `f a x`.

import { CallNode, NODE_CALL, NODE_VARIABLE, Node, VariableNode, kindOfNode, makeNode } from "./ast";
import { Symbol } from "../symbols/symbols";
import { appendToTable } from "./tables";

export function makeVariable(name: Symbol, position: u32): Node {
  const node = makeNode(NODE_VARIABLE, position, offsetof<VariableNode>());
  changetype<VariableNode>(node).name = name;
  return node;
}

/** `callee argument`: a new call, or `callee` itself with one more argument. */
export function makeCall(position: u32, callee: Node, argument: Node): Node {
  const node = kindOfNode(callee) == NODE_CALL ? callee : makeEmptyCall(position, callee);
  const call = changetype<CallNode>(node);
  call.arguments = appendToTable(call.arguments, argument);
  return node;
}

/** `callee argument`, whatever `callee` is. */
export function makeNewCall(position: u32, callee: Node, argument: Node): Node {
  const node = makeEmptyCall(position, callee);
  changetype<CallNode>(node).arguments = appendToTable(0, argument);
  return node;
}

/** `name first second` with a name that has no position. */
export function makeOperatorCall(position: u32, name: Symbol, first: Node, second: Node): Node {
  const node = makeEmptyCall(position, makeVariable(name, 0));
  const call = changetype<CallNode>(node);
  call.arguments = appendToTable(appendToTable(0, first), second);
  return node;
}

function makeEmptyCall(position: u32, callee: Node): Node {
  const node = makeNode(NODE_CALL, position, offsetof<CallNode>());
  const call = changetype<CallNode>(node);
  call.callee = callee;
  call.arguments = 0;
  return node;
}
