// A tree as lines, for whoever shows it beside its source: one node a line, a parent before its children.
//
//   depth TAB kind TAB offset TAB role TAB label LF
//
// `offset` is where the node's position is in the source, in bytes, or -1; `role` what the node is to its parent; `label`
// a name or literal in the syntax of Nix, which has neither tabs nor line ends. Bindings, formals and `inherit` are lines
// too, although they are no nodes. What is still to be written waits on a stack in the arena.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { appendGeneral } from "../numbers/print-float";
import { stringBytes, stringLength } from "../values/string";
import {
  ATTR_INHERITED, ATTR_INHERITED_FROM, AttrName, AttrsNode, BinaryNode, CallNode, ConcatStringsNode, DynamicAttr,
  FloatNode, Formal, IfNode, IntNode, LambdaNode, ListNode, LiteralNode, NODE_AND, NODE_ASSERT, NODE_ATTRS, NODE_CALL,
  NODE_CONCAT_LISTS, NODE_CONCAT_STRINGS, NODE_CURRENT_POSITION, NODE_EQUAL, NODE_FLOAT, NODE_HAS_ATTR, NODE_IF,
  NODE_IMPLIES, NODE_INT, NODE_LAMBDA, NODE_LET, NODE_LIST, NODE_NOT, NODE_NOT_EQUAL, NODE_OR, NODE_PATH, NODE_SELECT,
  NODE_STRING, NODE_UPDATE, NODE_VARIABLE, NODE_WITH, Node, ScopeNode, SelectNode, StaticAttr, Table, VariableNode,
  kindOfNode, positionOfNode, tableCount, tableItem,
} from "./ast";
import { appendAttrPath, appendIdentifier, appendQuoted } from "./show";
import { orderedByName } from "./show-order";

const TASK_NODE: u32 = 0;
const TASK_STATIC_ATTR: u32 = 1;
const TASK_DYNAMIC_ATTR: u32 = 2;
const TASK_FORMAL: u32 = 3;
const TASK_SIZE: u32 = 16;

let tasks: Address = 0;
let top: Address = 0;
let end: Address = 0;
let sourceStart: u32 = 0;
/** The depth of what is pushed. */
let depth: u32 = 0;

/** Appends the lines of a tree to the text buffer. `start` is the position of the first byte of its source. */
export function appendOutline(node: Node, start: u32): void {
  sourceStart = start;
  depth = 0;
  const size = TASK_SIZE << 8;
  tasks = allocateInArena(size);
  top = tasks;
  end = tasks + size;
  pushNode(node, "");
  while (top != tasks) {
    top -= TASK_SIZE;
    const task = load<u32>(top);
    const subject = load<u32>(top, 4);
    const role = changetype<string>(<usize>load<u32>(top, 8));
    depth = load<u32>(top, 12);
    if (task == TASK_NODE) writeNode(subject, role);
    else if (task == TASK_STATIC_ATTR) writeStaticAttr(changetype<StaticAttr>(<usize>subject));
    else if (task == TASK_DYNAMIC_ATTR) writeDynamicAttr(changetype<DynamicAttr>(<usize>subject));
    else writeFormal(changetype<Formal>(<usize>subject));
  }
}

function push(task: u32, subject: usize, role: string): void {
  if (top == end) grow();
  store<u32>(top, task);
  store<u32>(top, <u32>subject, 4);
  store<u32>(top, <u32>changetype<usize>(role), 8);
  store<u32>(top, depth, 12);
  top += TASK_SIZE;
}

function grow(): void {
  const size = <u32>(end - tasks);
  const moved = allocateInArena(size << 1);
  memory.copy(moved, tasks, size);
  tasks = moved;
  top = moved + size;
  end = moved + (size << 1);
}

function pushNode(node: Node, role: string): void {
  if (node != 0) push(TASK_NODE, node, role);
}

// ── Lines ──

/** The line up to its label. Children that are pushed from here on belong to it. */
function begin(kind: string, position: u32, role: string): void {
  appendInteger(depth);
  appendByte(0x09);
  appendText(kind);
  appendByte(0x09);
  appendInteger(position < sourceStart ? -1 : <i64>(position - sourceStart));
  appendByte(0x09);
  appendText(role);
  appendByte(0x09);
  depth++;
}

function finish(): void {
  appendByte(0x0a);
}

