// The compiler: from the syntax tree of a file to code.
//
// Every expression is compiled in one of two ways: strictly, so that running the code leaves its value in weak head
// normal form on the stack, or lazily, so that it leaves a value that may be a thunk, without evaluating anything.
// Variables become (level, slot); the operators that the parser wrote as calls of `__sub` and its like become
// instructions where the name still means the builtin.
//
// Recursion follows strict nesting only (everything lazy goes through the emitter's queue), and where that is very deep
// the compiler makes a thunk and forces it at once, so the host's stack is never at stake.

import { allocatePermanent } from "../memory/permanent";
import { Symbol, internText, symbolName } from "../symbols/symbols";
import { SYMBOL_DIV, SYMBOL_LESS_THAN, SYMBOL_MUL, SYMBOL_OVERRIDES, SYMBOL_SUB } from "../symbols/known";
import {
  ATTR_INHERITED,
  ATTR_INHERITED_FROM,
  AttrsNode,
  BinaryNode,
  CallNode,
  ConcatStringsNode,
  DynamicAttr,
  Formal,
  IfNode,
  IntNode,
  FloatNode,
  LambdaNode,
  ListNode,
  LiteralNode,
  NODE_AND,
  NODE_ASSERT,
  NODE_ATTRS,
  NODE_CALL,
  NODE_CONCAT_LISTS,
  NODE_CONCAT_STRINGS,
  NODE_CURRENT_POSITION,
  NODE_EQUAL,
  NODE_FLOAT,
  NODE_HAS_ATTR,
  NODE_IF,
  NODE_IMPLIES,
  NODE_INT,
  NODE_LAMBDA,
  NODE_LET,
  NODE_LIST,
  NODE_NOT,
  NODE_NOT_EQUAL,
  NODE_OR,
  NODE_PATH,
  NODE_SELECT,
  NODE_STRING,
  NODE_UPDATE,
  NODE_VARIABLE,
  NODE_WITH,
  Node,
  ScopeNode,
  SelectNode,
  StaticAttr,
  Table,
  VariableNode,
  kindOfNode,
  makeNode,
  makeTable,
  positionOfNode,
  setTableItem,
  singleNamePath,
  tableCount,
  tableItem,
} from "../syntax/ast";
import { showNode } from "../syntax/show";
import { EMPTY_ATTRS, EMPTY_LIST } from "../values/constants";
import { Value, isWhnf } from "../values/value";
import { Keys, makePermanentKeys, setKey } from "../values/attrs";
import { makePermanentString } from "../values/string";
import { textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { compress } from "../memory/pointers";
import {
  BLOCK_FILE,
  BLOCK_LAMBDA,
  BLOCK_THUNK,
  Block,
  OP_AND,
  OP_ASSERT,
  OP_ATTRS,
  OP_ATTRS_FROM_ENV,
  OP_BIND_FORMALS,
  OP_CALL,
  OP_CHECK_ADDEND,
  OP_CHECK_BOOL,
  OP_CONCAT_LISTS,
  OP_CONCAT_PATH,
  OP_CONCAT_STRINGS,
  OP_CONSTANT,
  OP_COPY_OPERANDS,
  OP_DIVIDE,
  OP_ADD,
  OP_ADD_DYNAMIC,
  OP_DROP_OPERANDS,
  OP_EQUAL,
  OP_EXPLAIN_DIFFERENCE,
  OP_FORCE,
  OP_GET,
  OP_GET_0,
  OP_GET_1,
  OP_GET_2,
  OP_IMPLIES,
  OP_INTERPOLATE,
  OP_INTERPOLATE_PATH,
  OP_JUMP,
  OP_JUMP_IF_FALSE,
  OP_LAMBDA,
  OP_LEAVE_ENV,
  OP_LESS_THAN,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_0,
  OP_LOAD_1,
  OP_LOAD_2,
  OP_MULTIPLY,
  OP_NEW_ENV,
  OP_NOT,
  OP_NOT_EQUAL,
  OP_OPEN_ATTRS,
  OP_OPEN_LIST,
  OP_OR,
  OP_OVERRIDE,
  OP_RETURN,
  OP_SET_ATTR,
  OP_SET_ITEM,
  OP_SET_PARENT_SLOT,
  OP_SET_SLOT,
  OP_SUBTRACT,
  OP_THUNK,
  OP_UNDEFINED,
  OP_UPDATE,
  OP_WITH_SELECT,
  blockEntry,
  formalAt,
  formalCodeWord,
  formalsFirstSlot,
  formalsSize,
  initializeFormals,
  setFormal,
  setFormalAlias,
  setSharedFunction,
} from "./code";
import {
  closeBlock,
  codeOffset,
  emit,
  emitContext,
  emitJump,
  emitOp,
  emitRemark,
  emitTarget,
  emitWaiting,
  openBlock,
  takeWaiting,
  takenWaiting,
  waitForBlock,
} from "./emitter";
import { permanentFloat, permanentInt } from "./literals";
import { compileHasAttr, compileSelect } from "./selection";
import {
  SCOPE_ARGUMENT,
  SCOPE_ATTRS,
  SCOPE_FORMALS,
  SCOPE_INHERIT,
  SCOPE_KEYS,
  SCOPE_WITH,
  Scope,
  foundLevel,
  foundScope,
  foundSlot,
  makeScope,
  resolveVariable,
} from "./scope";
import { findGlobal } from "./globals";
import { hasSharedFunction } from "../images/shared-trees";
import { compiledPath, currentPositionValue } from "./current-position";
import { noteUndefined } from "./undefined-variables";

/** Strict nesting beyond which a thunk is made of the rest. */
const MAXIMUM_NESTING: u32 = 200;
/** Longer literals are made first and filled item by item, so that the stack stays small. */
const MAXIMUM_OPERANDS: u32 = 64;
/** A node of the compiler's own: the set of an `inherit (e)`, by its index. */
const NODE_INHERIT_SOURCE: u32 = 100;

let nesting: u32 = 0;

/**
 * Compiles a file and returns the address of its block. `keys` are the names that `scopedImport` adds, or 0: they are
 * the slots of the environment that the block must run in.
 */
export function compileFile(root: Node, keys: Keys): usize {
  resultOfFile = resultOf(root);
  const scope: usize = keys == 0 ? 0 : makeScope(SCOPE_KEYS, 0, keys);
  nesting = 0;
  const file = compileBlock(BLOCK_FILE, root, scope);
  while (takeWaiting()) {
    const waiting = takenWaiting();
    const word = waiting.word;
    if (waiting.kind == BLOCK_LAMBDA) store<u32>(word, <u32>compileLambda(waiting.node, waiting.scope));
    else store<u32>(word, <u32>blockEntry(compileBlock(BLOCK_THUNK, waiting.node, waiting.scope)));
  }
  return file;
}

/** What the whole source evaluates to, but for the variables around it. */
let resultOfFile: Node = 0;

function resultOf(node: Node): Node {
  return kindOfNode(node) == NODE_LET ? resultOf(changetype<ScopeNode>(node).body) : node;
}

function compileBlock(kind: u32, node: Node, scope: usize): usize {
  openBlock();
  compileStrict(node, scope);
  emitOp(OP_RETURN);
  return closeBlock(kind, positionOfNode(node));
}

function compileLambda(node: Node, parent: usize): usize {
  const lambda = changetype<LambdaNode>(node);
  openBlock();
  let formals: usize = 0;
  let scope: usize;
  if (lambda.formals == 0) {
    scope = makeScope(SCOPE_ARGUMENT, parent, 0, lambda.argument);
  } else {
    scope = makeScope(SCOPE_FORMALS, parent, lambda.formals, lambda.argument);
    formals = compileFormals(lambda, scope);
    if (node == resultOfFile && hasSharedFunction(compiledPath())) setSharedFunction(formals);
    emitOp(OP_FORCE);
    emit(lambda.position);
    emitOp(OP_BIND_FORMALS);
    emit(<u32>formals);
  }
  compileStrict(lambda.body, scope);
  emitOp(OP_RETURN);
  const address = closeBlock(BLOCK_LAMBDA, lambda.position);
  const block = changetype<Block>(address);
  block.name = lambda.name;
  block.formals = <u32>formals;
  block.argument = lambda.argument;
  block.documentation = lambda.documentation;
  return address;
}

function compileFormals(lambda: LambdaNode, scope: usize): usize {
  const table = lambda.formals;
  const count = tableCount(table);
  const formals = allocatePermanent(formalsSize(count));
  initializeFormals(formals, count, lambda.ellipsis, lambda.argument != 0 ? 1 : 0);
  for (let i: u32 = 0; i < count; i++) {
    const formal = changetype<Formal>(tableItem(table, i));
    const fallback = formal.fallback;
    const constant: Value = fallback == 0 ? 0 : constantOf(fallback, scope);
    const entry = formalAt(formals, i);
    setFormal(entry, formal.name, constant, formal.position);
    changetype<Scope>(scope).filled = formalsFirstSlot(formals) + i;
    if (fallback == 0 || constant != 0 || isAliased(fallback, entry, scope)) continue;
    waitForBlock(formalCodeWord(entry), BLOCK_THUNK, fallback, scope);
  }
  changetype<Scope>(scope).filled = u32.MAX_VALUE;
  return formals;
}

/** Makes a default that is a variable with a value an alias. */
function isAliased(fallback: Node, entry: usize, scope: usize): bool {
  if (kindOfNode(fallback) != NODE_VARIABLE) return false;
  if (!resolveVariable(scope, changetype<VariableNode>(fallback).name) || !isFilled()) return false;
  return setFormalAlias(entry, foundLevel, foundSlot);
}

/** The permanent value of a node that needs no code, or 0. */
function constantOf(node: Node, scope: usize): Value {
  const kind = kindOfNode(node);
  if (kind == NODE_INT) return permanentInt(changetype<IntNode>(node).value);
  if (kind == NODE_FLOAT) return permanentFloat(changetype<FloatNode>(node).value);
  if (kind == NODE_STRING || kind == NODE_PATH) return changetype<LiteralNode>(node).value;
  if (kind == NODE_LIST) return tableCount(changetype<ListNode>(node).items) == 0 ? EMPTY_LIST : 0;
  if (kind == NODE_ATTRS) return isEmptyAttrs(changetype<AttrsNode>(node)) ? EMPTY_ATTRS : 0;
  if (kind == NODE_VARIABLE) {
    const name = changetype<VariableNode>(node).name;
    return resolveVariable(scope, name) ? 0 : findGlobal(name);
  }
  return 0;
}

function isEmptyAttrs(attrs: AttrsNode): bool {
  return tableCount(attrs.statics) == 0 && tableCount(attrs.dynamics) == 0;
}

// ── Lazily ──

/** Emits code that pushes the value of `node`, or a thunk of it. */
export function compileLazily(node: Node, scope: usize): void {
  const constant = constantOf(node, scope);
  if (constant != 0) {
    emitConstant(constant);
    return;
  }
  const kind = kindOfNode(node);
  if (kind == NODE_LAMBDA) {
    emitOp(OP_LAMBDA);
    emitWaiting(BLOCK_LAMBDA, node, scope);
    return;
  }
  if (kind == NODE_VARIABLE && resolveVariable(scope, changetype<VariableNode>(node).name) && isFilled()) {
    emitLoad(foundLevel, foundSlot);
    return;
  }
  emitThunk(node, scope);
}

/** Whether the slot that `resolveVariable` found has its value when code compiled now runs. */
function isFilled(): bool {
  return foundSlot < changetype<Scope>(foundScope).filled;
}

function emitThunk(node: Node, scope: usize): void {
  emitOp(OP_THUNK);
  emitWaiting(BLOCK_THUNK, node, scope);
}

function emitConstant(value: Value): void {
  emitOp(OP_CONSTANT);
  emit(compress(value));
}

function emitLoad(level: u32, slot: u32): void {
  if (level == 0) emitOp(OP_LOAD_0, slot);
  else if (level == 1) emitOp(OP_LOAD_1, slot);
  else if (level == 2) emitOp(OP_LOAD_2, slot);
  else {
    emitOp(OP_LOAD, level);
    emit(slot);
  }
}

function emitGet(level: u32, slot: u32, position: u32): void {
  if (level == 0) emitOp(OP_GET_0, slot);
  else if (level == 1) emitOp(OP_GET_1, slot);
  else if (level == 2) emitOp(OP_GET_2, slot);
  else {
    emitOp(OP_GET, level);
    emit(slot);
  }
  emit(position);
}

// ── Strictly ──

/** Emits code that pushes the value of `node` in weak head normal form. */
export function compileStrict(node: Node, scope: usize): void {
  const constant = constantOf(node, scope);
  if (constant != 0) {
    emitConstant(constant);
    // Of the constants only the time is found out when it is wanted.
    if (!isWhnf(constant)) {
      emitOp(OP_FORCE);
      emit(positionOfNode(node));
    }
    return;
  }
  if (nesting >= MAXIMUM_NESTING) {
    emitThunk(node, scope);
    emitOp(OP_FORCE);
    emit(positionOfNode(node));
    return;
  }
  nesting++;
  compileStrictNode(node, scope);
  nesting--;
}

function compileStrictNode(node: Node, scope: usize): void {
  switch (kindOfNode(node)) {
    case NODE_VARIABLE:
      compileVariable(changetype<VariableNode>(node), scope);
      return;
    case NODE_SELECT:
      compileSelect(changetype<SelectNode>(node), scope);
      return;
    case NODE_HAS_ATTR:
      compileHasAttr(changetype<SelectNode>(node), scope);
      return;
    case NODE_ATTRS:
      compileAttrs(changetype<AttrsNode>(node), scope);
      return;
    case NODE_LIST:
      compileList(changetype<ListNode>(node), scope);
      return;
    case NODE_LAMBDA:
      emitOp(OP_LAMBDA);
      emitWaiting(BLOCK_LAMBDA, node, scope);
      return;
    case NODE_CALL:
      compileCall(changetype<CallNode>(node), scope);
      return;
    case NODE_LET:
      compileLet(changetype<ScopeNode>(node), scope);
      return;
    case NODE_WITH:
      compileWith(changetype<ScopeNode>(node), scope);
      return;
    case NODE_IF:
      compileIf(changetype<IfNode>(node), scope);
      return;
    case NODE_CONCAT_STRINGS:
      compileConcatStrings(changetype<ConcatStringsNode>(node), scope);
      return;
    case NODE_CURRENT_POSITION:
      emitConstant(currentPositionValue(positionOfNode(node)));
      return;
    case NODE_INHERIT_SOURCE:
      compileInheritSource(changetype<VariableNode>(node), scope);
      return;
    default:
      compileOperator(changetype<BinaryNode>(node), scope);
  }
}

function compileVariable(node: VariableNode, scope: usize): void {
  const name = node.name;
  if (resolveVariable(scope, name)) {
    emitGet(foundLevel, foundSlot, node.position);
    return;
  }
  compileWithVariable(node, scope);
}

/** A variable that only a `with` can define: asks each one from the innermost on. */
function compileWithVariable(node: VariableNode, scope: usize): void {
  let level: u32 = 0;
  let at = scope;
  let jumps: usize = 0;
  while (at != 0) {
    if (changetype<Scope>(at).kind == SCOPE_WITH) {
      const from = codeOffset();
      emitGet(level, 0, node.position);
      const jump = emitJump(OP_WITH_SELECT);
      emit(node.name);
      emit(0);
      emit(0);
      emitContext(from, changetype<Scope>(at).argument, "while evaluating the first subexpression of a with expression");
      jumps = pushJump(jump, jumps);
    }
    level++;
    at = changetype<Scope>(at).parent;
  }
  if (jumps == 0) noteUndefined(node.name, node.position);
  emitOp(OP_UNDEFINED);
  emit(node.name);
  emit(node.position);
  if (jumps == 0) return;
  while (jumps != 0) jumps = popJump(jumps, 4);
  emitOp(OP_FORCE);
  emit(node.position);
}

/** A linked list of jumps to one place, in the arena. */
function pushJump(jump: u32, rest: usize): usize {
  const link = makeNode(0, 0, 16);
  store<u32>(link, jump);
  store<u32>(link, <u32>rest, 4);
  return link;
}

function popJump(link: usize, words: u32): usize {
  emitTarget(load<u32>(link), words);
  return load<u32>(link, 4);
}

function compileCall(node: CallNode, scope: usize): void {
  if (compileOperatorCall(node, scope)) return;
  const count = tableCount(node.arguments);
  if (count > MAXIMUM_OPERANDS) {
    compileCall(changetype<CallNode>(splitCall(node, count)), scope);
    return;
  }
  for (let i = count; i > 0; i--) compileLazily(tableItem(node.arguments, i - 1), scope);
  compileStrict(node.callee, scope);
  emitOp(OP_CALL, count);
  emit(node.position);
  for (let i: u32 = 1; i < count; i++) {
    emitOp(OP_CALL, 1);
    emit(node.position);
  }
}

/** A call of very many arguments as a call, with the last ones, of a call with the others. */
function splitCall(node: CallNode, count: u32): Node {
  const few = count - MAXIMUM_OPERANDS;
  const inner = makeCall(node.callee, node.arguments, 0, few, node.position);
  return makeCall(inner, node.arguments, few, MAXIMUM_OPERANDS, node.position);
}

function makeCall(callee: Node, from: Table, start: u32, count: u32, position: u32): Node {
  const address = makeNode(NODE_CALL, position, offsetof<CallNode>());
  const call = changetype<CallNode>(address);
  call.callee = callee;
  call.arguments = makeTable(count);
  for (let i: u32 = 0; i < count; i++) setTableItem(call.arguments, i, tableItem(from, start + i));
  return address;
}

/** The operators that the parser writes as calls, unless a program has given their names another meaning. */
function compileOperatorCall(node: CallNode, scope: usize): bool {
  if (tableCount(node.arguments) != 2 || kindOfNode(node.callee) != NODE_VARIABLE) return false;
  const name = changetype<VariableNode>(node.callee).name;
  const op = operatorOf(name);
  if (op == 0 || resolveVariable(scope, name)) return false;
  const from = codeOffset();
  compileStrict(tableItem(node.arguments, 0), scope);
  compileStrict(tableItem(node.arguments, 1), scope);
  emitOp(op);
  emit(node.position);
  emitContext(from, node.position, "while calling the '%1%' builtin", operatorName(op));
  return true;
}

function operatorOf(name: Symbol): u32 {
  if (name == SYMBOL_SUB) return OP_SUBTRACT;
  if (name == SYMBOL_MUL) return OP_MULTIPLY;
  if (name == SYMBOL_DIV) return OP_DIVIDE;
  return name == SYMBOL_LESS_THAN ? OP_LESS_THAN : 0;
}

function operatorName(op: u32): Value {
  let name: Symbol;
  if (op == OP_SUBTRACT) name = internText("sub");
  else if (op == OP_MULTIPLY) name = internText("mul");
  else if (op == OP_DIVIDE) name = internText("div");
  else name = internText("lessThan");
  return symbolName(name);
}

function compileIf(node: IfNode, scope: usize): void {
  const from = codeOffset();
  compileStrict(node.condition, scope);
  const position = positionOfNode(node.condition);
  const otherwise = emitJump(OP_JUMP_IF_FALSE);
  emit(position);
  emitContext(from, position, "while evaluating a branch condition");
  compileStrict(node.consequent, scope);
  const end = emitJump(OP_JUMP);
  emitTarget(otherwise, 2);
  compileStrict(node.alternative, scope);
  emitTarget(end, 1);
}

function compileOperator(node: BinaryNode, scope: usize): void {
  switch (node.kind) {
    case NODE_ASSERT:
      compileAssert(node, scope);
      return;
    case NODE_NOT: {
      const from = codeOffset();
      compileStrict(node.left, scope);
      emitOp(OP_NOT);
      emit(positionOfNode(node.left));
      emitContext(from, positionOfNode(node.left), "in the argument of '!'");
      return;
    }
    case NODE_AND:
      compileLogical(node, scope, OP_AND, "in the left operand of '&&'", "in the right operand of '&&'");
      return;
    case NODE_OR:
      compileLogical(node, scope, OP_OR, "in the left operand of '||'", "in the right operand of '||'");
      return;
    case NODE_IMPLIES:
      compileLogical(node, scope, OP_IMPLIES, "in the left operand of '->'", "in the right operand of '->'");
      return;
    case NODE_EQUAL:
      compileOperands(node, scope, "in the left operand of '=='", "in the right operand of '=='");
      emitOp(OP_EQUAL);
      break;
    case NODE_NOT_EQUAL:
      compileOperands(node, scope, "in the left operand of '!='", "in the right operand of '!='");
      emitOp(OP_NOT_EQUAL);
      break;
    case NODE_UPDATE:
      compileUpdate(node, scope);
      return;
    default:
      assert(node.kind == NODE_CONCAT_LISTS, "every kind of node is compiled");
      compileOperands(node, scope, "in the left operand of '++'", "in the right operand of '++'");
      emitOp(OP_CONCAT_LISTS);
  }
  emit(node.position);
}

function compileOperands(node: BinaryNode, scope: usize, left: string, right: string): void {
  compileOperand(node.left, scope, left);
  compileOperand(node.right, scope, right);
}

function compileOperand(node: Node, scope: usize, context: string): void {
  const from = codeOffset();
  compileStrict(node, scope);
  if (isSimple(node)) return;
  emitContext(from, positionOfNode(node), context);
}

/** Whether evaluating the node cannot fail. */
function isSimple(node: Node): bool {
  const kind = kindOfNode(node);
  return kind <= NODE_PATH || kind == NODE_LAMBDA || kind == NODE_LIST;
}

/** The right operand of `//` comes first, as in Nix. */
function compileUpdate(node: BinaryNode, scope: usize): void {
  compileOperand(node.right, scope, "in the right operand of '//'");
  compileOperand(node.left, scope, "in the left operand of '//'");
  emitOp(OP_UPDATE);
  emit(node.position);
  emitRemark(isSimple(node.right) ? 0 : positionOfNode(node.right));
  emitRemark(isSimple(node.left) ? 0 : positionOfNode(node.left));
}

function compileLogical(node: BinaryNode, scope: usize, op: u32, left: string, right: string): void {
  let from = codeOffset();
  compileStrict(node.left, scope);
  const end = emitJump(op);
  emit(positionOfNode(node.left));
  emitContext(from, positionOfNode(node.left), left);
  from = codeOffset();
  compileStrict(node.right, scope);
  emitOp(OP_CHECK_BOOL);
  emit(positionOfNode(node.right));
  emitContext(from, positionOfNode(node.right), right);
  emitTarget(end, 2);
}

function compileAssert(node: BinaryNode, scope: usize): void {
  const text = showPermanently(node.left);
  if (kindOfNode(node.left) == NODE_EQUAL) {
    compileEqualityAssertion(node, text, scope);
  } else {
    const from = codeOffset();
    compileStrict(node.left, scope);
    emitContext(from, positionOfNode(node.left), "in the condition of the assert statement");
    emitOp(OP_ASSERT);
    emit(<u32>text);
    emit(node.position);
  }
  compileStrict(node.right, scope);
}

/** `assert a == b;`: the operands stay on the stack, to say where they differ. */
function compileEqualityAssertion(node: BinaryNode, text: Value, scope: usize): void {
  const equality = changetype<BinaryNode>(node.left);
  let from = codeOffset();
  compileOperands(equality, scope, "in the left operand of '=='", "in the right operand of '=='");
  emitOp(OP_COPY_OPERANDS);
  emitOp(OP_EQUAL);
  emit(equality.position);
  emitContext(from, equality.position, "in the condition of the assert statement");
  const differ = emitJump(OP_JUMP_IF_FALSE);
  emit(equality.position);
  emitOp(OP_DROP_OPERANDS);
  const equal = emitJump(OP_JUMP);
  emitTarget(differ, 2);
  from = codeOffset();
  emitOp(OP_EXPLAIN_DIFFERENCE);
  emit(equality.position);
  emitContext(from, node.position, "while evaluating the condition of the assertion '%1%'", text);
  emitOp(OP_ASSERT);
  emit(<u32>text);
  emit(node.position);
  emitTarget(equal, 1);
}

/** The text of an expression as `--parse` prints it, for the message of a failed assertion. */
function showPermanently(node: Node): Value {
  const mark = textMark();
  showNode(node);
  const text = makePermanentString(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return text;
}

function compileList(node: ListNode, scope: usize): void {
  const items = node.items;
  const count = tableCount(items);
  const large = count > MAXIMUM_OPERANDS;
  if (large) emitOp(OP_OPEN_LIST, count);
  for (let i: u32 = 0; i < count; i++) {
    compileLazily(tableItem(items, i), scope);
    if (large) emitOp(OP_SET_ITEM, i);
  }
  if (!large) emitOp(OP_LIST, count);
}

function compileConcatStrings(node: ConcatStringsNode, scope: usize): void {
  const parts = node.parts;
  const count = tableCount(parts) >>> 1;
  const first = tableItem(parts, 1);
  if (node.forceString != 0) {
    compileText(parts, count, scope);
    return;
  }
  if (kindOfNode(first) == NODE_PATH) {
    compilePathParts(parts, count, scope);
    emitOp(OP_CONCAT_PATH, count);
    emit(node.position);
    return;
  }
  compileOperand(first, scope, "in an operand of '+'");
  if (mayBeNoAddend(first) && !isSimple(tableItem(parts, 3))) {
    emitOp(OP_CHECK_ADDEND);
    emit(<u32>tableItem(parts, 2));
    emitRemark(<u32>tableItem(parts, 0));
  }
  for (let i: u32 = 1; i < count; i++) {
    compileOperand(tableItem(parts, 2 * i + 1), scope, "in an operand of '+'");
    emitOp(OP_ADD);
    emit(<u32>tableItem(parts, 2 * i));
    // Only of a first operand like these can it be said that it is no string.
    if (i == 1 && mayBeNoAddend(first)) emitRemark(<u32>tableItem(parts, 0));
  }
}

/** Whether the left operand of `+` may turn out to be nothing that can be added to. */
function mayBeNoAddend(node: Node): bool {
  return kindOfNode(node) > NODE_PATH && kindOfNode(node) != NODE_CONCAT_STRINGS;
}

/** The parts of an interpolated string. Long ones are put together in steps, so that the stack stays small. */
function compileText(parts: Table, count: u32, scope: usize): void {
  let operands: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const part = tableItem(parts, 2 * i + 1);
    compileStrict(part, scope);
    if (kindOfNode(part) != NODE_STRING) {
      emitOp(OP_INTERPOLATE);
      emit(<u32>tableItem(parts, 2 * i));
    }
    operands++;
    if (operands < MAXIMUM_OPERANDS) continue;
    emitOp(OP_CONCAT_STRINGS, operands);
    operands = 1;
  }
  if (operands > 1) emitOp(OP_CONCAT_STRINGS, operands);
}

function compilePathParts(parts: Table, count: u32, scope: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    compileStrict(tableItem(parts, 2 * i + 1), scope);
    if (i == 0) continue;
    emitOp(OP_INTERPOLATE_PATH);
    emit(<u32>tableItem(parts, 2 * i));
  }
}

