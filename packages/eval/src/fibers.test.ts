/** Evaluations that go on beside one that waits: import from derivation in parallel. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EvaluationError, type Evaluator, type Value } from './evaluator.ts';
import { buildingWorld, importingPrelude } from './testing/building-world.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { newEvaluator } from './testing/evaluate.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));
const debugCore = new WebAssembly.Module(readFileSync(debugCoreUrl));

/** Builds that end when the test says so: all that have begun, again and again. Counts how many there were at a time. */
function rounds(): {
  build: (name: string) => Promise<void>;
  widths: number[];
  run: <T>(t: Promise<T>) => Promise<T>;
} {
  let waiting: (() => void)[] = [];
  const widths: number[] = [];
  const build = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  async function run<T>(evaluation: Promise<T>): Promise<T> {
    const state = { ended: false };
    const end = (): void => {
      state.ended = true;
    };
    evaluation.then(end, end);
    while (!state.ended) {
      // Enough turns for everything that can go on to do so, however long each takes.
      for (let quiet = 0; quiet < 5 && !state.ended; quiet++) {
        const before = waiting.length;
        await new Promise((resolve) => setTimeout(resolve, 4));
        if (waiting.length !== before) quiet = 0;
      }
      if (waiting.length === 0) continue;
      widths.push(waiting.length);
      const now = waiting;
      waiting = [];
      for (const resolve of now) resolve();
    }
    return await evaluation;
  }
  return { build, widths, run };
}

async function evaluateText(evaluator: Evaluator, text: string): Promise<Value> {
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  return await evaluator.evaluate(program);
}

const program = (body: string): string =>
  `let ${importingPrelude}
    names = builtins.genList toString 20; all = map ifd names;
    set = builtins.listToAttrs (map (name: { inherit name; value = ifd name; }) names);
    mk = attrs: derivation ({ name = "d"; system = "x"; builder = "b"; } // attrs);
  in ${body}`;

const deep = async (evaluator: Evaluator, value: Value): Promise<Uint8Array> => {
  await evaluator.forceDeep(value);
  return await evaluator.print(value);
};
const json = (evaluator: Evaluator, value: Value): Promise<Uint8Array> =>
  evaluator.toJSON(value, { strict: true });
const raw = (evaluator: Evaluator, value: Value): Promise<Uint8Array> => evaluator.toRaw(value);

const evaluated = (evaluator: Evaluator, value: Value): Promise<Uint8Array> =>
  evaluator.printEvaluated(value);
const derivations = async (evaluator: Evaluator, value: Value): Promise<Uint8Array> =>
  encodeUtf8(JSON.stringify(await evaluator.derivations(value, new Map())));

/** Where evaluation forks, and how many rounds of builds it takes. */
const forks: [
  name: string,
  body: string,
  show: (e: Evaluator, v: Value) => Promise<Uint8Array>,
  widths: number[],
][] = [
  ['a list that is printed', 'all', deep, [20]],
  ['a set that is printed', 'set', deep, [20]],
  ['lists in lists', '[ [ (ifd "a") (ifd "b") ] { x = [ (ifd "c") ]; } (ifd "d") ]', deep, [4]],
  ['deepSeq', 'builtins.deepSeq all "1"', raw, [20]],
  ['toJSON', 'builtins.toJSON all', raw, [20]],
  ['toJSON of a set', 'builtins.toJSON { a = set; b = [ (ifd "x") ]; }', raw, [21]],
  ['--json', 'set', json, [20]],
  ['toXML', 'builtins.toXML all', raw, [20]],
  ['toString', 'toString all', raw, [20]],
  [
    'concatStringsSep',
    'builtins.concatStringsSep " " (map (name: "${builtins.readFile (drv name)}") names)',
    raw,
    [20],
  ],
  [
    'the environment of a derivation',
    '(mk { a = ifd "101"; b = [ (ifd "102") (ifd "103") ]; c = ifd "104"; args = all; }).drvPath',
    raw,
    [24],
  ],
  ['structured attributes', '(mk { __structuredAttrs = true; a = set; b = all; }).drvPath', raw, [20]],
  ['concatLists', 'toString (builtins.concatLists (map (name: [ 0 (ifd name) ]) names))', raw, [20]],
  [
    'concatLists of files',
    'toString (builtins.concatLists (map (name: builtins.genList (i: i) (ifd name)) names))',
    raw,
    [20],
  ],
  ['concatMap', 'toString (builtins.concatMap (name: builtins.genList (i: i) (ifd name)) names)', raw, [20]],
  ['filter', 'toString (builtins.filter (name: ifd name > 3) names)', raw, [20]],
  [
    'listToAttrs',
    'toString (builtins.attrNames (builtins.listToAttrs (map (name: if ifd name > 3 then { inherit name; value = 1; } else { name = "x"; value = 2; }) names)))',
    raw,
    [20],
  ],
  ['arguments of a builtin', 'toString (builtins.add (ifd "1") (ifd "2"))', raw, [2]],
  ['a chain of imports', 'map (name: ifd (toString (100 + ifd name))) names', deep, [20, 16]],
  ['nix eval', 'all', evaluated, [20]],
  ['nix eval of a set', '{ a = set; b = { c = [ (ifd "x") { d = ifd "y"; } ]; }; }', evaluated, [22]],
  ['nix eval of derivations', 'map (name: mk { x = ifd name; }) names', evaluated, [20]],
  ['derivations of a list', 'map (name: mk { x = ifd name; }) names', derivations, [20]],
  [
    'derivations of a set',
    '{ a = mk { x = ifd "1"; }; b = { recurseForDerivations = true; c = mk { x = ifd "2"; }; d = mk { x = ifd "3"; }; }; e = mk { x = ifd "4"; }; }',
    derivations,
    [2, 2],
  ],
  ['one after the other', 'let f = n: if n == 0 then 0 else f (n - ifd "1"); in f 3', deep, [1]],
  [
    'what is shared',
    'let x = ifd "7"; in [ (x + 1) (x + 2) (ifd (toString (x + 3))) (ifd "9") ]',
    deep,
    [2, 1],
  ],
];

