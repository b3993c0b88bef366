// Results of evaluations that are kept are what cold evaluations say, whatever changes in between: files, links, directories,
// variables, settings, the clock. In this process thousands of times, and with the real command for some dozens; and the
// folder that keeps them stands several processes, their sudden end, and damage.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { countOption, runHarness } from '../lib/options.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { runMutations } from './kept-and-cold.mjs';
import { runImages } from './image-and-cold.mjs';
import { runBuilds } from './builds.mjs';
import { runCommands } from './commands.mjs';
import { runInstantiations } from './instantiations.mjs';
import { runPromptImages } from './prompt-images.mjs';
import { runPrompts } from './prompts.mjs';
import { runTreeFiles } from './tree-files.mjs';

const usage = `usage: npm run images -- [options]

  --seed N      seed of everything that is random (default: a random one, printed)
  --count N     evaluations of each kind in this process (default: 1000)`;

const here = dirname(fileURLToPath(import.meta.url));

await runHarness(
  { usage, options: { seed: { type: 'string' }, count: { type: 'string' } } },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const count = countOption('count', values['count'], 1000);
    console.log(`seed ${seed}`);
    const tally = new Tally();
    const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'neve-images-')));
    const record = (/** @type {string} */ name, /** @type {boolean} */ ok) => {
      tally.record(name, ok);
      if (!ok) console.log(`FAIL ${name}`);
    };
    try {
      await runMutations({ folder: join(folder, 'mutations'), count, random: new Random(seed), record });
      await runImages({ folder: join(folder, 'images'), count, random: new Random(seed), record });
      await runCommands({ folder: join(folder, 'commands'), random: new Random(seed), record });
      await runBuilds({ folder: join(folder, 'builds'), record });
      await runInstantiations({ folder: join(folder, 'instantiations'), record });
      runTreeFiles({ folder: join(folder, 'tree-files'), record });
      await runPrompts({ folder: join(folder, 'prompts'), record });
      await runPromptImages({ folder: join(folder, 'prompt-images'), record });
      await runProcesses({ folder: join(folder, 'shared'), seed, record });
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
    return tally.conclude();
  },
);

/**
 * Several processes use one folder; some are killed, and what is left is still good.
 *
 * @param {{ folder: string, seed: number, record: (name: string, ok: boolean) => void }} options
 */
async function runProcesses({ folder, seed, record }) {
  const start = (/** @type {number} */ index, /** @type {number} */ forMs) =>
    spawn(process.execPath, [join(here, 'folder-user.mjs'), folder, String(seed + index), String(forMs)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const ended = (/** @type {import('node:child_process').ChildProcess} */ child) =>
    new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
  const killed = [0, 1, 2].map((index) => start(index, 60_000));
  const others = [3, 4].map((index) => start(index, 4000));
  const codes = Promise.all(others.map(ended));
  for (const [index, child] of killed.entries()) {
    const end = ended(child);
    await wait(1500 + index * 400);
    child.kill('SIGKILL');
    record(`process ${index} is killed`, (await end) === 'SIGKILL');
  }
  for (const code of await codes) record('a process beside others finds only what is whole', code === 0);
  record('a process after those that were killed does too', (await ended(start(9, 1500))) === 0);
  const sizeBytes = fs
    .readdirSync(folder)
    .filter((name) => !name.startsWith('.new-'))
    .reduce((sum, name) => sum + fs.statSync(join(folder, name)).size, 0);
  record('the folder is not larger than it may be', sizeBytes > 0 && sizeBytes <= 3 << 20);
}
