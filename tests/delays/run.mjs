// Evaluates programs in a world that answers at once and in the same world whose answers come late, in a random order:
// values, errors with all their traces, and messages must be the same byte for byte. What is evaluated while something
// else waits must not be seen by anybody.
//
// The programs are the cases of tests/differential and generated ones, as they are and with numbers that are read from
// files. Every other evaluator collects all the time, and every third runs the debug build of the core.

import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseFolder } from '../differential/case-file.mjs';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { countOption, runHarness } from '../lib/options.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { delayed, withLateFiles, withLateNumbers } from './delayed-world.mjs';

const usage = `usage: npm run delays -- [options]

  --seed N      seed of everything that is random (default: a random one, printed)
  --count N     generated programs (default: 300)
  --only TEXT   only programs that contain the text`;

const here = dirname(fileURLToPath(import.meta.url));
const directory = realpathSync(join(here, '../differential/fixtures'));

/** @typedef {{ program: string, settings: Partial<import('@neve/eval').EvaluatorSettings> }} Job */

await runHarness(
  { usage, options: { seed: { type: 'string' }, count: { type: 'string' }, only: { type: 'string' } } },
  async (values) => {
    const library = await loadEvaluator();
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const only = values['only'] ?? '';
    console.log(`seed ${seed}`);
    const cores = {
      release: new WebAssembly.Module(readCore('release')),
      debug: new WebAssembly.Module(readCore('debug')),
    };
    const tally = new Tally();
    const programs = chosenPrograms(countOption('count', values['count'], 300), seed);
    for (const [index, program] of programs.entries()) {
      if (!program.includes(only)) continue;
      const core = index % 3 === 0 ? cores.debug : cores.release;
      const heapThresholdBytes = index % 2 === 0 ? 1 << 12 : undefined;
      const options = { library, core, heapThresholdBytes };
      const expected = await evaluate(program, { ...options, random: undefined });
      const actual = await evaluate(program, { ...options, random: new Random(seed + index) });
      if (actual !== expected)
        console.log(`DIFFERS ${program}\n--- at once\n${expected}\n--- late\n${actual}`);
      tally.record(program, actual === expected);
    }
    return tally.conclude();
  },
);

/**
 * @param {number} count of generated programs
 * @param {number} seed
 * @returns {string[]}
 */
function chosenPrograms(count, seed) {
  const random = new Random(seed);
  const generator = new ProgramGenerator(random);
  const cases = readCaseFolder(join(here, '../differential/cases'))
    .filter(({ expression }) => !/currentTime|unsafeGetAttrPos|\/proc\b/.test(expression))
    .map(({ expression }) => expression);
  const generated = Array.from({ length: count }, () => generator.program());
  return [...cases, ...generated].flatMap((program) => {
    const late = withLateNumbers(program, random);
    return late === program ? [program] : [program, late];
  });
}

/**
 * All that a program says, one way and another.
 *
 * @param {string} program
 * @param {object} options
 * @param {Awaited<ReturnType<typeof loadEvaluator>>} options.library
 * @param {WebAssembly.Module} options.core
 * @param {number | undefined} options.heapThresholdBytes
 * @param {Random | undefined} options.random with it, answers come late
 */
async function evaluate(program, { library, core, heapThresholdBytes, random }) {
  const { createEvaluator, createFileSystemIO, decodeUtf8, encodeUtf8 } = library;
  /** @type {string[]} */
  const said = [];
  const onMessage = /** @type {import('@neve/eval').EvalIO['message']} */ (level, text) => {
    said.push(`${level}: ${decodeUtf8(text)}`);
  };
  const files = createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: { NEVE_TEST_VARIABLE: 'set' },
    currentTime: 0,
    onMessage,
  });
  const io = withLateFiles(files, library);
  const evaluator = createEvaluator({
    core,
    io: random === undefined ? io : delayed(io, random),
    settings: {
      storeDir: '/nix/store',
      currentSystem: 'x86_64-linux',
      pureEval: false,
      restrictEval: false,
      nixPath: [],
      homeDirectory: '/home/user',
      experimentalFeatures: new Set(['pipe-operators']),
      maxCallDepth: 10_000,
      traceVerbose: false,
      abortOnWarn: false,
      showTrace: true,
      writesStore: false,
      heapThresholdBytes,
    },
  });
  const source = /** @type {const} */ ({ kind: 'string', text: encodeUtf8(program), directory });
  const value = await attempt(library, said, async () => {
    return await evaluator.evaluate(await evaluator.parse(source));
  });
  if (value === undefined) return said.join('\n');
  const say = (/** @type {() => Promise<Uint8Array>} */ show) =>
    attempt(library, said, async () => said.push(decodeUtf8(await show())));
  await say(() => evaluator.print(value));
  await say(() => evaluator.printEvaluated(value));
  await say(() => evaluator.toJSON(value, { strict: true }));
  await say(() => evaluator.toXML(value, { strict: true, location: true }));
  await say(async () => {
    await evaluator.forceDeep(value);
    return await evaluator.print(value);
  });
  return said.join('\n');
}

/**
 * @template T
 * @param {Awaited<ReturnType<typeof loadEvaluator>>} library
 * @param {string[]} said
 * @param {() => Promise<T>} run
 * @returns {Promise<T | undefined>}
 */
async function attempt({ EvaluationError, renderDiagnostic }, said, run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    said.push(renderDiagnostic(error.diagnostic, { colour: false, showTrace: true }));
    return undefined;
  }
}
