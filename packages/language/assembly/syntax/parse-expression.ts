// Expressions that begin with a word or end in a body: functions of one name, `if`, `assert`, `with`, `let`.

import { Symbol, internBytes } from "../symbols/symbols";
import {
  AttrsNode, BinaryNode, IfNode, LambdaNode, NODE_ASSERT, NODE_IF, NODE_LAMBDA, NODE_LET, NODE_WITH, Node, ScopeNode,
  Table, makeNode, tableCount,
} from "./ast";
import { makeAttrs } from "./attrs-builder";
import {
  FRAME_ALTERNATIVE, FRAME_BODY, FRAME_CONDITION, FRAME_CONSEQUENT, FRAME_LAMBDA, FRAME_SUBJECT, popFrame,
  pushFrame, topFrame,
} from "./frames";
import { checkFormals, documentLambda } from "./lambdas";
import { nextToken, token, tokenDocumentation, tokenLength, tokenPosition, tokenStart } from "./lexer";
import { FORM_LET, FORM_LET_SET, FORM_SET, beginBindings, beginNamedBinding } from "./parse-bindings";
import { afterFormalName, afterFormals, beginFormals } from "./parse-formals";
import { makeNameNode } from "./parse-simple";
import { pass } from "./recovery";
import {
  STEP_AFTER_EXPRESSION, STEP_AFTER_SIMPLE, STEP_EXPRESSION, STEP_FORMALS, STEP_OPERAND, Step, result, setResult,
} from "./steps";
import { reportErrorText } from "./syntax-errors";
import {
  TOKEN_ASSERT, TOKEN_AT, TOKEN_CLOSE_BRACE, TOKEN_COLON, TOKEN_COMMA, TOKEN_ELLIPSIS, TOKEN_ELSE, TOKEN_IF, TOKEN_LET,
  TOKEN_NAME, TOKEN_OPEN_BRACE, TOKEN_QUESTION, TOKEN_SEMICOLON, TOKEN_THEN, TOKEN_WITH,
} from "./tokens";

/** A function whose body is being parsed. */
@unmanaged
class LambdaFrame {
  kind: u32;
  begin: u32;
  argument: Symbol;
  formals: Table;
  ellipsis: u32;
  documentation: u32;
}

@unmanaged
class IfFrame {
  kind: u32;
  begin: u32;
  condition: Node;
  consequent: Node;
}

/** `assert`, `with` or `let` (a kind of node); `subject` is what comes before the body. */
@unmanaged
class BodyFrame {
  kind: u32;
  begin: u32;
  form: u32;
  subject: Node;
}

export function beginExpression(): Step {
  switch (token) {
    case TOKEN_NAME: return beginWithName();
    case TOKEN_OPEN_BRACE: return beginWithBrace();
    case TOKEN_LET: return beginLet();
    case TOKEN_IF:
      pushFrame(FRAME_CONDITION, tokenPosition());
      nextToken();
      return STEP_EXPRESSION;
    case TOKEN_ASSERT: return beginSubject(NODE_ASSERT);
    case TOKEN_WITH: return beginSubject(NODE_WITH);
    default: return STEP_OPERAND;
  }
}

/** `x`, `x: …` or `x@{ … }: …` */
function beginWithName(): Step {
  const begin = tokenPosition();
  const documentation = tokenDocumentation;
  const name = internBytes(tokenStart, tokenLength());
  nextToken();
  if (token == TOKEN_COLON) {
    nextToken();
    const frame = changetype<LambdaFrame>(pushFrame(FRAME_LAMBDA, begin));
    frame.argument = name;
    frame.formals = 0;
    frame.ellipsis = 0;
    frame.documentation = documentation;
    return STEP_EXPRESSION;
  }
  if (token == TOKEN_AT) {
    nextToken();
    beginFormals(begin, name, documentation);
    pass(TOKEN_OPEN_BRACE);
    return STEP_FORMALS;
  }
  setResult(makeNameNode(name, begin), begin);
  return STEP_AFTER_SIMPLE;
}

/** A set, or the formals of a function: the second or third token tells. */
function beginWithBrace(): Step {
  const begin = tokenPosition();
  const documentation = tokenDocumentation;
  nextToken();
  if (token == TOKEN_ELLIPSIS) {
    beginFormals(begin, 0, documentation);
    return STEP_FORMALS;
  }
  if (token == TOKEN_CLOSE_BRACE) return beginWithEmptyBraces(begin, documentation);
  if (token != TOKEN_NAME) return beginBindings(begin, FORM_SET);
  const position = tokenPosition();
  const nameDocumentation = tokenDocumentation;
  const name = internBytes(tokenStart, tokenLength());
  nextToken();
  if (token == TOKEN_COMMA || token == TOKEN_QUESTION || token == TOKEN_CLOSE_BRACE) {
    beginFormals(begin, 0, documentation);
    return afterFormalName(name, position);
  }
  return beginNamedBinding(begin, name, position, nameDocumentation);
}

