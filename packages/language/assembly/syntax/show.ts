// Trees as text, exactly as `nix-instantiate --parse` prints them; messages quote expressions in this form too.
//
// What is still to be printed waits on a stack in the arena: first in the order of the text, each construct pushes its
// pieces, the last first. So depth costs no host stack.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { appendGeneral } from "../numbers/print-float";
import { Symbol, symbolName } from "../symbols/symbols";
import { stringBytes, stringLength } from "../values/string";
import {
  ATTR_INHERITED, ATTR_INHERITED_FROM, ATTR_PLAIN, AttrName, AttrsNode, BinaryNode, CallNode, ConcatStringsNode,
  DynamicAttr, FloatNode, Formal, IfNode, IntNode, LambdaNode, ListNode, LiteralNode, NODE_AND, NODE_ASSERT, NODE_ATTRS,
  NODE_CALL, NODE_CONCAT_LISTS, NODE_CONCAT_STRINGS, NODE_CURRENT_POSITION, NODE_EQUAL, NODE_FLOAT, NODE_HAS_ATTR,
  NODE_IF, NODE_IMPLIES, NODE_INT, NODE_LAMBDA, NODE_LET, NODE_LIST, NODE_NOT, NODE_NOT_EQUAL, NODE_OR, NODE_PATH,
  NODE_SELECT, NODE_STRING, NODE_UPDATE, NODE_VARIABLE, NODE_WITH, Node, ScopeNode, SelectNode, StaticAttr, Table,
  VariableNode, kindOfNode, tableCount, tableItem,
} from "./ast";
import { initializeCharacters, NAME, NAME_START, isClass } from "./characters";
import { isReservedWord } from "./keywords";
import { orderedByName, orderedByOrigin } from "./show-order";
import { appendToTable } from "./tables";

const TASK_NODE: u32 = 0;
const TASK_TEXT: u32 = 1;
const TASK_SYMBOL: u32 = 2;
const TASK_BINDINGS: u32 = 3;
const TASK_SIZE: u32 = 8;

let tasks: Address = 0;
let top: Address = 0;
let end: Address = 0;

/** Appends an expression to the text buffer. */
export function showNode(node: Node): void {
  start();
  pushNode(node);
  run();
}

/** Appends an attribute path: names with dots between them. */
export function appendAttrPath(path: Table): void {
  start();
  pushAttrPath(path);
  run();
}

/** Appends a name, in quotes if it could not stand for itself. */
export function appendIdentifier(symbol: Symbol): void {
  initializeCharacters();
  const name = symbolName(symbol);
  const bytes = stringBytes(name);
  const length = stringLength(name);
  if (isReservedWord(bytes, length) || !isIdentifier(bytes, length)) appendQuoted(bytes, length);
  else appendBytes(bytes, length);
}

/** Appends a string literal. */
export function appendQuoted(bytes: Address, length: u32): void {
  appendByte(0x22);
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(bytes + i);
    if (byte == 0x0a) appendText("\\n");
    else if (byte == 0x0d) appendText("\\r");
    else if (byte == 0x09) appendText("\\t");
    else {
      const isDollar = byte == 0x24 && i + 1 < length && load<u8>(bytes + i + 1) == 0x7b;
      if (byte == 0x22 || byte == 0x5c || isDollar) appendByte(0x5c);
      appendByte(byte);
    }
  }
  appendByte(0x22);
}

function isIdentifier(bytes: Address, length: u32): bool {
  if (length == 0 || !isClass(load<u8>(bytes), NAME_START)) return false;
  for (let i: u32 = 1; i < length; i++) if (!isClass(load<u8>(bytes + i), NAME)) return false;
  return true;
}

function start(): void {
  const size = TASK_SIZE << 8;
  tasks = allocateInArena(size);
  top = tasks;
  end = tasks + size;
}

