// The parser of the Nix language: from bytes to the tree of ast.ts, as Nix 2.35 reads them.
//
// It is a recursive descent with precedence climbing whose recursion was unrolled: what is begun waits in a frame
// (frames.ts), and each construct's functions say which step comes next (steps.ts). Depth therefore costs memory only.
// Positions, messages and the moment at which a rule is checked are those of Nix's grammar.
//
// It does not stop at an error. Errors and warnings are data (syntax-errors.ts); where something could not be parsed the
// tree has a NODE_ERROR. Only a tree without errors may be compiled.

import { Address } from "../memory/chunks";
import { Value } from "../values/value";
import { Node } from "./ast";
import { finishAttrs, resetAttrs } from "./attrs-builder";
import {
  FRAME_ALTERNATIVE, FRAME_ATTR_PATH, FRAME_BINDING, FRAME_BODY, FRAME_CONDITION, FRAME_CONSEQUENT, FRAME_FORMALS,
  FRAME_INHERIT, FRAME_LAMBDA, FRAME_PARENS, FRAME_ROOT, FRAME_SUBJECT, FRAME_TEXT, pushFrame, resetFrames, topFrameKind,
} from "./frames";
import { startLexer, token, tokenPosition } from "./lexer";
import { continueAttrPath, resumeAttrName } from "./parse-attr-path";
import { FORM_SOURCE, beginBindings, continueBindings, finishBinding, setSourceForm } from "./parse-bindings";
import { beginExpression, finishBody, finishIf, finishLambda, resumeExpression } from "./parse-expression";
import { continueFormals, resumeFormals } from "./parse-formals";
import { continueInherit, resumeInherit } from "./parse-inherit";
import { afterOperand, beginOperand } from "./parse-operators";
import { afterSelect, afterSimple, beginSimple, finishParens, initializeSimple } from "./parse-simple";
import { resumeText } from "./parse-text";
import { setBasePath } from "./path-literals";
import { sourceAt } from "./positions";
import { reach, resetRecovery } from "./recovery";
import {
  STEP_AFTER_OPERAND, STEP_AFTER_SELECT, STEP_AFTER_SIMPLE, STEP_ATTR_PATH, STEP_BINDINGS, STEP_DONE, STEP_EXPRESSION,
  STEP_FORMALS, STEP_INHERIT, STEP_OPERAND, STEP_SIMPLE, Step, result,
} from "./steps";
import { resetSyntaxErrors } from "./syntax-errors";
import { TOKEN_END } from "./tokens";

/**
 * Parses a source and returns the root of its tree, which is in the arena. `source` is its number (positions.ts),
 * `basePath` the PATH of the directory that relative paths begin at. With `bindings` the source is the inside of a set,
 * whose last semicolon may be missing.
 */
export function parseSource(text: Address, length: u32, source: u32, basePath: Value, bindings: bool): Node {
  resetSyntaxErrors();
  resetRecovery();
  resetFrames();
  resetAttrs();
  initializeSimple();
  setBasePath(basePath);
  startLexer(text, length, sourceAt(source).start);
  pushFrame(FRAME_ROOT, tokenPosition());
  setSourceForm(bindings);
  let step = bindings ? beginBindings(tokenPosition(), FORM_SOURCE) : STEP_EXPRESSION;
  while (step != STEP_DONE) step = run(step);
  finishAttrs();
  return result;
}

function run(step: Step): Step {
  switch (step) {
    case STEP_EXPRESSION: return beginExpression();
    case STEP_OPERAND: return beginOperand();
    case STEP_SIMPLE: return beginSimple();
    case STEP_AFTER_SIMPLE: return afterSimple();
    case STEP_AFTER_SELECT: return afterSelect();
    case STEP_AFTER_OPERAND: return afterOperand();
    case STEP_ATTR_PATH: return continueAttrPath();
    case STEP_BINDINGS: return continueBindings();
    case STEP_INHERIT: return continueInherit();
    case STEP_FORMALS: return continueFormals();
    default: return resume();
  }
}

/** Hands an expression to what it is part of. */
function resume(): Step {
  const kind = topFrameKind();
  switch (kind) {
    case FRAME_BINDING: return finishBinding();
    case FRAME_PARENS: return finishParens();
    case FRAME_TEXT: return resumeText();
    case FRAME_LAMBDA: return finishLambda();
    case FRAME_BODY: return finishBody();
    case FRAME_ALTERNATIVE: return finishIf();
    case FRAME_CONDITION:
    case FRAME_CONSEQUENT:
    case FRAME_SUBJECT: return resumeExpression(kind);
    case FRAME_FORMALS: return resumeFormals();
    case FRAME_ATTR_PATH: return resumeAttrName();
    case FRAME_INHERIT: return resumeInherit();
    default:
      // The root: nothing may follow, and what follows an error does not matter.
      if (token != TOKEN_END) reach(TOKEN_END);
      return STEP_DONE;
  }
}
