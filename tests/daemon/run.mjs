// `neve daemon` as its clients have it: what they see is what they would see without it, they share builds, and nothing that
// one of them does, or that is done to the daemon, harms another.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeLinks } from '../build-command/build-command.mjs';
import { runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { commandLines } from './both-ways.mjs';
import { Place } from './daemon-process.mjs';
import { lifeChecks } from './life-checks.mjs';
import { sharingChecks } from './sharing-checks.mjs';

const usage = `usage: node tests/daemon/run.mjs [options]

  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

await runHarness(
  { usage, options: { filter: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      const isWanted = (/** @type {string} */ name) => name.includes(values['filter'] ?? '');
      /** @param {string} name @param {() => Promise<void>} check */
      const record = async (name, check) => {
        if (!isWanted(name)) return;
        try {
          await check();
          tally.record(name, true);
        } catch (error) {
          tally.record(name, false);
          console.log(`FAIL ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
        }
      };
      await compareBothWays({ folder, script: values['neve'], record, isWanted });
      const context = { folder, script: values['neve'] };
      for (const [name, check] of [...sharingChecks(context), ...lifeChecks(context)]) {
        await record(name, check);
      }
      return tally.conclude();
    }),
);

/**
 * @param {{
 *   folder: string,
 *   script: string | undefined,
 *   record: (name: string, check: () => Promise<void>) => Promise<void>,
 *   isWanted: (name: string) => boolean,
 * }} options
 */
async function compareBothWays({ folder, script, record, isWanted }) {
  if (!commandLines.some(({ words }) => isWanted(titleOf(words)))) return;
  const work = join(folder, 'compared/work');
  mkdirSync(join(work, 'sub'), { recursive: true });
  writeFileSync(join(work, 'default.nix'), '{ here = "the default"; }');
  writeFileSync(join(work, 'note.txt'), 'a note\n');
  writeFileSync(join(work, 'sub/value.nix'), '42');
  const alone = new Place(join(folder, 'compared/alone'), script, work);
  const served = new Place(join(folder, 'compared/served'), script, work);
  const daemon = await served.daemon();
  try {
    for (const { words, ...options } of commandLines) {
      await record(titleOf(words), async () => {
        const expected = { ...(await alone.run(words, options)), links: takeLinks(work) };
        const actual = { ...(await served.client(words, options)), links: takeLinks(work) };
        assert.deepEqual(actual, expected);
      });
    }
    await record('the daemon has run them', async () => {
      const { finishedCommands } = await served.status();
      // Those that are wrong, and help, are answered by the client.
      assert.ok(finishedCommands > commandLines.length - 10 || !isWanted(''), String(finishedCommands));
    });
  } finally {
    await daemon.end();
  }
}

/** @param {readonly string[]} words */
function titleOf(words) {
  return `both ways: ${words.map((it) => it.replace(/^.*\/packages\.nix$/, '@')).join(' ')}`;
}