// ── Scopes ──

function compileWith(node: ScopeNode, scope: usize): void {
  compileLazily(node.attrs, scope);
  emitOp(OP_NEW_ENV, 1);
  emitOp(OP_SET_SLOT, 0);
  // The scope's argument is its position here, for the context of a set that is none.
  const inner = makeScope(SCOPE_WITH, scope, 0, node.position);
  compileStrict(node.body, inner);
  emitOp(OP_LEAVE_ENV);
}

function compileLet(node: ScopeNode, scope: usize): void {
  const attrs = changetype<AttrsNode>(node.attrs);
  const inner = openRecursive(attrs, scope);
  compileStrict(node.body, inner);
  leaveRecursive(attrs);
}

/** Enters the scope of a `let` or a recursive set and fills its slots. Returns the scope that is then the innermost. */
function openRecursive(attrs: AttrsNode, scope: usize): usize {
  const statics = attrs.statics;
  const count = tableCount(statics);
  const own = makeScope(SCOPE_ATTRS, scope, statics);
  emitOp(OP_NEW_ENV, count);
  const inherits = tableCount(attrs.fromExpressions) != 0;
  changetype<Scope>(own).filled = 0;
  // What `__overrides` replaces must be found in its slot.
  const overridden = overridesSlot(statics) >= 0;
  const inner = inherits ? openInherit(attrs, own) : own;
  for (let i: u32 = 0; i < count; i++) {
    compileAttrValue(changetype<StaticAttr>(tableItem(statics, i)), inner, scope, inherits ? 2 : 1);
    emitOp(inherits ? OP_SET_PARENT_SLOT : OP_SET_SLOT, i);
    if (!overridden) changetype<Scope>(own).filled = i + 1;
  }
  changetype<Scope>(own).filled = u32.MAX_VALUE;
  return inner;
}

