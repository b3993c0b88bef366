// Sets while they are being parsed.
//
// `a.b = 1; a.c = 2;` and `a = { … }; a.b = …;` add to a set that was complete already, so the attributes of every set
// stay in the order of the source until the whole text is read; then all of them are sorted. A set with many attributes
// has a hash table for finding them again.
//
// The builder's state follows the fields of AttrsNode in the same cell, and the sets of a text are linked.

import { Address } from "../memory/chunks";
import { allocateInArena } from "../memory/arena";
import { Symbol } from "../symbols/symbols";
import { AttrsNode, DynamicAttr, NODE_ATTRS, Node, StaticAttr, Table, makeNode } from "./ast";
import { sortBySymbol } from "./sort";
import { appendToTable, tableCount, tableItem } from "./tables";

/** What follows the AttrsNode. */
@unmanaged
class AttrsBuilder {
  /** The set made before this one. */
  previous: Node;
  /** Open addressing: StaticAttr addresses or 0; absent while the set is small. */
  slots: Address;
  mask: u32;
}

const SMALL: u32 = 8;
let newest: Node = 0;

export function resetAttrs(): void {
  newest = 0;
}

/** A new, empty set. */
export function makeAttrs(position: u32): Node {
  const node = makeNode(NODE_ATTRS, position, offsetof<AttrsNode>() + offsetof<AttrsBuilder>());
  const attrs = changetype<AttrsNode>(node);
  attrs.recursive = 0;
  attrs.statics = 0;
  attrs.fromExpressions = 0;
  attrs.dynamics = 0;
  const builder = builderOf(node);
  builder.previous = newest;
  builder.slots = 0;
  newest = node;
  return node;
}

/** The attribute with this name, or 0. */
export function findAttr(node: Node, name: Symbol): Address {
  const builder = builderOf(node);
  if (builder.slots != 0) return load<u32>(slotOf(builder, name));
  const statics = changetype<AttrsNode>(node).statics;
  const count = tableCount(statics);
  for (let i: u32 = 0; i < count; i++) {
    const attr = tableItem(statics, i);
    if (changetype<StaticAttr>(<usize>attr).name == name) return attr;
  }
  return 0;
}

/** Adds an attribute whose name is not in the set yet. */
export function addAttr(node: Node, attr: Address): void {
  const attrs = changetype<AttrsNode>(node);
  attrs.statics = appendToTable(attrs.statics, attr);
  const count = tableCount(attrs.statics);
  const builder = builderOf(node);
  if (builder.slots == 0 ? count > SMALL : count << 1 > builder.mask) rehash(node, count);
  else if (builder.slots != 0) store<u32>(slotOf(builder, changetype<StaticAttr>(<usize>attr).name), attr);
}

export function makeStaticAttr(name: Symbol, position: u32, kind: u32, value: Node, from: u32): Address {
  const attr = changetype<StaticAttr>(allocateInArena(offsetof<StaticAttr>()));
  attr.name = name;
  attr.position = position;
  attr.kind = kind;
  attr.value = value;
  attr.from = from;
  return changetype<Address>(attr);
}

export function addDynamicAttr(node: Node, name: Node, position: u32, value: Node): void {
  const attr = changetype<DynamicAttr>(allocateInArena(offsetof<DynamicAttr>()));
  attr.name = name;
  attr.position = position;
  attr.value = value;
  const attrs = changetype<AttrsNode>(node);
  attrs.dynamics = appendToTable(attrs.dynamics, changetype<Address>(attr));
}

/** Adds the expression of `inherit (e)` and returns its number. */
export function addFromExpression(node: Node, expression: Node): u32 {
  const attrs = changetype<AttrsNode>(node);
  attrs.fromExpressions = appendToTable(attrs.fromExpressions, expression);
  return tableCount(attrs.fromExpressions) - 1;
}

/** Sorts the attributes of all sets. */
export function finishAttrs(): void {
  for (let node = newest; node != 0; node = builderOf(node).previous) sortBySymbol(changetype<AttrsNode>(node).statics);
  newest = 0;
}

/** The attributes of a set in ascending order of symbols, for merging it into another. */
export function sortedAttrs(node: Node): Table {
  const statics = changetype<AttrsNode>(node).statics;
  sortBySymbol(statics);
  return statics;
}

/** Empties a set that was merged into another. */
export function clearAttrs(node: Node): void {
  const attrs = changetype<AttrsNode>(node);
  attrs.statics = 0;
  attrs.dynamics = 0;
  attrs.fromExpressions = 0;
  builderOf(node).slots = 0;
}

@inline
function builderOf(node: Node): AttrsBuilder {
  return changetype<AttrsBuilder>(node + offsetof<AttrsNode>());
}

function rehash(node: Node, count: u32): void {
  let size: u32 = 32;
  while (size < count << 2) size <<= 1;
  const slots = allocateInArena(size << 2);
  memory.fill(slots, 0, size << 2);
  const builder = builderOf(node);
  builder.slots = slots;
  builder.mask = size - 1;
  const statics = changetype<AttrsNode>(node).statics;
  for (let i: u32 = 0; i < count; i++) {
    const attr = tableItem(statics, i);
    store<u32>(slotOf(builder, changetype<StaticAttr>(<usize>attr).name), attr);
  }
}

/** The address of the slot that holds `name`, or of the empty one where it belongs. */
function slotOf(builder: AttrsBuilder, name: Symbol): Address {
  const mask = builder.mask;
  let slot = (name * 0x9e3779b1) & mask;
  while (true) {
    const at = builder.slots + (slot << 2);
    const attr = load<u32>(at);
    if (attr == 0 || changetype<StaticAttr>(<usize>attr).name == name) return at;
    slot = (slot + 1) & mask;
  }
}
