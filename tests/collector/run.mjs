// Evaluates programs as they are, and again while the collector runs wherever it may and poisons what it has left behind: all
// that a program says must be the same. The debug build of the core collects between any two instructions, the release
// build at any call. Then loops of growing length, whose memory must not grow with them, and evaluations at a limit of memory.
//
// The programs are those of tests/differential, generated ones, and a small set of packages with fixed points, overrides
// and modules; with --files those of a folder, with --golden recorded derivations of a nixpkgs.

import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCaseFolder } from '../differential/case-file.mjs';
import { bundleEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { reportOf } from '../lib/program-report.mjs';
import { Random } from '../lib/random.mjs';
import { stressInterval } from '../lib/stress.mjs';
import { Tally } from '../lib/tally.mjs';
import { checkLoops } from './loops.mjs';

const usage = `usage: npm run collector -- [options]

  --seed N          seed of what is generated and chosen (default: a random one, printed)
  --count N         generated programs (default: 100)
  --share N         one of N cases of tests/differential, or groups of a golden file (default: 1, all)
  --collections N   collections for each program, about (default: 5000)
  --files FOLDER    evaluates the .nix files of a folder instead
  --golden FILE     recorded derivation paths instead (tests/golden), with --nixpkgs TREE
  --nixpkgs TREE    what they were recorded from
  --group N         attributes of one evaluation (default: 10)
  --wide            collects in the core with 64-bit addresses alone, which Node.js 24 and later can run
  --only TEXT       only programs that contain the text
  --no-loops        leaves out the loops`;

const here = dirname(fileURLToPath(import.meta.url));
const fixtures = realpathSync(join(here, '../differential/fixtures'));

/**
 * @typedef {object} Job
 * @property {string} program
 * @property {string} directory
 * @property {Partial<import('@neve/eval').EvaluatorSettings>} settings
 * @property {boolean} [mayFail] without it an error is a failure of the test
 */

await runHarness(
  {
    usage,
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      share: { type: 'string' },
      collections: { type: 'string' },
      files: { type: 'string' },
      golden: { type: 'string' },
      nixpkgs: { type: 'string' },
      group: { type: 'string' },
      only: { type: 'string' },
      'no-loops': { type: 'boolean' },
      wide: { type: 'boolean' },
    },
  },
  async (values) => {
    const bundle = await bundleEvaluator();
    const tally = new Tally();
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const only = values['only'] ?? '';
    console.log(`seed ${seed}`);
    const jobs = chosenJobs(values, seed).filter(({ program }) => program.includes(only));
    await stress(jobs, {
      library: await import(bundle),
      collections: countOption('collections', values['collections'], 5000),
      tally,
      isWide: values['wide'] === true,
    });
    const isSpecial = values['files'] !== undefined || values['golden'] !== undefined;
    if (values['no-loops'] !== true && values['wide'] !== true && !isSpecial)
      await checkLoops({ library: bundle, tally });
    return tally.conclude();
  },
);

/**
 * @param {readonly Job[]} jobs
 * @param {{ library: import('../lib/load-evaluator.mjs').EvaluatorLibrary, collections: number, tally: Tally, isWide: boolean }} options
 */
async function stress(jobs, { library, collections, tally, isWide }) {
  const load = (/** @type {Parameters<typeof readCore>[0]} */ kind) => new WebAssembly.Module(readCore(kind));
  const quiet = load('release');
  /** @type {{ build: 'release' | 'debug', core: WebAssembly.Module }[]} */
  const cores = isWide
    ? [{ build: 'release', core: load('wide') }]
    : [
        { build: 'release', core: quiet },
        { build: 'debug', core: load('debug') },
      ];
  const totals = { collections: 0, cells: 0 };
  for (const { program, directory, settings, mayFail = false } of jobs) {
    const options = { library, core: quiet, directory };
    const expected = await reportOf(program, { ...options, settings });
    for (const { build, core } of cores) {
      const collectionInterval = stressInterval(expected.stats, { build, collections });
      const actual = await reportOf(program, {
        ...options,
        core,
        settings: { ...settings, collectionInterval },
      }).catch((error) => ({ text: `${error instanceof Error ? error.stack : error}`, stats: undefined }));
      totals.collections += actual.stats?.['gc'].cycles ?? 0;
      totals.cells += actual.stats?.['gc'].movedCells ?? 0;
      const isSame =
        saysTheSame(actual.text, expected.text) && (mayFail || !expected.text.includes('error:'));
      tally.record(program, isSame);
      if (!isSame) {
        console.log(`DIFFERS (${build}, every ${collectionInterval}) ${program.slice(0, 2000)}`);
        console.log(`--- without collections\n${expected.text.slice(0, 2000)}`);
        console.log(`--- with collections\n${actual.text.slice(0, 4000)}`);
      }
    }
  }
  console.log(`${jobs.length} programs, ${totals.collections} collections, ${totals.cells} cells moved`);
}