function leaveRecursive(attrs: AttrsNode): void {
  if (tableCount(attrs.fromExpressions) != 0) emitOp(OP_LEAVE_ENV);
  emitOp(OP_LEAVE_ENV);
}

/** Enters the scope that holds the sets of `inherit (e)`, each a thunk. */
function openInherit(attrs: AttrsNode, scope: usize): usize {
  const froms = attrs.fromExpressions;
  const count = tableCount(froms);
  emitOp(OP_NEW_ENV, count);
  const inner = makeScope(SCOPE_INHERIT, scope, 0);
  for (let i: u32 = 0; i < count; i++) {
    compileLazily(tableItem(froms, i), inner);
    emitOp(OP_SET_SLOT, i);
  }
  return inner;
}

/**
 * Pushes an attribute's value, lazily. `outer` is the scope around the set, `levels` environments up from `scope`:
 * `inherit x` means that one.
 */
function compileAttrValue(attr: StaticAttr, scope: usize, outer: usize, levels: u32): void {
  if (attr.kind == ATTR_INHERITED_FROM) {
    compileLazily(inheritSelection(attr), scope);
    return;
  }
  if (attr.kind != ATTR_INHERITED || levels == 0) {
    compileLazily(attr.value, scope);
    return;
  }
  compileInherited(attr, scope, outer, levels);
}

