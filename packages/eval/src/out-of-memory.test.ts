/** Evaluations that need more memory than they may have, and what can be done afterwards. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Evaluator } from './evaluator.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { buildingWorld, importingPrelude } from './testing/building-world.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { newEvaluator } from './testing/evaluate.ts';

const MiB = 1024 * 1024;
const core = new WebAssembly.Module(readFileSync(coreUrl));
const debugCore = new WebAssembly.Module(readFileSync(debugCoreUrl));

async function evaluate(evaluator: Evaluator, text: string): Promise<string> {
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  const value = await evaluator.evaluate(program);
  await evaluator.forceDeep(value);
  return decodeUtf8(await evaluator.print(value));
}

/** Each wants gigabytes, in many steps or in one. */
const hungry: readonly [what: string, program: string][] = [
  ['a list of 2^29 items', 'builtins.length (builtins.genList (x: x) 536870912)'],
  ['a list of 2^62 items', 'builtins.length (builtins.genList (x: x) 4611686018427387904)'],
  ['a list that fits, with thunks that do not', 'builtins.length (builtins.genList (x: x) 1000000)'],
  ['map', 'let l = builtins.genList (x: x) 20000; in builtins.deepSeq (map (x: map (y: y) l) l) 1'],
  [
    'replaceStrings',
    `let s = ${text(200_000)}; in builtins.stringLength (builtins.replaceStrings [ "x" ] [ s ] s)`,
  ],
  [
    'concatStringsSep',
    `let s = ${text(200_000)}; in builtins.stringLength (builtins.concatStringsSep s (builtins.genList (_: s) 20000))`,
  ],
  [
    'strings that double',
    'let f = n: if n == 0 then "x" else let s = f (n - 1); in s + s; in builtins.stringLength (f 40)',
  ],
  [
    'strings that triple',
    'let f = n: if n == 0 then "x" else let s = f (n - 1); in "${s}${s}${s}"; in builtins.stringLength (f 30)',
  ],
  ['paths that grow', 'let f = n: if n == 0 then "x" else let s = f (n - 1); in s + s; in /. + f 40'],
  [
    'lists that double',
    'let f = n: if n == 0 then [ 1 ] else let l = f (n - 1); in l ++ l; in builtins.length (f 40)',
  ],
  [
    'concatLists',
    'let f = n: if n == 0 then [ 1 ] else let l = f (n - 1); in builtins.concatLists [ l l l l ]; in builtins.length (f 30)',
  ],
  [
    'toJSON',
    'let f = n: if n == 0 then [ 1 ] else let l = f (n - 1); in [ l l ]; in builtins.stringLength (builtins.toJSON (f 30))',
  ],
  [
    'toXML',
    'let f = n: if n == 0 then [ 1 ] else let l = f (n - 1); in [ l l ]; in builtins.stringLength (builtins.toXML (f 30))',
  ],
  ['deep recursion', 'let f = n: [ n ] ++ f (n + 1); in f 0'],
  [
    'a closure without an end',
    'builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: [ { key = key + 1; } ]; }',
  ],
  ['sort', 'builtins.length (builtins.sort (a: b: a < b) (builtins.genList (x: x * 7 - x * x) 400000))'],
  [
    'many attributes',
    'builtins.foldl\' (s: i: s // { "k${toString i}" = s; }) { } (builtins.genList (x: x) 100000)',
  ],
  ['an error message', `let s = ${text(30_000_000)}; in throw (s + s)`],
];

/** An expression for a text of so many bytes. */
function text(length: number): string {
  return `(builtins.concatStringsSep "" (builtins.genList (_: "xxxxxxxxxxxxxxxxxxxx") ${length / 20}))`;
}

