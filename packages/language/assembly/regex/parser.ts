// Parses a POSIX extended regular expression to states, with libstdc++'s grammar: any number of quantifiers behind an
// atom ("a**" and "a+?" are fine), none behind an anchor, empty alternatives and groups allowed.
//
//   alternatives = sequence { "|" sequence }
//   sequence     = { "^" | "$" | atom { "*" | "+" | "?" | "{" n [ "," [ m ] ] "}" } }
//   atom         = byte | "." | bracket | "(" alternatives ")"
//
// Groups are kept on a stack of levels instead of the call stack, so a pattern may nest as deep as its states allow.

import { growBuffer, grownCapacity } from "./buffer";
import { ByteSet, anyByteSet } from "./byte-set";
import { parseBracket } from "./bracket";
import { REGEX_INVALID, fail, failed } from "./limits";
import {
  TOKEN_ANY,
  TOKEN_BRACKET,
  TOKEN_BRACKET_NEGATED,
  TOKEN_BYTE,
  TOKEN_CLOSE,
  TOKEN_COMMA,
  TOKEN_COUNT,
  TOKEN_END,
  TOKEN_INTERVAL,
  TOKEN_INTERVAL_END,
  TOKEN_LINE_END,
  TOKEN_LINE_START,
  TOKEN_OPEN,
  TOKEN_OPTIONAL,
  TOKEN_OR,
  TOKEN_PLUS,
  TOKEN_STAR,
  advance,
  startScanner,
  token,
  tokenByte,
  tokenLength,
  tokenText,
} from "./scanner";
import {
  FLAG_EMPTY_BODY,
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
  addState,
  clearStates,
  cloneChain,
  clonedLast,
  linkStates,
  markEmptyLoop,
  stateAt,
  stateCount,
} from "./states";

/** An open group, or the whole pattern at the bottom. */
@unmanaged
class Level {
  /** The number of the group and its first state. */
  group: u32;
  open: u32;
  /** The alternatives that are complete, joined; NONE before the first "|". */
  leftFirst: u32;
  leftLast: u32;
  leftEmpty: bool;
  /** The sequence so far; NONE while it has no states. */
  first: u32;
  last: u32;
  empty: bool;
}

let levels: usize = 0;
let capacity: u32 = 0;
let depth: u32 = 0;
let groups: u32 = 0;

/** The newest atom: its chain, its lowest state, whether it can match nothing. */
let atomFirst: u32 = 0;
let atomLast: u32 = 0;
let atomLowest: u32 = 0;
let atomEmpty: bool = false;

/** What an interval copies: the chain of the atom before it, and the number behind its states. */
let bodyFirst: u32 = 0;
let bodyLast: u32 = 0;
let bodyEnd: u32 = 0;

/** Parses a pattern to states, of which number 0 is the first. A failure is recorded. */
export function parsePattern(pattern: usize, length: u32): void {
  clearStates();
  depth = 0;
  groups = 0;
  startScanner(pattern, length);
  openLevel();
  while (!failed() && token != TOKEN_END) parseTerm();
  if (failed()) return;
  if (depth != 1) return fail(REGEX_INVALID);
  endSequence();
  closeLevel();
  linkStates(atomLast, addState(STATE_ACCEPT, 0));
}

/** Groups of the newest pattern, the whole match not counted. */
export function parsedGroups(): u32 {
  return groups - 1;
}

function parseTerm(): void {
  switch (token) {
    case TOKEN_LINE_START:
      return anchor(STATE_LINE_START);
    case TOKEN_LINE_END:
      return anchor(STATE_LINE_END);
    case TOKEN_BYTE: {
      const byte = tokenByte;
      advance();
      return consuming(STATE_BYTE, byte);
    }
    case TOKEN_ANY:
      advance();
      return consuming(STATE_SET, <u32>anyByteSet());
    case TOKEN_BRACKET:
    case TOKEN_BRACKET_NEGATED: {
      const set: ByteSet = parseBracket();
      if (!failed()) consuming(STATE_SET, <u32>set);
      return;
    }
    case TOKEN_OPEN:
      advance();
      return openLevel();
    case TOKEN_OR:
      endSequence();
      return advance();
    case TOKEN_CLOSE:
      return closeGroup();
    default:
      return fail(REGEX_INVALID);
  }
}

function anchor(kind: u32): void {
  advance();
  const state = addState(kind, 0);
  append(state, state, true);
}

function consuming(kind: u32, argument: u32): void {
  atomLowest = stateCount();
  atomFirst = addState(kind, argument);
  atomLast = atomFirst;
  atomEmpty = false;
  parseQuantifiers();
}

function closeGroup(): void {
  if (depth == 1) return fail(REGEX_INVALID);
  endSequence();
  advance();
  closeLevel();
  parseQuantifiers();
}

function levelAt(index: u32): Level {
  return changetype<Level>(levels + index * offsetof<Level>());
}

function currentLevel(): Level {
  return levelAt(depth - 1);
}

function openLevel(): void {
  const needed = (depth + 1) * offsetof<Level>();
  if (needed > capacity) {
    const wanted = grownCapacity(capacity, needed);
    levels = growBuffer(levels, capacity, wanted);
    capacity = wanted;
  }
  const level = levelAt(depth++);
  level.group = groups++;
  level.open = addState(STATE_OPEN, level.group);
  level.leftFirst = NONE;
  level.leftEmpty = false;
  level.first = NONE;
  level.empty = true;
}