describe.each([
  ['release', core, undefined],
  ['debug, collecting all the time', debugCore, 1 << 12],
])('%s', (_, module, heapThresholdBytes) => {
  test.each(forks)('%s', async (_name, body, show, widths) => {
    const contents = (name: string): string => String(Number.parseInt(name, 36) % 30);
    const waiting = rounds();
    const world = buildingWorld({ contents, build: waiting.build });
    const evaluator = newEvaluator(world.io, { core: module, settings: { heapThresholdBytes } });
    const shown = await waiting.run(
      evaluateText(evaluator, program(body)).then((value) => show(evaluator, value)),
    );
    const other = newEvaluator(buildingWorld({ contents }).io, { core: module });
    const expected = await show(other, await evaluateText(other, program(body)));
    expect(decodeUtf8(shown)).toBe(decodeUtf8(expected));
    expect(waiting.widths).toEqual(widths);
  });
});

test('with one fiber, one thing is built after the other', async () => {
  const waiting = rounds();
  const { io } = buildingWorld({ contents: (name) => name, build: waiting.build });
  const evaluator = newEvaluator(io, { core, settings: { maxConcurrentFibers: 1 } });
  const shown = await waiting.run(
    evaluateText(evaluator, program('toString all')).then((value) => raw(evaluator, value)),
  );
  expect(decodeUtf8(shown)).toBe(Array.from({ length: 20 }, (_, i) => i).join(' '));
  expect(waiting.widths).toEqual(Array.from({ length: 20 }, () => 1));
});

test('no more fibers than are allowed', async () => {
  const waiting = rounds();
  const { io } = buildingWorld({ contents: (name) => name, build: waiting.build });
  const evaluator = newEvaluator(io, { core, settings: { maxConcurrentFibers: 5 } });
  await waiting.run(evaluateText(evaluator, program('toString all')).then((value) => raw(evaluator, value)));
  expect(waiting.widths).toEqual([5, 5, 5, 5]);
});

/** A diagnostic as data that can be compared. */
function told(error: unknown): unknown {
  return error instanceof EvaluationError ? JSON.stringify(error.diagnostic, undefined, 1) : error;
}

/** Programs in which something fails while others wait, or because they do. */
const failing: string[] = [
  '[ (ifd "1") (throw "second") (ifd "3") ]',
  '[ (ifd "bad") (throw "second") (ifd "3") ]',
  '[ (ifd "1") (ifd "bad") (ifd "3") ]',
  '[ (ifd "1") (ifd "bad").x (ifd "missing") ]',
  'let x = ifd "bad"; in [ (ifd "1") (x + 1) (x + 2) ]',
  'let x = ifd "1" + throw "x"; in [ (ifd "2") (builtins.tryEval x) (builtins.tryEval [ x ]) x ]',
  'let x = ifd "1" + throw "x"; y = [ x ]; in [ (builtins.tryEval (builtins.deepSeq y 1)) (ifd "2") x ]',
  'let x = ifd "1" + y; y = ifd "2" + x; in [ (ifd "3") x y ]',
  'let x = ifd "1" + y; y = ifd "2" + z; z = ifd "3" + x; in [ z y x ]',
  'rec { a = ifd "1" + b; b = ifd "2" + c; c = ifd "3"; d = ifd "4" + d; }',
  'let f = n: f (n + ifd "1"); in [ (ifd "2") (f 1) ]',
  'let f = n: 1 + f (n + 1); in [ (ifd "2") (f 1) ]',
  '[ (ifd "1") (builtins.addErrorContext "context" (ifd "2" + throw "x")) ]',
  'let x = builtins.addErrorContext "context ${toString (ifd "5")}" (ifd "2" + throw "x"); in [ (builtins.tryEval x) x ]',
  '[ (ifd "1") (builtins.trace "said" (ifd "2")) (assert ifd "3" == 4; 1) ]',
  'builtins.toJSON { a = ifd "1"; b = ifd "2"; c = x: x; }',
  'toString [ (ifd "1") (ifd "2") (x: x) ]',
  '(mk { a = ifd "1"; b = ifd "2"; c = x: x; }).drvPath',
  'builtins.concatLists [ [ (ifd "1") ] (ifd "2") (ifd "bad") ]',
  'builtins.add (ifd "1") (ifd "bad")',
];

