// The syntax tree: what the parser makes and the compiler reads. It lives in the arena while one file is compiled.
//
// It is the tree of Nix's grammar after the parser's own rewriting: `-x` is a call of `__sub`, `a < b` of `__lessThan`
// (through names that a program may shadow), `<p>` a call of `__findFile`, nested attribute paths are nested sets, and
// `let { body }` selects from a recursive set. Every node begins with its kind and its position; the classes below are
// views of it and are never constructed.
//
// A table is [count][words...].

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { Symbol } from "../symbols/symbols";
import { Value } from "../values/value";

export type Node = usize;
export type Table = usize;

export const NODE_INT: u32 = 1;
export const NODE_FLOAT: u32 = 2;
export const NODE_STRING: u32 = 3;
export const NODE_PATH: u32 = 4;
export const NODE_VARIABLE: u32 = 5;
export const NODE_SELECT: u32 = 6;
export const NODE_HAS_ATTR: u32 = 7;
export const NODE_ATTRS: u32 = 8;
export const NODE_LIST: u32 = 9;
export const NODE_LAMBDA: u32 = 10;
export const NODE_CALL: u32 = 11;
export const NODE_LET: u32 = 12;
export const NODE_WITH: u32 = 13;
export const NODE_IF: u32 = 14;
export const NODE_ASSERT: u32 = 15;
export const NODE_NOT: u32 = 16;
export const NODE_EQUAL: u32 = 17;
export const NODE_NOT_EQUAL: u32 = 18;
export const NODE_AND: u32 = 19;
export const NODE_OR: u32 = 20;
export const NODE_IMPLIES: u32 = 21;
export const NODE_UPDATE: u32 = 22;
export const NODE_CONCAT_LISTS: u32 = 23;
export const NODE_CONCAT_STRINGS: u32 = 24;
export const NODE_CURRENT_POSITION: u32 = 25;
/** Stands where a syntax error was; never compiled. */
export const NODE_ERROR: u32 = 26;

/** What all nodes share. Position 0 is "nowhere". */
@unmanaged
export class AnyNode {
  kind: u32;
  position: u32;
}

@unmanaged
export class IntNode {
  kind: u32;
  position: u32;
  value: i64;
}

@unmanaged
export class FloatNode {
  kind: u32;
  position: u32;
  value: f64;
}

/** NODE_STRING: a permanent STRING. NODE_PATH: a permanent PATH, absolute and normalised. */
@unmanaged
export class LiteralNode {
  kind: u32;
  position: u32;
  value: Value;
}

@unmanaged
export class VariableNode {
  kind: u32;
  position: u32;
  name: Symbol;
}

/** `subject.path or fallback`; `path` is a table of attribute names (see AttrName), `fallback` a node or 0. NODE_HAS_ATTR has no fallback. */
@unmanaged
export class SelectNode {
  kind: u32;
  position: u32;
  subject: Node;
  path: Table;
  fallback: Node;
}

/**
 * A set. `statics` is a table of StaticAttr addresses in ascending order of symbols, `fromExpressions` of the nodes of
 * `inherit (e)`, in source order, `dynamics` of DynamicAttr addresses in source order.
 */
@unmanaged
export class AttrsNode {
  kind: u32;
  position: u32;
  recursive: u32;
  statics: Table;
  fromExpressions: Table;
  dynamics: Table;
}

/** `name = value` */
export const ATTR_PLAIN: u32 = 0;
/** `inherit name`: the value is a NODE_VARIABLE that is looked up outside of the set. */
export const ATTR_INHERITED: u32 = 1;
/** `inherit (e) name`: the value is 0, `from` the index into `fromExpressions`. */
export const ATTR_INHERITED_FROM: u32 = 2;

@unmanaged
export class StaticAttr {
  name: Symbol;
  position: u32;
  kind: u32;
  value: Node;
  from: u32;
}

@unmanaged
export class DynamicAttr {
  /** A NODE_CONCAT_STRINGS or any other node that gives the name. */
  name: Node;
  position: u32;
  value: Node;
}

@unmanaged
export class ListNode {
  kind: u32;
  position: u32;
  items: Table;
}

/**
 * A function. `argument` is the symbol of `x` in `x: …` or `x@{ … }: …`, or 0. `formals` is a table of Formal addresses
 * in ascending order of symbols, or 0 for `x: …`. `name` is the attribute that it is bound to, or 0; `documentation` the
 * position of the doc comment before it, or 0.
 */
@unmanaged
export class LambdaNode {
  kind: u32;
  position: u32;
  argument: Symbol;
  formals: Table;
  ellipsis: u32;
  body: Node;
  name: Symbol;
  documentation: u32;
}

@unmanaged
export class Formal {
  name: Symbol;
  position: u32;
  /** The node of the default, or 0. */
  fallback: Node;
}

/** `callee a1 … an` */
@unmanaged
export class CallNode {
  kind: u32;
  position: u32;
  callee: Node;
  arguments: Table;
}

/** NODE_LET: `attrs` is a NODE_ATTRS without dynamic attributes. NODE_WITH: `attrs` is any node. */
@unmanaged
export class ScopeNode {
  kind: u32;
  position: u32;
  attrs: Node;
  body: Node;
}

@unmanaged
export class IfNode {
  kind: u32;
  position: u32;
  condition: Node;
  consequent: Node;
  alternative: Node;
}

/** NODE_ASSERT (left: condition, right: body), NODE_NOT (left only) and the binary operators. The position is the operator's. */
@unmanaged
export class BinaryNode {
  kind: u32;
  position: u32;
  left: Node;
  right: Node;
}

/** `"a${b}"` with `forceString` 1, `a + b` and interpolated paths with 0. `parts` is a table of pairs: position, node. */
@unmanaged
export class ConcatStringsNode {
  kind: u32;
  position: u32;
  forceString: u32;
  parts: Table;
}

/** One name of an attribute path: its symbol, or 0 and the node that gives it. A path table holds these addresses. */
@unmanaged
export class AttrName {
  symbol: Symbol;
  expression: Node;
  position: u32;
}

/** Nodes made so far, of all sources: a counter of NIX_SHOW_STATS. */
export let nodeCount: u32 = 0;

/** A node of `size` bytes (offsetof<Class>()), its kind and position set. The other fields are the caller's. */
export function makeNode(kind: u32, position: u32, size: usize): Node {
  const node = allocateInArena(<u32>size);
  nodeCount++;
  changetype<AnyNode>(node).kind = kind;
  changetype<AnyNode>(node).position = position;
  return node;
}

@inline
export function kindOfNode(node: Node): u32 {
  return changetype<AnyNode>(node).kind;
}

@inline
export function positionOfNode(node: Node): u32 {
  return changetype<AnyNode>(node).position;
}

/** A table of `count` words, which the caller sets. */
export function makeTable(count: u32): Table {
  const table = allocateInArena(4 + (count << 2));
  store<u32>(table, count);
  return table;
}

@inline
export function tableCount(table: Table): u32 {
  return table == 0 ? 0 : load<u32>(table);
}

@inline
export function tableItem(table: Table, index: u32): Address {
  return load<u32>(table + (index << 2), 4);
}

@inline
export function setTableItem(table: Table, index: u32, item: Address): void {
  store<u32>(table + (index << 2), item, 4);
}

/** A path table of one name. */
export function singleNamePath(name: Symbol, position: u32): Table {
  const address = allocateInArena(<u32>offsetof<AttrName>());
  const attrName = changetype<AttrName>(address);
  attrName.symbol = name;
  attrName.expression = 0;
  attrName.position = position;
  const path = makeTable(1);
  setTableItem(path, 0, address);
  return path;
}