/** `inherit x` in a recursive scope: x as the scope around it knows it. */
function compileInherited(attr: StaticAttr, scope: usize, outer: usize, levels: u32): void {
  const name = changetype<VariableNode>(attr.value).name;
  if (resolveVariable(outer, name)) {
    if (isFilled()) {
      emitLoad(foundLevel + levels, foundSlot);
      return;
    }
  } else {
    const global = findGlobal(name);
    if (global != 0) {
      emitConstant(global);
      return;
    }
  }
  emitThunk(attr.value, shadowless(scope, outer, levels));
}

/** A scope in which the names between `scope` and `outer` are hidden: as many environments, without names. */
function shadowless(scope: usize, outer: usize, levels: u32): usize {
  let hidden = outer;
  for (let i: u32 = 0; i < levels; i++) hidden = makeScope(SCOPE_INHERIT, hidden, 0);
  return hidden;
}

/** The expression `source.name` of an `inherit (source) name`. */
function inheritSelection(attr: StaticAttr): Node {
  const source = makeNode(NODE_INHERIT_SOURCE, attr.position, offsetof<VariableNode>());
  changetype<VariableNode>(source).name = attr.from;
  const node = makeNode(NODE_SELECT, attr.position, offsetof<SelectNode>());
  const select = changetype<SelectNode>(node);
  select.subject = source;
  select.path = singleNamePath(attr.name, attr.position);
  select.fallback = 0;
  return node;
}

