// The machine: runs code until the evaluation is done, the host is needed, or it is time to let the collector look.
//
// One loop, three parts. An instruction either finishes by itself (`continue`), or leaves a builtin to be called in `f`,
// or a value to be pushed in forced form in `value`. Nothing here recurses: what waits is a record on the machine's stack
// (stack.ts), so depth costs sixteen bytes and evaluation can stop at any instruction that waits.
//
// The registers live in local variables; they are saved when `run` is left, and `raisingPc` before anything that may
// raise an error. The loop is left now and then (YIELD) even when nothing is wanted: engines replace the code of a
// function by a faster one only when it is entered.

import { Address, OWNER_PERMANENT, ownerOf } from "../memory/chunks";
import { collect } from "../memory/collect";
import { isStressed } from "../memory/stress";
import { REGION_OWN, foreignOwner, region, switchRegion } from "../memory/heap";
import { copyWords } from "../memory/words";
import { compress, decompress } from "../memory/pointers";
import { FALSE, TRUE, makeBool } from "../values/constants";
import { ancestor, envParent, envSlot, makeEnv, makeEnv1, setEnvSlot } from "../values/env";
import { NO_INDEX, attrValue, findKey, keysOf } from "../values/attrs";
import { lambdaBlock, lambdaEnv, makeLambda } from "../values/function";
import { makeList, listItems } from "../values/list";
import { floatOf, isFloat, makeFloat, makeInt } from "../values/number";
import { APPLY_ENTERED, applyArgument, applyArguments, applyCallee, applyCount, forward, makeThunk } from "../values/thunk";
import {
  KIND_LAMBDA,
  TAG_APPLY,
  TAG_ENTERED,
  TAG_FORWARD,
  TAG_MASK,
  TAG_SUSPENDED,
  Value,
  isAttrs,
  isKind,
  isString,
  isWhnf,
  resolve,
} from "../values/value";
import { EQUAL, equalNow } from "../operations/equality";
import { LESS_THAN, compareNow } from "../operations/comparison";
import {
  OP_ADD,
  OP_AND,
  OP_ARGUMENT,
  OP_ATTRS,
  OP_ATTRS_FROM_ENV,
  OP_BIND_FORMALS,
  OP_CALL,
  OP_CONSTANT,
  OP_EQUAL,
  OP_FORCE,
  OP_GET,
  OP_GET_0,
  OP_GET_1,
  OP_GET_2,
  OP_HALT,
  OP_HAS_DYNAMIC,
  OP_JUMP,
  OP_JUMP_IF_FALSE,
  OP_LAMBDA,
  OP_LEAVE_ENV,
  OP_LESS_THAN,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_0,
  OP_LOAD_1,
  OP_LOAD_2,
  OP_NEW_ENV,
  OP_NIP,
  OP_OR,
  OP_RESUME,
  OP_RETURN,
  OP_SELECT,
  OP_SELECT_DYNAMIC,
  OP_SELECT_DYNAMIC_OR,
  OP_SELECT_OR,
  OP_SET_SLOT,
  OP_SUBTRACT,
  OP_THUNK,
  OP_UPDATE,
  OP_WITH_SELECT,
  Block,
  Code,
  blockEntry,
  isSharedFunction,
  jumpBytes,
  operandOf,
} from "../compile/code";
import { ADD_OPERANDS, concatStringOperands, subtract, updateOperands } from "./operators";
import {
  attrsFromEnv,
  attrsFromOperands,
  bindFormals,
  hasDynamicAttr,
  selectDynamic,
  selectDynamicOr,
  selectFrom,
  selectFromWith,
} from "./attributes";
import {
  functorOf,
  makeRoom,
  missingArguments,
  pushPartial,
  putRecordBelowCall,
  raiseCallDepth,
  raiseNotBool,
  spreadPartial,
} from "./calls";
import { beginStep } from "./recovery";
import { waitForThunk } from "./waiting";
import { prepareArguments, unforcedArgument } from "./builtin-call";
import {
  ACTION_CALL,
  ACTION_FORCE,
  ACTION_HOST,
  ACTION_NATIVE,
  Frame,
  Primop,
  STEP_RETURN_AWAITED,
  action,
  actionArguments,
  actionCount,
  actionSubject,
  frameEnv,
  framePc,
  frameSize,
  initializeFrame,
  primopOf,
  setAwaited,
  step,
} from "./native";
import {
  env as savedEnv,
  pc as savedPc,
  countBuiltinCall,
  countCall,
  countLookup,
  countThunk,
  fuelOfRun,
  maximumCallDepth,
  saveRegisters,
  setRaisingFrame,
  setRaisingPc,
} from "./registers";
import {
  CALL_TARGET,
  PLAIN_TARGET,
  RECORD_SIZE,
  REGION_TARGET,
  callDepth,
  previousRecord,
  record,
  recordEnv,
  recordPc,
  recordTarget,
  setCallDepth,
  setRecord,
  setSp,
  stackLimit,
  writeRecord,
  sp as savedSp,
} from "./stack";
import { rareFrame, rarePc, runRare } from "./rare-instructions";
import { operatorFrame, sharedCallFrame } from "./builtin-frames";
import { ARGUMENT_CODE, RESUME_CODE, RETURN_CODE, applyCode } from "./static-code";

