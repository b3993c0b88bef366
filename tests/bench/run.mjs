// Measures Neve beside a Nix, alternating cold processes, and prints the paired ratios.
//
// A case passes when both sides succeed and print the same; how fast they are is a figure, not a
// verdict. Take ratios, not seconds: a machine's noise is the same for both sides of a pair.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neveImplementation, nixImplementation, underNode, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { textTable } from '../lib/text-table.mjs';
import { benchCases } from './cases.mjs';
import { measure } from './measure.mjs';
import { median, pairedRatio } from './statistics.mjs';

const usage = `usage: npm run bench -- [options]

  --nix-bin DIR         folder of the Nix to compare with (default: from PATH)
  --nixpkgs-18-03 TREE  a nixpkgs 18.03; without it its cases are left out
  --nixpkgs-26-11 TREE  a nixpkgs 26.11pre; without it its cases are left out
  --bench DIR           the expressions to measure (default: tests/bench/cases)
  --node PATH           run neve by this Node.js; may be given several times
  --only PATTERN        only cases whose name matches the regular expression
  --runs N              pairs a case (default: 5)
  --json                print the measurements as JSON instead of a table
  --neve CMD            the command under test (default: the project's neve)`;

/** @typedef {import("../lib/implementation.mjs").Implementation} Implementation */
/** @typedef {import("./measure.mjs").Measurement} Measurement */

/**
 * @typedef {object} Result
 * @property {string} name of the case
 * @property {string} side whose figures these are
 * @property {Measurement[]} measurements
 * @property {Measurement[]} references the Nix's, in pairs with `measurements`; empty without one
 */

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      'nixpkgs-18-03': { type: 'string' },
      'nixpkgs-26-11': { type: 'string' },
      bench: { type: 'string' },
      node: { type: 'string', multiple: true },
      only: { type: 'string' },
      runs: { type: 'string' },
      json: { type: 'boolean' },
      neve: { type: 'string' },
    },
  },
  async (values) => {
    const nix = nixImplementation(values['nix-bin']);
    const neve = neveImplementation(values['neve']);
    const nodes = /** @type {string[]} */ (values['node'] ?? []);
    const sides = nodes.length === 0 ? [neve] : nodes.map((node) => underNode(neve, node));
    const runs = countOption('runs', values['runs'], 5);
    const wanted = new RegExp(values['only'] ?? '');
    const plans = plannedCases(values).filter(({ name }) => wanted.test(name));
    return await withNixEnvironment({}, async (environment) => {
      const options = { folder: environment.folder, env: environment.variables };
      const note = values['json'] === true ? console.error : console.log;
      note(`${runs} pairs a case; compared with ${await versionOf(nix, options.env)}`);
      const tally = new Tally();
      /** @type {Result[]} */
      const results = [];
      if (wanted.test('node -e 0')) results.push(...(await measureNode(nodes, { runs, options })));
      for (const plan of plans) {
        if (plan.skipped !== undefined) {
          note(`left out ${plan.name}: ${plan.skipped}`);
          continue;
        }
        for (const result of await measureCase(plan, { sides, nix, runs, options })) {
          results.push(result);
          judge(result, { tally, note });
        }
      }
      console.log(
        values['json'] === true
          ? JSON.stringify(results.map(figures), undefined, 2)
          : `\n${table(results)}\n`,
      );
      return tally.conclude();
    });
  },
);

/**
 * @typedef {object} Plan
 * @property {string} name
 * @property {boolean} version
 * @property {readonly string[]} arguments
 * @property {string} [skipped] why it is left out
 */

/**
 * @param {Record<string, any>} values
 * @returns {Plan[]}
 */
function plannedCases(values) {
  const bench = folderOption(
    values['bench'] ?? join(dirname(fileURLToPath(import.meta.url)), 'cases'),
    'bench',
  );
  return benchCases.map((item) => {
    const tree = item.nixpkgs === undefined ? undefined : values[`nixpkgs-${item.nixpkgs}`];
    const plan = { name: item.name, version: item.version === true };
    if (item.nixpkgs !== undefined && tree === undefined) {
      return { ...plan, arguments: [], skipped: `needs --nixpkgs-${item.nixpkgs}` };
    }
    const nixpkgs = tree === undefined ? '' : folderOption(tree, `nixpkgs-${item.nixpkgs}`);
    return { ...plan, arguments: item.arguments({ bench, nixpkgs }) };
  });
}

/**
 * @param {string} path
 * @param {string} name
 */
function folderOption(path, name) {
  if (!existsSync(path)) throw new UsageError(`--${name}: there is no ${path}`);
  return realpathSync(path);
}

