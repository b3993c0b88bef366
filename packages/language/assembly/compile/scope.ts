// Scopes, at compile time: which variable is in which slot of which environment. They live in the arena.
//
// Each scope stands for one environment, so the level of a variable is the number of scopes between. A `with` scope has
// one slot, the set; an inherit scope holds the sets of `inherit (e)`; a key scope is what `scopedImport` was given.

import { allocateInArena } from "../memory/arena";
import { Symbol } from "../symbols/symbols";
import { Formal, StaticAttr, Table, tableCount, tableItem } from "../syntax/ast";
import { Keys, findKey } from "../values/attrs";

export const SCOPE_ATTRS: u32 = 0;
export const SCOPE_ARGUMENT: u32 = 1;
export const SCOPE_FORMALS: u32 = 2;
export const SCOPE_WITH: u32 = 3;
export const SCOPE_INHERIT: u32 = 4;
export const SCOPE_KEYS: u32 = 5;

@unmanaged
export class Scope {
  kind: u32;
  parent: usize;
  /** SCOPE_ATTRS: the table of static attributes. SCOPE_FORMALS: of formals. SCOPE_KEYS: a key set. */
  names: Table;
  /** SCOPE_ARGUMENT, SCOPE_FORMALS: the name of the whole argument, or 0. */
  argument: Symbol;
  /** SCOPE_ATTRS: slots below this one are filled when code that is compiled now runs. */
  filled: u32;
}

export function makeScope(kind: u32, parent: usize, names: Table, argument: Symbol = 0): usize {
  const address = allocateInArena(<u32>offsetof<Scope>());
  const scope = changetype<Scope>(address);
  scope.kind = kind;
  scope.parent = parent;
  scope.names = names;
  scope.argument = argument;
  scope.filled = u32.MAX_VALUE;
  return address;
}

/** Where the last `resolveVariable` found the variable. */
export let foundLevel: u32 = 0;
export let foundSlot: u32 = 0;
export let foundScope: usize = 0;

/** Looks a variable up in the scopes that are not `with`; false if none of them has it. */
export function resolveVariable(from: usize, name: Symbol): bool {
  let level: u32 = 0;
  let at = from;
  while (at != 0) {
    const slot = slotIn(changetype<Scope>(at), name);
    if (slot >= 0) {
      foundLevel = level;
      foundSlot = <u32>slot;
      foundScope = at;
      return true;
    }
    level++;
    at = changetype<Scope>(at).parent;
  }
  return false;
}

function slotIn(scope: Scope, name: Symbol): i32 {
  const kind = scope.kind;
  if (kind == SCOPE_ATTRS) return findStatic(scope.names, name);
  if (kind == SCOPE_ARGUMENT) return scope.argument == name ? 0 : -1;
  if (kind == SCOPE_FORMALS) {
    if (scope.argument == name) return 0;
    const index = findFormal(scope.names, name);
    return index < 0 ? -1 : index + (scope.argument != 0 ? 1 : 0);
  }
  return kind == SCOPE_KEYS ? findKey(<Keys>scope.names, name) : -1;
}

function findStatic(table: Table, name: Symbol): i32 {
  let low: u32 = 0;
  let high = tableCount(table);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = changetype<StaticAttr>(tableItem(table, middle)).name;
    if (at < name) low = middle + 1;
    else if (at > name) high = middle;
    else return <i32>middle;
  }
  return -1;
}

function findFormal(table: Table, name: Symbol): i32 {
  let low: u32 = 0;
  let high = tableCount(table);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = changetype<Formal>(tableItem(table, middle)).name;
    if (at < name) low = middle + 1;
    else if (at > name) high = middle;
    else return <i32>middle;
  }
  return -1;
}