/** The evaluation that the host asked for is done: its value is on top of the stack. */
export const STATUS_DONE: u32 = 0;
/** A builtin waits for an answer of the host. */
export const STATUS_HOST: u32 = 1;
/** Time to let others look; run on. */
export const STATUS_YIELD: u32 = 2;

/** Another fiber is evaluating what is needed here (fibers.ts). */
export const STATUS_BLOCKED: u32 = 3;

/** Runs from the saved registers on. */
export function run(): u32 {
  let pc = savedPc;
  let env = savedEnv;
  let top = savedSp;
  let fuel = fuelOfRun;
  /** Whether the builtin in `f` has its arguments already. */
  let prepared = false;

  while (true) {
    if (!ASC_NO_ASSERT && isStressed()) {
      saveRegisters(pc, env);
      setSp(top);
      collect();
      env = savedEnv;
      top = savedSp;
    }
    let value: Value = 0;
    let f: Frame = 0;
    const word = load<u32>(pc);
    switch (word & 0xff) {
      case OP_CONSTANT:
        store<u32>(top, load<u32>(pc, 4));
        top += 4;
        pc += 8;
        continue;
      case OP_LOAD_0:
        store<u32>(top, compress(envSlot(env, operandOf(word))));
        top += 4;
        pc += 4;
        continue;
      case OP_LOAD_1:
        store<u32>(top, compress(envSlot(envParent(env), operandOf(word))));
        top += 4;
        pc += 4;
        continue;
      case OP_LOAD_2:
        store<u32>(top, compress(envSlot(envParent(envParent(env)), operandOf(word))));
        top += 4;
        pc += 4;
        continue;
      case OP_LOAD:
        store<u32>(top, compress(envSlot(ancestor(env, operandOf(word)), load<u32>(pc, 4))));
        top += 4;
        pc += 8;
        continue;
      case OP_FORCE:
        pc += 8;
        top -= 4;
        value = decompress(load<u32>(top));
        break;
      case OP_GET_0:
        pc += 8;
        value = envSlot(env, operandOf(word));
        break;
      case OP_GET_1:
        pc += 8;
        value = envSlot(envParent(env), operandOf(word));
        break;
      case OP_GET_2:
        pc += 8;
        value = envSlot(envParent(envParent(env)), operandOf(word));
        break;
      case OP_GET:
        value = envSlot(ancestor(env, operandOf(word)), load<u32>(pc, 4));
        pc += 12;
        break;
      case OP_THUNK:
        countThunk();
        store<u32>(top, compress(makeThunk(load<u32>(pc, 4), env)));
        top += 4;
        pc += 8;
        continue;
      case OP_LAMBDA:
        store<u32>(top, compress(makeLambda(load<u32>(pc, 4), env)));
        top += 4;
        pc += 8;
        continue;
      case OP_RETURN: {
        const result = decompress(load<u32>(top - 4));
        const done = record;
        const target = recordTarget(done);
        if (target == CALL_TARGET) setCallDepth(callDepth - 1);
        else if ((target & 1) == 0) forward(target, result);
        else if (target == REGION_TARGET) switchRegion();
        else if (target != PLAIN_TARGET) setCallDepth(callDepth - 1);
        env = recordEnv(done);
        pc = recordPc(done);
        setRecord(previousRecord(done));
        store<u32>(done, compress(result));
        top = done + 4;
        continue;
      }

      case OP_NEW_ENV:
        env = makeEnv(operandOf(word), env);
        pc += 4;
        continue;
      case OP_SET_SLOT:
        top -= 4;
        setEnvSlot(env, operandOf(word), decompress(load<u32>(top)));
        pc += 4;
        continue;
      case OP_LEAVE_ENV:
        env = envParent(env);
        pc += 4;
        continue;
      case OP_BIND_FORMALS:
        top -= 4;
        setRaisingPc(pc);
        env = bindFormals(load<u32>(pc, 4), decompress(load<u32>(top)), env, pc);
        pc += 8;
        continue;
      case OP_WITH_SELECT: {
        const set = decompress(load<u32>(top - 4));
        let found: Value = 0;
        if (isAttrs(set) && keysOf(set) == load<u32>(pc, 8)) {
          const index = load<i32>(pc, 12);
          if (index != NO_INDEX) found = attrValue(set, <u32>index);
        } else {
          setRaisingPc(pc);
          found = selectFromWith(set, load<u32>(pc, 4), pc);
        }
        pc += 16;
        if (found == 0) {
          top -= 4;
        } else {
          store<u32>(top - 4, compress(found));
          pc += jumpBytes(word);
        }
        continue;
      }
      case OP_JUMP:
        pc += 4 + jumpBytes(word);
        continue;
      case OP_JUMP_IF_FALSE: {
        top -= 4;
        pc += 8;
        const condition = decompress(load<u32>(top));
        if (condition == TRUE) continue;
        if (condition != FALSE) raiseNotBool(condition, pc);
        pc += jumpBytes(word);
        continue;
      }
      case OP_AND: {
        pc += 8;
        const left = decompress(load<u32>(top - 4));
        if (left == TRUE) {
          top -= 4;
          continue;
        }
        if (left != FALSE) raiseNotBool(left, pc);
        pc += jumpBytes(word);
        continue;
      }
      case OP_OR: {
        pc += 8;
        const left = decompress(load<u32>(top - 4));
        if (left == FALSE) {
          top -= 4;
          continue;
        }
        if (left != TRUE) raiseNotBool(left, pc);
        pc += jumpBytes(word);
        continue;
      }
      case OP_EQUAL: {
        pc += 8;
        const equal = equalNow(decompress(load<u32>(top - 8)), decompress(load<u32>(top - 4)));
        if (equal < 0) {
          f = operatorFrame(top, EQUAL, env, pc);
          break;
        }
        top -= 4;
        store<u32>(top - 4, compress(makeBool(equal != 0)));
        continue;
      }
      case OP_ADD: {
        pc += 8;
        const left = decompress(load<u32>(top - 8));
        const right = decompress(load<u32>(top - 4));
        if ((left & right & 1) != 0) {
          top -= 4;
          store<u32>(top - 4, compress(makeInt(<i64>(<i32>left >> 1) + <i64>(<i32>right >> 1))));
        } else if (isString(left) && isString(right)) {
          top -= 4;
          store<u32>(top - 4, compress(concatStringOperands(top - 4, 2)));
        } else if (isFloat(left) && isFloat(right)) {
          top -= 4;
          store<u32>(top - 4, compress(makeFloat(floatOf(left) + floatOf(right))));
        } else {
          f = operatorFrame(top, ADD_OPERANDS, env, pc);
          break;
        }
        continue;
      }
      case OP_SUBTRACT: {
        pc += 8;
        top -= 4;
        const left = decompress(load<u32>(top - 4));
        const right = decompress(load<u32>(top));
        if ((left & right & 1) != 0) {
          store<u32>(top - 4, compress(makeInt(<i64>(<i32>left >> 1) - <i64>(<i32>right >> 1))));
        } else {
          setRaisingPc(pc);
          store<u32>(top - 4, compress(subtract(left, right)));
        }
        continue;
      }
      case OP_LESS_THAN: {
        pc += 8;
        const left = decompress(load<u32>(top - 8));
        const right = decompress(load<u32>(top - 4));
        let order: i32;
        if ((left & right & 1) != 0) {
          order = <i32>left < <i32>right ? -1 : 1;
        } else {
          order = compareNow(left, right);
          if (order == 2) {
            f = operatorFrame(top, LESS_THAN, env, pc);
            break;
          }
        }
        top -= 4;
        store<u32>(top - 4, compress(makeBool(order < 0)));
        continue;
      }
      case OP_UPDATE:
        pc += 8;
        top -= 4;
        setRaisingPc(pc);
        store<u32>(top - 4, compress(updateOperands(decompress(load<u32>(top)), decompress(load<u32>(top - 4)))));
        continue;
      case OP_LIST: {
        const count = operandOf(word);
        const list = makeList(count);
        top -= count << 2;
        copyWords(listItems(list), top, count);
        store<u32>(top, compress(list));
        top += 4;
        pc += 4;
        continue;
      }
      case OP_ATTRS: {
        const keys = load<u32>(pc, 4);
        top = attrsFromOperands(keys, top);
        pc += 8;
        continue;
      }
      case OP_ATTRS_FROM_ENV:
        store<u32>(top, compress(attrsFromEnv(load<u32>(pc, 4), ancestor(env, operandOf(word)))));
        top += 4;
        pc += 8;
        continue;
      case OP_SELECT: {
        countLookup();
        const set = decompress(load<u32>(top - 4));
        let selected: Value;
        if (isAttrs(set) && keysOf(set) == load<u32>(pc, 8)) {
          selected = attrValue(set, load<u32>(pc, 12));
        } else {
          setRaisingPc(pc + 20);
          selected = selectFrom(set, load<u32>(pc, 4), pc);
        }
        if (isWhnf(selected)) {
          store<u32>(top - 4, compress(selected));
          pc += 24;
          continue;
        }
        if ((load<u32>(selected) & TAG_MASK) == TAG_FORWARD) {
          store<u32>(top - 4, load<u32>(selected, 4));
          pc += 24;
          continue;
        }
        pc += 20;
        value = selected;
        break;
      }
      case OP_NIP:
        top -= 4;
        store<u32>(top - 4, load<u32>(top));
        pc += 4;
        continue;
      case OP_SELECT_OR: {
        countLookup();
        const set = decompress(load<u32>(top - 4));
        let selected: Value = 0;
        if (isAttrs(set)) {
          const keys = keysOf(set);
          if (keys == load<u32>(pc, 8)) {
            selected = attrValue(set, load<u32>(pc, 12));
          } else {
            const index = findKey(keys, load<u32>(pc, 4));
            if (index >= 0) {
              selected = attrValue(set, <u32>index);
              if (ownerOf(keys) == OWNER_PERMANENT) {
                store<u32>(pc, <u32>keys, 8);
                store<u32>(pc, <u32>index, 12);
              }
            }
          }
        }
        pc += 16;
        if (selected != 0) {
          store<u32>(top - 4, compress(selected));
        } else {
          top -= 4;
          pc += jumpBytes(word);
        }
        continue;
      }
      case OP_SELECT_DYNAMIC:
        countLookup();
        pc += 8;
        top -= 4;
        setRaisingPc(pc);
        value = selectDynamic(decompress(load<u32>(top - 4)), decompress(load<u32>(top)), load<u32>(pc - 4));
        break;
      case OP_SELECT_DYNAMIC_OR: {
        countLookup();
        pc += 8;
        top -= 4;
        setRaisingPc(pc);
        const selected = selectDynamicOr(decompress(load<u32>(top - 4)), decompress(load<u32>(top)));
        if (selected != 0) {
          store<u32>(top - 4, compress(selected));
        } else {
          top -= 4;
          pc += jumpBytes(word);
        }
        continue;
      }
      case OP_HAS_DYNAMIC:
        pc += 8;
        top -= 4;
        setRaisingPc(pc);
        store<u32>(top - 4, compress(hasDynamicAttr(decompress(load<u32>(top - 4)), decompress(load<u32>(top)))));
        continue;

      case OP_CALL: {
        if (--fuel == 0) {
          saveRegisters(pc, env);
          setSp(top);
          return STATUS_YIELD;
        }
        const callee = decompress(load<u32>(top - 4));
        if (isKind(callee, KIND_LAMBDA)) {
          pc += 8;
          countCall();
          top -= 8;
          let argument = decompress(load<u32>(top));
          let block = lambdaBlock(callee);
          let scope = lambdaEnv(callee);
          // A function that only returns a function takes its argument here, and the next call with it.
          for (let more = operandOf(word); more > 1 && returnsLambda(block); more--) {
            scope = makeEnv1(argument, scope);
            block = returnedLambda(block);
            top -= 4;
            argument = decompress(load<u32>(top));
            pc += 8;
            countCall();
          }
          if (region == REGION_OWN && changetype<Block>(block).formals != 0 && isSharedFunction(changetype<Block>(block).formals)) {
            f = sharedCallFrame(top, callee, env, pc);
            break;
          }
          if (top > stackLimit) {
            top = makeRoom(top);
            fuel = 1;
          }
          if (callDepth > maximumCallDepth) {
            setRaisingPc(pc);
            raiseCallDepth();
          }
          setCallDepth(callDepth + 1);
          writeRecord(top, CALL_TARGET, env, pc);
          top += RECORD_SIZE;
          if (changetype<Block>(block).formals == 0) {
            env = makeEnv1(argument, scope);
          } else {
            env = scope;
            store<u32>(top, compress(argument));
            top += 4;
          }
          pc = blockEntry(block);
          continue;
        }
        setRaisingPc(pc + 8);
        const count = operandOf(word);
        const missing = missingArguments(callee);
        if (missing == 0) {
          // Not a builtin: a set with `__functor`, or an error. Two arguments, the set and its own.
          value = functorOf(callee);
          top = putRecordBelowCall(top, env, pc + 8);
          pc = applyCode(2);
          break;
        }
        if (count < missing) {
          pc += count << 3;
          top = pushPartial(top, callee, count);
          continue;
        }
        pc += missing << 3;
        f = spreadPartial(top, callee);
        initializeFrame(f, primopOf(f), env, pc);
        countBuiltinCall();
        break;
      }

      case OP_RESUME: {
        const result = decompress(load<u32>(top - 4));
        f = top - 4 - frameSize(changetype<Primop>(env));
        if (step(f) == STEP_RETURN_AWAITED) {
          value = result;
          top = f - (primopOf(f).arity << 2);
          pc = framePc(f);
          env = frameEnv(f);
          f = 0;
          break;
        }
        setAwaited(result);
        prepared = true;
        break;
      }
      case OP_ARGUMENT:
        f = top - 4 - frameSize(changetype<Primop>(env));
        break;
      case OP_HALT:
        saveRegisters(pc, env);
        setSp(top);
        return STATUS_DONE;
      default:
        top = runRare(pc, env, top);
        pc = rarePc;
        f = rareFrame;
        if (f == 0) continue;
    }

    // A builtin: until one has a value, or has to wait for one.
    while (f != 0) {
      const primop = primopOf(f);
      setRaisingPc(framePc(f));
      setRaisingFrame(f);
      if (!prepared && !prepareArguments(f, primop)) {
        value = unforcedArgument;
        top = f + frameSize(primop);
        env = changetype<usize>(primop);
        pc = ARGUMENT_CODE;
        break;
      }
      prepared = false;
      beginStep();
      const result = call_indirect<Value>(primop.handler, f);
      if (result != 0) {
        value = result;
        top = f - (primop.arity << 2);
        pc = framePc(f);
        env = frameEnv(f);
        break;
      }
      top = f + frameSize(primop);
      env = changetype<usize>(primop);
      pc = RESUME_CODE;
      if (action == ACTION_FORCE) {
        value = actionSubject;
        break;
      }
      if (action == ACTION_HOST) {
        saveRegisters(pc, env);
        setSp(top);
        setRaisingFrame(0);
        return STATUS_HOST;
      }
      if (top > stackLimit) {
        top = makeRoom(top);
        fuel = 1;
      }
      // A function with a name for its argument is entered at once; everything else goes the way of OP_CALL.
      if (action == ACTION_CALL && fuel > 1 && callDepth <= maximumCallDepth && entersAtOnce(actionSubject, actionCount)) {
        fuel--;
        writeRecord(top, CALL_TARGET, env, pc);
        top += RECORD_SIZE;
        env = enterAtOnce(actionSubject, actionCount, actionArguments);
        pc = enteredCode;
        break;
      }
      const counted = action == ACTION_NATIVE;
      if (counted) {
        if (callDepth >= maximumCallDepth) raiseCallDepth();
        setCallDepth(callDepth + 1);
      }
      writeRecord(top, counted ? CALL_TARGET : PLAIN_TARGET, env, pc);
      top = pushActionArguments(top + RECORD_SIZE);
      if (!counted) {
        value = actionSubject;
        pc = applyCode(actionCount);
        break;
      }
      f = top;
      store<u32>(f, compress(actionSubject));
      initializeFrame(f, primopOf(f), 0, RETURN_CODE);
    }
    setRaisingFrame(0);
    if (value == 0) continue;

    // A value: pushed as it is, or entered if it is a thunk.
    while (true) {
      if (isWhnf(value)) {
        store<u32>(top, compress(value));
        top += 4;
        break;
      }
      const state = load<u32>(value);
      const tag = state & TAG_MASK;
      if (tag == TAG_FORWARD) {
        store<u32>(top, load<u32>(value, 4));
        top += 4;
        break;
      }
      if (top > stackLimit) {
        top = makeRoom(top);
        fuel = 1;
      }
      if (tag == TAG_SUSPENDED) {
        if (ownerOf(value) == foreignOwner) {
          top = crossRegion(top, env, pc);
          pc = RETURN_CODE;
        }
        writeRecord(top, value, env, pc);
        top += RECORD_SIZE;
        env = decompress(load<u32>(value, 4));
        pc = state;
        store<u32>(value, state | TAG_ENTERED);
        break;
      }
      setRaisingPc(pc);
      if (tag != TAG_APPLY || (state & APPLY_ENTERED) != 0) {
        waitForThunk(value, top, env, pc);
        return STATUS_BLOCKED;
      }
      if (ownerOf(value) == foreignOwner) {
        top = crossRegion(top, env, pc);
        pc = RETURN_CODE;
      }
      writeRecord(top, value, env, pc);
      top += RECORD_SIZE;
      store<u32>(value, state | APPLY_ENTERED);
      if (fuel > 1 && callDepth <= maximumCallDepth && entersAtOnce(applyCallee(value), applyCount(value))) {
        fuel--;
        writeRecord(top, CALL_TARGET, 0, RETURN_CODE);
        top += RECORD_SIZE;
        env = enterAtOnce(applyCallee(value), applyCount(value), applyArguments(value));
        pc = enteredCode;
        break;
      }
      top = pushApplyArguments(top, value);
      pc = applyCode(applyCount(value));
      value = applyCallee(value);
    }
  }
  return STATUS_DONE;
}

