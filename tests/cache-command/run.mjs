// `neve cache` beside a real Nix: several caches under one server, with tokens, upstream caches and retention.
//
// A Nix makes a closure of texts and builds. It goes into private caches and comes out of them by tokens in netrc files; by wrong,
// expired and narrow tokens it does not, and the answers tell nothing. Caches behind a cache die, hang, break off and lie. What is
// removed is never needed by what stays. Neve is a client of all of it as well.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { CacheCommand } from './cache-server.mjs';
import { clientChecks } from './client-checks.mjs';
import { NixClient } from './nix-client.mjs';
import { retentionChecks } from './retention-checks.mjs';
import { tokenChecks } from './token-checks.mjs';
import { upstreamChecks } from './upstream-checks.mjs';

const usage = `usage: node tests/cache-command/run.mjs [options]

  --nix-bin DIR    folder of the Nix that is the client (default: from PATH)
  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

/** @typedef {readonly [name: string, check: () => Promise<void>]} Check */

/**
 * @typedef {object} World
 * @property {(name: string) => string} place a new folder
 * @property {(name: string) => CacheCommand} neve Neve with a configuration and a store of its own
 * @property {(name: string) => NixClient} client a Nix with an empty store
 * @property {NixClient} source the Nix that has made the closure
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
      const client = (/** @type {string} */ name) => new NixClient(place(name), values['nix-bin']);
      const neve = (/** @type {string} */ name) => new CacheCommand(place(name), store);
      const source = client('source');
      const sample = await source.makeClosure();
      /** @type {World} */
      const world = { place, neve, client, source, sample, hashes: await source.hashes(sample.root) };
      const tally = new Tally();
      for (const [name, check] of [
        ...tokenChecks(world),
        ...upstreamChecks(world),
        ...retentionChecks(world),
        ...clientChecks(world),
      ]) {
        if (!name.includes(values['filter'] ?? '')) continue;
        const started = performance.now();
        try {
          await check();
          tally.record(name, true);
          console.log(`passed ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
        } catch (error) {
          tally.record(name, false);
          console.log(
            `FAILED ${name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
          );
        }
      }
      return tally.conclude();
    }),
);
