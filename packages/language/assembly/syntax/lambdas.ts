// Functions after their bodies are parsed: their names, documentation, and the rules for formals.

import { Symbol, symbolName } from "../symbols/symbols";
import { stringBytes, stringLength } from "../values/string";
import { Formal, LambdaNode, NODE_LAMBDA, Node, Table, kindOfNode, tableCount, tableItem } from "./ast";
import { sortBySymbol } from "./sort";
import { reportErrorAbout } from "./syntax-errors";

/** Calls a function, and the functions that are its body, by the attribute that it is bound to. */
export function nameLambda(value: Node, name: Symbol): void {
  let node = value;
  while (kindOfNode(node) == NODE_LAMBDA) {
    changetype<LambdaNode>(node).name = name;
    node = changetype<LambdaNode>(node).body;
  }
}

/** Gives a function a doc comment, and the functions that are its body: up to the first that has one already. */
export function documentLambda(value: Node, documentation: u32): void {
  if (documentation == 0) return;
  let node = value;
  while (kindOfNode(node) == NODE_LAMBDA && changetype<LambdaNode>(node).documentation == 0) {
    changetype<LambdaNode>(node).documentation = documentation;
    node = changetype<LambdaNode>(node).body;
  }
}

/** Sorts formals and reports a name that occurs twice. */
export function checkFormals(formals: Table, argument: Symbol, position: u32): void {
  sortBySymbol(formals);
  const count = tableCount(formals);
  for (let i: u32 = 1; i < count; i++) {
    const formal = formalAt(formals, i);
    if (formal.name != formalAt(formals, i - 1).name) continue;
    reportDuplicate(formal.name, formal.position);
    return;
  }
  if (argument == 0) return;
  for (let i: u32 = 0; i < count; i++) if (formalAt(formals, i).name == argument) reportDuplicate(argument, position);
}

function formalAt(formals: Table, index: u32): Formal {
  return changetype<Formal>(tableItem(formals, index));
}

function reportDuplicate(name: Symbol, position: u32): void {
  const string = symbolName(name);
  reportErrorAbout(position, "duplicate formal function argument ", stringBytes(string), stringLength(string), "");
}