/** Makes the atom of a level whose last sequence has ended. */
function closeLevel(): void {
  const level = currentLevel();
  depth--;
  const close = addState(STATE_CLOSE, level.group);
  linkStates(level.open, level.leftFirst);
  linkStates(level.leftLast, close);
  atomLowest = level.open;
  atomFirst = level.open;
  atomLast = close;
  atomEmpty = level.leftEmpty;
}

/** Appends a chain to the sequence of the present level. */
function append(first: u32, last: u32, empty: bool): void {
  const level = currentLevel();
  if (level.first == NONE) level.first = first;
  else linkStates(level.last, first);
  level.last = last;
  level.empty = level.empty && empty;
}

/** Ends the sequence of the present level and joins it to the alternatives on its left. */
function endSequence(): void {
  const end = addState(STATE_EMPTY, 0);
  append(end, end, true);
  const level = currentLevel();
  if (level.leftFirst == NONE) {
    level.leftFirst = level.first;
    level.leftLast = level.last;
    level.leftEmpty = level.empty;
  } else {
    const join = addState(STATE_EMPTY, 0);
    linkStates(level.leftLast, join);
    linkStates(level.last, join);
    const either = addState(STATE_EITHER, level.leftFirst);
    linkStates(either, level.first);
    level.leftFirst = either;
    level.leftLast = join;
    level.leftEmpty = level.leftEmpty || level.empty;
  }
  level.first = NONE;
  level.empty = true;
}

/** Applies all quantifiers behind the atom and appends it. */
function parseQuantifiers(): void {
  while (!failed()) {
    if (token == TOKEN_STAR) quantifyStar();
    else if (token == TOKEN_PLUS) quantifyPlus();
    else if (token == TOKEN_OPTIONAL) quantifyOptional();
    else if (token == TOKEN_INTERVAL) quantifyInterval();
    else break;
  }
  if (!failed()) append(atomFirst, atomLast, atomEmpty);
}

function quantifyStar(): void {
  advance();
  const loop = addLoop(atomFirst);
  linkStates(atomLast, loop);
  atomFirst = loop;
  atomLast = loop;
  atomEmpty = true;
}

function quantifyPlus(): void {
  advance();
  const loop = addLoop(atomFirst);
  linkStates(atomLast, loop);
  atomLast = loop;
}

function quantifyOptional(): void {
  advance();
  const end = addState(STATE_EMPTY, 0);
  const choice = addChoice(atomFirst);
  linkStates(atomLast, end);
  linkStates(choice, end);
  atomFirst = choice;
  atomLast = end;
  atomEmpty = true;
}

/** "{n}", "{n,}" and "{n,m}": copies of the atom in a row; the atom itself stays behind unused. */
function quantifyInterval(): void {
  advance();
  const least = parseCount();
  let most = least;
  let unbounded = false;
  if (token == TOKEN_COMMA) {
    advance();
    if (token == TOKEN_COUNT) most = parseCount();
    else unbounded = true;
  }
  if (token != TOKEN_INTERVAL_END) fail(REGEX_INVALID);
  if (failed()) return;
  advance();
  bodyFirst = atomFirst;
  bodyLast = atomLast;
  bodyEnd = stateCount();
  atomFirst = addState(STATE_EMPTY, 0);
  atomLast = atomFirst;
  for (let i: u32 = 0; i < least && !failed(); i++) appendCopy();
  if (failed()) return;
  if (unbounded) repeatCopy();
  else if (most < least) fail(REGEX_INVALID);
  else appendOptionalCopies(most - least);
  if (least == 0) atomEmpty = true;
}

/** The number at the present token, which must fit in an `int`. */
function parseCount(): u32 {
  if (token != TOKEN_COUNT) {
    fail(REGEX_INVALID);
    return 0;
  }
  let value: u64 = 0;
  for (let i: u32 = 0; i < tokenLength; i++) {
    value = value * 10 + <u64>(load<u8>(tokenText + i) - 0x30);
    if (value > <u64>i32.MAX_VALUE) {
      fail(REGEX_INVALID);
      return 0;
    }
  }
  advance();
  return <u32>value;
}

function appendCopy(): void {
  const copy = cloneChain(bodyFirst, bodyLast, atomLowest, bodyEnd);
  linkStates(atomLast, copy);
  atomLast = clonedLast;
}

function repeatCopy(): void {
  const copy = cloneChain(bodyFirst, bodyLast, atomLowest, bodyEnd);
  const copyLast = clonedLast;
  const loop = addLoop(copy);
  linkStates(copyLast, loop);
  linkStates(atomLast, loop);
  atomLast = loop;
}

/** `times` copies, each of which may be the last one left out. */
function appendOptionalCopies(times: u32): void {
  const end = addState(STATE_EMPTY, 0);
  for (let i: u32 = 0; i < times && !failed(); i++) {
    const copy = cloneChain(bodyFirst, bodyLast, atomLowest, bodyEnd);
    const copyLast = clonedLast;
    const choice = addChoice(copy);
    linkStates(choice, end);
    linkStates(atomLast, choice);
    atomLast = copyLast;
  }
  linkStates(atomLast, end);
  atomLast = end;
}

/** A state that goes into the body or past it. */
function addChoice(body: u32): u32 {
  const choice = addState(STATE_REPEAT, body);
  if (atomEmpty) stateAt(choice).flags |= FLAG_EMPTY_BODY;
  return choice;
}

/** The same for a body that leads back to it. */
function addLoop(body: u32): u32 {
  const loop = addChoice(body);
  stateAt(loop).flags |= FLAG_LOOP;
  if (atomEmpty) markEmptyLoop(atomLowest);
  return loop;
}
