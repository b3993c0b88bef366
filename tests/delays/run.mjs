// Evaluates programs in a world that answers at once and in the same world whose answers come late, in a random order:
// values, errors with all their traces, and messages must be the same byte for byte. What is evaluated while something
// else waits must not be seen by anybody.
//
// The programs are the cases of tests/differential and generated ones, as they are and with numbers that are read from
// files. Every other evaluator collects all the time when answers are late, and every third runs the debug build of the core.

import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseFolder } from '../differential/case-file.mjs';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { countOption, runHarness } from '../lib/options.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { reportOf } from '../lib/program-report.mjs';
import { Random } from '../lib/random.mjs';
import { stressInterval } from '../lib/stress.mjs';
import { Tally } from '../lib/tally.mjs';
import { delayed, withLateFiles, withLateNumbers } from './delayed-world.mjs';

const usage = `usage: npm run delays -- [options]

  --seed N      seed of everything that is random (default: a random one, printed)
  --count N     generated programs (default: 300)
  --only TEXT   only programs that contain the text`;

const here = dirname(fileURLToPath(import.meta.url));
const directory = realpathSync(join(here, '../differential/fixtures'));

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
      const build = index % 3 === 0 ? 'debug' : 'release';
      const late = (/** @type {import('@neve/eval').EvalIO} */ io) => withLateFiles(io, library);
      const options = { library, core: cores[build], directory };
      const { text: expected, stats } = await reportOf(program, { ...options, world: late, settings: {} });
      const random = new Random(seed + index);
      const world = (/** @type {import('@neve/eval').EvalIO} */ io) => delayed(late(io), random);
      // Every other one collects all the time.
      const stressed = { collectionInterval: stressInterval(stats, { build, collections: 500 }) };
      const settings = index % 2 === 0 ? stressed : {};
      const { text: actual } = await reportOf(program, { ...options, world, settings });
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
