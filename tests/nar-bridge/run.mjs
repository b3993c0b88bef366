// `neve nar-bridge` with a real Nix on both sides of it.
//
// A Nix makes a closure of more than 200 paths and copies it into an empty cache, in every compression that Neve reads. A second
// Nix with an empty store takes it from there, and believes only signatures: by the key of the first one, or by that of the cache.
// What arrives must be what was made, bit for bit. Then everything else that a Nix asks a cache for: listings, files, logs, build
// traces, substitution; what must be refused; uploads that are cut off by their client or by the end of the server; Neve as the
// client; TLS, Unix sockets, and sockets that systemd has opened.

import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { NixMachine } from '../lib/nix-machine.mjs';
import { runHarness } from '../lib/options.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { copyChecks } from './copy-checks.mjs';
import { questionChecks } from './question-checks.mjs';
import { SampleClosure } from './sample-closure.mjs';
import { transportChecks } from './transport-checks.mjs';
import { uploadChecks } from './upload-checks.mjs';

const usage = `usage: node tests/nar-bridge/run.mjs [options]

  --nix-bin DIR    folder of the Nix that is the client (default: from PATH)
  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

/** @typedef {import('../lib/run-checks.mjs').Check} Check */

/**
 * @typedef {object} World
 * @property {string} folder
 * @property {import('../store/store-command.mjs').StoreCommand} neve
 * @property {NixMachine} source the Nix that has made the closure
 * @property {(name: string) => NixMachine} machine a Nix with an empty store
 * @property {SampleClosure} sample
 * @property {string} secretKey file of the key of the source
 * @property {string} publicKey
 * @property {string} cacheSecretKey file of the key of a cache
 * @property {string} cachePublicKey
 */

await runHarness(
  { usage, options: { 'nix-bin': { type: 'string' }, filter: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder, neve) => {
      const machine = (/** @type {string} */ name) => {
        mkdirSync(join(folder, name));
        return new NixMachine(join(folder, name), values['nix-bin']);
      };
      const source = machine('source');
      const sample = await SampleClosure.make(source);
      const keys = await makeKeys(source);
      /** @type {World} */
      const world = { folder, neve, source, machine, sample, ...keys };
      const tally = new Tally();
      tally.record(`${sample.paths.length} paths are at least 200`, sample.paths.length >= 200);
      const checks = [
        ...copyChecks(world),
        ...questionChecks(world),
        ...uploadChecks(world),
        ...transportChecks(world),
      ];
      await runChecks(checks, { tally, filter: values['filter'], showPassed: true });
      return tally.conclude();
    }),
);

/** @param {NixMachine} nix */
async function makeKeys(nix) {
  const [own, cache] = [await nix.makeKey('source-1'), await nix.makeKey('cache-1')];
  return {
    secretKey: own.secret,
    publicKey: own.public,
    cacheSecretKey: cache.secret,
    cachePublicKey: cache.public,
  };
}
