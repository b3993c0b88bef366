// Loops that compute: the memory that they take must not grow with the number of their steps, and at a limit that is much
// less than what they allocate they must come to their end.
//
// Each is evaluated in a process of its own, whose largest resident set is looked at.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What the two lengths of a loop may differ by: engines compile while they run, and collect when they please. */
const toleranceMiB = 48;
const limitBytes = 48 * 1024 * 1024;
/** Collections begin early, so that short loops tell what long ones would. */
const heapThresholdBytes = 16 * 1024 * 1024;

/**
 * `bytesPerStep` is what a step must keep by its nature, say an item of a list.
 *
 * @type {readonly { name: string, steps: number, bytesPerStep?: number, expression: (steps: number) => string }[]}
 */
const loops = [
  {
    name: 'calls',
    steps: 30,
    expression: (n) =>
      `let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in builtins.foldl' (a: i: a + fib 19) 0 (builtins.genList (x: x) ${n})`,
  },
  {
    name: 'a fold over a list',
    steps: 50_000,
    bytesPerStep: 3 * 20,
    expression: (n) => `builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) ${n})`,
  },
  {
    name: 'folds over lists in a fold',
    steps: 200,
    expression: (n) =>
      `builtins.foldl' (a: b: a + builtins.foldl' (x: y: x + y) 0 (builtins.genList (x: x * b) 2000)) 0 (builtins.genList (x: x) ${n})`,
  },
  {
    name: 'sets that are updated',
    steps: 4000,
    expression: (n) =>
      `(builtins.foldl' (s: i: let count = s.count + 1; in builtins.seq count (s // { inherit count; last = i; })) (builtins.listToAttrs (map (i: { name = "k\${toString i}"; value = i; }) (builtins.genList (x: x) 500)) // { count = 0; }) (builtins.genList (x: x) ${n})).count`,
  },
  {
    name: 'long strings, each made of the one before',
    steps: 1000,
    expression: (n) =>
      `builtins.stringLength (builtins.foldl' (s: i: builtins.substring 0 300000 (s + "0123456789")) (builtins.concatStringsSep "" (builtins.genList (x: "0123456789") 30000)) (builtins.genList (x: x) ${n}))`,
  },
  {
    name: 'a closure whose items keep only their key',
    steps: 25_000,
    bytesPerStep: 3 * 120,
    expression: (n) =>
      `builtins.length (builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: if key < ${n} then [ { key = key + 1; } ] else [ ]; })`,
  },
  {
    name: 'deep recursion, again and again, with garbage at each level',
    steps: 40,
    expression: (n) =>
      `let down = d: if d == 0 then 0 else builtins.length (builtins.genList (x: x) 20) - 20 + down (d - 1) + 1; in builtins.foldl' (a: i: a + down 2000) 0 (builtins.genList (x: x) ${n})`,
  },
];

/**
 * @param {{ library: string, tally: import('../lib/tally.mjs').Tally }} options `library` is the bundled evaluator
 */
export async function checkLoops({ library, tally }) {
  for (const { name, steps, bytesPerStep = 0, expression } of loops) {
    const short = await evaluate(library, expression(steps), { heapThresholdBytes });
    const long = await evaluate(library, expression(10 * steps), { heapThresholdBytes });
    const allowed = toleranceMiB + (9 * steps * bytesPerStep) / 2 ** 20;
    const isConstant = long.residentMiB - short.residentMiB <= allowed;
    report(tally, `${name}: constant memory`, isConstant, `${short.residentMiB} and ${long.residentMiB} MiB`);
    const limited = await evaluate(library, expression(10 * steps), { maxHeapBytes: limitBytes });
    const isSame = limited.value === long.value && limited.collections > 0;
    report(tally, `${name}: at a limit`, isSame, `${limited.value}, ${limited.collections} collections`);
  }
}

/**
 * @param {import('../lib/tally.mjs').Tally} tally
 * @param {string} name
 * @param {boolean} ok
 * @param {string} detail
 */
function report(tally, name, ok, detail) {
  tally.record(name, ok);
  console.log(`${ok ? 'passed' : 'FAIL'} ${name}: ${detail}`);
}

/**
 * @param {string} library
 * @param {string} expression
 * @param {Partial<import('@neve/eval').EvaluatorSettings>} settings
 * @returns {Promise<{ value: string, residentMiB: number, collections: number }>}
 */
async function evaluate(library, expression, settings) {
  const script = fileURLToPath(new URL('evaluate-once.mjs', import.meta.url));
  const request = JSON.stringify({ library, expression, settings });
  const { stdout } = await promisify(execFile)(process.execPath, [script, request]);
  return JSON.parse(stdout);
}
