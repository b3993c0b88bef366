// Code as lines, for whoever shows it beside its source: every block of a file, each followed by its instructions.
//
//   "block" TAB number TAB kind TAB offset TAB name LF
//   offset TAB name TAB operands LF
//
// Offsets are of bytes in the source, -1 for nowhere. Blocks are numbered in the order in which they are referred to, the
// file's own first; an operand that is a block is `@number`. Jumps are shown as where they lead to: the number of the
// instruction in its block.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { Symbol } from "../symbols/symbols";
import { appendIdentifier } from "../syntax/show";
import { Table, appendToTable, tableCount, tableItem } from "../syntax/tables";
import { Keys, keysCount, keySymbol } from "../values/attrs";
import { appendValue } from "../values/print";
import { stringBytes, stringLength } from "../values/string";
import {
  BLOCK_FILE, BLOCK_HEADER, BLOCK_LAMBDA, Block, OP_END, blockEntry, formalAt, formalCode, formalConstant, formalSymbol,
  formalsCount, formalsEllipsis, instructionWords, isAlias, jumpBytes, opcodeOf, operandOf,
} from "./code";

/**
 * The instructions in the order of their opcodes: a name, and what its operands are. First A, if that is anything:
 * `n` a number, `j` a jump; then its words: `v` value, `p` position, `c` code, `b` block, `f` formals, `s` symbol, `k` names,
 * `t` text, `n` number, `-` what the machine writes down there.
 */
const INSTRUCTIONS: string =
  "Constant .v;Load0 n;Load1 n;Load2 n;Load nn;Force .p;Get0 np;Get1 np;Get2 np;Get nnp;Thunk .c;Lambda .b;Return .;" +
  "NewEnv n;SetSlot n;SetParentSlot n;LeaveEnv .;BindFormals .f;WithSelect js--;Undefined .sp;" +
  "Jump j;JumpIfFalse jp;And jp;Or jp;Implies jp;CheckBool .p;Assert .tp;Not .p;" +
  "Equal .p;NotEqual .p;Add .p;Subtract .p;Multiply .p;Divide .p;LessThan .p;Update .p;ConcatLists .p;" +
  "List n;OpenList n;SetItem n;Attrs .k;OpenAttrs .k;SetAttr n;AttrsFromEnv nk;AddDynamic .p;Override n;" +
  "Select .s--p;Nip .;SelectOr js--;SelectDynamic .p;SelectDynamicOr jp;Has .s;HasDynamic .p;" +
  "Interpolate .p;InterpolatePath .p;ConcatStrings n;ConcatPath np;" +
  "Call np;" +
  "Resume .;Argument .;Halt .;End .b;" +
  "CopyOperands .;DropOperands .;ExplainDifference .p;" +
  "CheckAddend .p;";

let sourceStart: u32 = 0;
let sourceEnd: u32 = 0;
/** Blocks that were referred to, in that order. */
let blocks: Table = 0;

/** Appends the lines of all code of a file to the text buffer. The source is at `length` positions from `start` on. */
export function appendListing(file: Address, start: u32, length: u32): void {
  sourceStart = start;
  sourceEnd = start + length;
  blocks = 0;
  numberOf(file);
  for (let i: u32 = 0; i < tableCount(blocks); i++) appendBlock(i, tableItem(blocks, i));
}

function appendBlock(number: u32, address: Address): void {
  const block = changetype<Block>(address);
  appendText("block\t");
  appendInteger(number);
  appendText(block.kind == BLOCK_FILE ? "\tfile\t" : block.kind == BLOCK_LAMBDA ? "\tlambda\t" : "\tthunk\t");
  appendOffset(block.position);
  appendByte(0x09);
  if (block.kind == BLOCK_LAMBDA && block.name != 0) appendIdentifier(block.name);
  appendByte(0x0a);
  const entry = blockEntry(address);
  let pc = entry;
  while (opcodeOf(load<u32>(pc)) != OP_END) {
    appendInstruction(entry, pc);
    pc += instructionWords(load<u32>(pc)) << 2;
  }
}

