/** What a value is, in the words of Nix. */
import type { Value, ValueKind } from '@neve/eval';
import type { ReplWorld } from './repl-world.ts';

export async function typeOfValue(value: Value, { evaluator, scope }: ReplWorld): Promise<string> {
  const { kind } = evaluator.describe(value);
  if (kind === 'builtin') {
    const { name, isPartial } = await builtinName(value, evaluator);
    return `the ${isPartial ? 'partially applied ' : ''}built-in function '${name}'`;
  }
  if (kind === 'string') {
    const hasContext = await scope.call('{ value }: builtins.hasContext value', new Map([['value', value]]));
    return evaluator.describe(hasContext).text === 'true' ? 'a string with context' : 'a string';
  }
  return typeNames[kind];
}

/** A builtin, perhaps with some of its arguments. */
export async function builtinName(
  value: Value,
  evaluator: Pick<ReplWorld['evaluator'], 'printEvaluated'>,
): Promise<{ readonly name: string; readonly isPartial: boolean }> {
  // «primop map», «partially applied primop map»
  const text = Buffer.from(await evaluator.printEvaluated(value)).toString();
  const [, partially, name = ''] = /^\u00ab(partially applied )?primop (.*)\u00bb$/.exec(text) ?? [];
  return { name, isPartial: partially !== undefined };
}

const typeNames: Readonly<Record<Exclude<ValueKind, 'builtin' | 'string'>, string>> = {
  thunk: 'a thunk',
  null: 'null',
  bool: 'a Boolean',
  int: 'an integer',
  float: 'a float',
  path: 'a path',
  list: 'a list',
  set: 'a set',
  lambda: 'a function',
};
