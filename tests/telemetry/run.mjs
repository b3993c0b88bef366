// What Neve measures, as a collector gets it: one trace over four processes, checked span by span; metrics and log records; and
// that a collector which is absent, refuses or never answers changes nothing.

import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { collectorChecks } from './collector-checks.mjs';
import { settingChecks } from './setting-checks.mjs';
import { signalChecks } from './signal-checks.mjs';
import { traceChecks } from './trace-checks.mjs';

const usage = `usage: node tests/telemetry/run.mjs [options]

  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

await runHarness(
  { usage, options: { filter: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      const context = { folder, script: values['neve'] };
      const options = { tally, filter: values['filter'] };
      await runChecks(traceChecks({ ...context, protocol: 'grpc' }), options);
      await runChecks(traceChecks({ ...context, protocol: 'http/protobuf' }), options);
      await runChecks(settingChecks(context), options);
      await runChecks(collectorChecks(context), options);
      await runChecks(signalChecks(context), options);
      return tally.conclude();
    }),
);
