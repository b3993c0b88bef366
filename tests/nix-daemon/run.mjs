// Neve's daemon with the clients of a real Nix, compared with the Nix's own daemon: both are asked the same by the same
// programs, each over a store of its own.
//
//     builds       the derivations of tests/build, by what becomes of them, exit codes and messages
//     commands     nix-store, nix, nix-instantiate: what they print and how they end
//     repair       damage in both stores, and --repair
//     protocol     clients that do not keep to the protocol; other ways to reach the daemon

import { nixImplementation, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { BuildComparison } from '../build/build-comparison.mjs';
import { findBusybox, isStaticProgram } from '../build/build-programs.mjs';
import { SourceServer } from '../build/source-server.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { ClientPrograms } from './client-programs.mjs';
import { commandChecks } from './command-checks.mjs';
import { protocolChecks } from './protocol-checks.mjs';
import { repairChecks } from './repair-checks.mjs';
import { runChecks } from '../lib/run-checks.mjs';

const usage = `usage: node tests/nix-daemon/run.mjs [options]

  --nix-bin DIR    folder of the Nix to compare with (default: from PATH)
  --only PART      builds, commands, repair or protocol (repeatable; default: all)
  --filter TEXT    only cases whose name contains this
  --busybox FILE   a busybox without shared libraries (default: from PATH)
  --toolchain DIR  a C toolchain for the builds; cases that need it are left out without it
  --old-nix DIR    folder of an older Nix, whose nix-build is tried too
${storeTestUsage}`;

const settings = `experimental-features = nix-command ca-derivations impure-derivations dynamic-derivations
build-users-group =
build-hook =
sandbox = true
substitute = false
substituters =
`;

const parts = ['builds', 'commands', 'repair', 'protocol'];

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      only: { type: 'string', multiple: true },
      filter: { type: 'string' },
      busybox: { type: 'string' },
      toolchain: { type: 'string' },
      'old-nix': { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const busybox = values['busybox'] ?? findBusybox();
    if (busybox === undefined) throw new UsageError('there is no busybox in PATH; name one with --busybox');
    if (!isStaticProgram(busybox)) throw new UsageError(`${busybox} is no program without shared libraries`);
    for (const part of values['only'] ?? []) {
      if (!parts.includes(part)) throw new UsageError(`there is no part '${part}'`);
    }
    const isWanted = (/** @type {string} */ part) => (values['only'] ?? parts).includes(part);
    const nix = nixImplementation(values['nix-bin']);
    return await withNixEnvironment({ settings }, async ({ variables }) => {
      const { NIX_REMOTE: _, NIX_LOG_DIR: __, ...env } = variables;
      console.log(`compared with ${await versionOf(nix, env)}`);
      return await withWorkingFolder(values, async (folder) => {
        const tally = new Tally();
        const { filter = '', toolchain } = values;
        const programs = new ClientPrograms({
          ...{ folder, busybox, env },
          nix: nix.program[0] ?? '',
          neve: values['neve'],
        });
        await programs.start();
        const server = await SourceServer.start(/** @type {any} */ (programs));
        try {
          if (isWanted('builds')) {
            const comparison = new BuildComparison({
              programs: /** @type {any} */ (programs),
              ...{ server, tally, filter, toolchain },
            });
            await comparison.prepare();
            await comparison.compare('daemon');
          }
          if (isWanted('commands')) {
            await runChecks(commandChecks({ programs, oldNix: values['old-nix'] }), { tally, filter });
          }
          if (isWanted('repair')) await runChecks(repairChecks(programs), { tally, filter });
          if (isWanted('protocol')) await runChecks(protocolChecks(programs), { tally, filter });
          tally.record('no bugs were met', !programs.daemons.neve.log.includes('this is a bug'));
          return tally.conclude();
        } finally {
          await server.close();
          await programs.stop();
        }
      });
    });
  },
);
