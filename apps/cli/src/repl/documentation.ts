/** What `:doc` shows: what is written about a builtin, the doc comment of a function (RFC 145) or of an attribute. */
import { printPosition } from '@neve/diagnostics';
import type { Value } from '@neve/eval';
import { builtinDocs } from '@neve/eval/builtin-docs';
import { commentAt, commentBefore } from './doc-comment.ts';
import { renderMarkdown } from './render-markdown.ts';
import { isIncompleteOrWrong, replError } from './repl-line.ts';
import type { ReplWorld } from './repl-world.ts';
import type { CommandSubject } from './value-commands.ts';
import { builtinName } from './value-type.ts';

type Context = { readonly world: ReplWorld; readonly colour: boolean; readonly columns: number };

export async function documentationOf(subject: CommandSubject, context: Context): Promise<string> {
  const markdown =
    (await ofValue(subject.value, context.world)) ?? (await ofAttribute(subject.text, context.world));
  if (markdown === undefined) throw replError('value does not have documentation');
  return renderMarkdown(markdown, context).trim();
}

async function ofValue(value: Value, world: ReplWorld): Promise<string | undefined> {
  const { evaluator, scope } = world;
  const { kind } = evaluator.describe(value);
  if (kind === 'lambda') return ofFunction(value, world);
  if (kind === 'builtin') {
    const { name, isPartial } = await builtinName(value, evaluator);
    return isPartial ? undefined : ofBuiltin(name);
  }
  if (kind !== 'set') return undefined;
  // The function that is documented is what the first argument, which nobody gives, leads to.
  const called = await scope.call(
    '{ value }: if value ? __functor then value.__functor value else null',
    new Map([['value', value]]),
  );
  return evaluator.describe(called).kind === 'null' ? undefined : await ofValue(called, world);
}

function ofFunction(value: Value, { evaluator }: ReplWorld): string | undefined {
  const source = evaluator.functionSource(value);
  if (source === undefined) return undefined;
  const { name, position, documentation } = source;
  const place = position === undefined ? '' : `defined at ${printPosition(position)}`;
  const head = name === undefined ? `Function ${place}` : `Function \`${name}\`\\\n… ${place}`;
  const comment = documentation && commentAt(documentation);
  return comment === undefined ? head : `${head}\n\n${comment}`;
}

function ofBuiltin(name: string): string | undefined {
  const doc = builtinDocs.find((it) => it.name === name.replace(/^__/, ''));
  if (doc === undefined) return undefined;
  const words = doc.parameters.map((it) => ` *${it}*`).join('');
  const examples = doc.examples.map(({ expression, value, error }) =>
    value === undefined ? `${expression}\n=> error: … ${error} …` : `${expression}\n=> ${value}`,
  );
  return [
    `**Synopsis:** \`builtins.${doc.name}\`${words}`,
    doc.summary,
    ...(doc.details === undefined ? [] : [doc.details]),
    ...(doc.unsupported === undefined ? [] : [doc.unsupported]),
    `\`\`\`nix\n${examples.join('\n\n')}\n\`\`\``,
  ].join('\n\n');
}

/** Of `SET.NAME`, where that is what was written: what is said where it is defined. */
async function ofAttribute(text: string, { evaluator, scope }: ReplWorld): Promise<string | undefined> {
  const [, set, name] = /^(.+)\.\s*([a-zA-Z_][a-zA-Z0-9_'-]*)$/s.exec(text.trim()) ?? [];
  if (set === undefined || name === undefined) return undefined;
  if (set.trim() === 'builtins') return ofBuiltin(name);
  let value: Value;
  try {
    value = await evaluator.evaluate(await scope.parse(set, 'expression'));
  } catch (error) {
    if (isIncompleteOrWrong(error)) return undefined;
    throw error;
  }
  if (evaluator.describe(value).kind !== 'set') return undefined;
  const position = evaluator.attributePosition(value, name);
  if (position === undefined) return undefined;
  const comment = commentBefore(position) ?? 'No documentation found.';
  return `Attribute \`${name}\`\n\n… defined at ${printPosition(position)}\n\n${comment}`;
}
