// What a binding does to a set: nested sets for paths, and the merging of sets that are bound to the same name, with the
// rules of Nix: a later `rec` is dropped, an earlier one applies to what is added.

import { appendText, textMark } from "../memory/text";
import { Symbol } from "../symbols/symbols";
import {
  ATTR_INHERITED_FROM, ATTR_PLAIN, AttrName, AttrsNode, DynamicAttr, NODE_ATTRS, Node, StaticAttr, Table, kindOfNode,
} from "./ast";
import {
  addAttr, addDynamicAttr, addFromExpression, clearAttrs, findAttr, makeAttrs, makeStaticAttr, sortedAttrs,
} from "./attrs-builder";
import { documentLambda, nameLambda } from "./lambdas";
import { makeAttrName } from "./parse-attr-path";
import { appendAttrPath, appendIdentifier } from "./show";
import { reportError, reportErrorText } from "./syntax-errors";
import { appendToTable, tableCount, tableItem } from "./tables";

/** Sets merged into each other are nested at most this deep. */
const MAX_MERGE_DEPTH: u32 = 1000;

/** Binds `path` to `value` in a set. `position` is where the path begins. */
export function bindAttr(node: Node, path: Table, position: u32, value: Node, documentation: u32): void {
  let attrs = node;
  const last = tableCount(path) - 1;
  for (let i: u32 = 0; i < last; i++) {
    attrs = enterAttr(attrs, path, i, position);
    if (attrs == 0) return;
  }
  const name = changetype<AttrName>(tableItem(path, last));
  if (name.symbol == 0) addDynamicAttr(attrs, name.expression, position, value);
  else addOrMerge(attrs, path, makeStaticAttr(name.symbol, position, ATTR_PLAIN, value, 0), 0);
  documentLambda(value, documentation);
}

/** "attribute 'a.b' already defined at …"; `path` is a table, or 0 for the name alone. */
export function reportDuplicateAttr(path: Table, name: Symbol, position: u32, previous: u32): void {
  const mark = textMark();
  appendText("attribute '");
  if (path != 0) appendAttrPath(path);
  else appendIdentifier(name);
  appendText("' already defined at ");
  reportError(position, mark, previous);
}

/** The set that the name at `index` of a path leads to, or 0 if it is bound to something else. */
function enterAttr(attrs: Node, path: Table, index: u32, position: u32): Node {
  const name = changetype<AttrName>(tableItem(path, index));
  if (name.symbol == 0) {
    const nested = makeAttrs(0);
    addDynamicAttr(attrs, name.expression, position, nested);
    return nested;
  }
  const existing = findAttr(attrs, name.symbol);
  if (existing == 0) {
    const nested = makeAttrs(0);
    addAttr(attrs, makeStaticAttr(name.symbol, position, ATTR_PLAIN, nested, 0));
    return nested;
  }
  const found = changetype<StaticAttr>(existing);
  if (isAttrs(found.value)) return found.value;
  let shortened: Table = 0;
  for (let i: u32 = 0; i <= index; i++) shortened = appendToTable(shortened, tableItem(path, i));
  reportDuplicateAttr(shortened, 0, position, found.position);
  return 0;
}

/** Adds an attribute, or merges its set into the one that has the name already. `path` is for messages. */
function addOrMerge(attrs: Node, path: Table, attr: usize, depth: u32): void {
  const added = changetype<StaticAttr>(attr);
  const existing = findAttr(attrs, added.name);
  if (existing == 0) {
    addAttr(attrs, attr);
    if (added.value != 0) nameLambda(added.value, added.name);
    return;
  }
  const found = changetype<StaticAttr>(existing);
  if (!isAttrs(found.value) || !isAttrs(added.value)) {
    reportDuplicateAttr(path, 0, added.position, found.position);
    return;
  }
  if (depth == MAX_MERGE_DEPTH) reportErrorText(added.position, "memory exhausted");
  else mergeAttrs(found.value, added.value, path, depth + 1);
}

function mergeAttrs(target: Node, source: Node, path: Table, depth: u32): void {
  const offset = tableCount(changetype<AttrsNode>(target).fromExpressions);
  const statics = sortedAttrs(source);
  const count = tableCount(statics);
  for (let i: u32 = 0; i < count; i++) {
    const attr = tableItem(statics, i);
    const added = changetype<StaticAttr>(attr);
    if (added.kind == ATTR_INHERITED_FROM) added.from += offset;
    addOrMerge(target, extendedPath(path, added.name), attr, depth);
  }
  const from = changetype<AttrsNode>(source).fromExpressions;
  for (let i: u32 = 0; i < tableCount(from); i++) addFromExpression(target, tableItem(from, i));
  const dynamics = changetype<AttrsNode>(source).dynamics;
  for (let i: u32 = 0; i < tableCount(dynamics); i++) {
    const dynamic = changetype<DynamicAttr>(tableItem(dynamics, i));
    addDynamicAttr(target, dynamic.name, dynamic.position, dynamic.value);
  }
  clearAttrs(source);
}

function isAttrs(value: Node): bool {
  return value != 0 && kindOfNode(value) == NODE_ATTRS;
}

/** A copy of a path with one more name. */
function extendedPath(path: Table, name: Symbol): Table {
  let longer: Table = 0;
  for (let i: u32 = 0; i < tableCount(path); i++) longer = appendToTable(longer, tableItem(path, i));
  return appendToTable(longer, makeAttrName(name, 0, 0));
}