function push(task: u32, subject: usize): void {
  if (top == end) grow();
  store<u32>(top, task);
  store<u32>(top, <u32>subject, 4);
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

function pushNode(node: Node): void {
  push(TASK_NODE, node);
}

/** A literal of this source. */
function pushText(text: string): void {
  push(TASK_TEXT, changetype<usize>(text));
}

function run(): void {
  while (top != tasks) {
    top -= TASK_SIZE;
    const task = load<u32>(top);
    const subject = load<u32>(top, 4);
    if (task == TASK_NODE) show(subject);
    else if (task == TASK_TEXT) appendText(changetype<string>(<usize>subject));
    else if (task == TASK_SYMBOL) appendIdentifier(subject);
    else pushBindings(changetype<AttrsNode>(<usize>subject));
  }
}

function show(node: Node): void {
  switch (kindOfNode(node)) {
    case NODE_INT: appendInteger(changetype<IntNode>(node).value); break;
    case NODE_FLOAT: appendGeneral(changetype<FloatNode>(node).value, 6); break;
    case NODE_STRING: showString(changetype<LiteralNode>(node)); break;
    case NODE_PATH: showPath(changetype<LiteralNode>(node)); break;
    case NODE_VARIABLE: appendIdentifier(changetype<VariableNode>(node).name); break;
    case NODE_SELECT: showSelect(changetype<SelectNode>(node)); break;
    case NODE_HAS_ATTR: showHasAttr(changetype<SelectNode>(node)); break;
    case NODE_ATTRS: showAttrs(changetype<AttrsNode>(node)); break;
    case NODE_LIST: showList(changetype<ListNode>(node)); break;
    case NODE_LAMBDA: showLambda(changetype<LambdaNode>(node)); break;
    case NODE_CALL: showCall(changetype<CallNode>(node)); break;
    case NODE_LET: showLet(changetype<ScopeNode>(node)); break;
    case NODE_WITH: showWith(changetype<ScopeNode>(node)); break;
    case NODE_IF: showIf(changetype<IfNode>(node)); break;
    case NODE_ASSERT: showAssert(changetype<BinaryNode>(node)); break;
    case NODE_NOT: showNot(changetype<BinaryNode>(node)); break;
    case NODE_CONCAT_STRINGS: showConcatStrings(changetype<ConcatStringsNode>(node)); break;
    case NODE_CURRENT_POSITION: appendText("__curPos"); break;
    case NODE_EQUAL: showBinary(changetype<BinaryNode>(node), " == "); break;
    case NODE_NOT_EQUAL: showBinary(changetype<BinaryNode>(node), " != "); break;
    case NODE_AND: showBinary(changetype<BinaryNode>(node), " && "); break;
    case NODE_OR: showBinary(changetype<BinaryNode>(node), " || "); break;
    case NODE_IMPLIES: showBinary(changetype<BinaryNode>(node), " -> "); break;
    case NODE_UPDATE: showBinary(changetype<BinaryNode>(node), " // "); break;
    case NODE_CONCAT_LISTS: showBinary(changetype<BinaryNode>(node), " ++ "); break;
    default: appendText("<error>");
  }
}

function showString(node: LiteralNode): void {
  appendQuoted(stringBytes(node.value), stringLength(node.value));
}

function showPath(node: LiteralNode): void {
  appendBytes(stringBytes(node.value), stringLength(node.value));
}

function showSelect(node: SelectNode): void {
  appendByte(0x28);
  if (node.fallback != 0) {
    pushText(")");
    pushNode(node.fallback);
    pushText(" or (");
  }
  pushAttrPath(node.path);
  pushText(").");
  pushNode(node.subject);
}

function showHasAttr(node: SelectNode): void {
  appendText("((");
  pushText(")");
  pushAttrPath(node.path);
  pushText(") ? ");
  pushNode(node.subject);
}

function pushAttrPath(path: Table): void {
  for (let i = tableCount(path); i > 0; i--) {
    const name = changetype<AttrName>(tableItem(path, i - 1));
    if (name.symbol != 0) push(TASK_SYMBOL, name.symbol);
    else pushDynamicName(name.expression);
    if (i > 1) pushText(".");
  }
}

function pushDynamicName(name: Node): void {
  pushText("}\"");
  pushNode(name);
  pushText("\"${");
}

function showAttrs(node: AttrsNode): void {
  appendText(node.recursive != 0 ? "rec { " : "{ ");
  pushText("}");
  push(TASK_BINDINGS, changetype<usize>(node));
}

/** What is inherited, what is inherited from expressions, what is bound, and what is bound to dynamic names. */
function pushBindings(node: AttrsNode): void {
  const dynamics = node.dynamics;
  for (let i = tableCount(dynamics); i > 0; i--) {
    const attr = changetype<DynamicAttr>(tableItem(dynamics, i - 1));
    pushText("; ");
    pushNode(attr.value);
    pushText(" = ");
    pushDynamicName(attr.name);
  }
  const statics = orderedByName(node.statics);
  for (let i = tableCount(statics); i > 0; i--) {
    const attr = changetype<StaticAttr>(tableItem(statics, i - 1));
    if (attr.kind != ATTR_PLAIN) continue;
    pushText("; ");
    pushNode(attr.value);
    pushText(" = ");
    push(TASK_SYMBOL, attr.name);
  }
  pushInheritedFrom(node, statics);
  pushInherited(statics);
}

function pushInherited(statics: Table): void {
  const names = ofKind(statics, ATTR_INHERITED);
  if (names == 0) return;
  pushText("; ");
  pushNames(names, 0, tableCount(names));
  pushText("inherit");
}

function pushInheritedFrom(node: AttrsNode, statics: Table): void {
  const attrs = orderedByOrigin(ofKind(statics, ATTR_INHERITED_FROM));
  let last = tableCount(attrs);
  while (last > 0) {
    const from = changetype<StaticAttr>(tableItem(attrs, last - 1)).from;
    let first = last - 1;
    while (first > 0 && changetype<StaticAttr>(tableItem(attrs, first - 1)).from == from) first--;
    pushText("; ");
    pushNames(attrs, first, last);
    pushText(")");
    pushNode(tableItem(node.fromExpressions, from));
    pushText("inherit (");
    last = first;
  }
}

/** The names of some attributes, each after a space. */
function pushNames(attrs: Table, first: u32, last: u32): void {
  for (let i = last; i > first; i--) {
    push(TASK_SYMBOL, changetype<StaticAttr>(tableItem(attrs, i - 1)).name);
    pushText(" ");
  }
}

function ofKind(statics: Table, kind: u32): Table {
  let found: Table = 0;
  for (let i: u32 = 0; i < tableCount(statics); i++) {
    const attr = tableItem(statics, i);
    if (changetype<StaticAttr>(attr).kind == kind) found = appendToTable(found, attr);
  }
  return found;
}

function showList(node: ListNode): void {
  appendText("[ ");
  pushText("]");
  for (let i = tableCount(node.items); i > 0; i--) {
    pushText(") ");
    pushNode(tableItem(node.items, i - 1));
    pushText("(");
  }
}

function showLambda(node: LambdaNode): void {
  appendByte(0x28);
  pushText(")");
  pushNode(node.body);
  pushText(": ");
  if (node.argument != 0) push(TASK_SYMBOL, node.argument);
  if (node.formals == 0) return;
  if (node.argument != 0) pushText(" @ ");
  pushText(" }");
  const count = tableCount(node.formals);
  if (node.ellipsis != 0) pushText(count == 0 ? "..." : ", ...");
  const formals = orderedByName(node.formals);
  for (let i = count; i > 0; i--) {
    const formal = changetype<Formal>(tableItem(formals, i - 1));
    if (formal.fallback != 0) {
      pushNode(formal.fallback);
      pushText(" ? ");
    }
    push(TASK_SYMBOL, formal.name);
    if (i > 1) pushText(", ");
  }
  pushText("{ ");
}

function showCall(node: CallNode): void {
  appendByte(0x28);
  pushText(")");
  for (let i = tableCount(node.arguments); i > 0; i--) {
    pushNode(tableItem(node.arguments, i - 1));
    pushText(" ");
  }
  pushNode(node.callee);
}

function showLet(node: ScopeNode): void {
  appendText("(let ");
  pushText(")");
  pushNode(node.body);
  pushText("in ");
  push(TASK_BINDINGS, node.attrs);
}

function showWith(node: ScopeNode): void {
  appendText("(with ");
  pushText(")");
  pushNode(node.body);
  pushText("; ");
  pushNode(node.attrs);
}

function showIf(node: IfNode): void {
  appendText("(if ");
  pushText(")");
  pushNode(node.alternative);
  pushText(" else ");
  pushNode(node.consequent);
  pushText(" then ");
  pushNode(node.condition);
}

function showAssert(node: BinaryNode): void {
  appendText("assert ");
  pushNode(node.right);
  pushText("; ");
  pushNode(node.left);
}

function showNot(node: BinaryNode): void {
  appendText("(! ");
  pushText(")");
  pushNode(node.left);
}

function showBinary(node: BinaryNode, operator: string): void {
  appendByte(0x28);
  pushText(")");
  pushNode(node.right);
  pushText(operator);
  pushNode(node.left);
}

function showConcatStrings(node: ConcatStringsNode): void {
  appendByte(0x28);
  pushText(")");
  for (let i = tableCount(node.parts) >>> 1; i > 0; i--) {
    pushNode(tableItem(node.parts, 2 * i - 1));
    if (i > 1) pushText(" + ");
  }
}
