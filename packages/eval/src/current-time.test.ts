// The host is asked for the time when a program wants it, so that it knows whether the result depends on it.
import { decodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import { emptyWorld } from './testing/empty-world.ts';

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('the time, %s core', (_, url) => {
  test.each<[string, string, number]>([
    ['builtins ? currentTime', 'true', 0],
    ['let f = { t ? __currentTime }: 1; in f { }', '1', 0],
    ['[ builtins.currentTime __currentTime ]', '[5000000000,5000000000]', 1],
    ['__currentTime', '5000000000', 1],
    ['let f = { t ? __currentTime }: t; in f { }', '5000000000', 1],
    ['if __currentTime > 5 then builtins.typeOf __currentTime else 0', '"int"', 1],
    // Many collections, while something permanent has become the time.
    ["builtins.foldl' (a: n: a + __currentTime) 0 (builtins.genList (n: n) 1000)", '5000000000000', 1],
  ])('%s', async (text, expected, times) => {
    let asked = 0;
    const io = { ...emptyWorld, currentTime: () => (asked++, 5_000_000_000) };
    const core = new WebAssembly.Module(readFileSync(url));
    const evaluator = createEvaluator({ core, io, settings: { heapThresholdBytes: 1 } });
    const program = await evaluator.parse({ kind: 'string', text, directory: '/' });
    const json = await evaluator.toJSON(await evaluator.evaluate(program), { strict: true });
    expect([decodeUtf8(json), asked]).toEqual([expected, times]);
  });
});
