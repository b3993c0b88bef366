// Matches a program against a subject by depth-first search, with the results of libstdc++'s executor for POSIX grammars.
//
// Which match comes out:
// - A whole match is the first path, in order of preference, that consumes the subject. Preference: a repetition goes
//   round once more before it ends, the left alternative comes before the right one.
// - A match of a prefix is the longest one that the search meets, the first of them in case of a tie. Both alternatives
//   are always tried; a repetition is left only if going round once more found nothing. So the result is often,
//   and not always, the longest of all.
// - A repetition whose body may be empty enters it at most twice at one position.
//
// What is tried from a node and a position does not depend on how they were reached, except inside of a loop with an
// empty body, where it depends on the counters; but every step that consumes makes these irrelevant. So outside of
// such loops, and behind every byte consumed in one, the outcome can be remembered without changing the result. For a
// whole match this holds inside too: a way that failed with some counters will only fail again, as whatever
// the counters kept it from is tried by the loops further up. A search does the same only when it has
// already taken more steps than libstdc++ could bear.
//
// Positions are addresses, and offsets from the start of the subject where they are written down. Captures are offsets,
// -1 while a group has not been closed.

import {
  FRAME_CAPTURE,
  FRAME_COUNTER,
  FRAME_FOUND,
  FRAME_MEMO,
  FRAME_RETRY,
  FRAME_RUN,
  FRAME_SECOND,
  Frame,
  clearFrames,
  givenUp,
  hasFrames,
  popFrame,
  pushFrame,
} from "./backtrack";
import { ByteSet, hasByte } from "./byte-set";
import { FOUND, NOT_FOUND, UNKNOWN, recall, remember, startMemo } from "./memo";
import {
  BRANCH_ENDS,
  CAPTURE_SIZE,
  COUNTER_SIZE,
  EXCLUSIVE,
  IN_EMPTY_LOOP,
  NEXT_ENDS,
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
  nodeAt,
} from "./program";

/** Results of a match. */
export const MATCHED: i32 = 1;
export const NOT_MATCHED: i32 = 0;
/** Given up: the stack or the memo would have grown too large. */
export const GIVEN_UP: i32 = -1;

/** Steps before an exploration begins to remember: a constant and a number for each byte of the subject. */
const PATIENCE: u64 = 1024;
const PATIENCE_PER_BYTE: u64 = 16;
/** Steps after which a search remembers inside of loops with an empty body, too. */
const LOOP_PATIENCE: u64 = 1 << 20;
/** Scanning this many bytes in a run (a power of two, given as its exponent) counts as a step. */
const SCAN_BITS: u64 = 4;

let program: Program = changetype<Program>(<usize>0);
let subject: usize = 0;
let end: usize = 0;
/** Whether the match has to end at the end of the subject. */
let whole: bool = false;
/** Whether an empty match counts. */
let mayBeEmpty: bool = true;
/** Where the present attempt starts. */
let start: usize = 0;
/** The captures of the path being explored, and those of the best match. */
let captures: usize = 0;
let groups: usize = 0;

/** Whether the part of the exploration that is being worked off has found a match. */
let found: bool = false;
/** The end of the best match so far, or 0. */
let best: usize = 0;
/** FRAME_SECOND frames on the stack: while there are none, a match found is final. */
let seconds: u32 = 0;

let steps: u64 = 0;
let patience: u64 = 0;
let remembering: bool = false;

/** Where `resume` goes on. */
let resumeNode: usize = 0;
let resumePosition: usize = 0;

/** Matches the whole of a subject. `groupsAt` receives the pairs of offsets, the whole match first. */
export function executeWhole(pattern: Program, text: usize, length: u32, groupsAt: usize): i32 {
  prepare(pattern, text, length, 0, groupsAt);
  whole = true;
  mayBeEmpty = true;
  captures = groupsAt;
  attempt(text);
  return conclude();
}

/** Finds the first match that starts at offset `from` or later. */
export function executeSearch(pattern: Program, text: usize, length: u32, from: u32, groupsAt: usize): i32 {
  prepareSearch(pattern, text, length, from, groupsAt);
  mayBeEmpty = true;
  let position = text + from;
  while (true) {
    if (!program.startEnds) while (position < end && !hasByte(program.startBytes, load<u8>(position))) position++;
    if (isPossible(program.startBytes, program.startEnds, position) && attempt(position)) break;
    if (position == end || givenUp) break;
    position++;
  }
  return conclude();
}

/** Finds a match that starts at offset `from` and is not empty. */
export function executeHere(pattern: Program, text: usize, length: u32, from: u32, groupsAt: usize): i32 {
  prepareSearch(pattern, text, length, from, groupsAt);
  mayBeEmpty = false;
  attempt(text + from);
  return conclude();
}

