// `neve cache` beside a real Nix: several caches under one server, with tokens, upstream caches and retention.
//
// A Nix makes a closure of texts and builds. It goes into private caches and comes out of them by tokens in netrc files; by wrong,
// expired and narrow tokens it does not, and the answers tell nothing. Caches behind a cache die, hang, break off and lie. What is
// removed is never needed by what stays. Neve is a client of all of it as well.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NixMachine } from '../lib/nix-machine.mjs';
import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { CacheCommand } from './cache-server.mjs';
import { clientChecks } from './client-checks.mjs';
import { retentionChecks } from './retention-checks.mjs';
import { makeClosure } from './sample-closure.mjs';
import { tokenChecks } from './token-checks.mjs';
import { upstreamChecks } from './upstream-checks.mjs';

const usage = `usage: node tests/cache-command/run.mjs [options]

  --nix-bin DIR    folder of the Nix that is the client (default: from PATH)
  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

/** @typedef {import('../lib/run-checks.mjs').Check} Check */

/**
 * @typedef {object} World
 * @property {(name: string) => string} place a new folder
 * @property {(name: string) => CacheCommand} neve Neve with a configuration and a store of its own
 * @property {(name: string) => NixMachine} client a Nix with an empty store
 * @property {NixMachine} source the Nix that has made the closure
 * @property {{ root: string, paths: string[] }} sample
 * @property {Record<string, string>} hashes of its NARs
 */

await runHarness(
  { usage, options: { 'nix-bin': { type: 'string' }, filter: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder, store) => {
      const place = (/** @type {string} */ name) => {
        const path = join(folder, name);
        mkdirSync(path, { recursive: true });
        return path;
      };
      const client = (/** @type {string} */ name) =>
        new NixMachine(place(name), values['nix-bin'], { settings: 'download-attempts = 1\n' });
      const neve = (/** @type {string} */ name) => new CacheCommand(place(name), store);
      const source = client('source');
      const sample = await makeClosure(source);
      /** @type {World} */
      const world = { place, neve, client, source, sample, hashes: await source.hashes(sample.root) };
      const tally = new Tally();
      const checks = [
        ...tokenChecks(world),
        ...upstreamChecks(world),
        ...retentionChecks(world),
        ...clientChecks(world),
      ];
      await runChecks(checks, { tally, filter: values['filter'], showPassed: true });
      return tally.conclude();
    }),
);
