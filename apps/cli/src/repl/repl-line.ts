/**
 * What a line at the prompt is: a command, bindings, or an expression. It is parsed in the scope of the prompt; where it ends
 * too early, another line is wanted.
 */
import { EvaluationError, type Program } from '@neve/eval';
import { type ReplCommand, findCommand } from './repl-commands.ts';
import type { ReplScope } from './repl-scope.ts';

export type ReplLine =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'expression'; readonly program: Program }
  | { readonly kind: 'bindings'; readonly program: Program }
  | {
      readonly kind: 'command';
      readonly command: ReplCommand;
      readonly argument: string;
      /** Of commands that take an expression. */
      readonly program: Program | undefined;
    }
  /** It is wrong, and no further line would help. */
  | { readonly kind: 'wrong'; readonly error: unknown };

/** `undefined` where the line is not complete. */
export async function readReplLine(input: string, scope: ReplScope): Promise<ReplLine | undefined> {
  const text = input.trim();
  if (text === '') return { kind: 'nothing' };
  try {
    return text.startsWith(':') ? await readCommand(text, scope) : await readProgram(text, scope);
  } catch (error) {
    return isIncomplete(error) ? undefined : { kind: 'wrong', error };
  }
}

async function readCommand(text: string, scope: ReplScope): Promise<ReplLine> {
  const [, name = '', argument = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const command = findCommand(name);
  if (command === undefined) return { kind: 'wrong', error: replError(`unknown command '${name}'`) };
  const program = command.argument === 'expression' ? await scope.parse(argument, 'expression') : undefined;
  return { kind: 'command', command, argument, program };
}

/** Most of what is no binding ends early as one, so that the word of the expression counts first. */
async function readProgram(text: string, scope: ReplScope): Promise<ReplLine> {
  let bindingError: unknown;
  try {
    return { kind: 'bindings', program: await scope.parse(text, 'bindings') };
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    bindingError = error;
  }
  try {
    return { kind: 'expression', program: await scope.parse(text, 'expression') };
  } catch (error) {
    throw isSyntaxError(error) && isIncomplete(bindingError) ? bindingError : error;
  }
}

function isSyntaxError(error: unknown): boolean {
  return error instanceof EvaluationError && error.message.startsWith('syntax error');
}

function isIncomplete(error: unknown): boolean {
  return error instanceof EvaluationError && error.message.startsWith('syntax error, unexpected end of file');
}

/** Whether a program failed, be it by its syntax. */
export function isIncompleteOrWrong(error: unknown): boolean {
  return error instanceof EvaluationError;
}

/** A failure that is the line's, and has no place. */
export function replError(message: string): EvaluationError {
  return new EvaluationError({ kind: 'error', message, traces: [], suggestions: [] });
}
