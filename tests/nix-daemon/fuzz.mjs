// Sends the daemon what no client of Nix would send, over stores in memory, and watches that it
//
//     ends every connection, with an answer or an error, and never with a bug of its own
//     goes on serving honest clients, whose paths come out as they went in
//     commits nothing that is wrong: every path in the store has the contents that its path info says
//
// A conversation is repeated by its seed and number.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { countOption, runHarness } from '../lib/options.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { FuzzTarget, show } from './fuzz-target.mjs';

const usage = `usage: node tests/nix-daemon/fuzz.mjs [options]

  --seconds N      how long to go on (default: 60)
  --seed N         of the conversations (default: one by the clock, which is printed)
  --input N        only the conversation with this number`;

/** After so many conversations a new store is begun. */
const perStore = 200;

/** Nothing is to be learnt from more. */
const enoughFailures = 20;

const entry = join(dirname(fileURLToPath(import.meta.url)), 'fuzz-entry.mjs');

await runHarness(
  { usage, options: { seconds: { type: 'string' }, seed: { type: 'string' }, input: { type: 'string' } } },
  async (values) => {
    const seconds = countOption('seconds', values['seconds'], 60);
    const seed = countOption('seed', values['seed'], Date.now() % 1_000_000);
    const only = values['input'] === undefined ? undefined : countOption('input', values['input'], 0);
    console.log(`seed ${seed}`);
    /** @type {typeof import('./fuzz-entry.mjs')} */
    const neve = await import(await bundleModule(entry));
    const tally = new Tally();
    const target = new FuzzTarget(neve);
    /** @type {unknown} */
    let unhandled;
    process.on('unhandledRejection', (error) => (unhandled = error));
    await target.begin();
    const deadline = performance.now() + seconds * 1000;
    for (let input = only ?? 0; performance.now() < deadline && tally.failed < enoughFailures; input++) {
      if (input % perStore === 0 && only === undefined) await target.begin();
      const problem =
        (await target.try(Random.forPart(seed, input))) ??
        (unhandled === undefined ? undefined : `an unhandled rejection: ${show(unhandled)}`);
      unhandled = undefined;
      tally.record(`input ${input}`, problem === undefined);
      if (problem !== undefined) console.log(`FAIL --seed ${seed} --input ${input}: ${problem}`);
      if (only !== undefined) break;
    }
    console.log(`${tally.passed + tally.failed} conversations, ${target.summary}`);
    return tally.conclude();
  },
);
