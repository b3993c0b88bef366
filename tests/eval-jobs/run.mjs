// `neve eval-jobs` as a CI system has it: what is a job, what is printed of it, aggregates, and workers that come to grief; and the
// listings of packages, `neve search` and `neve env`. Paths and listings are compared with those of a real Nix where there is one.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neveImplementation, nixImplementation } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { aggregateChecks } from './aggregate-checks.mjs';
import { EvalJobs } from './eval-jobs-command.mjs';
import { imageChecks } from './image-checks.mjs';
import { listingChecks } from './listing-checks.mjs';
import { jobChecks } from './job-checks.mjs';
import { troubleChecks } from './trouble-checks.mjs';

const usage = `usage: npm run eval-jobs -- [options]

  --nix-bin DIR   folder of a Nix to compare with
  --filter TEXT   only checks whose name contains this
  --neve CMD      the command under test (default: the project's neve)`;

await runHarness(
  {
    usage,
    options: { 'nix-bin': { type: 'string' }, filter: { type: 'string' }, neve: { type: 'string' } },
  },
  async (values) =>
    await withNixEnvironment({}, async ({ folder, variables: env }) => {
      const nixProgram =
        values['nix-bin'] === undefined ? undefined : nixImplementation(values['nix-bin']).program[0];
      const nix = nixProgram === undefined ? undefined : dirname(nixProgram);
      const { program } = neveImplementation(values['neve']);
      const neve = new EvalJobs({ program, env, folder });
      const context = { neve, nix, folder, env, here: dirname(fileURLToPath(import.meta.url)) };
      const tally = new Tally();
      const checks = [
        ...jobChecks(context),
        ...aggregateChecks(context),
        ...troubleChecks(context),
        ...imageChecks({ ...context, program }),
        ...listingChecks({ ...context, program }),
      ];
      await runChecks(checks, { tally, filter: values['filter'] });
      return tally.conclude();
    }),
);