describe.each([
  ['release', core, undefined],
  ['debug, collecting all the time', debugCore, 1 << 12],
])('failures, %s', (_, module, heapThresholdBytes) => {
  test.each(failing)('%s', async (body) => {
    const contents = (name: string): string => (name === 'bad' ? '{ x = throw "bad"; }.y' : name);
    const settings = { heapThresholdBytes, showTrace: true, maxCallDepth: 200 };
    const waiting = rounds();
    const io = buildingWorld({ contents, build: waiting.build }).io;
    const evaluator = newEvaluator(io, { core: module, settings });
    const other = newEvaluator(buildingWorld({ contents }).io, { core: module, settings });
    for (const show of [deep, json, evaluated, deep]) {
      const actual = await waiting
        .run(evaluateText(evaluator, program(body)).then((value) => show(evaluator, value)))
        .then(decodeUtf8, told);
      const expected = await evaluateText(other, program(body))
        .then((value) => show(other, value))
        .then(decodeUtf8, told);
      expect(actual).toEqual(expected);
    }
  });
});

test('one thing that waits for another is built in as few rounds as can be', async () => {
  const waiting = rounds();
  const { io } = buildingWorld({ contents: (name) => name, build: waiting.build });
  const evaluator = newEvaluator(io, { core });
  const body =
    'let a = ifd "1"; in [ (ifd (toString (a + 10))) (a + ifd "2") (ifd (toString (a + 20))) (ifd "3") ]';
  await waiting.run(evaluateText(evaluator, program(body)).then((value) => deep(evaluator, value)));
  expect(waiting.widths).toEqual([2, 3]);
});

test('an evaluation that never ends keeps nobody waiting who does not need it', async () => {
  const waiting = rounds();
  const { io } = buildingWorld({ contents: (name) => name, build: waiting.build });
  const evaluator = newEvaluator(io, { core });
  const body = 'let f = n: if n == 0 then 0 else f (n + 1); in [ (ifd "1") (throw "ends here") (f 1) ]';
  const value = await evaluateText(evaluator, program(body));
  await expect(waiting.run(deep(evaluator, value))).rejects.toThrow('ends here');
});

test('what is ended from outside ends, and the evaluator is good for more', async () => {
  const reason = new Error('ended');
  const { io } = buildingWorld({ contents: (name) => name, build: () => Promise.reject(reason) });
  const evaluator = newEvaluator(io, { core });
  const value = await evaluateText(evaluator, program('all'));
  await expect(deep(evaluator, value)).rejects.toBe(reason);
  const other = await evaluateText(evaluator, '[ 1 2 ]');
  expect(decodeUtf8(await evaluator.print(other))).toBe('[ 1 2 ]');
});

test('messages of what runs beside come once', async () => {
  const waiting = rounds();
  const said: string[] = [];
  const world = {
    ...emptyWorld,
    message: (_: unknown, text: Uint8Array): number => said.push(decodeUtf8(text)),
  };
  const { io } = buildingWorld({ contents: (name) => name, build: waiting.build, world });
  const evaluator = newEvaluator(io, { core });
  const body =
    'map (name: builtins.trace "before ${name}" (builtins.trace "after ${name} ${toString (ifd name)}" 1)) names';
  await waiting.run(evaluateText(evaluator, program(body)).then((value) => deep(evaluator, value)));
  expect(said.toSorted()).toEqual(
    Array.from({ length: 20 }, (_, i) => [`after ${i} ${i}`, `before ${i}`])
      .flat()
      .toSorted(),
  );
  expect(said.slice(0, 20).every((text) => text.startsWith('before'))).toBe(true);
});
