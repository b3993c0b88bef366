// Generated trees, stored by Neve and by a real Nix, and compared in every way that `nix-comparison.mjs` knows.

import { join } from 'node:path';
import { nixImplementation, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { countOption, runHarness } from '../lib/options.mjs';
import { NixComparison } from './nix-comparison.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from './working-folder.mjs';

const usage = `usage: node tests/store/nix-trees.mjs [options]

  --nix-bin DIR    folder of the Nix to compare with (default: from PATH)
  --count N        how many trees (default: 200)
  --seed N         seed of the trees (default: a random one, printed)
${storeTestUsage}`;

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const count = countOption('count', values['count'], 200);
    console.log(`seed ${seed}`);
    const nix = nixImplementation(values['nix-bin']);
    const bin = join(nix.program[0] ?? '', '..');
    return await withNixEnvironment(
      { settings: 'build-users-group =\nexperimental-features = nix-command\n' },
      async ({ variables }) => {
        console.log(`compared with ${await versionOf(nix, variables)}`);
        return await withWorkingFolder(values, (folder, neve) =>
          new NixComparison({ folder, neve, bin, variables, seed, count }).run(),
        );
      },
    );
  },
);
