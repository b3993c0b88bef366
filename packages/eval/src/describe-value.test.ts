// Values seen level by level: nothing is evaluated before it is asked for.
import { encodeUtf8 } from '@neve/bytes';
import { coreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import type { Value } from './evaluator.ts';
import { emptyWorld } from './testing/empty-world.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));

async function evaluated(
  text: string,
): Promise<{ evaluator: ReturnType<typeof createEvaluator>; value: Value }> {
  const evaluator = createEvaluator({ core, io: emptyWorld });
  const source = { kind: 'string', text: encodeUtf8(text), directory: '/' } as const;
  return { evaluator, value: await evaluator.evaluate(await evaluator.parse(source)) };
}

test.each([
  ['null', 'null', 'null'],
  ['1 == 1', 'bool', 'true'],
  ['1 + 2', 'int', '3'],
  ['9223372036854775807', 'int', '9223372036854775807'],
  ['1.5', 'float', '1.5'],
  ['"a\n"', 'string', '"a\\n"'],
  ['/a/b', 'path', '/a/b'],
  ['x: x', 'lambda', '<LAMBDA>'],
  ['builtins.head', 'builtin', '<PRIMOP>'],
  ['builtins.map 1', 'builtin', '<PRIMOP-APP>'],
])('%s', async (text, kind, printed) => {
  const { evaluator, value } = await evaluated(text);
  expect(evaluator.describe(value)).toEqual({ kind, text: printed, size: 0, isDerivation: false });
  expect(evaluator.parts(value, { from: 0, count: 10 })).toEqual([]);
});

test('a set is evaluated part by part, and a failure stays where it is', async () => {
  const { evaluator, value } = await evaluated('{ b = throw "no"; a = [ (1 + 1) 3 ]; "c d" = { }; }');
  expect(evaluator.describe(value)).toEqual({ kind: 'set', text: '', size: 3, isDerivation: false });
  const parts = evaluator.parts(value, { from: 0, count: 10 });
  expect(parts.map(({ name }) => name)).toEqual(['a', 'b', 'c d']);
  const [a, b] = parts;
  if (a === undefined || b === undefined) throw new Error('there are parts');
  expect(evaluator.describe(b.value).kind).toBe('thunk');
  await expect(evaluator.force(b.value)).rejects.toThrow('no');
  const list = await evaluator.force(a.value);
  expect(evaluator.describe(list)).toMatchObject({ kind: 'list', size: 2 });
  const [, second] = evaluator.parts(list, { from: 0, count: 2 });
  const [only] = evaluator.parts(list, { from: 1, count: 5 });
  if (second === undefined || only === undefined) throw new Error('there are items');
  expect(evaluator.describe(second.value)).toEqual(evaluator.describe(only.value));
  evaluator.release(second.value);
});

test('a set is a derivation once that is known', async () => {
  const { evaluator, value } = await evaluated('{ type = "derivation"; }');
  expect(evaluator.describe(value)).toMatchObject({ kind: 'set', isDerivation: true });
});
