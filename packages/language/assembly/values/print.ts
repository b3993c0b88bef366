// Printing values as they are, without evaluating anything, to the text buffer.
//
//   appendAmbiguous    what `nix-instantiate --eval` shows: <LAMBDA>, <PRIMOP>, <PRIMOP-APP>, <CODE>
//   appendValue        what `nix eval` shows: «lambda f @ …», «primop map», «thunk», derivations by their path
//   appendErrorValue   the same, cut short, inside of messages
//
// A list or set that was printed before is «repeated». Two lists are the same one if they are in the same place (the
// words that refer to them are equal before thunks are followed); two sets, if they are the same cell.
// The walk keeps its own stack: values nest as deep as memory allows.
//
//   stack entry: [list or set][order of its names, or 0][next item][unused]

import { holderOf } from "../machine/fibers";
import { Address, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { appendByte, appendBytes, appendInteger, appendText } from "../memory/text";
import { compress, decompress } from "../memory/pointers";
import { internText, symbolName } from "../symbols/symbols";
import { SYMBOL_DRV_PATH, SYMBOL_TYPE } from "../symbols/known";
import { Block } from "../compile/code";
import { Primop } from "../machine/native";
import { appendFloatG6 } from "../numbers/print-float";
import { attrsCount, attrValue, findAttr, findKey, keySymbol, keysOf } from "./attrs";
import { indexAtRank, orderOf } from "./attr-order";
import { TRUE } from "./constants";
import { appendCorePath, isCorePath } from "./core-path";
import { lambdaBlock, partialBuiltin } from "./function";
import { listItem, listLength } from "./list";
import { floatOf, intOf } from "./number";
import { appendPosition } from "./print-position";
import { addSeen, clearSeen } from "./print-seen";
import {
  appendAttributeName,
  appendElided,
  appendGuillemetClose,
  appendGuillemetOpen,
  appendGuillemets,
  appendStringLiteral,
} from "./print-text";
import { stringBytes, stringIs, stringLength } from "./string";
import { APPLY_ENTERED } from "./thunk";
import {
  KIND_ATTRS,
  KIND_BOOL,
  KIND_FLOAT,
  KIND_INT,
  KIND_LAMBDA,
  KIND_LIST,
  KIND_NULL,
  KIND_PARTIAL,
  KIND_PATH,
  KIND_PRIMOP,
  KIND_STRING,
  TAG_APPLY,
  TAG_ENTERED,
  TAG_MASK,
  Value,
  headerOf,
  isList,
  isString,
  isWhnf,
  kindOf,
  resolve,
} from "./value";

const UNLIMITED: u32 = u32.MAX_VALUE;
const ERROR_DEPTH: u32 = 10;
const ERROR_ITEMS: u32 = 10;
const ERROR_STRING_LENGTH: u32 = 1024;

/** How the print that is under way shows things. */
let ambiguous: bool = false;
let derivationsAsPaths: bool = false;
let maximumDepth: u32 = 0;
let maximumAttrs: u32 = 0;
let maximumItems: u32 = 0;
let maximumString: u32 = 0;
/** Limits hold for a print as a whole, not for each set or list. */
let attrsPrinted: u32 = 0;
let itemsPrinted: u32 = 0;

/** Appends `value` as `nix-instantiate --eval` shows it. */
export function appendAmbiguous(value: Value): void {
  ambiguous = true;
  derivationsAsPaths = false;
  setLimits(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED);
  print(value);
}

/** Appends `value` as `nix eval` shows it: in full, on one line. What should be seen has been forced before. */
export function appendValue(value: Value): void {
  ambiguous = false;
  derivationsAsPaths = true;
  setLimits(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED);
  print(value);
}

/** Appends `value` as `trace` shows it: in full, derivations as sets. */
export function appendTraceValue(value: Value): void {
  ambiguous = false;
  derivationsAsPaths = false;
  setLimits(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED);
  print(value);
}

/** Appends `value` as messages and traces show it: at most ten levels, attributes and items. */
export function appendErrorValue(value: Value): void {
  ambiguous = false;
  derivationsAsPaths = false;
  setLimits(ERROR_DEPTH, ERROR_ITEMS, ERROR_ITEMS, ERROR_STRING_LENGTH);
  print(value);
}

function setLimits(depth: u32, attrs: u32, items: u32, string: u32): void {
  maximumDepth = depth;
  maximumAttrs = attrs;
  maximumItems = items;
  maximumString = string;
}

function print(value: Value): void {
  attrsPrinted = 0;
  itemsPrinted = 0;
  clearSeen();
  const bottom = stackUsed;
  printOne(value, 0);
  while (stackUsed > bottom) {
    if (isList(topContainer())) printNextItem(bottom);
    else printNextAttr(bottom);
  }
}

/** Prints a value, or begins one that holds others. */
function printOne(slot: Value, depth: u32): void {
  const value = resolve(slot);
  if (!isWhnf(value)) return printThunk(value);
  switch (kindOf(value)) {
    case KIND_NULL:
      appendText("null");
      break;
    case KIND_BOOL:
      appendText(value == TRUE ? "true" : "false");
      break;
    case KIND_INT:
      appendInteger(intOf(value));
      break;
    case KIND_FLOAT:
      appendFloatG6(floatOf(value));
      break;
    case KIND_STRING:
      appendStringLiteral(value, maximumString);
      break;
    case KIND_PATH:
      if (isCorePath(value)) appendCorePath(value);
      else appendBytes(stringBytes(value), stringLength(value));
      break;
    case KIND_LIST:
      beginList(slot, value, depth);
      break;
    case KIND_ATTRS:
      beginAttrs(value, depth);
      break;
    default:
      printFunction(value);
  }
}

function printThunk(value: Value): void {
  const header = headerOf(value);
  const tag = header & TAG_MASK;
  const isEntered = tag == TAG_ENTERED || (tag == TAG_APPLY && (header & APPLY_ENTERED) != 0);
  if (isEntered && holderOf(value) == 0) {
    appendGuillemets("potential infinite recursion");
  } else if (ambiguous) appendText("<CODE>");
  else appendGuillemets("thunk");
}

function printFunction(value: Value): void {
  const kind = kindOf(value);
  if (ambiguous) {
    appendText(kind == KIND_LAMBDA ? "<LAMBDA>" : kind == KIND_PRIMOP ? "<PRIMOP>" : "<PRIMOP-APP>");
    return;
  }
  appendGuillemetOpen();
  if (kind == KIND_LAMBDA) printLambda(value);
  else {
    if (kind == KIND_PARTIAL) appendText("partially applied ");
    appendText("primop ");
    const builtin = kind == KIND_PARTIAL ? partialBuiltin(value) : value;
    appendName(changetype<Primop>(builtin).name);
  }
  appendGuillemetClose();
}

function printLambda(value: Value): void {
  const block = changetype<Block>(lambdaBlock(value));
  appendText("lambda");
  if (block.name != 0) {
    appendByte(0x20);
    appendName(block.name);
  }
  appendText(" @ ");
  appendPosition(block.position);
}

function appendName(symbol: u32): void {
  const name = symbolName(symbol);
  appendBytes(stringBytes(name), stringLength(name));
}

// ── Lists ──

function beginList(slot: Value, list: Value, depth: u32): void {
  if (listLength(list) != 0 && !addSeen(compress(slot))) return appendGuillemets("repeated");
  if (depth >= maximumDepth) return appendText("[ ... ]");
  appendByte(0x5b);
  push(list, 0);
}

function printNextItem(bottom: u32): void {
  const list = topContainer();
  const index = nextIndex();
  if (index != 0) itemsPrinted++;
  appendByte(0x20);
  if (index == listLength(list)) return end(0x5d);
  if (itemsPrinted >= maximumItems) {
    appendElided(listLength(list) - index, "item", "items");
    appendByte(0x20);
    return end(0x5d);
  }
  printOne(listItem(list, index), depthAbove(bottom));
}

// ── Sets ──

function beginAttrs(attrs: Value, depth: u32): void {
  const mayRepeat = !ambiguous || attrsCount(attrs) != 0;
  if (mayRepeat && !addSeen(compress(attrs))) return appendGuillemets("repeated");
  if (derivationsAsPaths && isKnownDerivation(attrs)) return printDerivation(attrs);
  if (depth >= maximumDepth) return appendText("{ ... }");
  appendByte(0x7b);
  push(attrs, orderOf(keysOf(attrs)));
}

function printNextAttr(bottom: u32): void {
  const attrs = topContainer();
  const rank = nextIndex();
  const count = attrsCount(attrs);
  if (rank != 0) {
    appendByte(0x3b);
    attrsPrinted++;
  }
  appendByte(0x20);
  if (rank == count) return end(0x7d);
  if (attrsPrinted >= maximumAttrs) {
    appendElided(count - rank, "attribute", "attributes");
    appendByte(0x20);
    return end(0x7d);
  }
  const index = maximumAttrs == UNLIMITED ? indexAtRank(topOrder(), rank) : importantFirst(attrs, topOrder(), rank);
  appendAttributeName(symbolName(keySymbol(keysOf(attrs), index)));
  appendText(" = ");
  printOne(attrValue(attrs, index), depthAbove(bottom));
}

/** The index of the name at `rank` when `_type` and `type` come before all others. */
function importantFirst(attrs: Value, order: Address, rank: u32): u32 {
  const keys = keysOf(attrs);
  const underscored = findKey(keys, internText("_type"));
  const plain = findKey(keys, SYMBOL_TYPE);
  let before: u32 = 0;
  if (underscored >= 0) {
    if (rank == before) return <u32>underscored;
    before++;
  }
  if (plain >= 0) {
    if (rank == before) return <u32>plain;
    before++;
  }
  let at: u32 = 0;
  while (true) {
    const index = indexAtRank(order, at++);
    if (<i32>index == underscored || <i32>index == plain) continue;
    if (before == rank) return index;
    before++;
  }
}

function isKnownDerivation(attrs: Value): bool {
  const type = findAttr(attrs, SYMBOL_TYPE);
  return type != 0 && isString(resolve(type)) && stringIs(resolve(type), "derivation");
}

function printDerivation(attrs: Value): void {
  appendGuillemetOpen();
  appendText("derivation");
  const slot = findAttr(attrs, SYMBOL_DRV_PATH);
  const path: Value = slot == 0 ? 0 : resolve(slot);
  if (path != 0 && isString(path)) {
    appendByte(0x20);
    appendBytes(stringBytes(path), stringLength(path));
  }
  appendGuillemetClose();
}

// ── The stack of lists and sets that have begun ──

const ENTRY_SIZE: u32 = 16;
let stackBase: Address = 0;
let stackSize: u32 = 0;
let stackUsed: u32 = 0;

function push(container: Value, order: Address): void {
  if (stackUsed == stackSize) growStack();
  const entry = stackBase + stackUsed;
  store<u32>(entry, compress(container));
  store<u32>(entry, compress(order), 4);
  store<u32>(entry, 0, 8);
  stackUsed += ENTRY_SIZE;
}

@inline
function topContainer(): Value {
  return decompress(load<u32>(stackBase + stackUsed - ENTRY_SIZE));
}

@inline
function topOrder(): Address {
  return decompress(load<u32>(stackBase + stackUsed - ENTRY_SIZE, 4));
}

/** The item that is to be printed now; the next call gives the one after it. */
@inline
function nextIndex(): u32 {
  const entry = stackBase + stackUsed - ENTRY_SIZE;
  const index = load<u32>(entry, 8);
  store<u32>(entry, index + 1, 8);
  return index;
}

/** How deep the items of the top entry are. */
@inline
function depthAbove(bottom: u32): u32 {
  return (stackUsed - bottom) / ENTRY_SIZE;
}

function end(bracket: u32): void {
  appendByte(bracket);
  stackUsed -= ENTRY_SIZE;
}

function growStack(): void {
  const larger = stackSize == 0 ? 65536 : stackSize << 1;
  const place = takeChunks(chunksFor(larger), OWNER_BUFFER);
  if (stackUsed != 0) memory.copy(place, stackBase, stackUsed);
  if (stackSize != 0) returnChunks(stackBase, chunksFor(stackSize));
  stackBase = place;
  stackSize = larger;
}