/**
 * What Node.js itself costs, which Neve cannot go below.
 *
 * @param {readonly string[]} nodes
 * @param {{ runs: number, options: { folder: string, env: NodeJS.ProcessEnv } }} context
 * @returns {Promise<Result[]>}
 */
async function measureNode(nodes, { runs, options }) {
  const results = [];
  for (const node of nodes.length === 0 ? [process.execPath] : nodes) {
    /** @type {Measurement[]} */
    const measurements = [];
    for (let run = 0; run < runs; run++) measurements.push(await measure([node, '-e', '0'], options));
    results.push({ name: 'node -e 0', side: node, measurements, references: [] });
  }
  return results;
}

/**
 * @param {Plan} plan
 * @param {{ sides: readonly Implementation[], nix: Implementation, runs: number, options: { folder: string, env: NodeJS.ProcessEnv } }} context
 * @returns {Promise<Result[]>} one for each side
 */
async function measureCase(plan, { sides, nix, runs, options }) {
  /** @type {Result[]} */
  const results = sides.map((side) => ({
    name: plan.name,
    side: side.name,
    measurements: [],
    references: [],
  }));
  const once = (/** @type {Implementation} */ side) =>
    measure([...(plan.version ? side.program : side.instantiate), ...plan.arguments], options);
  for (let run = 0; run < runs; run++) {
    for (const [index, side] of sides.entries()) {
      const result = results[index];
      if (result === undefined) continue;
      // Who begins alternates, so that neither side always finds the files warm.
      if (run % 2 === 0) result.references.push(await once(nix));
      result.measurements.push(await once(side));
      if (run % 2 === 1) result.references.push(await once(nix));
    }
  }
  return results;
}

/**
 * @param {Result} result
 * @param {{ tally: Tally, note: (text: string) => void }} context
 */
function judge({ name, side, measurements, references }, { tally, note }) {
  const failure = [...measurements, ...references].find(({ code }) => code !== 0);
  // Versions differ by nature.
  const outputs =
    name === '--version' ? 1 : new Set([...measurements, ...references].map(({ stdout }) => stdout)).size;
  tally.record(name, failure === undefined && outputs === 1);
  if (failure !== undefined) {
    note(`FAIL ${name} (${side}): exit code ${failure.code}: ${failure.stderr.trim().split('\n').at(-1)}`);
  } else if (outputs !== 1) {
    note(`FAIL ${name} (${side}): the two print different things`);
  }
}

/** @param {readonly Result[]} results */
function table(results) {
  const severalSides =
    new Set(results.filter(({ references }) => references.length > 0).map(({ side }) => side)).size > 1;
  const head = ['case', 'min', 'median', 'nix min', 'nix median', 'ratio', 'MiB', 'nix MiB', 'ratio'];
  const rows = results.map((result) => {
    const { cpu, nixCpu, cpuRatio, peak, nixPeak, peakRatio } = figures(result);
    const name = severalSides ? `${result.name} (${result.side})` : result.name;
    return [
      name,
      ...[cpu?.min, cpu?.median, nixCpu?.min, nixCpu?.median].map(seconds),
      ratio(cpuRatio),
    ].concat([mebibytes(peak), mebibytes(nixPeak), ratio(peakRatio)]);
  });
  return textTable([head, ...rows]);
}

/** @param {Result} result */
function figures({ name, side, measurements, references }) {
  const cpu = measurements.map(({ cpuSeconds }) => cpuSeconds);
  const nixCpu = references.map(({ cpuSeconds }) => cpuSeconds);
  const peaks = measurements.flatMap(({ peakMiB }) => peakMiB ?? []);
  const nixPeaks = references.flatMap(({ peakMiB }) => peakMiB ?? []);
  const peak = peaks.length > 0 ? median(peaks) : undefined;
  const nixPeak = nixPeaks.length > 0 ? median(nixPeaks) : undefined;
  return {
    name,
    side,
    cpu: summaryOf(cpu),
    nixCpu: summaryOf(nixCpu),
    cpuRatio: nixCpu.length > 0 ? pairedRatio(cpu, nixCpu) : undefined,
    peak,
    nixPeak,
    peakRatio: peak !== undefined && nixPeak !== undefined ? peak / nixPeak : undefined,
  };
}

/** @param {readonly number[]} values */
function summaryOf(values) {
  return values.length === 0 ? undefined : { min: Math.min(...values), median: median(values) };
}

/** @param {number | undefined} value */
function seconds(value) {
  return value === undefined ? '' : value.toFixed(3);
}

/** @param {number | undefined} value */
function ratio(value) {
  return value === undefined ? '' : value.toFixed(2);
}

/** @param {number | undefined} value */
function mebibytes(value) {
  return value === undefined ? '' : value.toFixed(0);
}
