// `neve build`, `log`, `explain` and `why-depends` as a user has them: exit codes, links, what is printed, signals, two commands
// at once, and garbage collection. What `nix-build` has too is compared with a real one where there is one; the results that are
// expected were recorded from Nix 2.34.8.

import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { nixImplementation } from '../lib/implementation.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { BuildCommand } from './build-command.mjs';
import { commandChecks } from './command-checks.mjs';
import { nixBuildChecks } from './nix-build-checks.mjs';
import { shellChecks } from './shell-checks.mjs';

const usage = `usage: node tests/build-command/run.mjs [options]

  --filter TEXT    only checks whose name contains this
  --nix-bin DIR    folder of a Nix to compare with
  --busybox FILE   the shell of the Nix's sandbox (default: /bin/busybox or /usr/bin/busybox)
${storeTestUsage}`;

await runHarness(
  {
    usage,
    options: {
      filter: { type: 'string' },
      'nix-bin': { type: 'string' },
      busybox: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const nix = values['nix-bin'] === undefined ? undefined : nixImplementation(values['nix-bin']);
      const neve = new BuildCommand(folder, values['neve']);
      const tally = new Tally();
      const checks = [
        ...nixBuildChecks({ neve, folder, nix, busybox: values['busybox'] }),
        ...commandChecks({ neve, folder }),
        ...shellChecks({ neve, busybox: values['busybox'] }),
      ];
      await runChecks(checks, { tally, filter: values['filter'] });
      return tally.conclude();
    }),
);
