// Measures `neve store` beside a Nix: adding trees, adding them again, and dumping them as NARs; then what Neve does for
// itself: copies over gRPC, hashing, scanning for references, and the memory that a large file takes.
//
// Nix and Neve take turns, each run on a store of its own, so that noise that lasts longer than a pair cancels out. Nix's
// cpu time is that of one process, Neve's that of all of its threads. Take ratios, not seconds.

import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countOption, runHarness } from '../../lib/options.mjs';
import { Tally } from '../../lib/tally.mjs';
import { textTable } from '../../lib/text-table.mjs';
import { removeTree } from '../../store/tree-listing.mjs';
import { median } from '../statistics.mjs';
import { hashingRates } from './hashing.mjs';
import { timed } from './timed.mjs';
import { makeLargeTree, makeSmallTree } from './trees.mjs';
import { Daemon } from '../../store/daemon.mjs';
import { StoreCommand } from '../../store/store-command.mjs';

const usage = `usage: npm run bench:store -- [options]

  --nix-bin DIR   folder of the Nix to compare with (default: from PATH)
  --node PATH     run neve by this Node.js (default: the one that runs this)
  --runs N        pairs a case (default: 3)
  --only PATTERN  only cases whose name matches the regular expression
  --folder DIR    where trees and stores are made (default: /dev/shm; a disk is erratic)`;

const script = resolve(dirname(fileURLToPath(import.meta.url)), '../../../apps/cli/dist/neve.cjs');

/** @typedef {import('./timed.mjs').Timed} Timed */
/** @typedef {{ name: string, nix?: (run: Run) => Promise<Timed>, neve: (run: Run) => Promise<Timed>, before?: (run: Run) => void | Promise<void> }} BenchCase */

/**
 * @typedef {object} Run
 * @property {string} folder of the trees
 * @property {(args: readonly string[]) => Promise<Timed>} nixStore
 * @property {(args: readonly string[]) => Promise<Timed>} neve
 */

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      node: { type: 'string' },
      runs: { type: 'string' },
      only: { type: 'string' },
      folder: { type: 'string' },
    },
  },
  async (values) => {
    const parent = values['folder'] ?? '/dev/shm';
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, 'neve-bench-'));
    try {
      return await measureAll(folder, values);
    } finally {
      removeTree(folder);
    }
  },
);

/**
 * @param {string} folder
 * @param {Record<string, any>} values
 */
async function measureAll(folder, values) {
  const runs = countOption('runs', values['runs'], 3);
  const only = new RegExp(values['only'] ?? '');
  const node = values['node'] ?? process.execPath;
  const nixBin = values['nix-bin'];
  const nixStore = nixBin === undefined ? 'nix-store' : join(resolve(nixBin), 'nix-store');
  const env = {
    PATH: process.env['PATH'],
    HOME: join(folder, 'home'),
    NIX_CONF_DIR: join(folder, 'conf'),
    TMPDIR: tmpdir(),
  };
  mkdirSync(join(folder, 'conf'));
  makeLargeTree(join(folder, 'large'));
  makeSmallTree(join(folder, 'small'));
  /** @type {Run} */
  const run = {
    folder,
    nixStore: (args) => timed([nixStore, ...args], { cwd: folder, env }),
    neve: (args) => timed([node, script, 'store', ...args], { cwd: folder, env }),
  };
  const tally = new Tally();
  const rows = [];
  for (const benchCase of benchCases().filter(({ name }) => only.test(name))) {
    rows.push(await measureCase(benchCase, run, { runs, tally }));
  }
  console.log(
    textTable([
      ['case', 'nix wall s', 'cpu s', 'MiB', 'neve wall s', 'cpu s', 'MiB', 'wall ratio', 'cpu ratio'],
      ...rows,
    ]),
  );
  if (only.test('hashing')) for (const line of await hashingRates()) console.log(line);
  return tally.conclude();
}

/**
 * @param {BenchCase} benchCase
 * @param {Run} run
 * @param {{ runs: number, tally: Tally }} options
 * @returns {Promise<string[]>}
 */
