// The elements that `genericClosure` has found: ordered by their keys, and in the order in which they were found.
//
// A treap (Aragon and Seidel 1989): a search tree by key whose nodes also form a heap by a priority, here a hash of the
// node's number, which keeps it as balanced as a random one. A node never moves and knows its parent, so that a search
// can be left anywhere and the tree is balanced without comparing again.
//
//   LIST  [count][root] then for each node, from 1 on, in the order of arrival: [key][element][left][right][parent]
//
// Everything but keys and elements is a small integer; 0 is no node.

import { copyWords } from "../memory/words";
import { listItem, listItems, listLength, makeList, setListItem } from "../values/list";
import { makeSmallInt, smallInt } from "../values/number";
import { Value } from "../values/value";

const COUNT: u32 = 0;
const ROOT: u32 = 1;
const HEADER: u32 = 2;
const NODE_WORDS: u32 = 5;
const KEY: u32 = 0;
const ELEMENT: u32 = 1;
const LEFT: u32 = 2;
const RIGHT: u32 = 3;
const PARENT: u32 = 4;
const INITIAL_NODES: u32 = 8;

export function makeClosureSet(): Value {
  return makeTable(INITIAL_NODES);
}

@inline
export function closureCount(set: Value): u32 {
  return smallInt(listItem(set, COUNT));
}

@inline
export function rootNode(set: Value): u32 {
  return smallInt(listItem(set, ROOT));
}

@inline
export function nodeKey(set: Value, node: u32): Value {
  return field(set, node, KEY);
}

@inline
export function nodeElement(set: Value, node: u32): Value {
  return field(set, node, ELEMENT);
}

@inline
export function leftOf(set: Value, node: u32): u32 {
  return smallInt(field(set, node, LEFT));
}

@inline
export function rightOf(set: Value, node: u32): u32 {
  return smallInt(field(set, node, RIGHT));
}

/** Adds an element where a search ended: below `parent` (0 in an empty set). Returns the set, which may have moved. */
export function addNode(set: Value, parent: u32, onLeft: bool, key: Value, element: Value): Value {
  const node = closureCount(set) + 1;
  const table = HEADER + node * NODE_WORDS > listLength(set) ? grown(set) : set;
  setListItem(table, COUNT, makeSmallInt(node));
  setField(table, node, KEY, key);
  setField(table, node, ELEMENT, element);
  setLink(table, node, PARENT, parent);
  if (parent == 0) setListItem(table, ROOT, makeSmallInt(node));
  else setLink(table, parent, onLeft ? LEFT : RIGHT, node);
  riseToPlace(table, node);
  return table;
}

/** The elements in the order in which they were added. */
export function closureElements(set: Value): Value {
  const count = closureCount(set);
  const list = makeList(count);
  for (let i: u32 = 0; i < count; i++) setListItem(list, i, nodeElement(set, i + 1));
  return list;
}

// ── Balance ──

/** Rotates a new leaf up until its parent has a higher priority. */
function riseToPlace(set: Value, node: u32): void {
  const priority = priorityOf(node);
  while (true) {
    const parent = smallInt(field(set, node, PARENT));
    if (parent == 0 || priorityOf(parent) >= priority) return;
    rotateAbove(set, node, parent);
  }
}

/** Makes `node`, a child of `parent`, the parent of it. */
function rotateAbove(set: Value, node: u32, parent: u32): void {
  const fromLeft = leftOf(set, parent) == node;
  const inner = fromLeft ? rightOf(set, node) : leftOf(set, node);
  const above = smallInt(field(set, parent, PARENT));
  setLink(set, parent, fromLeft ? LEFT : RIGHT, inner);
  if (inner != 0) setLink(set, inner, PARENT, parent);
  setLink(set, node, fromLeft ? RIGHT : LEFT, parent);
  setLink(set, parent, PARENT, node);
  setLink(set, node, PARENT, above);
  if (above == 0) setListItem(set, ROOT, makeSmallInt(node));
  else setLink(set, above, leftOf(set, above) == parent ? LEFT : RIGHT, node);
}

/** The finalizer of MurmurHash3. */
@inline
function priorityOf(node: u32): u32 {
  let hash = node;
  hash = (hash ^ (hash >>> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >>> 13)) * 0xc2b2ae35;
  return hash ^ (hash >>> 16);
}

// ── The table ──

@inline
function field(set: Value, node: u32, which: u32): Value {
  return listItem(set, HEADER + (node - 1) * NODE_WORDS + which);
}

@inline
function setField(set: Value, node: u32, which: u32, value: Value): void {
  setListItem(set, HEADER + (node - 1) * NODE_WORDS + which, value);
}

@inline
function setLink(set: Value, node: u32, which: u32, other: u32): void {
  setField(set, node, which, makeSmallInt(other));
}

function makeTable(nodes: u32): Value {
  const length = HEADER + nodes * NODE_WORDS;
  const table = makeList(length);
  for (let i: u32 = 0; i < length; i++) setListItem(table, i, makeSmallInt(0));
  return table;
}

function grown(set: Value): Value {
  const table = makeTable(closureCount(set) << 1);
  copyWords(listItems(table), listItems(set), listLength(set));
  return table;
}
