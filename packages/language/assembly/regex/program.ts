// The layout of a compiled pattern: one permanent block with a header, the nodes, and working space for a match.
//
//   Program | nodes … | counters, 8 bytes each (address, times) | captures, 8 bytes a group (start, end)
//
// Nodes lead to each other by address. A node says which bytes can follow on its ways ("lookahead"), so that most
// choices are made by looking at one byte.

import { ByteSet } from "./byte-set";

/** Consumes the byte `argument`. */
export const NODE_BYTE: u32 = 0;
/** Consumes a byte of the set `argument`. */
export const NODE_SET: u32 = 1;
/** A loop over one set (`argument`): `branch` is the node that consumes, `next` is behind the loop. */
export const NODE_RUN: u32 = 2;
/** Tries `branch`, the body of a repetition, and if that leads nowhere `next`. */
export const NODE_REPEAT: u32 = 3;
/** The same where the body may be empty: the body is entered at most twice at a position, as counter `argument` says. */
export const NODE_COUNTED: u32 = 4;
/** Tries `branch` and then `next`, and keeps the longer match. */
export const NODE_EITHER: u32 = 5;
/** Stores the position at offset `argument` of the captures. */
export const NODE_CAPTURE: u32 = 6;
export const NODE_LINE_START: u32 = 7;
export const NODE_LINE_END: u32 = 8;
export const NODE_ACCEPT: u32 = 9;

/** The end can be reached from `next`, or from `branch`, without consuming a byte. */
export const NEXT_ENDS: u32 = 1;
export const BRANCH_ENDS: u32 = 2;
/** No byte of the run can also follow it: a run need never be shortened. */
export const EXCLUSIVE: u32 = 4;
/** Inside of a loop which can go round without consuming anything. */
export const IN_EMPTY_LOOP: u32 = 8;

/** The node is never remembered. */
export const NO_MEMO: u32 = 0xffffffff;

@unmanaged
export class Node {
  kind: u32;
  flags: u32;
  next: usize;
  branch: usize;
  argument: u32;
  /** The number of the node among those that are remembered, or NO_MEMO. */
  memo: u32;
  /** The bytes with which a way that consumes can begin; 0 where no lookahead is made. */
  nextBytes: ByteSet;
  branchBytes: ByteSet;
}

@unmanaged
export class Program {
  start: usize;
  startBytes: ByteSet;
  /** Whether the pattern can match nothing. */
  startEnds: bool;
  /** Whether some node is NODE_EITHER: only then can the first match found not be the longest. */
  hasAlternatives: bool;
  /** Groups, the whole match not counted. */
  groups: u32;
  nodes: u32;
  memos: u32;
  counters: u32;
  countersAt: usize;
  capturesAt: usize;
}

/** Bytes of one counter, and of one group among the captures. */
export const COUNTER_SIZE: u32 = 8;
export const CAPTURE_SIZE: u32 = 8;

@inline
export function nodeAt(address: usize): Node {
  return changetype<Node>(address);
}

@inline
export function programAt(address: usize): Program {
  return changetype<Program>(address);
}

/** The first node in the block of a program. */
@inline
export function firstNode(program: usize): usize {
  return program + ((offsetof<Program>() + 7) & ~7);
}