describe.each([
  ['release', core],
  ['debug', debugCore],
])('%s', (_, module) => {
  test.each(hungry)('%s', async (__, program) => {
    const settings = { maxHeapBytes: 16 * MiB, maxCallDepth: 100_000_000 };
    const evaluator = newEvaluator(emptyWorld, { core: module, settings });
    await expect(evaluate(evaluator, program)).rejects.toThrow(
      /max-heap-size allows, which is 16 MiB; allow more/,
    );
    // It can be used again, as often as it fails, and `tryEval` does not catch it.
    await expect(evaluate(evaluator, `builtins.tryEval (${program})`)).rejects.toThrow(OutOfMemory);
    expect(await evaluate(evaluator, 'map (x: x + 1) (builtins.genList (x: x) 3)')).toBe('[ 1 2 3 ]');
  });
});

/** What fits into a limit only when garbage makes room for it. */
const frugal: readonly [what: string, program: string, value: string][] = [
  [
    'garbage of many steps',
    "builtins.foldl' (a: i: a + builtins.length (builtins.genList (x: x) 1000)) 0 (builtins.genList (x: x) 3000)",
    '3000000',
  ],
  [
    'garbage of long strings',
    `builtins.stringLength (builtins.foldl' (s: i: builtins.substring 0 1000000 (s + "y")) ${text(1_000_000)} (builtins.genList (x: x) 300))`,
    '1000000',
  ],
  [
    'a step that wants more than is left',
    // The first list is garbage when the second is made, and nothing was collected between them.
    'let a = builtins.length (builtins.genList (x: x) 700000); b = builtins.length (builtins.genList (x: x) 700001); in builtins.seq a b',
    '700001',
  ],
];

test.each(frugal)('%s is collected before giving up', async (__, program, value) => {
  const evaluator = newEvaluator(emptyWorld, { core, settings: { maxHeapBytes: 24 * MiB } });
  expect(await evaluate(evaluator, program)).toBe(value);
});

test('a value that could not be evaluated can be later', async () => {
  const evaluator = newEvaluator(emptyWorld, { core, settings: { maxHeapBytes: 32 * MiB } });
  const source = { kind: 'string', directory: '/' } as const;
  const text = encodeUtf8('{ big = builtins.length (builtins.genList (x: x) 900000); small = 1; }');
  const set = await evaluator.evaluate(await evaluator.parse({ ...source, text }));
  const path = (name: string) => ({ path: name, args: new Map() });
  const ballast = await evaluator.evaluate(
    await evaluator.parse({ ...source, text: encodeUtf8('builtins.genList (x: x) 700000') }),
  );
  await expect(evaluator.select(set, path('big'))).rejects.toThrow(OutOfMemory);
  evaluator.release(ballast);
  expect(decodeUtf8(await evaluator.print(await evaluator.select(set, path('big'))))).toBe('900000');
  expect(decodeUtf8(await evaluator.print(await evaluator.select(set, path('small'))))).toBe('1');
});

test('while others wait', async () => {
  const world = buildingWorld({
    contents: (name) => `"${name}"`,
    build: async () => await new Promise((resolve) => setTimeout(resolve, 5)),
  });
  const evaluator = newEvaluator(world.io, { core, settings: { maxHeapBytes: 48 * MiB } });
  const program = (body: string): string => `let ${importingPrelude} in ${body}`;
  const hungryFiber = 'builtins.length (builtins.genList (x: x) 90000000)';
  await expect(evaluate(evaluator, program(`[ (ifd "a") (${hungryFiber}) (ifd "b") ]`))).rejects.toThrow(
    OutOfMemory,
  );
  // What only others want in vain does not matter.
  const lazily = `builtins.toJSON { a = ifd "c"; b = builtins.tryEval (builtins.seq (ifd "d") 1); }`;
  expect(await evaluate(evaluator, program(lazily))).toContain('success');
});

test('permanent memory does not grow with evaluations of one program', async () => {
  const evaluator = newEvaluator(emptyWorld, { core, settings: { maxHeapBytes: 24 * MiB } });
  const source = "builtins.foldl' (a: i: a + i) 0 (builtins.genList (x: x) 20000)";
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(source), directory: '/' });
  const used = (): number => (evaluator.stats()['code'] as { bytes: number }).bytes;
  evaluator.release(await evaluator.evaluate(program));
  const before = used();
  for (let i = 0; i < 50; i++) evaluator.release(await evaluator.evaluate(program));
  expect(used()).toBe(before);
});
