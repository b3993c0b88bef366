// Kills `neve store import`, `copy`, `gc` and `daemon` at random moments, as `crash-test.mjs` says.

import { countOption, runHarness } from '../lib/options.mjs';
import { CrashTest } from './crash-test.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from './working-folder.mjs';

const usage = `usage: node tests/store/crashes.mjs [options]

  --count N        how many kills (default: 100)
  --seed N         seed of the trees and moments (default: a random one, printed)
${storeTestUsage}`;

await runHarness(
  { usage, options: { count: { type: 'string' }, seed: { type: 'string' }, ...storeTestOptions } },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const kills = countOption('count', values['count'], 100);
    console.log(`seed ${seed}`);
    return await withWorkingFolder(values, (folder, neve) =>
      new CrashTest({ folder, neve, seed }).run(kills),
    );
  },
);
