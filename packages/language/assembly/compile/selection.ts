// Compiling `e.a.b`, `e.a.b or d` and `e ? a.b`.

import { AttrName, Node, SelectNode, Table, positionOfNode, tableCount, tableItem } from "../syntax/ast";
import { showNode } from "../syntax/show";
import { appendByte, appendBytes, appendText, textLengthFrom, textMark, textRewind, textStart } from "../memory/text";
import { internBytes, symbolName } from "../symbols/symbols";
import { FALSE } from "../values/constants";
import { stringBytes, stringLength } from "../values/string";
import { Value } from "../values/value";
import {
  OP_CONSTANT,
  OP_FORCE,
  OP_HAS,
  OP_HAS_DYNAMIC,
  OP_JUMP,
  OP_NIP,
  OP_SELECT,
  OP_SELECT_DYNAMIC,
  OP_SELECT_DYNAMIC_OR,
  OP_SELECT_OR,
} from "./code";
import { compileStrict } from "./compile";
import { codeOffset, emit, emitContext, emitJump, emitOp, emitRemark, emitTarget } from "./emitter";
import { makeNode } from "../syntax/ast";

export function compileSelect(node: SelectNode, scope: usize): void {
  let from = codeOffset();
  compileStrict(node.subject, scope);
  emitContext(from, positionOfNode(node.subject), "while selecting an attribute");
  from = codeOffset();
  if (node.fallback == 0) selectAll(node, scope);
  else selectOr(node, scope);
  // For a single name the instruction itself says as much.
  if (isSingleName(node.path) && node.fallback == 0) return;
  emitContext(from, node.position, "while evaluating the attribute '%1%'", showPath(node.path));
}

export function compileHasAttr(node: SelectNode, scope: usize): void {
  const from = codeOffset();
  compileStrict(node.subject, scope);
  emitContext(from, node.position, "in the argument of '?'");
  const last = tableCount(node.path) - 1;
  const jumps = selectPrefix(node.path, last, node.position, scope);
  const name = changetype<AttrName>(tableItem(node.path, last));
  if (name.symbol != 0) {
    emitOp(OP_HAS);
    emit(name.symbol);
  } else {
    compileStrict(name.expression, scope);
    emitOp(OP_HAS_DYNAMIC);
    emit(node.position);
    emitRemark(positionOfNode(name.expression));
  }
  if (jumps == 0) return;
  const end = emitJump(OP_JUMP);
  landJumps(jumps);
  emitOp(OP_CONSTANT);
  emit(<u32>FALSE);
  emitTarget(end, 1);
}

function selectAll(node: SelectNode, scope: usize): void {
  const count = tableCount(node.path);
  const isSingle = isSingleName(node.path);
  for (let i: u32 = 0; i < count; i++) {
    const name = changetype<AttrName>(tableItem(node.path, i));
    if (name.symbol != 0) {
      emitOp(OP_SELECT, isSingle ? 0 : i + 1);
      emit(name.symbol);
      emit(0);
      emit(0);
      emit(node.position);
    } else {
      compileStrict(name.expression, scope);
      emitOp(OP_SELECT_DYNAMIC);
      emit(node.position);
      emitRemark(positionOfNode(name.expression));
    }
    emitOp(OP_NIP);
  }
}

function selectOr(node: SelectNode, scope: usize): void {
  const jumps = selectPrefix(node.path, tableCount(node.path), node.position, scope);
  const end = emitJump(OP_JUMP);
  landJumps(jumps);
  compileStrict(node.fallback, scope);
  emitTarget(end, 1);
}

/**
 * Selects the first `count` names, each forced. Where one is missing the set is dropped and the code jumps: the result
 * is the list of these jumps.
 */
function selectPrefix(path: Table, count: u32, position: u32, scope: usize): usize {
  let jumps: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const name = changetype<AttrName>(tableItem(path, i));
    let jump: u32;
    if (name.symbol != 0) {
      jump = emitJump(OP_SELECT_OR);
      emit(name.symbol);
      emit(0);
      emit(0);
      jumps = pushJump(jump, SELECT_OR_WORDS, jumps);
    } else {
      compileStrict(name.expression, scope);
      jump = emitJump(OP_SELECT_DYNAMIC_OR);
      emit(position);
      emitRemark(positionOfNode(name.expression));
      jumps = pushJump(jump, SELECT_DYNAMIC_OR_WORDS, jumps);
    }
    emitOp(OP_FORCE);
    emit(position);
  }
  return jumps;
}

const SELECT_OR_WORDS: u32 = 4;
const SELECT_DYNAMIC_OR_WORDS: u32 = 2;

/** A linked list of jumps to one place, in the arena: [jump][words][next]. */
function pushJump(jump: u32, words: u32, rest: usize): usize {
  const link = makeNode(jump, words, 16);
  store<u32>(link, <u32>rest, 8);
  return link;
}

function landJumps(jumps: usize): void {
  let at = jumps;
  while (at != 0) {
    emitTarget(load<u32>(at), load<u32>(at, 4));
    at = load<u32>(at, 8);
  }
}

function isSingleName(path: Table): bool {
  return tableCount(path) == 1 && changetype<AttrName>(tableItem(path, 0)).symbol != 0;
}

/** The text of an attribute path, as a permanent string. */
function showPath(path: Table): Value {
  if (isSingleName(path)) return symbolName(changetype<AttrName>(tableItem(path, 0)).symbol);
  const mark = textMark();
  const count = tableCount(path);
  for (let i: u32 = 0; i < count; i++) {
    const name = changetype<AttrName>(tableItem(path, i));
    if (i > 0) appendByte(0x2e);
    if (name.symbol != 0) {
      const text = symbolName(name.symbol);
      appendBytes(stringBytes(text), stringLength(text));
    } else {
      appendText('"${');
      showNode(<Node>name.expression);
      appendText('}"');
    }
  }
  const text = symbolName(internBytes(textStart(mark), textLengthFrom(mark)));
  textRewind(mark);
  return text;
}
