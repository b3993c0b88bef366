// Neve as a client of a Nix: its store behind a daemon's socket, over `ssh-ng:` and over `ssh:`, as a source and target of
// copies, as a substituter, and as machines that build. What comes out is compared by the Nix itself: by its path infos, its
// verification of the contents, and its own builds. There is no server for ssh: a script in its place runs the command here.

import { nixImplementation, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { findBusybox, isStaticProgram } from '../build/build-programs.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { buildChecks } from './build-checks.mjs';
import { copyChecks } from './copy-checks.mjs';
import { NixSide } from './nix-side.mjs';

const usage = `usage: npm run nix-clients -- [options]

  --nix-bin DIR    folder of the Nix to speak with (default: from PATH)
  --filter TEXT    only checks whose name contains this
  --busybox FILE   a busybox without shared libraries (default: from PATH)
${storeTestUsage}`;

const settings = `experimental-features = nix-command ca-derivations
build-users-group =
build-hook =
sandbox = true
substituters =
`;

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      filter: { type: 'string' },
      busybox: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const busybox = values['busybox'] ?? findBusybox();
    if (busybox === undefined) throw new UsageError('there is no busybox in PATH; name one with --busybox');
    if (!isStaticProgram(busybox)) throw new UsageError(`${busybox} is no program without shared libraries`);
    const nix = nixImplementation(values['nix-bin']);
    return await withNixEnvironment({ settings }, async ({ variables }) => {
      const { NIX_REMOTE: _, NIX_LOG_DIR: __, NIX_STATE_DIR: ___, ...env } = variables;
      console.log(`speaking with ${await versionOf(nix, env)}`);
      return await withWorkingFolder(values, async (folder) => {
        const tally = new Tally();
        const side = new NixSide({ folder, busybox, env, nix: nix.program[0] ?? '', neve: values['neve'] });
        try {
          await side.start();
          await runChecks([...copyChecks(side), ...buildChecks(side)], {
            tally,
            filter: values['filter'] ?? '',
          });
          return tally.conclude();
        } finally {
          await side.stop();
        }
      });
    });
  },
);
