/** What the profiler sees of programs whose calls can be counted by hand. Every call is a sample, so that nothing is left to chance. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from '../create-evaluator.ts';
import type { Evaluator } from '../evaluator.ts';
import { buildingWorld, importingPrelude } from '../testing/building-world.ts';
import { emptyWorld } from '../testing/empty-world.ts';
import { printCollapsedStacks } from './collapsed-stacks.ts';
import type { ProfilerOptions } from './core-profiler.ts';
import { costsOf, functionName, printCosts } from './costs.ts';
import type { EvaluationProfile } from './profile.ts';

const cores = [
  ['release', new WebAssembly.Module(readFileSync(coreUrl))],
  ['debug', new WebAssembly.Module(readFileSync(debugCoreUrl))],
] as const;

async function evaluate(evaluator: Evaluator, text: string): Promise<string> {
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  const value = await evaluator.evaluate(program);
  await evaluator.forceDeep(value);
  return decodeUtf8(await evaluator.print(value));
}

function callsByName(profile: EvaluationProfile): Readonly<Record<string, number>> {
  const { functions } = costsOf(profile);
  return Object.fromEntries(
    functions.map((it) => [functionName(it.function), it.calls ?? 0]).filter(([, calls]) => calls !== 0),
  );
}

describe.each(cores)('the profiler of the %s core', (_, core) => {
  async function profileOf(
    text: string,
    profiler: ProfilerOptions = { frequency: 0 },
  ): Promise<{ printed: string; profile: EvaluationProfile }> {
    const evaluator = createEvaluator({ core, io: emptyWorld, profiler });
    const printed = await evaluate(evaluator, text);
    const profile = evaluator.profile();
    if (profile === undefined) throw new Error('there is a profiler');
    return { printed, profile };
  }

  test('counts every call of functions and builtins', async () => {
    const { printed, profile } = await profileOf(
      `let
  fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2);
  add = x: y: x + y;
  named = { a, b ? 2 }: a + b;
in [ (fib 10) (builtins.foldl' add 0 [ 1 2 3 ]) (map (add 1) [ 1 2 ]) (named { a = 1; }) (builtins.length [ ]) ]`,
    );
    expect(printed).toBe('[ 55 6 [ 2 3 ] 3 0 ]');
    // fib n runs fib (n + 1) * 2 - 1 times: 177 times for 10. `add 1` alone only gives a function, which is no call.
    expect(callsByName(profile)).toEqual({
      'fib at «string»:2:9': 177,
      'add at «string»:3:9': 5,
      'named at «string»:4:11': 1,
      "builtins.foldl'": 1,
      'builtins.map': 1,
      'builtins.length': 1,
    });
  });

  test('names frames by their call and their function, as Nix does', async () => {
    const { profile } = await profileOf(
      `let
  inner = x: builtins.length (builtins.genList (i: i) x);
  outer = x: inner (x + 1);
  functor = { __functor = self: x: outer x; };
in [ (outer 1) (functor 2) ]`,
    );
    const lines = printCollapsedStacks(profile).trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ \d+$/, ''))).toEqual(
      expect.arrayContaining([
        '«string»:5:7:outer',
        '«string»:5:7:outer;«string»:3:14:inner',
        '«string»:5:7:outer;«string»:3:14:inner;«string»:2:14:primop length',
        '«string»:5:7:outer;«string»:3:14:inner;«string»:2:14:primop length;«string»:2:31:primop genList',
        '«string»:5:17:functor;«string»:4:15:__functor;«string»:4:36:outer;«string»:3:14:inner',
      ]),
    );
    expect(lines.every((line) => /^[^;]+(;[^;]+)* [1-9]\d*$/.test(line))).toBe(true);
  });

  test('derivations are named where they are made', async () => {
    const { profile } = await profileOf(
      `(derivation { name = "some-name"; system = "x"; builder = "b"; args = map (i: toString i) [ 1 2 ]; }).drvPath`,
    );
    expect(printCollapsedStacks(profile)).toMatch(/primop derivationStrict:some-name.*primop toString/);
  });

  test('a builtin has the time of its callbacks in its total', async () => {
    // A clock that moves with every look: whatever the callbacks do, they do within the builtin.
    let now = 0;
    const { profile } = await profileOf(`builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) 100)`, {
      frequency: 1000,
      nowMs: () => ++now,
    });
    const { functions, totalTicks } = costsOf(profile);
    const fold = functions.find((it) => it.function.name === "foldl'");
    expect(fold?.totalTicks).toBeGreaterThan(totalTicks * 0.9);
    expect(fold?.selfTicks).toBeLessThan(fold?.totalTicks ?? 0);
  });

  test('time of recursion is counted once, and all of it belongs to somebody', async () => {
    const { profile } = await profileOf('let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 1000');
    const { functions, files, totalTicks } = costsOf(profile);
    expect(functions.find((it) => it.function.name === 'f')?.totalTicks).toBeLessThanOrEqual(totalTicks);
    expect(functions.reduce((sum, it) => sum + it.selfTicks, 0)).toBeLessThanOrEqual(totalTicks);
    expect(files.map(({ file }) => file)).toEqual(['«string»']);
    expect(files[0]?.selfTicks).toBeGreaterThan(0.99 * totalTicks);
    expect(printCosts(profile)).toContain('f at «string»:1:9');
  });

  test('what fails has a profile, and an evaluator without profiler has none', async () => {
    const evaluator = createEvaluator({
      core,
      io: emptyWorld,
      profiler: { frequency: 0 },
    });
    await expect(evaluate(evaluator, 'let f = n: throw "no"; in f 1')).rejects.toThrow('no');
    expect(await evaluate(evaluator, 'let g = n: (builtins.tryEval (throw "x")).success; in g 1')).toBe(
      'false',
    );
    expect(callsByName(evaluator.profile() as EvaluationProfile)).toMatchObject({
      'f at «string»:1:9': 1,
      'g at «string»:1:9': 1,
    });
    expect(createEvaluator({ core, io: emptyWorld }).profile()).toBeUndefined();
  });

  test('stacks of thousands of frames and many samples', async () => {
    let now = 0;
    const { profile } = await profileOf(
      'let f = n: if n == 0 then 0 else 1 + f (n - 1); in builtins.genList (i: f 2100) 2',
      { frequency: 1000, nowMs: () => (now += 0.02) },
    );
    expect(callsByName(profile)['f at «string»:1:9']).toBe(2 * 2101);
    expect(Math.max(...profile.stacks.map(({ frames }) => frames.length))).toBeGreaterThan(2000);
    expect(printCollapsedStacks(profile)).toContain(':f;');
  });

  test('evaluations that wait for builds are profiled, and the clock stands still meanwhile', async () => {
    const { io } = buildingWorld({
      contents: (name) => `"${name}"`,
      build: () => new Promise((resolve) => setTimeout(resolve, 100)),
    });
    const evaluator = createEvaluator({
      core,
      io,
      profiler: { frequency: 1000, nowMs: () => performance.now() },
    });
    const text = `let ${importingPrelude} in map ifd [ "a" "b" "c" ]`;
    await evaluate(evaluator, text);
    const profile = evaluator.profile() as EvaluationProfile;
    expect(callsByName(profile)).toMatchObject({ 'ifd at «string»:3:9': 3, 'builtins.import': 3 });
    expect(costsOf(profile).totalTicks).toBeLessThan(50);
  });
});
