/** Evaluations that go on from images of others. */
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CoreImage, KeptImage } from './core-image.ts';
import { createEvaluator, resumeEvaluator } from './create-evaluator.ts';
import type { EvaluatorSettings, ImageUse } from './evaluator.ts';
import { createMemoryIO } from './memory-io.ts';
import { evaluateToJson } from './testing/evaluate.ts';

const cores = [
  ['release', new WebAssembly.Module(readFileSync(coreUrl))],
  ['debug', new WebAssembly.Module(readFileSync(debugCoreUrl))],
] as const;

const files = {
  '/nixpkgs/lib.nix':
    'rec { twice = x: x + x; systems = name: let self = { inherit name; is = n: self.name == n; }; in self; }',
  '/nixpkgs/pkgs/top-level/default.nix': `let lib = import ../../lib.nix; in
{ config ? { }, overlays ? [ ], system ? "none", ... }:
let
  base = {
    hello = lib.twice "hello";
    broken = throw "it is broken";
    tolerant = (builtins.tryEval (config.allow or false)).success;
    allowed = config.allow or false;
    given = config;
    made = (config.make or (x: x)) 3;
    name = if builtins.isString system then system else system.name;
    isLinux = system.is "linux";
    named = builtins.unsafeGetAttrPos "allow" config;
  };
in builtins.foldl' (set: overlay: set // overlay set) base overlays`,
  '/user/overlay.nix': 'let n = 1; in [ (set: { hello = set.hello + "!"; }) ]',
  '/user/closure.nix': 'n: { make = x: x * n; }',
};

const packages = (argument: string): string => `import /nixpkgs/pkgs/top-level/default.nix ${argument}`;