function compileInheritSource(node: VariableNode, scope: usize): void {
  let level: u32 = 0;
  let at = scope;
  // Scopes without names that hide others (`shadowless`) are never between an inherited attribute and its source.
  while (changetype<Scope>(at).kind != SCOPE_INHERIT) {
    level++;
    at = changetype<Scope>(at).parent;
  }
  emitGet(level, node.name, node.position);
}

function compileAttrs(node: AttrsNode, scope: usize): void {
  if (node.recursive != 0) compileRecursiveAttrs(node, scope);
  else compilePlainAttrs(node, scope);
}

function compilePlainAttrs(node: AttrsNode, scope: usize): void {
  const inherits = tableCount(node.fromExpressions) != 0;
  const inner = inherits ? openInherit(node, scope) : scope;
  const statics = node.statics;
  const count = tableCount(statics);
  const keys = attrKeys(statics);
  const large = count > MAXIMUM_OPERANDS;
  if (large) {
    emitOp(OP_OPEN_ATTRS);
    emit(<u32>keys);
  }
  for (let i: u32 = 0; i < count; i++) {
    compileAttrValue(changetype<StaticAttr>(tableItem(statics, i)), inner, scope, 0);
    if (large) emitOp(OP_SET_ATTR, i);
  }
  if (!large) {
    emitOp(OP_ATTRS);
    emit(<u32>keys);
  }
  compileDynamics(node, inner);
  if (inherits) emitOp(OP_LEAVE_ENV);
}

