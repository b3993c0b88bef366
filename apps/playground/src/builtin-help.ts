/** What completion tells about builtins: those that the evaluator has, with what is written about them. */
import { builtinDocs } from '@neve/eval/builtin-docs';
import type { BuiltinHelp } from './nix-language/completion.ts';
import type { BuiltinName } from './protocol.ts';

export function describeBuiltins(names: readonly BuiltinName[]): BuiltinHelp[] {
  const docs = new Map(builtinDocs.map((doc) => [doc.name, doc]));
  return names.map(({ name, kind }) => {
    const doc = docs.get(name);
    return {
      name,
      isGlobal: doc?.isGlobal ?? false,
      isFunction: kind === 'builtin' || kind === 'lambda',
      arguments: doc?.parameters ?? [],
      documentation: doc === undefined ? undefined : [doc.summary, doc.details ?? ''].join('\n\n'),
      example: doc?.examples.find(({ value }) => value !== undefined),
    };
  });
}