/**
 * Whether two reports are the same, but for lists that are printed as «repeated» where they are known to be: a list that is
 * reached through two thunks is one after the collector has taken the thunks out.
 *
 * @param {string} actual
 * @param {string} expected
 */
function saysTheSame(actual, expected) {
  if (actual === expected) return true;
  const lines = expected.split('\n');
  const others = actual.split('\n');
  return (
    lines.length === others.length &&
    lines.every((line, index) => line === others[index] || others[index]?.includes('«repeated»'))
  );
}

/**
 * @param {Readonly<Record<string, any>>} values
 * @param {number} seed
 * @returns {Job[]}
 */
function chosenJobs(values, seed) {
  if (values['files'] !== undefined) return jobsOfFolder(values['files']);
  const random = new Random(seed);
  const generator = new ProgramGenerator(random);
  const share = countOption('share', values['share'], 1);
  if (values['golden'] !== undefined) return goldenJobs(values).filter(() => random.below(share) === 0);
  const cases = readCaseFolder(join(here, '../differential/cases'))
    // What tells of time, or takes long by itself.
    .filter(({ expression }) => !/currentTime|\/proc\b/.test(expression))
    .filter(() => random.below(share) === 0)
    .map(({ expression }) => expression);
  const count = countOption('count', values['count'], 100);
  const generated = Array.from({ length: count }, () => generator.program());
  const job = (/** @type {string} */ program) => ({ program, directory: fixtures, settings: {} });
  return [
    job(packages()),
    ...[...cases, ...generated].map((program) => ({ ...job(program), mayFail: true })),
  ];
}

/** A set of packages, all of whose derivations are made. */
function packages() {
  return `builtins.mapAttrs (_: p: p.drvPath or p) (import ${join(here, 'packages.nix')} { })`;
}

/**
 * @param {string} folder
 * @returns {Job[]}
 */
function jobsOfFolder(folder) {
  if (!existsSync(folder)) throw new UsageError(`there is no ${folder}`);
  const directory = realpathSync(folder);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.nix'))
    .map((name) => ({
      program: readFileSync(join(directory, name), 'utf8'),
      directory,
      settings: {},
      mayFail: true,
    }));
}

/**
 * Groups of attributes of a golden file, as tests/golden describes it. What must come out is what comes out without
 * collections, and the recorded paths.
 *
 * @param {Readonly<Record<string, any>>} values
 * @returns {Job[]}
 */
function goldenJobs(values) {
  const tree = values['nixpkgs'];
  if (tree === undefined || !existsSync(tree)) throw new UsageError('--golden needs --nixpkgs TREE');
  /** @type {{ expression: string, drvPaths: Record<string, string> }} */
  const { expression, drvPaths } = JSON.parse(readFileSync(values['golden'], 'utf8'));
  const [base, rest = ''] = expression.split('.ATTRIBUTE');
  const attributes = Object.keys(drvPaths);
  const size = countOption('group', values['group'], 10);
  /** @type {Job[]} */
  const jobs = [];
  for (let start = 0; start < attributes.length; start += size) {
    const bindings = attributes.slice(start, start + size).map((attribute) => {
      const expected = JSON.stringify(drvPaths[attribute]);
      return `${JSON.stringify(attribute)} = same (base.${attribute}${rest}) ${expected};`;
    });
    jobs.push({
      program: `let base = ${base}; same = a: b: a == b || throw "\${a} is not \${b}"; in { ${bindings.join(' ')} }`,
      directory: '/',
      settings: { nixPath: [{ prefix: 'nixpkgs', path: realpathSync(tree) }] },
    });
  }
  return jobs;
}