/** Before a thunk of the other region is entered: cells are made there until its value is known. Gives the stack's new top. */
function crossRegion(top: Address, env: Address, pc: Code): Address {
  writeRecord(top, REGION_TARGET, env, pc);
  switchRegion();
  return top + RECORD_SIZE;
}

/** Whether the code of a block is nothing but a lambda: the outer one of `x: y: …`. */
@inline
export function returnsLambda(block: Address): bool {
  const code = blockEntry(block);
  return (load<u32>(code) & 0xff) == OP_LAMBDA && (load<u32>(code, 8) & 0xff) == OP_RETURN;
}

/** The inner lambda of such a block. */
@inline
export function returnedLambda(block: Address): Address {
  return load<u32>(blockEntry(block), 4);
}

/** Whether a builtin's call of `callee` is nothing but entering a function, all arguments being names. */
function entersAtOnce(callee: Value, count: u32): bool {
  const f = resolve(callee);
  if (!isKind(f, KIND_LAMBDA)) return false;
  const block = lambdaBlock(f);
  if (changetype<Block>(block).formals != 0) return false;
  if (count == 1) return true;
  return count == 2 && returnsLambda(block) && changetype<Block>(returnedLambda(block)).formals == 0;
}

/** Where `enterAtOnce` leads. */
let enteredCode: Code = 0;

/** Counts such a call, makes its environment and returns it; `enteredCode` is where it goes on. */
function enterAtOnce(callee: Value, count: u32, args: Address): Address {
  const f = resolve(callee);
  let block = lambdaBlock(f);
  let scope = makeEnv1(decompress(load<u32>(args)), lambdaEnv(f));
  countCall();
  if (count == 2) {
    block = returnedLambda(block);
    scope = makeEnv1(decompress(load<u32>(args, 4)), scope);
    countCall();
  }
  setCallDepth(callDepth + 1);
  enteredCode = blockEntry(block);
  return scope;
}

/** Pushes the arguments of the call that a builtin awaits, the last one first. */
function pushActionArguments(at: Address): Address {
  let top = at;
  for (let i = actionCount; i > 0; i--) {
    store<u32>(top, load<u32>(actionArguments + ((i - 1) << 2)));
    top += 4;
  }
  return top;
}

function pushApplyArguments(at: Address, thunk: Value): Address {
  let top = at;
  for (let i = applyCount(thunk); i > 0; i--) {
    store<u32>(top, compress(applyArgument(thunk, i - 1)));
    top += 4;
  }
  return top;
}
