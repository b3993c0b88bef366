// Numbers of the source. A float has a point: `1.`, `1.5e3`, `.5` and `0.5` are floats, `1e3` is `1` applied to `e3`,
// and `00.5` is `00` applied to `.5`.

import { Address } from "../memory/chunks";
import { FloatNode, IntNode, NODE_FLOAT, NODE_INT, Node, makeNode } from "./ast";
import { DIGIT, isClass } from "./characters";
import { parseFloat64, parseFloatOutOfRange } from "../numbers/parse-float";
import { reportErrorAbout } from "./syntax-errors";

const LARGEST: u64 = 9223372036854775807;

/** The end of the number at `at`, which begins with a digit, or with a point before one. */
export function numberEnd(at: Address, limit: Address): Address {
  const integer = digitsEnd(at, limit);
  if (!isPoint(integer, limit)) return integer;
  // A leading zero stands alone before a point that digits follow.
  const fraction = digitsEnd(integer + 1, limit);
  if (integer == at || load<u8>(at) == 0x30) {
    if (integer > at + 1 || fraction == integer + 1) return integer;
  }
  return exponentEnd(fraction, limit);
}

/** Whether the number in these bytes is a float. */
export function isFloatLiteral(at: Address, end: Address): bool {
  const integer = digitsEnd(at, end);
  return integer < end;
}

/** The value of the last literal that was read. */
let intValue: i64 = 0;
let floatValue: f64 = 0;

/** Reads an integer, which must fit 64 bits. */
export function readInt(at: Address, end: Address, position: u32): void {
  let value: u64 = 0;
  let fits = true;
  for (let i = at; i < end; i++) {
    const digit = <u64>load<u8>(i) - 0x30;
    if (value > LARGEST / 10 || (value == LARGEST / 10 && digit > LARGEST % 10)) fits = false;
    value = value * 10 + digit;
  }
  if (!fits) reportErrorAbout(position, "invalid integer ", at, <u32>(end - at), "");
  intValue = <i64>value;
}

/** Reads a float, which must be neither too large nor, unless it is exact, too small for a normal number. */
export function readFloat(at: Address, end: Address, position: u32): void {
  floatValue = parseFloat64(at, <u32>(end - at));
  if (parseFloatOutOfRange) reportErrorAbout(position, "invalid float ", at, <u32>(end - at), "");
}

/** The node of the integer that was read last. */
export function makeIntLiteral(): Node {
  const node = makeNode(NODE_INT, 0, offsetof<IntNode>());
  changetype<IntNode>(node).value = intValue;
  return node;
}

/** The node of the float that was read last. */
export function makeFloatLiteral(): Node {
  const node = makeNode(NODE_FLOAT, 0, offsetof<FloatNode>());
  changetype<FloatNode>(node).value = floatValue;
  return node;
}

function digitsEnd(at: Address, limit: Address): Address {
  let i = at;
  while (i < limit && isClass(load<u8>(i), DIGIT)) i++;
  return i;
}

function isPoint(at: Address, limit: Address): bool {
  return at < limit && load<u8>(at) == 0x2e;
}

/** The end of an exponent at `at`, or `at` itself. */
function exponentEnd(at: Address, limit: Address): Address {
  if (at == limit || (load<u8>(at) | 0x20) != 0x65) return at;
  let i = at + 1;
  if (i < limit && (load<u8>(i) == 0x2b || load<u8>(i) == 0x2d)) i++;
  const end = digitsEnd(i, limit);
  return end > i ? end : at;
}
