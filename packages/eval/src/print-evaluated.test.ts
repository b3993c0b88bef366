// What `nix eval --expr` of Nix 2.34 prints for the same expressions.
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import { emptyWorld } from './testing/empty-world.ts';

/** Every collection moves what is alive, so that a small threshold finds addresses that are used too long. */
async function printed(url: URL, text: string, heapThresholdBytes?: number): Promise<string> {
  const evaluator = createEvaluator({
    core: new WebAssembly.Module(readFileSync(url)),
    io: emptyWorld,
    settings: { maxCallDepth: 1000, heapThresholdBytes },
  });
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  return decodeUtf8(await evaluator.printEvaluated(await evaluator.evaluate(program)));
}

const samples: readonly (readonly [expression: string, shown: string])[] = [
  ['1 + 1', '2'],
  ['[ ]', '[ ]'],
  ['{ }', '{ }'],
  ['[ 1 [ (1 + 1) ] { a = null; } ]', '[ 1 [ 2 ] { a = null; } ]'],
  ['{ x.y = 1; "a b" = 2; "if" = 3; }', '{ "a b" = 2; "if" = 3; x = { y = 1; }; }'],
  ['{ f = x: x; }', '{ f = «lambda f @ «string»:1:7»; }'],
  ['[ map (map null) ]', '[ «primop map» «partially applied primop map» ]'],
  [
    '{ a = throw "x"; b = abort "y"; }',
    "{ a = «error: x»; b = «error: evaluation aborted with the following error message: 'y'»; }",
  ],
  [
    'rec { a = b; b = a; c = 1; }',
    '{ a = «error: infinite recursion encountered»; b = «error: infinite recursion encountered»; c = 1; }',
  ],
  ['let x = { y = x; z = 1; }; in x', '{ y = «repeated»; z = 1; }'],
  ['let l = [ 1 ]; f = x: [ x ]; in [ l l (f 1) ]', '[ [ 1 ] «repeated» [ 1 ] ]'],
  ['[ { type = "derivation"; } ]', '[ «derivation» ]'],
  ['[ { type = "derivation"; drvPath = throw "z"; } ]', '[ «error: z» ]'],
  ['[ { type = throw "t"; b = 1; } ]', '[ «error: t» ]'],
  [
    '{ type = "derivation"; drvPath = "/nix/store/00000000000000000000000000000000-a.drv"; b = throw "no"; }',
    '«derivation /nix/store/00000000000000000000000000000000-a.drv»',
  ],
];

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('%s core', (_, url) => {
  test.each(samples)('%s', async (expression, shown) => {
    expect(await printed(url, expression)).toBe(shown);
  });

  test('values that move while others are evaluated', async () => {
    const item =
      '{ name = toString n; l = builtins.genList (i: i * n) 20; bad = throw (toString n); self = x; }';
    const expression = `let x = map (n: ${item}) (builtins.genList (n: n) 200); in x`;
    const small = await printed(url, expression, 1 << 18);
    expect(small).toBe(await printed(url, expression));
    expect(small).toContain('bad = «error: 199»; l = [ 0 199 398 ');
  });

  test('nesting without end is an error', async () => {
    const endless = 'let f = n: { inside = f (n + 1); }; in f 0';
    await expect(printed(url, endless)).rejects.toThrow('stack overflow; max-call-depth exceeded');
  });

  test('a failure of the value itself is an error', async () => {
    await expect(printed(url, 'throw "top"')).rejects.toThrow('top');
  });
});
