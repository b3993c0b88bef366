// The parser and the printer of trees, for the tests: texts go into a buffer of the arena, results come from the text
// buffer.

import { allocateInArena, resetArena } from "../../assembly/memory/arena";
import { textLengthFrom, textRewind, textStart } from "../../assembly/memory/text";
import { parseFloat64 } from "../../assembly/numbers/parse-float";
import { appendGeneral } from "../../assembly/numbers/print-float";
import { initializeKnownSymbols } from "../../assembly/symbols/known";
import { initializeSymbols } from "../../assembly/symbols/symbols";
import { AttrsNode, LambdaNode, Node, StaticAttr, positionOfNode, tableItem } from "../../assembly/syntax/ast";
import { setPipeOperators } from "../../assembly/syntax/lexer";
import { parseSource } from "../../assembly/syntax/parser";
import { ORIGIN_STRING, addSource, sourceAt } from "../../assembly/syntax/positions";
import { setHomePath, setSyntaxLints } from "../../assembly/syntax/settings";
import { appendIdentifier, showNode } from "../../assembly/syntax/show";
import { initializeConstants } from "../../assembly/values/constants";
import { makePermanentPath, makePermanentString } from "../../assembly/values/string";

export {
  syntaxErrorCount, syntaxErrorLength, syntaxErrorMessage, syntaxErrorPosition, syntaxErrorSecondPosition,
  syntaxWarningCount, syntaxWarningLength, syntaxWarningMessage, syntaxWarningPosition, syntaxWarningSecondPosition,
} from "../../assembly/syntax/syntax-errors";
export { setPipeOperators, setSyntaxLints, parseFloat64 };

let basePath: usize = 0;
let start: u32 = 0;

export function initialize(): void {
  initializeConstants();
  initializeSymbols();
  initializeKnownSymbols();
}

/** Forgets the texts and trees so far and makes room for a text. */
export function reserve(size: u32): usize {
  resetArena();
  return allocateInArena(size + 1);
}

export function setBase(at: usize, length: u32): void {
  basePath = makePermanentPath(at, length);
}

export function setHome(at: usize, length: u32): void {
  setHomePath(makePermanentString(at, length));
}

/** Parses a text; its tree, and positions from `startPosition()` on. */
export function parse(at: usize, length: u32): Node {
  const source = addSource(ORIGIN_STRING, 0, length);
  start = sourceAt(source).start;
  return parseSource(at, length, source, basePath, false);
}

export function startPosition(): u32 {
  return start;
}

/** Shows a tree; the length of the text. */
export function show(node: Node): u32 {
  textRewind(0);
  showNode(node);
  return textLengthFrom(0);
}

export function showFloat(x: f64, precision: u32): u32 {
  textRewind(0);
  appendGeneral(x, precision);
  return textLengthFrom(0);
}

export function shown(): usize {
  return textStart(0);
}

export function positionOf(node: Node): u32 {
  return positionOfNode(node);
}

/** The value of the attribute at `index` of a set, in the order of symbols. */
export function attrValue(node: Node, index: u32): Node {
  return changetype<StaticAttr>(tableItem(changetype<AttrsNode>(node).statics, index)).value;
}

export function attrPosition(node: Node, index: u32): u32 {
  return changetype<StaticAttr>(tableItem(changetype<AttrsNode>(node).statics, index)).position;
}

export function lambdaBody(node: Node): Node {
  return changetype<LambdaNode>(node).body;
}

export function lambdaDocumentation(node: Node): u32 {
  return changetype<LambdaNode>(node).documentation;
}

/** Shows the name of a function; the length of the text. */
export function showLambdaName(node: Node): u32 {
  textRewind(0);
  const name = changetype<LambdaNode>(node).name;
  if (name != 0) appendIdentifier(name);
  return textLengthFrom(0);
}