function compileRecursiveAttrs(node: AttrsNode, scope: usize): void {
  const inner = openRecursive(node, scope);
  const level: u32 = tableCount(node.fromExpressions) != 0 ? 1 : 0;
  emitOp(OP_ATTRS_FROM_ENV, level);
  emit(<u32>attrKeys(node.statics));
  const overrides = overridesSlot(node.statics);
  if (overrides >= 0) {
    const from = codeOffset();
    emitGet(level, <u32>overrides, node.position);
    emitOp(OP_OVERRIDE, level);
    emitContext(from, 0, "while evaluating the `__overrides` attribute");
  }
  compileDynamics(node, inner);
  leaveRecursive(node);
}

function overridesSlot(statics: Table): i32 {
  const count = tableCount(statics);
  for (let i: u32 = 0; i < count; i++)
    if (changetype<StaticAttr>(tableItem(statics, i)).name == SYMBOL_OVERRIDES) return <i32>i;
  return -1;
}

function compileDynamics(node: AttrsNode, scope: usize): void {
  const dynamics = node.dynamics;
  const count = tableCount(dynamics);
  for (let i: u32 = 0; i < count; i++) {
    const attr = changetype<DynamicAttr>(tableItem(dynamics, i));
    compileStrict(attr.name, scope);
    compileLazily(attr.value, scope);
    emitOp(OP_ADD_DYNAMIC);
    emit(attr.position);
  }
}

/** The key set of a literal: permanent, shared by all sets that it makes. */
function attrKeys(statics: Table): Keys {
  const count = tableCount(statics);
  const keys = makePermanentKeys(count);
  for (let i: u32 = 0; i < count; i++) {
    const attr = changetype<StaticAttr>(tableItem(statics, i));
    setKey(keys, i, attr.name, attr.position);
  }
  return keys;
}
