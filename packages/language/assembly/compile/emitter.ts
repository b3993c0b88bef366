// The emitter: instructions of the block that is being compiled, until it is whole and moves to permanent memory.
//
// Blocks inside of it (thunks, lambdas, defaults) are not compiled at once but noted in a queue, with the word that
// waits for their address: one block at a time is open, and nesting costs no host stack.

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { allocatePermanent } from "../memory/permanent";
import { Symbol } from "../symbols/symbols";
import { Value } from "../values/value";
import { BLOCK_HEADER, Block, Code, OP_END, blockEntry, instruction } from "./code";
import { CONTEXT_SIZE, StaticContext, initializeContexts, contextsSize } from "./contexts";

let code: Address = 0;
let capacity: u32 = 0;
/** Bytes written to the open block. */
let length: u32 = 0;

/** Begins a block. */
export function openBlock(): void {
  length = 0;
  contextCount = 0;
  waitingCount = 0;
}

/** Where the next instruction goes, in bytes from the first one of the block. */
@inline
export function codeOffset(): u32 {
  return length;
}

@inline
export function emit(word: u32): void {
  if (length == capacity) growCode();
  store<u32>(code + length, word);
  length += 4;
}

export function emitOp(op: u32, a: u32 = 0): void {
  assert(a < 1 << 24, "an operand has 24 bits");
  emit(instruction(op, a));
}

/** Emits a jump whose target is not known; `emitTarget` completes it. Further words of the instruction follow. */
export function emitJump(op: u32): u32 {
  const at = length;
  emit(instruction(op));
  return at;
}

/** Makes the jump at `jump` lead here. `words` is the length of its instruction. */
export function emitTarget(jump: u32, words: u32): void {
  const distance = ((length - jump) >>> 2) - words;
  store<u32>(code + jump, load<u32>(code + jump) | (distance << 8));
}

// ── Static contexts ──

let contexts: Address = 0;
let contextCapacity: u32 = 0;
let contextCount: u32 = 0;

/** Says what the code from `from` up to here is doing, for the trace of an error in it. Inner contexts come first. */
export function emitContext(from: u32, position: u32, message: string, subject: Value = 0): void {
  if (contextCount == contextCapacity) growContexts();
  const context = changetype<StaticContext>(contexts + contextCount * CONTEXT_SIZE);
  context.from = from;
  context.to = length;
  context.position = position;
  context.message = changetype<usize>(message);
  context.subject = subject;
  contextCount++;
}

/** Gives the instruction that was emitted last a second position. */
export function emitRemark(position: u32): void {
  emitContext(length, position, "");
}

// ── Blocks inside ──

/** What a waiting block is compiled from. */
@unmanaged
export class Waiting {
  /** The word that receives its address: an offset into the open block, later an address. */
  word: Address;
  kind: u32;
  node: usize;
  scope: usize;
  name: Symbol;
}

const WAITING_SIZE: u32 = <u32>offsetof<Waiting>();
let queue: Address = 0;
let queueCapacity: u32 = 0;
/** Entries of the queue: a stack. Those of the open block are the last `waitingCount`. */
let queueLength: u32 = 0;
let waitingCount: u32 = 0;

/** Notes a block that the word just before `codeOffset()` refers to: a thunk by its code, a lambda by its block. */
export function emitWaiting(kind: u32, node: usize, scope: usize, name: Symbol = 0): void {
  pushWaiting(length, kind, node, scope, name);
  waitingCount++;
  emit(0);
}

/** Notes a block whose address goes to the permanent word `word`. */
export function waitForBlock(word: Address, kind: u32, node: usize, scope: usize): void {
  // It must not be among those of the open block, whose words are offsets: it goes below them.
  pushWaiting(word, kind, node, scope, 0);
  if (waitingCount == 0) return;
  const first = queueLength - 1 - waitingCount;
  const last = queueLength - 1;
  swapWaiting(first, last);
}

/** Takes the next block to compile from the queue, false when there is none. Copy what is needed: emitting overwrites it. */
export function takeWaiting(): bool {
  if (queueLength == 0) return false;
  queueLength--;
  return true;
}

/** The entry that `takeWaiting` took. */
export function takenWaiting(): Waiting {
  return waitingAt(queueLength);
}

/** Ends the open block, makes it permanent and returns it. */
export function closeBlock(kind: u32, position: u32): Address {
  const bytes = BLOCK_HEADER + length + 8;
  const address = allocatePermanent(bytes);
  const block = changetype<Block>(address);
  block.kind = kind;
  block.position = position;
  const entry = blockEntry(address);
  memory.copy(entry, code, length);
  store<u32>(entry + length, instruction(OP_END));
  store<u32>(entry + length, <u32>address, 4);
  if (contextCount != 0) block.contexts = <u32>copyContexts(entry);
  for (let i: u32 = 0; i < waitingCount; i++) {
    const waiting = waitingAt(queueLength - 1 - i);
    waiting.word = entry + waiting.word;
  }
  waitingCount = 0;
  return address;
}

function copyContexts(entry: Code): Address {
  const table = allocatePermanent(contextsSize(contextCount));
  initializeContexts(table, contextCount, entry);
  memory.copy(table + 8, contexts, contextCount * CONTEXT_SIZE);
  return table;
}

@inline
function waitingAt(index: u32): Waiting {
  return changetype<Waiting>(queue + index * WAITING_SIZE);
}

function pushWaiting(word: Address, kind: u32, node: usize, scope: usize, name: Symbol): void {
  if (queueLength == queueCapacity) growQueue();
  const waiting = waitingAt(queueLength++);
  waiting.word = word;
  waiting.kind = kind;
  waiting.node = node;
  waiting.scope = scope;
  waiting.name = name;
}

function swapWaiting(a: u32, b: u32): void {
  const left = waitingAt(a);
  const right = waitingAt(b);
  const word = left.word, kind = left.kind, node = left.node, scope = left.scope, name = left.name;
  left.word = right.word;
  left.kind = right.kind;
  left.node = right.node;
  left.scope = right.scope;
  left.name = right.name;
  right.word = word;
  right.kind = kind;
  right.node = node;
  right.scope = scope;
  right.name = name;
}

// ── Growing ──

function growCode(): void {
  code = growBuffer(code, capacity);
  capacity = grownSize;
}

function growContexts(): void {
  contexts = growBuffer(contexts, contextCapacity * CONTEXT_SIZE);
  contextCapacity = grownSize / CONTEXT_SIZE;
}

function growQueue(): void {
  queue = growBuffer(queue, queueCapacity * WAITING_SIZE);
  queueCapacity = grownSize / WAITING_SIZE;
}

let grownSize: u32 = 0;

/** Moves a buffer of `used` bytes to one at least twice as large, of `grownSize` bytes. */
function growBuffer(buffer: Address, used: u32): Address {
  const oldChunks = chunksFor(used);
  const chunks = oldChunks == 0 ? 1 : oldChunks * 2;
  const place = takeChunks(chunks, OWNER_BUFFER);
  if (used != 0) {
    memory.copy(place, buffer, used);
    returnChunks(buffer, oldChunks);
  }
  grownSize = chunks * CHUNK_SIZE;
  return place;
}
