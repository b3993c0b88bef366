import { encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import type { Evaluator } from './evaluator.ts';
import { emptyWorld } from './testing/empty-world.ts';

function start(url: URL): Evaluator {
  return createEvaluator({
    core: new WebAssembly.Module(readFileSync(url)),
    io: emptyWorld,
  });
}

async function parse(evaluator: Evaluator, text: string): Promise<unknown> {
  return await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
}

/** What is wrong with a source must be told whatever ran before it, and without the traces of that. */
async function check(evaluator: Evaluator, text: string): Promise<void> {
  await expect(parse(evaluator, text)).rejects.toMatchObject({
    name: 'EvaluationError',
    diagnostic: { traces: [], position: { line: 1 } },
  });
}

const brokenSources = ['missing', '{ a = 1; b = }', '"${', 'x: { x, x }: 1', '1 +'];

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('errors in a source, %s core', (_, url) => {
  test('before anything was evaluated', async () => {
    for (const text of brokenSources) await check(start(url), text);
  });

  test('after an evaluation that failed inside of a function and a builtin', async () => {
    const evaluator = start(url);
    const text = 'let f = x: builtins.head x; in f [ ]';
    const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
    await expect(evaluator.evaluate(program)).rejects.toMatchObject({ name: 'EvaluationError' });
    for (const broken of brokenSources) await check(evaluator, broken);
  });
});