describe.each(cores)('%s core', (_, core) => {
  /** Each evaluation is a second later. */
  let clock = 1_000_000_000;

  async function evaluate(
    text: string,
    { kept, settings = {} }: { kept?: CoreImage | undefined; settings?: Partial<EvaluatorSettings> } = {},
  ): Promise<{ value: unknown; use: ImageUse; take: () => CoreImage }> {
    const now = ++clock;
    const io = { ...createMemoryIO({ core, files }), currentTime: () => now };
    const options = { core, io, settings, images: {} };
    const evaluator =
      kept === undefined ? createEvaluator(options) : await resumeEvaluator(options, readerOf(kept));
    const value = await evaluateToJson(evaluator, text);
    return { value, use: evaluator.imageUse(), take: () => evaluator.takeImage() };
  }

  /** Evaluates one program, and another one from the image of the first. */
  async function afterwards(
    first: string,
    second: string,
    settings?: Partial<EvaluatorSettings>,
  ): Promise<{ value: unknown; found: number }> {
    const { take } = await evaluate(first, { ...(settings && { settings }) });
    const { value, use } = await evaluate(second, { kept: take(), ...(settings && { settings }) });
    expect(use.isResumed).toBe(true);
    return { value, found: use.found };
  }

  test('a host hears of the first package tree before it is evaluated, and can end the evaluation', async () => {
    const asked: string[] = [];
    const io = createMemoryIO({ core, files });
    const reason = new Error('an image first');
    const evaluator = createEvaluator({
      ...{ core, io },
      images: {
        beforeTree: (file) => {
          asked.push(file);
          if (asked.length === 1) throw reason;
        },
      },
    });
    expect(await evaluateToJson(evaluator, '(import /user/closure.nix 2).make 4')).toBe(8);
    expect(asked).toEqual([]);
    await expect(evaluateToJson(evaluator, `(${packages('{ }')}).hello`)).rejects.toBe(reason);
    expect(asked).toEqual(['/nixpkgs/pkgs/top-level/default.nix']);
  });

  test('a call with an equal argument is found, and one with another is not', async () => {
    const first = `(${packages('{ config = { allow = true; }; }')}).allowed`;
    const same = `with ${packages('{ config = { allow = 1 == 1; }; }')}; [ hello allowed ]`;
    expect(await afterwards(first, same)).toEqual({ value: ['hellohello', true], found: 1 });
    const other = `with ${packages('{ config = { allow = false; }; }')}; [ hello allowed ]`;
    expect(await afterwards(first, other)).toEqual({ value: ['hellohello', false], found: 0 });
    const missing = `with ${packages('{ }')}; [ hello allowed ]`;
    expect(await afterwards(first, missing)).toEqual({ value: ['hellohello', false], found: 0 });
  });

  test('what was not evaluated of an argument is that of the later one', async () => {
    const first = `(${packages('{ config = { allow = true; later = throw "nobody"; }; }')}).allowed`;
    const second = `(${packages('{ config = { allow = true; later = [ 1 2 ]; }; }')}).given.later`;
    expect(await afterwards(first, second)).toEqual({ value: [1, 2], found: 1 });
  });

  test('functions are equal with equal variables', async () => {
    const overlaid = `(${packages('{ overlays = import /user/overlay.nix; }')}).hello`;
    expect(await afterwards(overlaid, overlaid)).toEqual({ value: 'hellohello!', found: 1 });
    const times = (n: number): string => `(${packages(`{ config = import /user/closure.nix ${n}; }`)}).made`;
    expect(await afterwards(times(2), times(2))).toEqual({ value: 6, found: 1 });
    expect(await afterwards(times(2), times(5))).toEqual({ value: 15, found: 0 });
    const system = (name: string): string =>
      `with ${packages(`{ system = (import /nixpkgs/lib.nix).systems "${name}"; }`)}; [ name isLinux ]`;
    expect(await afterwards(system('linux'), system('linux'))).toEqual({ value: ['linux', true], found: 1 });
    expect(await afterwards(system('linux'), system('other'))).toEqual({ value: ['other', false], found: 0 });
  });

  test('arguments that refer to themselves are compared', async () => {
    const program = `(${packages('{ config = let self = { allow = true; inherit self; }; in self; }')})`;
    const first = `(${program}).given.self.self.allow`;
    expect(await afterwards(first, `(${program}).given.self.allow`)).toEqual({ value: true, found: 1 });
  });

  test('what has failed is caught again', async () => {
    const tried = (argument: string): string =>
      `with ${packages(argument)}; [ hello (builtins.tryEval broken).success tolerant ]`;
    const first = tried('{ config = { allow = true; }; }');
    expect(await afterwards(first, first)).toEqual({ value: ['hellohello', false, true], found: 1 });
    // What the first argument could not say, the second one may.
    const failing = tried('{ config = { allow = throw "no"; }; }');
    expect(await afterwards(failing, first)).toEqual({ value: ['hellohello', false, true], found: 0 });
    expect(await afterwards(failing, failing)).toEqual({ value: ['hellohello', false, false], found: 0 });
  });

  test('positions count once somebody has asked for one', async () => {
    const program = (name: string): string =>
      `let at = import /nixpkgs/pkgs/top-level/default.nix { config = { allow = true; }; }; in at.${name}`;
    expect((await afterwards(program('allowed'), ` ${program('allowed')}`)).found).toBe(1);
    expect((await afterwards(`${program('named')} == null`, ` ${program('allowed')}`)).found).toBe(0);
  });

  test('whoever is the first to ask for a position is not told that of the argument of an earlier call', async () => {
    const program = (name: string): string =>
      `let at = import /nixpkgs/pkgs/top-level/default.nix { config = { allow = true; }; }; in at.${name}`;
    const { take } = await evaluate(program('allowed'));
    const named = ` ${program('named')}`;
    await expect(evaluate(named, { kept: take() })).rejects.toThrow('what an image does not have was needed');
    // What is no file has no positions.
    expect((await evaluate(named)).value).toBe(null);
  });

  test('nothing of the first evaluation is left but what is shared', async () => {
    const { value } = await afterwards(
      `[ (${packages('{ }')}).hello builtins.currentTime (import /user/closure.nix 2).make ] == 1`,
      '[ builtins.currentTime ((import /user/closure.nix 2).make 4) ]',
    );
    expect(value).toEqual([clock, 8]);
  });

  test('images are made of images, while the collector runs wherever it may', async () => {
    const settings = { collectionInterval: 40 };
    let kept: CoreImage | undefined;
    for (const round of [1, 2, 3]) {
      const config = `{ config = { allow = true; later = ${round}; }; overlays = import /user/overlay.nix; }`;
      const program = `with ${packages(config)}; [ hello allowed given.later (made + ${round}) ]`;
      const { value, use, take } = await evaluate(program, { kept, settings });
      expect(value).toEqual(['hellohello!', true, round, 3 + round]);
      // The first one has evaluated `later`, which is part of what is compared from then on.
      expect(use.isResumed).toBe(round > 1);
      kept = take();
    }
  });

  test('an image that is damaged is not used', async () => {
    const { take } = await evaluate(`(${packages('{ }')}).hello`);
    const { head, parts } = take();
    const damaged = parts.map((part) => Uint8Array.from(part));
    const last = damaged.at(-1);
    if (last === undefined) throw new Error('an image without parts');
    last[5000] = (last[5000] ?? 0) ^ 1;
    const { value, use } = await evaluate(`(${packages('{ }')}).hello`, { kept: { head, parts: damaged } });
    expect(value).toBe('hellohello');
    expect(use.isResumed).toBe(false);
  });
});

/** The parts, one after the other. */
function readerOf({ head, parts }: CoreImage): KeptImage {
  const all = Buffer.concat(parts);
  let at = 0;
  return {
    head,
    async read(wanted) {
      for (const into of wanted) {
        into.set(all.subarray(at, at + into.length));
        at += into.length;
      }
      await Promise.resolve();
    },
  };
}
