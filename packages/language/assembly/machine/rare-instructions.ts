// Instructions that are rare, or long: kept out of the machine's loop (run.ts), whose size every program pays for when the
// engine optimizes it.
//
// One of them either finishes by itself or leaves in `rareFrame` a builtin that has to go on with it.

import { Address } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { findAttr, setAttrValue } from "../values/attrs";
import { FALSE, NULL, TRUE, makeBool } from "../values/constants";
import { ancestor, envParent, setEnvSlot } from "../values/env";
import { makeList, setListItem } from "../values/list";
import { isAttrs, isString } from "../values/value";
import { CANONICAL_PATH, COPY_TO_STORE, coerceNow } from "../operations/coerce";
import { equalNow } from "../operations/equality";
import { EXPLAIN_DIFFERENCE } from "../operations/explain-difference";
import {
  OP_ADD_DYNAMIC,
  OP_ASSERT,
  OP_CHECK_ADDEND,
  OP_CHECK_BOOL,
  OP_CONCAT_LISTS,
  OP_CONCAT_PATH,
  OP_CONCAT_STRINGS,
  OP_COPY_OPERANDS,
  OP_DIVIDE,
  OP_DROP_OPERANDS,
  OP_EXPLAIN_DIFFERENCE,
  OP_HAS,
  OP_HOLE,
  OP_IMPLIES,
  OP_INTERPOLATE,
  OP_INTERPOLATE_PATH,
  OP_LOAD_ENV,
  OP_MULTIPLY,
  OP_NOT,
  OP_NOT_EQUAL,
  OP_OPEN_ATTRS,
  OP_OPEN_LIST,
  OP_OVERRIDE,
  OP_SET_ATTR,
  OP_SET_ITEM,
  OP_SET_PARENT_SLOT,
  OP_UNDEFINED,
  Code,
  jumpBytes,
  operandOf,
} from "../compile/code";
import { raiseHole } from "../images/shared-calls";
import { addDynamicAttr, applyOverrides, openAttrs, raiseUndefined } from "./attributes";
import { coercionFrame, operatorFrame } from "./builtin-frames";
import { raiseAssertion, raiseNotBool } from "./calls";
import { Frame } from "./native";
import {
  ADD_OPERANDS,
  NOT_EQUAL,
  concatListOperands,
  concatPathOperands,
  concatStringOperands,
  divide,
  mayBeAdded,
  multiply,
} from "./operators";
import { setRaisingPc } from "./registers";

/** `${…}` in a string: paths are copied to the store. */
const INTERPOLATION_FLAGS: u32 = COPY_TO_STORE | CANONICAL_PATH;

/** Where the machine goes on. */
export let rarePc: Code = 0;
/** The builtin that does what the instruction could not, with its arguments below it, or 0. */
export let rareFrame: Frame = 0;

