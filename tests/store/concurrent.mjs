// Runs `concurrency-test.mjs`: processes that import, copy, read and collect garbage at the same time.

import { countOption, runHarness } from '../lib/options.mjs';
import { ConcurrencyTest } from './concurrency-test.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from './working-folder.mjs';

const usage = `usage: node tests/store/concurrent.mjs [options]

  --count N        how many times each process does its work (default: 5)
  --seed N         seed of the trees and choices (default: a random one, printed)
${storeTestUsage}`;

await runHarness(
  { usage, options: { count: { type: 'string' }, seed: { type: 'string' }, ...storeTestOptions } },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const rounds = countOption('count', values['count'], 5);
    console.log(`seed ${seed}`);
    return await withWorkingFolder(values, (folder, neve) =>
      new ConcurrencyTest({ folder, neve, seed, rounds }).run(),
    );
  },
);
