// Turns the states of a parsed pattern into a program: leaves out empty states, the whole-match group and everything
// that is not reachable, recognises loops over a single set, decides which repetitions have to be counted and which
// nodes are worth remembering, and computes the lookaheads.

import { allocatePermanent } from "../memory/permanent";
import { ByteSet, addByte, newByteSet, setsIntersect } from "./byte-set";
import { lookAhead, lookaheadEnds } from "./lookahead";
import { parsedGroups } from "./parser";
import {
  BRANCH_ENDS,
  CAPTURE_SIZE,
  COUNTER_SIZE,
  EXCLUSIVE,
  IN_EMPTY_LOOP,
  NEXT_ENDS,
  NODE_ACCEPT,
  NODE_BYTE,
  NODE_CAPTURE,
  NODE_COUNTED,
  NODE_EITHER,
  NODE_LINE_END,
  NODE_LINE_START,
  NODE_REPEAT,
  NODE_RUN,
  NODE_SET,
  NO_MEMO,
  Node,
  Program,
  firstNode,
  nodeAt,
  programAt,
} from "./program";
import {
  FLAG_EMPTY_BODY,
  FLAG_IN_EMPTY_LOOP,
  FLAG_LOOP,
  NONE,
  STATE_ACCEPT,
  STATE_BYTE,
  STATE_CLOSE,
  STATE_EITHER,
  STATE_EMPTY,
  STATE_LINE_END,
  STATE_LINE_START,
  STATE_OPEN,
  STATE_REPEAT,
  STATE_SET,
  State,
  hasBranch,
  hasPending,
  popPending,
  pushPending,
  stateAt,
  stateCount,
} from "./states";

/** Compiles the states, of which number 0 is the first, to a program; returns its address. */
export function linkProgram(): usize {
  skipEmptyStates();
  const reachable = countReachable();
  const program = allocateProgram(reachable);
  placeNodes(program);
  fillNodes(program);
  addAllLookaheads(program);
  return changetype<usize>(program);
}

/** Lets every state lead to states that do something. Chains of empty states are shortened as they are followed. */
function skipEmptyStates(): void {
  const count = stateCount();
  for (let id: u32 = 0; id < count; id++) {
    const state = stateAt(id);
    state.image = 0;
    state.next = effective(state.next);
    if (hasBranch(state)) state.argument = effective(state.argument);
  }
}

/** The first state from `id` on that does something. */
function effective(id: u32): u32 {
  let target = id;
  while (target != NONE && doesNothing(stateAt(target))) target = stateAt(target).next;
  let step = id;
  while (step != target) {
    const following = stateAt(step).next;
    stateAt(step).next = target;
    step = following;
  }
  return target;
}

function doesNothing(state: State): bool {
  if (state.kind == STATE_EMPTY) return true;
  return (state.kind == STATE_OPEN || state.kind == STATE_CLOSE) && state.argument == 0;
}

/** Marks what can be reached from the first state (image 1) and counts it. */
function countReachable(): u32 {
  let count: u32 = 0;
  reach(stateAt(0).next);
  while (hasPending()) {
    const state = stateAt(popPending());
    count++;
    reach(state.next);
    if (hasBranch(state)) reach(state.argument);
  }
  return count;
}

function reach(id: u32): void {
  if (id == NONE || stateAt(id).image != 0) return;
  stateAt(id).image = 1;
  pushPending(id);
}

function allocateProgram(nodes: u32): Program {
  const counters = countCounters();
  const groups = parsedGroups();
  const nodesEnd = <u32>firstNode(0) + nodes * offsetof<Node>();
  const countersEnd = nodesEnd + counters * COUNTER_SIZE;
  const address = allocatePermanent(countersEnd + (groups + 1) * CAPTURE_SIZE);
  const program = programAt(address);
  program.nodes = nodes;
  program.groups = groups;
  program.countersAt = address + nodesEnd;
  program.capturesAt = address + countersEnd;
  return program;
}

function countCounters(): u32 {
  const count = stateCount();
  let counters: u32 = 0;
  for (let id: u32 = 0; id < count; id++) if (stateAt(id).image != 0 && isCounted(stateAt(id))) counters++;
  return counters;
}