function prepare(pattern: Program, text: usize, length: u32, from: u32, groupsAt: usize): void {
  program = pattern;
  subject = text;
  end = text + length;
  groups = groupsAt;
  steps = 0;
  patience = PATIENCE + PATIENCE_PER_BYTE * <u64>(length - from);
  remembering = false;
  best = 0;
}

function prepareSearch(pattern: Program, text: usize, length: u32, from: u32, groupsAt: usize): void {
  prepare(pattern, text, length, from, groupsAt);
  whole = false;
  captures = program.hasAlternatives ? program.capturesAt : groupsAt;
}

/** Writes the whole match and unsets the groups that were not closed. */
function conclude(): i32 {
  if (givenUp) return GIVEN_UP;
  if (best == 0) return NOT_MATCHED;
  store<i32>(groups, <i32>(start - subject));
  store<i32>(groups + 4, <i32>(best - subject));
  for (let group: u32 = 1; group <= program.groups; group++) {
    const at = groups + group * CAPTURE_SIZE;
    if (load<i32>(at + 4) == -1) store<i32>(at, -1);
  }
  return MATCHED;
}

/** Explores everything from the start of the program at a position; whether there is a match. */
function attempt(position: usize): bool {
  start = position;
  found = false;
  seconds = 0;
  clearFrames();
  memory.fill(captures, 0xff, (program.groups + 1) * CAPTURE_SIZE);
  if (program.counters != 0) memory.fill(program.countersAt, 0, program.counters * COUNTER_SIZE);
  explore(position);
  return best != 0;
}

function explore(from: usize): void {
  let node = nodeAt(program.start);
  let position = from;
  while (true) {
    if (!remembering || node.memo == NO_MEMO || !isKnown(node, position)) {
      switch (node.kind) {
        case NODE_BYTE:
          if (position == end || <u32>load<u8>(position) != node.argument) break;
          position++;
          node = nodeAt(node.next);
          continue;
        case NODE_SET:
          if (position == end || !hasByte(node.argument, load<u8>(position))) break;
          position++;
          node = nodeAt(node.next);
          continue;
        case NODE_RUN:
          if (remembering) {
            const way = takeRepeat(node, position);
            if (way == 0) break;
            node = nodeAt(way);
          } else {
            position = takeRun(node, position);
            if (position == 0) break;
            node = nodeAt(node.next);
          }
          continue;
        case NODE_REPEAT: {
          const way = takeRepeat(node, position);
          if (way == 0) break;
          node = nodeAt(way);
          continue;
        }
        case NODE_COUNTED:
          node = nodeAt(takeCounted(node, position));
          continue;
        case NODE_EITHER: {
          const way = takeEither(node, position);
          if (way == 0) break;
          node = nodeAt(way);
          continue;
        }
        case NODE_CAPTURE:
          capture(captures + node.argument, position);
          node = nodeAt(node.next);
          continue;
        case NODE_LINE_START:
          if (position != subject) break;
          node = nodeAt(node.next);
          continue;
        case NODE_LINE_END:
          if (position != end) break;
          node = nodeAt(node.next);
          continue;
        default:
          if (accept(position)) return;
      }
    }
    if (!resume()) return;
    node = nodeAt(resumeNode);
    position = resumePosition;
  }
}

/** Whether the bytes and the end that a lookahead names allow to go on at a position. */
@inline
function isPossible(bytes: ByteSet, ends: bool, position: usize): bool {
  if (position == end) return ends;
  return (ends && !whole) || hasByte(bytes, load<u8>(position));
}

@inline
function nextIsPossible(node: Node, position: usize): bool {
  return isPossible(node.nextBytes, (node.flags & NEXT_ENDS) != 0, position);
}

@inline
function branchIsPossible(node: Node, position: usize): bool {
  return isPossible(node.branchBytes, (node.flags & BRANCH_ENDS) != 0, position);
}

/** Consumes a run as far as it goes; returns the farthest position where it can end, 0 if there is none. */
function takeRun(node: Node, position: usize): usize {
  const set: ByteSet = node.argument;
  let far = position;
  while (far < end && hasByte(set, load<u8>(far))) far++;
  steps += <u64>(far - position) >> SCAN_BITS;
  if ((node.flags & EXCLUSIVE) != 0 && (whole || (node.flags & NEXT_ENDS) == 0)) return far;
  while (!nextIsPossible(node, far)) {
    if (far == position) return 0;
    far--;
  }
  if (far != position) pushFrame(FRAME_RUN, <u32>changetype<usize>(node), offsetOf(position), offsetOf(far));
  return far;
}

