// How progress is shown. Screens of recorded sessions at a pseudo-terminal are compared with how they should look, times left
// out; the formats for programs are compared with those of a real Nix.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { formatChecks } from './format-checks.mjs';
import { graphChecks } from './graph-checks.mjs';
import { terminalChecks } from './terminal-checks.mjs';
import { TerminalPlace } from './terminal-place.mjs';
import { transferChecks } from './transfer-checks.mjs';

const usage = `usage: node tests/progress/run.mjs [options]

  --filter TEXT     only checks whose name contains this
  --nix-bin DIR     folder of a Nix to compare with
  --busybox FILE    the shell of the Nix's sandbox (default: /bin/busybox or /usr/bin/busybox)
  --recording FILE  write the screens of the build of 50 derivations there
${storeTestUsage}`;

await runHarness(
  {
    usage,
    options: {
      filter: { type: 'string' },
      'nix-bin': { type: 'string' },
      busybox: { type: 'string' },
      recording: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      let number = 0;
      const place = () => {
        const own = join(folder, String(++number));
        mkdirSync(own);
        return new TerminalPlace(own, values['neve']);
      };
      const { recording, busybox } = values;
      const checks = [
        ...terminalChecks(place),
        ...graphChecks(place, recording),
        ...transferChecks(place),
        ...formatChecks(place, { folder, nixBin: values['nix-bin'], busybox }),
      ];
      await runChecks(checks, { tally, filter: values['filter'] });
      return tally.conclude();
    }),
);