function appendInstruction(entry: Address, pc: Address): void {
  const word = load<u32>(pc);
  const words = instructionWords(word);
  const name = descriptionAt(opcodeOf(word));
  let kinds = name;
  while (INSTRUCTIONS.charCodeAt(kinds) != 0x20) kinds++;
  kinds++;
  const first = INSTRUCTIONS.charCodeAt(kinds);
  let position: u32 = 0;
  for (let i: u32 = 1; i < words; i++) {
    if (INSTRUCTIONS.charCodeAt(kinds + i) == 0x70) position = load<u32>(pc + (i << 2));
  }
  assert(INSTRUCTIONS.charCodeAt(kinds + words) == 0x3b, "the table knows every operand");
  appendOffset(position);
  appendByte(0x09);
  for (let i = name; i < kinds - 1; i++) appendByte(INSTRUCTIONS.charCodeAt(i));
  appendByte(0x09);
  let separated = true;
  if (first == 0x6e) {
    appendInteger(operandOf(word));
    separated = false;
  } else if (first == 0x6a) {
    appendByte(0x3e);
    appendInteger(instructionNumber(entry, pc + (words << 2) + jumpBytes(word)));
    separated = false;
  }
  for (let i: u32 = 1; i < words; i++) {
    const kind = INSTRUCTIONS.charCodeAt(kinds + i);
    if (kind == 0x70 || kind == 0x2d) continue;
    if (!separated) appendByte(0x20);
    separated = false;
    appendOperand(kind, load<u32>(pc + (i << 2)));
  }
  appendByte(0x0a);
}

function appendOperand(kind: u32, operand: u32): void {
  switch (kind) {
    case 0x76: appendValue(operand); break;
    case 0x63: appendBlockNumber(operand - BLOCK_HEADER); break;
    case 0x62: appendBlockNumber(operand); break;
    case 0x66: appendFormals(operand); break;
    case 0x73: appendName(operand); break;
    case 0x6b: appendNames(operand); break;
    case 0x74: appendBytes(stringBytes(operand), stringLength(operand)); break;
    default: appendInteger(operand);
  }
}

function appendBlockNumber(block: Address): void {
  appendByte(0x40);
  appendInteger(numberOf(block));
}

function appendName(name: Symbol): void {
  appendIdentifier(name);
}

function appendNames(keys: Keys): void {
  appendText("{ ");
  for (let i: u32 = 0; i < keysCount(keys); i++) {
    appendName(keySymbol(keys, i));
    appendByte(0x20);
  }
  appendByte(0x7d);
}

function appendFormals(formals: Address): void {
  appendText("{ ");
  for (let i: u32 = 0; i < formalsCount(formals); i++) {
    const formal = formalAt(formals, i);
    appendName(formalSymbol(formal));
    const code = formalCode(formal);
    if (formalConstant(formal) != 0) {
      appendByte(0x3f);
      appendValue(formalConstant(formal));
    } else if (code != 0) {
      appendByte(0x3f);
      if (!isAlias(code)) appendBlockNumber(code - BLOCK_HEADER);
    }
    appendByte(0x20);
  }
  if (formalsEllipsis(formals)) appendText("... ");
  appendByte(0x7d);
}

/** The number of a block, which is new when it was not referred to before. */
function numberOf(block: Address): u32 {
  const count = tableCount(blocks);
  for (let i = count; i > 0; i--) if (tableItem(blocks, i - 1) == block) return i - 1;
  blocks = appendToTable(blocks, block);
  return count;
}

function instructionNumber(entry: Address, target: Address): u32 {
  let number: u32 = 0;
  for (let pc = entry; pc < target; pc += instructionWords(load<u32>(pc)) << 2) number++;
  return number;
}

function appendOffset(position: u32): void {
  appendInteger(position < sourceStart || position > sourceEnd ? -1 : <i64>(position - sourceStart));
}

/** Where the instruction of an opcode is in the table. */
function descriptionAt(opcode: u32): i32 {
  let at = 0;
  for (let i: u32 = 0; i < opcode; i++) at = INSTRUCTIONS.indexOf(";", at) + 1;
  return at;
}