/** Whether a path could come back to this repetition and its body without consuming anything. */
function isCounted(state: State): bool {
  const inLoop = (state.flags & (FLAG_LOOP | FLAG_IN_EMPTY_LOOP)) != 0;
  return state.kind == STATE_REPEAT && inLoop && (state.flags & FLAG_EMPTY_BODY) != 0;
}

/** Gives every reachable state its node; their order is that of the states. */
function placeNodes(program: Program): void {
  const count = stateCount();
  let node = firstNode(changetype<usize>(program));
  for (let id: u32 = 0; id < count; id++) {
    if (stateAt(id).image == 0) continue;
    stateAt(id).image = <u32>node;
    node += offsetof<Node>();
  }
  program.start = stateAt(stateAt(0).next).image;
}

function fillNodes(program: Program): void {
  const count = stateCount();
  for (let id: u32 = 0; id < count; id++) {
    const state = stateAt(id);
    if (state.image == 0) continue;
    const node = nodeAt(state.image);
    node.next = state.next == NONE ? 0 : stateAt(state.next).image;
    node.memo = NO_MEMO;
    if ((state.flags & FLAG_IN_EMPTY_LOOP) != 0) node.flags = IN_EMPTY_LOOP;
    fillNode(program, node, state);
  }
}

function fillNode(program: Program, node: Node, state: State): void {
  switch (state.kind) {
    case STATE_BYTE:
    case STATE_SET:
      node.kind = state.kind == STATE_BYTE ? NODE_BYTE : NODE_SET;
      node.argument = state.argument;
      if ((state.flags & FLAG_IN_EMPTY_LOOP) != 0) node.memo = program.memos++;
      break;
    case STATE_REPEAT:
      fillRepeat(program, node, state);
      break;
    case STATE_EITHER:
      node.kind = NODE_EITHER;
      node.branch = stateAt(state.argument).image;
      node.memo = program.memos++;
      program.hasAlternatives = true;
      break;
    case STATE_OPEN:
    case STATE_CLOSE:
      node.kind = NODE_CAPTURE;
      node.argument = state.argument * CAPTURE_SIZE + (state.kind == STATE_CLOSE ? 4 : 0);
      break;
    case STATE_LINE_START:
      node.kind = NODE_LINE_START;
      break;
    case STATE_LINE_END:
      node.kind = NODE_LINE_END;
      break;
    default:
      assert(state.kind == STATE_ACCEPT);
      node.kind = NODE_ACCEPT;
  }
}

function fillRepeat(program: Program, node: Node, state: State): void {
  const body = stateAt(state.argument);
  node.branch = body.image;
  node.memo = program.memos++;
  if (isCounted(state)) {
    node.kind = NODE_COUNTED;
    node.argument = <u32>program.countersAt + program.counters++ * COUNTER_SIZE;
  } else if ((body.kind == STATE_BYTE || body.kind == STATE_SET) && stateAt(body.next).image == state.image) {
    node.kind = NODE_RUN;
    node.argument = body.kind == STATE_SET ? body.argument : <u32>singleton(body.argument);
  } else {
    node.kind = NODE_REPEAT;
  }
}

function singleton(byte: u32): ByteSet {
  const set = newByteSet();
  addByte(set, byte);
  return set;
}

function addAllLookaheads(program: Program): void {
  const first = firstNode(changetype<usize>(program));
  const end = first + program.nodes * offsetof<Node>();
  for (let node = first; node < end; node += offsetof<Node>()) addLookaheads(nodeAt(node));
  program.startBytes = lookAhead(program.start);
  program.startEnds = lookaheadEnds;
}

function addLookaheads(node: Node): void {
  if (node.kind != NODE_RUN && node.kind != NODE_REPEAT && node.kind != NODE_EITHER) return;
  node.nextBytes = lookAhead(node.next);
  if (lookaheadEnds) node.flags |= NEXT_ENDS;
  if (node.kind == NODE_RUN) {
    node.branchBytes = node.argument;
    if (!setsIntersect(node.nextBytes, node.argument)) node.flags |= EXCLUSIVE;
  } else {
    node.branchBytes = lookAhead(node.branch);
    if (lookaheadEnds) node.flags |= BRANCH_ENDS;
  }
}