/** Runs the instruction at `at` with its operands below `operands`; returns the new top of the stack. */
export function runRare(at: Code, env: Address, operands: Address): Address {
  let pc = at;
  let top = operands;
  const word = load<u32>(pc);
  rareFrame = 0;
  switch (word & 0xff) {
    case OP_SET_PARENT_SLOT:
      top -= 4;
      setEnvSlot(envParent(env), operandOf(word), decompress(load<u32>(top)));
      pc += 4;
      break;
    case OP_UNDEFINED:
      setRaisingPc(pc + 12);
      raiseUndefined(load<u32>(pc, 4), load<u32>(pc, 8));
      break;
    case OP_IMPLIES: {
      pc += 8;
      const left = decompress(load<u32>(top - 4));
      if (left == TRUE) {
        top -= 4;
        break;
      }
      if (left != FALSE) raiseNotBool(left, pc);
      store<u32>(top - 4, compress(TRUE));
      pc += jumpBytes(word);
      break;
    }
    case OP_CHECK_BOOL: {
      pc += 8;
      const condition = decompress(load<u32>(top - 4));
      if (condition != TRUE && condition != FALSE) raiseNotBool(condition, pc);
      break;
    }
    case OP_ASSERT: {
      top -= 4;
      const condition = decompress(load<u32>(top));
      if (condition != TRUE) raiseAssertion(condition, pc);
      pc += 12;
      break;
    }
    case OP_COPY_OPERANDS:
      store<u32>(top, load<u32>(top - 8));
      store<u32>(top, load<u32>(top - 4), 4);
      top += 8;
      pc += 4;
      break;
    case OP_DROP_OPERANDS:
      top -= 8;
      pc += 4;
      break;
    case OP_EXPLAIN_DIFFERENCE:
      pc += 8;
      rareFrame = operatorFrame(top, EXPLAIN_DIFFERENCE, env, pc);
      break;
    case OP_NOT: {
      pc += 8;
      const condition = decompress(load<u32>(top - 4));
      if (condition != TRUE && condition != FALSE) raiseNotBool(condition, pc);
      store<u32>(top - 4, compress(condition == TRUE ? FALSE : TRUE));
      break;
    }
    case OP_CHECK_ADDEND:
      pc += 8;
      if (mayBeAdded(decompress(load<u32>(top - 4)))) break;
      store<u32>(top, compress(NULL));
      top += 4;
      rareFrame = operatorFrame(top, ADD_OPERANDS, env, pc);
      break;
    case OP_NOT_EQUAL: {
      pc += 8;
      const equal = equalNow(decompress(load<u32>(top - 8)), decompress(load<u32>(top - 4)));
      if (equal < 0) {
        rareFrame = operatorFrame(top, NOT_EQUAL, env, pc);
        break;
      }
      top -= 4;
      store<u32>(top - 4, compress(makeBool(equal == 0)));
      break;
    }
    case OP_MULTIPLY: {
      pc += 8;
      top -= 4;
      setRaisingPc(pc);
      store<u32>(top - 4, compress(multiply(decompress(load<u32>(top - 4)), decompress(load<u32>(top)))));
      break;
    }
    case OP_DIVIDE: {
      pc += 8;
      top -= 4;
      setRaisingPc(pc);
      store<u32>(top - 4, compress(divide(decompress(load<u32>(top - 4)), decompress(load<u32>(top)))));
      break;
    }
    case OP_CONCAT_LISTS:
      pc += 8;
      top -= 4;
      setRaisingPc(pc);
      store<u32>(top - 4, compress(concatListOperands(decompress(load<u32>(top - 4)), decompress(load<u32>(top)))));
      break;
    case OP_OPEN_LIST:
      store<u32>(top, compress(makeList(operandOf(word))));
      top += 4;
      pc += 4;
      break;
    case OP_SET_ITEM:
      top -= 4;
      setListItem(decompress(load<u32>(top - 4)), operandOf(word), decompress(load<u32>(top)));
      pc += 4;
      break;
    case OP_OPEN_ATTRS:
      store<u32>(top, compress(openAttrs(load<u32>(pc, 4))));
      top += 4;
      pc += 8;
      break;
    case OP_SET_ATTR:
      top -= 4;
      setAttrValue(decompress(load<u32>(top - 4)), operandOf(word), decompress(load<u32>(top)));
      pc += 4;
      break;
    case OP_ADD_DYNAMIC:
      pc += 8;
      top -= 8;
      setRaisingPc(pc);
      store<u32>(top - 4, compress(addDynamicAttr(decompress(load<u32>(top - 4)), decompress(load<u32>(top)), decompress(load<u32>(top + 4)), load<u32>(pc - 4))));
      break;
    case OP_OVERRIDE:
      pc += 4;
      top -= 4;
      setRaisingPc(pc);
      store<u32>(top - 4, compress(applyOverrides(decompress(load<u32>(top - 4)), decompress(load<u32>(top)), ancestor(env, operandOf(word)))));
      break;
    case OP_HAS: {
      const set = decompress(load<u32>(top - 4));
      store<u32>(top - 4, compress(makeBool(isAttrs(set) && findAttr(set, load<u32>(pc, 4)) != 0)));
      pc += 8;
      break;
    }
    case OP_INTERPOLATE: {
      pc += 8;
      const part = decompress(load<u32>(top - 4));
      if (isString(part)) break;
      setRaisingPc(pc);
      const text = coerceNow(part, INTERPOLATION_FLAGS);
      if (text == 0) {
        rareFrame = coercionFrame(top, INTERPOLATION_FLAGS, env, pc);
        break;
      }
      store<u32>(top - 4, compress(text));
      break;
    }
    case OP_INTERPOLATE_PATH: {
      pc += 8;
      const part = decompress(load<u32>(top - 4));
      if (isString(part)) break;
      setRaisingPc(pc);
      const text = coerceNow(part, CANONICAL_PATH);
      if (text == 0) {
        rareFrame = coercionFrame(top, CANONICAL_PATH, env, pc);
        break;
      }
      store<u32>(top - 4, compress(text));
      break;
    }
    case OP_CONCAT_STRINGS: {
      const count = operandOf(word);
      top -= count << 2;
      store<u32>(top, compress(concatStringOperands(top, count)));
      top += 4;
      pc += 4;
      break;
    }
    case OP_CONCAT_PATH: {
      const count = operandOf(word);
      pc += 8;
      top -= count << 2;
      setRaisingPc(pc);
      store<u32>(top, compress(concatPathOperands(top, count)));
      top += 4;
      break;
    }
    case OP_HOLE:
      raiseHole();
      break;
    case OP_LOAD_ENV:
      store<u32>(top, compress(env));
      top += 4;
      pc += 4;
      break;
    default:
      unreachable();
  }
  rarePc = pc;
  return top;
}