function writeNode(node: Node, role: string): void {
  begin(nameOfKind(node), positionOfNode(node), role);
  switch (kindOfNode(node)) {
    case NODE_INT: appendInteger(changetype<IntNode>(node).value); break;
    case NODE_FLOAT: appendGeneral(changetype<FloatNode>(node).value, 6); break;
    case NODE_STRING: appendLiteral(changetype<LiteralNode>(node), true); break;
    case NODE_PATH: appendLiteral(changetype<LiteralNode>(node), false); break;
    case NODE_VARIABLE: appendIdentifier(changetype<VariableNode>(node).name); break;
    case NODE_SELECT:
    case NODE_HAS_ATTR: selection(changetype<SelectNode>(node)); break;
    case NODE_ATTRS: attrs(changetype<AttrsNode>(node)); break;
    case NODE_LIST: pushItems(changetype<ListNode>(node).items, "item"); break;
    case NODE_LAMBDA: lambda(changetype<LambdaNode>(node)); break;
    case NODE_CALL:
      pushItems(changetype<CallNode>(node).arguments, "argument");
      pushNode(changetype<CallNode>(node).callee, "function");
      break;
    case NODE_LET: scope(changetype<ScopeNode>(node), "bindings"); break;
    case NODE_WITH: scope(changetype<ScopeNode>(node), "scope"); break;
    case NODE_IF:
      pushNode(changetype<IfNode>(node).alternative, "else");
      pushNode(changetype<IfNode>(node).consequent, "then");
      pushNode(changetype<IfNode>(node).condition, "condition");
      break;
    case NODE_ASSERT:
      pushNode(changetype<BinaryNode>(node).right, "body");
      pushNode(changetype<BinaryNode>(node).left, "condition");
      break;
    case NODE_NOT: pushNode(changetype<BinaryNode>(node).left, "operand"); break;
    case NODE_CONCAT_STRINGS: parts(changetype<ConcatStringsNode>(node)); break;
    case NODE_CURRENT_POSITION: break;
    default:
      pushNode(changetype<BinaryNode>(node).right, "right");
      pushNode(changetype<BinaryNode>(node).left, "left");
  }
  finish();
}

function nameOfKind(node: Node): string {
  switch (kindOfNode(node)) {
    case NODE_INT: return "Integer";
    case NODE_FLOAT: return "Float";
    case NODE_STRING: return "String";
    case NODE_PATH: return "Path";
    case NODE_VARIABLE: return "Variable";
    case NODE_SELECT: return "Select";
    case NODE_HAS_ATTR: return "HasAttr";
    case NODE_ATTRS: return changetype<AttrsNode>(node).recursive != 0 ? "RecursiveAttrs" : "Attrs";
    case NODE_LIST: return "List";
    case NODE_LAMBDA: return "Lambda";
    case NODE_CALL: return "Call";
    case NODE_LET: return "Let";
    case NODE_WITH: return "With";
    case NODE_IF: return "If";
    case NODE_ASSERT: return "Assert";
    case NODE_NOT: return "Not";
    case NODE_EQUAL: return "Equal";
    case NODE_NOT_EQUAL: return "NotEqual";
    case NODE_AND: return "And";
    case NODE_OR: return "Or";
    case NODE_IMPLIES: return "Implies";
    case NODE_UPDATE: return "Update";
    case NODE_CONCAT_LISTS: return "ConcatLists";
    case NODE_CONCAT_STRINGS:
      return changetype<ConcatStringsNode>(node).forceString != 0 ? "Interpolation" : "Add";
    default: return "CurrentPosition";
  }
}

function appendLiteral(node: LiteralNode, quoted: bool): void {
  if (quoted) appendQuoted(stringBytes(node.value), stringLength(node.value));
  else appendBytes(stringBytes(node.value), stringLength(node.value));
}

function selection(node: SelectNode): void {
  appendAttrPath(node.path);
  pushNode(node.fallback, "or");
  for (let i = tableCount(node.path); i > 0; i--) {
    const name = changetype<AttrName>(tableItem(node.path, i - 1));
    if (name.symbol == 0) pushNode(name.expression, "name");
  }
  pushNode(node.subject, "subject");
}

function attrs(node: AttrsNode): void {
  for (let i = tableCount(node.dynamics); i > 0; i--) push(TASK_DYNAMIC_ATTR, tableItem(node.dynamics, i - 1), "");
  const statics = orderedByName(node.statics);
  for (let i = tableCount(statics); i > 0; i--) push(TASK_STATIC_ATTR, tableItem(statics, i - 1), "");
  for (let i = tableCount(node.fromExpressions); i > 0; i--) pushNode(tableItem(node.fromExpressions, i - 1), "from");
}

function writeStaticAttr(attr: StaticAttr): void {
  const kind = attr.kind == ATTR_INHERITED ? "Inherit" : attr.kind == ATTR_INHERITED_FROM ? "InheritFrom" : "Binding";
  begin(kind, attr.position, "");
  appendIdentifier(attr.name);
  if (attr.kind != ATTR_INHERITED) pushNode(attr.value, "value");
  finish();
}

function writeDynamicAttr(attr: DynamicAttr): void {
  begin("DynamicBinding", attr.position, "");
  pushNode(attr.value, "value");
  pushNode(attr.name, "name");
  finish();
}

function lambda(node: LambdaNode): void {
  if (node.argument != 0) appendIdentifier(node.argument);
  if (node.ellipsis != 0) appendText(node.argument != 0 ? " @ { ... }" : "{ ... }");
  pushNode(node.body, "body");
  const formals: Table = node.formals == 0 ? 0 : orderedByName(node.formals);
  for (let i = tableCount(formals); i > 0; i--) push(TASK_FORMAL, tableItem(formals, i - 1), "");
}

function writeFormal(formal: Formal): void {
  begin("Formal", formal.position, "");
  appendIdentifier(formal.name);
  pushNode(formal.fallback, "default");
  finish();
}

function scope(node: ScopeNode, role: string): void {
  pushNode(node.body, "body");
  pushNode(node.attrs, role);
}

function pushItems(items: Table, role: string): void {
  for (let i = tableCount(items); i > 0; i--) pushNode(tableItem(items, i - 1), role);
}

/** A table of pairs: position, node. */
function parts(node: ConcatStringsNode): void {
  for (let i = tableCount(node.parts) >>> 1; i > 0; i--) pushNode(tableItem(node.parts, 2 * i - 1), "part");
}