async function measureCase(benchCase, run, { runs, tally }) {
  /** @type {Timed[]} */
  const nix = [];
  /** @type {Timed[]} */
  const neve = [];
  for (let i = 0; i < runs; i++) {
    await benchCase.before?.(run);
    if (benchCase.nix !== undefined) nix.push(await benchCase.nix(run));
    neve.push(await benchCase.neve(run));
  }
  const failed = [...nix, ...neve].find(({ code }) => code !== 0);
  tally.record(benchCase.name, failed === undefined);
  if (failed !== undefined) console.log(`${benchCase.name} failed: ${failed.stderr.trim()}`);
  const ratio = (/** @type {(it: Timed) => number} */ of) =>
    nix.length === 0
      ? ''
      : median(neve.map((it, i) => of(it) / of(/** @type {Timed} */ (nix[i])))).toFixed(2);
  return [
    benchCase.name,
    ...figures(nix),
    ...figures(neve),
    ratio(({ wallSeconds }) => wallSeconds),
    ratio(({ cpuSeconds }) => cpuSeconds),
  ];
}

/** @param {readonly Timed[]} all */
function figures(all) {
  if (all.length === 0) return ['', '', ''];
  const best = (/** @type {(it: Timed) => number} */ of) => Math.min(...all.map(of)).toFixed(2);
  const peak = Math.max(...all.map(({ peakMiB }) => peakMiB));
  return [best(({ wallSeconds }) => wallSeconds), best(({ cpuSeconds }) => cpuSeconds), peak.toFixed(0)];
}

/** @returns {readonly BenchCase[]} */
function benchCases() {
  return [...['large', 'small'].flatMap((tree) => treeCases(tree)), sparseCase(), ...copyCases()];
}

/**
 * @param {string} tree
 * @returns {readonly BenchCase[]}
 */
function treeCases(tree) {
  const stores = { nix: `nix-${tree}`, neve: `./neve-${tree}` };
  /** @param {Run} run */
  const add = ({ nixStore, folder }) => nixStore(['--store', join(folder, stores.nix), '--add', tree]);
  /** @param {Run} run */
  const importTree = ({ neve }) => neve(['import', '--store', stores.neve, tree]);
  /** @param {Run} run */
  const fresh = ({ folder }) => {
    for (const store of Object.values(stores)) removeTree(join(folder, store));
  };
  /** @param {Run} run */
  const filled = async (run) => {
    fresh(run);
    await add(run);
    await importTree(run);
  };
  return [
    { name: `add ${tree}`, before: fresh, nix: add, neve: importTree },
    { name: `add ${tree} again`, before: filled, nix: add, neve: importTree },
    {
      name: `dump ${tree}`,
      before: filled,
      nix: ({ nixStore: run }) => run(['--dump', tree]),
      neve: async ({ neve }) => {
        const { stdout } = await neve(['ls', '--store', stores.neve]);
        return await neve(['export', '--store', stores.neve, '--nar', stdout.trim()]);
      },
    },
  ];
}

/** @returns {BenchCase} */
function sparseCase() {
  return {
    name: 'add 4 GiB sparse',
    before: ({ folder }) => {
      removeTree(join(folder, 'neve-sparse'));
      const file = openSync(join(folder, 'sparse'), 'w');
      ftruncateSync(file, 4 * 2 ** 30);
      closeSync(file);
    },
    neve: ({ neve }) => neve(['import', '--store', './neve-sparse', 'sparse']),
  };
}

/** Copies between two folders, and through a server on a Unix socket; the trees are in the stores of the cases above. */
function copyCases() {
  return ['large', 'small'].flatMap((tree) => {
    const source = `./neve-${tree}`;
    const fresh = async (/** @type {Run} */ run) => {
      removeTree(join(run.folder, 'copied'));
      await run.neve(['import', '--store', source, tree]);
    };
    return [
      {
        name: `copy ${tree}, folder to folder`,
        before: fresh,
        neve: (/** @type {Run} */ { neve }) => neve(['copy', '--from', source, '--to', './copied', '--all']),
      },
      {
        name: `copy ${tree}, over a socket`,
        before: fresh,
        neve: async (/** @type {Run} */ { neve, folder }) => {
          const command = new StoreCommand(join(folder, 'home'), script);
          const daemon = new Daemon({
            command,
            folder: join(folder, 'copied'),
            socket: join(folder, 'socket'),
          });
          await daemon.start();
          try {
            return await neve(['copy', '--from', source, '--to', daemon.url, '--all']);
          } finally {
            await daemon.stop('SIGTERM');
            rmSync(join(folder, 'socket'), { force: true });
          }
        },
      },
    ];
  });
}
