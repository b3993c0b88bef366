// Builds that are disturbed: `neve` is killed at random moments, the disk is full, the clock is wrong, and others build the
// same at the same time. Afterwards a build succeeds, what it gives is what an undisturbed build gives, the store is sound,
// and nothing is left behind: no mount, no process, no folder of a build.

import { Random } from '../lib/random.mjs';
import { countOption, runHarness, UsageError } from '../lib/options.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { findBusybox, isStaticProgram } from './build-programs.mjs';
import { ChaosTest } from './chaos-test.mjs';

const usage = `usage: node tests/build/chaos.mjs [options]

  --count N        how many rounds of each kind (default: 8)
  --seed N         seed of the moments (default: a random one, printed)
  --builder NAME   the kind of sandbox: unshare, bwrap, oci (default: the first that works)
  --busybox FILE   a busybox without shared libraries (default: from PATH)
${storeTestUsage}`;

await runHarness(
  {
    usage,
    options: {
      count: { type: 'string' },
      seed: { type: 'string' },
      builder: { type: 'string' },
      busybox: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const count = countOption('count', values['count'], 8);
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const busybox = values['busybox'] ?? findBusybox();
    if (busybox === undefined) throw new UsageError('there is no busybox in PATH; name one with --busybox');
    if (!isStaticProgram(busybox)) throw new UsageError(`${busybox} is no program without shared libraries`);
    console.log(`seed ${seed}`);
    return await withWorkingFolder(values, (folder) =>
      new ChaosTest({
        ...{ folder, busybox, random: new Random(seed), script: values['neve'] },
        builder: values['builder'] ?? 'local',
      }).run(count),
    );
  },
);
