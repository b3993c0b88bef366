// The real command: what it prints the second time is what it prints without kept results, and with all that was printed.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeWorld, mutations, programParts } from './mutated-world.mjs';

/** @typedef {import('../lib/random.mjs').Random} Random */

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** @param {{ folder: string, random: Random, record: (name: string, ok: boolean) => void }} options */
export async function runCommands({ folder, random, record }) {
  const world = makeWorld(join(folder, 'world'));
  const cache = join(folder, 'cache');
  const store = join(folder, 'store');
  fs.mkdirSync(cache, { recursive: true });
  /** @param {readonly string[]} words @param {Record<string, string | undefined>} [variables] */
  const run = (words, variables = {}) => {
    const { PATH } = process.env;
    const env = {
      PATH,
      HOME: folder,
      XDG_CACHE_HOME: cache,
      NEVE_IMAGE: 'always',
      ...world.environment,
      ...variables,
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, [neve, ...words], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    return JSON.stringify({ status, stdout, stderr });
  };
  const parts = programParts(world.folder);
  const program = Object.entries(parts)
    .filter(([name]) => name !== 'clock' && name !== 'setting')
    .map(([name, text]) => `${name} = ${text};`)
    .join(' ');
  const words = ['eval', '--expr', `{ ${program} }`, '--json', '-I', `${world.folder}/search`];
  /** @param {string} name @param {readonly string[]} command @param {Record<string, string>} [variables] */
  const check = (name, command, variables) => {
    const cold = run([...command, '--no-image'], variables);
    const answers = [run(command, variables), run(command, variables)];
    for (const [index, answer] of answers.entries()) {
      if (answer !== cold) console.log(`${name}\n  ${answer}\n  ${cold}`);
      record(`neve, ${name}, time ${index + 1}`, answer === cold);
    }
  };
  const isUsed = (/** @type {readonly string[]} */ command) => {
    const { stdout } = JSON.parse(run(['image', 'explain', ...command]));
    return String(stdout).includes('it would be used');
  };

  check('unchanged', words);
  record('neve says that the result would be used', isUsed(words));
  const all = Object.keys(mutations);
  for (let index = 0; index < 8; index++) {
    const name = random.pick(all);
    mutations[name]?.(world, random);
    check(`after ${name}`, words);
  }
  const clock = ['eval', '--expr', parts['clock'] ?? ''];
  check('the clock', clock);
  record('neve never keeps what asks for the time', !isUsed(clock));
  check('another setting', [...words, '--option', 'eval-system', 'aarch64-linux']);
  check('a variable', words, { OTHER: 'given' });
  check('an error', ['eval', '--expr', 'throw "no"']);
  check('text', ['eval', '--raw', '--expr', '"text"']);

  const instantiate = ['instantiate', '--expr', parts['derivation'] ?? '', '--physical-store-dir', store];
  run(instantiate);
  const before = fs.readdirSync(store);
  record(
    'neve instantiate wrote derivations',
    before.some((name) => name.endsWith('.drv')),
  );
  for (const name of before) {
    run(instantiate);
    fs.chmodSync(join(store, name), 0o700);
    fs.rmSync(join(store, name), { recursive: true });
    run(instantiate);
    record(`neve instantiate wrote ${name} again`, fs.existsSync(join(store, name)));
  }

  const images = join(cache, 'neve/images');
  for (let index = 0; index < 6; index++) {
    run(words);
    const files = fs.readdirSync(images).filter((name) => name.startsWith('result-'));
    for (const name of files) damage(join(images, name), random);
    check('damaged', words);
    // What has become of the world may be an error, which is not kept.
    const isError = JSON.parse(run(words)).status !== 0;
    record('neve keeps the result anew', isUsed(words) !== isError);
  }
  fs.rmSync(images, { recursive: true });
  fs.writeFileSync(images, 'a file where the folder should be');
  check('without a folder', words);
  const { stderr } = JSON.parse(run(['image', 'explain', ...words]));
  record('neve says why nothing can be kept', String(stderr).includes('nothing can be kept'));
}

/** @param {string} path @param {Random} random */
function damage(path, random) {
  const bytes = fs.readFileSync(path);
  const at = random.below(bytes.length);
  if (random.oneIn(2)) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  fs.writeFileSync(path, random.oneIn(3) ? bytes.subarray(0, at) : bytes);
}
