// Derivations of our own (`cases/`), built by Neve and by a real Nix, each in a store of its own. Those that succeed are
// compared by the paths of all outputs, and by what both stores know of these: NAR hash and size, references, content
// address and deriver; those that fail by exit code and by the text that matters of the message (`failures.mjs`).
//
// Neve's part is done again with every kind of sandbox. What is built needs a static busybox, and for some cases a C
// toolchain: a folder with `tools.nix`, a function from `bb` (a folder with busybox) to a derivation that has gcc in `bin`.

import { nixImplementation, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { withWorkingFolder, storeTestOptions, storeTestUsage } from '../store/working-folder.mjs';
import { BuildComparison } from './build-comparison.mjs';
import { BuildPrograms, findBusybox, isStaticProgram } from './build-programs.mjs';
import { SourceServer } from './source-server.mjs';

const usage = `usage: node tests/build/run.mjs [options]

  --nix-bin DIR    folder of the Nix to compare with (default: from PATH)
  --builder NAME   a kind of sandbox: unshare, bwrap or oci (repeatable; default: all that work here)
  --filter TEXT    only cases whose name contains this, as \`files.link\`
  --busybox FILE   a busybox without shared libraries (default: from PATH)
  --toolchain DIR  a C toolchain; cases that need it are left out without it
${storeTestUsage}`;

const builderNames = ['unshare', 'bwrap', 'oci'];

const settings = `experimental-features = nix-command ca-derivations impure-derivations dynamic-derivations
build-users-group =
build-hook =
sandbox = true
substitute = false
`;

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      builder: { type: 'string', multiple: true },
      filter: { type: 'string' },
      busybox: { type: 'string' },
      toolchain: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const busybox = values['busybox'] ?? findBusybox();
    if (busybox === undefined) throw new UsageError('there is no busybox in PATH; name one with --busybox');
    if (!isStaticProgram(busybox)) throw new UsageError(`${busybox} is no program without shared libraries`);
    for (const name of values['builder'] ?? []) {
      if (!builderNames.includes(name)) throw new UsageError(`there is no builder '${name}'`);
    }
    const nix = nixImplementation(values['nix-bin']);
    return await withNixEnvironment({ settings }, async ({ variables }) => {
      const { NIX_REMOTE: _, ...env } = variables;
      console.log(`compared with ${await versionOf(nix, env)}`);
      return await withWorkingFolder(values, async (folder) => {
        const programs = new BuildPrograms({
          folder,
          busybox,
          nix: nix.program[0] ?? '',
          neve: values['neve'],
          env,
        });
        const server = await SourceServer.start(programs);
        try {
          const tally = new Tally();
          const { filter = '', toolchain } = values;
          const comparison = new BuildComparison({ programs, server, tally, filter, toolchain });
          await comparison.prepare();
          for (const name of values['builder'] ?? builderNames) {
            if (values['builder'] !== undefined || (await comparison.works(name)))
              await comparison.compare(name);
          }
          return tally.conclude();
        } finally {
          await server.close();
        }
      });
    });
  },
);
