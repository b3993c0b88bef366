// Feeds random and damaged programs to Neve and watches for crashes and hangs.
//
// Half of the inputs are generated programs (see lib/program-generator.mjs), half are mutants of
// the project's own sample expressions. Any answer that Nix could give is fine; what is not is a
// signal, an exit code other than 0 and 1, output that shows the implementation's inside, a
// failure without a message, or no end within the time limit. What breaks is kept in a file.

import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseFolder } from '../differential/case-file.mjs';
import { neveImplementation } from '../lib/implementation.mjs';
import { bundleEvaluator } from '../lib/load-evaluator.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { defaultWidth, mapInPool } from '../lib/pool.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { createRunner as createThreadRunner } from './in-process-runner.mjs';
import { asksForTooMuch, mutate } from './mutator.mjs';
import { createRunner as createProcessRunner } from './process-runner.mjs';

const usage = `usage: npm run fuzz -- [options]

  --seconds N      how long to go on (default: 60)
  --count N        stop after N inputs
  --seed N         seed of the inputs (default: a random one, printed)
  --input N        run only input N of the seed, and print it
  --keep DIR       where inputs that break are kept (default: node_modules/.cache/neve-fuzz)
  --runner KIND    'in-process' (default), or 'process': the whole command, one process an input
  --core DIR       in-process: where neve.wasm and neve.debug.wasm are (default: where the build puts them)
  --build NAME     in-process: 'release' or 'debug' (default: both)
  --neve CMD       process: the command under test (default: the project's neve)
  --jobs N         inputs at a time (default: ${defaultWidth})`;

const here = dirname(fileURLToPath(import.meta.url));
const samples = realpathSync(join(here, '../differential'));
const hangMs = 10_000;
const batchSize = 64;
/** After so many there is nothing to be learnt from more. */
const enoughFailures = 20;

await runHarness(
  {
    usage,
    options: {
      seconds: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      input: { type: 'string' },
      keep: { type: 'string' },
      runner: { type: 'string' },
      core: { type: 'string' },
      build: { type: 'string' },
      neve: { type: 'string' },
      jobs: { type: 'string' },
    },
  },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const deadline = Date.now() + countOption('seconds', values['seconds'], 60) * 1000;
    const first = countOption('input', values['input'], 0);
    const end = values['input'] === undefined ? countOption('count', values['count'], Infinity) : first + 1;
    const keep = resolve(values['keep'] ?? join(here, '../../node_modules/.cache/neve-fuzz'));
    const inputAt = inputSource(seed);
    console.log(`seed ${seed}`);
    return await withNixEnvironment({}, async (environment) => {
      const runner = await startRunner(values, environment);
      const tally = new Tally();
      const ends = { evaluated: 0, failed: 0, crashed: 0, hung: 0 };
      const runInput = async (/** @type {number} */ index) => {
        const source = inputAt(index);
        if (values['input'] !== undefined) console.log(Buffer.from(source).toString('utf8'));
        const report = await runner.runCase(source);
        ends[report.end]++;
        const ok = report.end === 'evaluated' || report.end === 'failed';
        tally.record(`input ${index}`, ok);
        if (!ok) keepInput({ source, report, index, seed, keep });
      };
      const width = countOption('jobs', values['jobs'], defaultWidth);
      try {
        for (
          let start = first;
          start < end && (Date.now() < deadline || start === first) && tally.failed < enoughFailures;
          start += batchSize
        ) {
          const count = Math.min(batchSize, end - start);
          await mapInPool(
            Array.from({ length: count }, (_, offset) => start + offset),
            runInput,
            width,
          );
        }
      } finally {
        await runner.dispose();
      }
      console.log(
        `${ends.evaluated} evaluated, ${ends.failed} failed as they may, ${ends.crashed} crashed, ${ends.hung} hung`,
      );
      return tally.conclude();
    });
  },
);

/**
 * @param {Record<string, any>} values
 * @param {import("../lib/nix-environment.mjs").NixEnvironment} environment
 * @returns {Promise<import("./process-runner.mjs").Runner>}
 */
async function startRunner(values, environment) {
  const folder = join(samples, 'fixtures');
  const kind = values['runner'] ?? 'in-process';
  if (kind === 'process') {
    const implementation = neveImplementation(values['neve']);
    return createProcessRunner({ implementation, environment, folder, timeoutMs: hangMs });
  }
  if (kind !== 'in-process') throw new UsageError(`--runner is 'in-process' or 'process', not '${kind}'`);
  const build = values['build'];
  if (build !== undefined && build !== 'release' && build !== 'debug') {
    throw new UsageError(`--build is 'release' or 'debug', not '${build}'`);
  }
  return createThreadRunner({
    folder,
    timeoutMs: hangMs,
    library: await bundleEvaluator(),
    core: values['core'],
    ...(build === undefined ? {} : { builds: [build] }),
  });
}

/**
 * The inputs of a seed, each a function of its index alone.
 *
 * @param {number} seed
 * @returns {(index: number) => Uint8Array}
 */
function inputSource(seed) {
  const corpus = readCaseFolder(join(samples, 'cases'))
    .map(({ expression }) => Buffer.from(expression))
    .filter((source) => !asksForTooMuch(source));
  return (index) => {
    const random = Random.forPart(seed, index);
    if (random.oneIn(2)) return Buffer.from(new ProgramGenerator(random).program());
    const source = random.oneIn(3)
      ? Buffer.from(new ProgramGenerator(random).program())
      : random.pick(corpus);
    const mutant = mutate(source, { random, other: random.pick(corpus) });
    return asksForTooMuch(mutant) ? source : mutant;
  };
}

/**
 * @param {{ source: Uint8Array, report: import("./process-runner.mjs").Report, index: number, seed: number, keep: string }} broken
 */
function keepInput({ source, report, index, seed, keep }) {
  mkdirSync(keep, { recursive: true });
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const path = join(keep, `${report.end}-${digest}.nix`);
  writeFileSync(path, source);
  console.log(`${report.end.toUpperCase()} input ${index} of seed ${seed}, kept in ${path}`);
  if (report.detail !== '') console.log(`    ${report.detail}`);
}