/** The way to take from a repetition, the other one put on the stack; 0 if neither can be taken. */
@inline
function takeRepeat(node: Node, position: usize): usize {
  const next = nextIsPossible(node, position);
  if (!branchIsPossible(node, position)) return next ? node.next : 0;
  if (next) pushFrame(FRAME_RETRY, <u32>node.next, offsetOf(position), 0);
  return node.branch;
}

@inline
function takeEither(node: Node, position: usize): usize {
  const next = nextIsPossible(node, position);
  if (!branchIsPossible(node, position)) return next ? node.next : 0;
  if (next) {
    pushFrame(FRAME_SECOND, <u32>node.next, offsetOf(position), 0);
    seconds++;
  }
  return node.branch;
}

function takeCounted(node: Node, position: usize): usize {
  const counter: usize = node.argument;
  const lastPosition = load<u32>(counter);
  const times = load<u32>(counter, 4);
  const again = lastPosition == offsetOf(position) && times != 0;
  if (again && times == 2) return node.next;
  pushFrame(FRAME_RETRY, <u32>node.next, offsetOf(position), 0);
  pushFrame(FRAME_COUNTER, <u32>counter, lastPosition, times);
  store<u32>(counter, offsetOf(position));
  store<u32>(counter, again ? 2 : 1, 4);
  return node.branch;
}

@inline
function capture(slot: usize, position: usize): void {
  if (hasFrames()) pushFrame(FRAME_CAPTURE, <u32>(slot - captures), load<u32>(slot), 0);
  store<i32>(slot, <i32>(position - subject));
}

/** A position as it is written down. */
@inline
function offsetOf(position: usize): u32 {
  return <u32>(position - subject);
}

/** Takes note of a match that ends here; whether the exploration is over. */
function accept(position: usize): bool {
  if (whole && position != end) return false;
  if (!mayBeEmpty && position == start) return false;
  found = true;
  if (best == 0 || position > best) {
    best = position;
    if (captures != groups) memory.copy(groups, captures, (program.groups + 1) * CAPTURE_SIZE);
  }
  return position == end || seconds == 0;
}

/** Works off the stack to the next thing to try, and says whether there is one. */
function resume(): bool {
  steps++;
  if (!remembering && steps > patience) {
    remembering = true;
    startMemo(start, program.memos);
  }
  while (hasFrames() && !givenUp) {
    const frame = popFrame();
    switch (frame.kind) {
      case FRAME_RETRY:
        if (found) break;
        return resumeAt(frame);
      case FRAME_SECOND:
        seconds--;
        resumeAt(frame);
        if (found) pushFrame(FRAME_FOUND, 0, 0, 0);
        found = false;
        return true;
      case FRAME_FOUND:
        found = true;
        break;
      case FRAME_RUN:
        if (!found && shortenRun(frame)) return true;
        break;
      case FRAME_CAPTURE:
        store<u32>(captures + frame.first, frame.second);
        break;
      case FRAME_COUNTER:
        store<u32>(frame.first, frame.second);
        store<u32>(frame.first, frame.third, 4);
        break;
      default:
        remember(nodeAt(frame.first).memo, subject + frame.second, found ? FOUND : NOT_FOUND);
    }
  }
  return false;
}

function resumeAt(frame: Frame): bool {
  resumeNode = frame.first;
  resumePosition = subject + frame.second;
  return true;
}

/** Ends a run at the next lower position where it can end, if there is one. */
function shortenRun(frame: Frame): bool {
  const node = nodeAt(frame.first);
  const lowest = subject + frame.second;
  let position = subject + frame.third;
  while (position > lowest) {
    position--;
    if (!nextIsPossible(node, position)) continue;
    resumeNode = node.next;
    resumePosition = position;
    if (position > lowest) pushFrame(FRAME_RUN, frame.first, frame.second, offsetOf(position));
    return true;
  }
  return false;
}

/** Whether the outcome from here is remembered (it is then in `found`); else sees to it that it will be. */
function isKnown(node: Node, position: usize): bool {
  if ((node.flags & IN_EMPTY_LOOP) != 0 && !whole && steps < LOOP_PATIENCE) {
    if (node.kind != NODE_BYTE && node.kind != NODE_SET) return false;
  }
  const verdict = recall(node.memo, position);
  if (verdict == FOUND) found = true;
  if (verdict != UNKNOWN) return true;
  pushFrame(FRAME_MEMO, <u32>changetype<usize>(node), offsetOf(position), 0);
  return false;
}