function beginWithEmptyBraces(begin: u32, documentation: u32): Step {
  nextToken();
  if (token == TOKEN_COLON || token == TOKEN_AT) {
    beginFormals(begin, 0, documentation);
    return afterFormals();
  }
  setResult(makeAttrs(begin), begin);
  return STEP_AFTER_SIMPLE;
}

function beginLet(): Step {
  const begin = tokenPosition();
  nextToken();
  if (token != TOKEN_OPEN_BRACE) return beginBindings(begin, FORM_LET);
  nextToken();
  return beginBindings(begin, FORM_LET_SET);
}

function beginSubject(form: u32): Step {
  const frame = changetype<BodyFrame>(pushFrame(FRAME_SUBJECT, tokenPosition()));
  frame.form = form;
  nextToken();
  return STEP_EXPRESSION;
}

/** A condition, consequent, or what is between `assert` or `with` and the semicolon is parsed. */
export function resumeExpression(kind: u32): Step {
  const frame = changetype<IfFrame>(topFrame());
  if (kind == FRAME_CONDITION) {
    frame.condition = result;
    pass(TOKEN_THEN);
    frame.kind = FRAME_CONSEQUENT;
  } else if (kind == FRAME_CONSEQUENT) {
    frame.consequent = result;
    pass(TOKEN_ELSE);
    frame.kind = FRAME_ALTERNATIVE;
  } else {
    changetype<BodyFrame>(topFrame()).subject = result;
    pass(TOKEN_SEMICOLON);
    frame.kind = FRAME_BODY;
  }
  return STEP_EXPRESSION;
}

export function finishIf(): Step {
  const frame = changetype<IfFrame>(popFrame());
  const node = makeNode(NODE_IF, frame.begin, offsetof<IfNode>());
  const made = changetype<IfNode>(node);
  made.condition = frame.condition;
  made.consequent = frame.consequent;
  made.alternative = result;
  setResult(node, frame.begin);
  return STEP_AFTER_EXPRESSION;
}

/** The body of a `let` with these bindings comes next. */
export function beginLetBody(begin: u32, attrs: Node): Step {
  const frame = changetype<BodyFrame>(pushFrame(FRAME_BODY, begin));
  frame.form = NODE_LET;
  frame.subject = attrs;
  return STEP_EXPRESSION;
}

/** The body of `assert`, `with` or `let` is parsed. */
export function finishBody(): Step {
  const frame = changetype<BodyFrame>(popFrame());
  if (frame.form == NODE_ASSERT) {
    const node = makeNode(NODE_ASSERT, frame.begin, offsetof<BinaryNode>());
    changetype<BinaryNode>(node).left = frame.subject;
    changetype<BinaryNode>(node).right = result;
    setResult(node, frame.begin);
    return STEP_AFTER_EXPRESSION;
  }
  const isLet = frame.form == NODE_LET;
  if (isLet && tableCount(changetype<AttrsNode>(frame.subject).dynamics) != 0) {
    reportErrorText(frame.begin, "dynamic attributes not allowed in let");
  }
  const node = makeNode(frame.form, isLet ? 0 : frame.begin, offsetof<ScopeNode>());
  changetype<ScopeNode>(node).attrs = frame.subject;
  changetype<ScopeNode>(node).body = result;
  setResult(node, frame.begin);
  return STEP_AFTER_EXPRESSION;
}

/** The body of a function is parsed. */
export function finishLambda(): Step {
  const frame = changetype<LambdaFrame>(popFrame());
  if (frame.formals != 0) checkFormals(frame.formals, frame.argument, frame.begin);
  const node = makeNode(NODE_LAMBDA, frame.begin, offsetof<LambdaNode>());
  const lambda = changetype<LambdaNode>(node);
  lambda.argument = frame.argument;
  lambda.formals = frame.formals;
  lambda.ellipsis = frame.ellipsis;
  lambda.body = result;
  lambda.name = 0;
  lambda.documentation = 0;
  documentLambda(node, frame.documentation);
  setResult(node, frame.begin);
  return STEP_AFTER_EXPRESSION;
}
