// What is kept of evaluations, beside the real Nix, in cold processes that alternate: an evaluation with nothing kept or looked
// for, the first one that keeps, the same again, and other ones that go on from its image. Every round has a cache of its own,
// in which the code of Neve is compiled already.
//
// A case passes when all of its sides print the same; how fast they are is a figure, not a verdict.

import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neveImplementation, nixImplementation, underNode, versionOf } from '../../lib/implementation.mjs';
import { withNixEnvironment } from '../../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../../lib/options.mjs';
import { Tally } from '../../lib/tally.mjs';
import { textTable } from '../../lib/text-table.mjs';
import { measure } from '../measure.mjs';
import { pairedRatio } from '../statistics.mjs';

const usage = `usage: npm run bench:images -- [options]

  --nix-bin DIR         folder of the Nix to compare with (default: from PATH)
  --nixpkgs-18-03 TREE  a nixpkgs 18.03; without it its cases are left out
  --nixpkgs-26-11 TREE  a nixpkgs 26.11pre; without it its cases are left out
  --node PATH           run neve by this Node.js
  --only PATTERN        only cases whose name matches the regular expression
  --runs N              rounds a case (default: 5)
  --neve CMD            the command under test (default: the project's neve)`;

/** @typedef {import("../../lib/implementation.mjs").Implementation} Implementation */
/** @typedef {import("../measure.mjs").Measurement} Measurement */

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string} text of the expression
 * @property {string} [file] where it is; `NAME.nix` without it
 */

/**
 * @typedef {object} ImageCase
 * @property {string} name
 * @property {"18-03" | "26-11"} nixpkgs
 * @property {readonly [Step, ...Step[]]} steps the first one makes the image; each is another process
 */

/** @typedef {{ off: Measurement, on: Measurement, nix: Measurement }} Round */

const bench = join(dirname(fileURLToPath(import.meta.url)), '../cases');

/** @param {string} name */
const packageStep = (name) => ({
  name,
  text: `(import <nixpkgs> { system = "x86_64-linux"; }).${name}.drvPath`,
});

/**
 * A system, the same again, and with one option changed. `systemOf` gives its expression from one option more.
 *
 * @param {(option: string) => string} systemOf
 * @returns {[Step, ...Step[]]}
 */
function systemSteps(systemOf) {
  const file = 'system.nix';
  return [
    { name: 'first', file, text: systemOf('') },
    { name: 'unchanged', file, text: systemOf('') },
    { name: 'one option', file, text: systemOf('networking.hostName = "other";') },
    // What has no use for an image shows what it costs to load it.
    { name: '1', text: '1' },
    packageStep('hello'),
  ];
}

/** @param {string} option */
function oldSystem(option) {
  const text = readFileSync(join(bench, 'nixos.nix'), 'utf8');
  return text.replace('services.nginx.enable', `${option} $&`);
}

/**
 * The configuration is beside the file with the overlays, as it mostly is.
 *
 * @param {string} option
 */
function newSystem(option) {
  const disk = 'fileSystems."/" = { device = "/dev/vda1"; fsType = "ext4"; };';
  const configuration = `boot.loader.grub.device = "/dev/vda"; ${disk} system.stateVersion = "26.05"; ${option}`;
  return `import ${join(bench, 'nixos26.nix')} { configuration = { ${configuration} }; }`;
}

/** @returns {readonly ImageCase[]} */
function imageCases() {
  return [
    { name: 'curl', nixpkgs: '18-03', steps: [packageStep('curl'), packageStep('hello')] },
    {
      name: 'firefox',
      nixpkgs: '18-03',
      steps: [packageStep('firefox'), { name: '1', text: '1' }, packageStep('hello'), packageStep('curl')],
    },
    { name: 'nixos', nixpkgs: '18-03', steps: systemSteps(oldSystem) },
    { name: 'curl-26', nixpkgs: '26-11', steps: [packageStep('curl'), packageStep('hello')] },
    {
      name: 'nixos-26',
      nixpkgs: '26-11',
      steps: systemSteps(newSystem),
    },
  ];
}

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      'nixpkgs-18-03': { type: 'string' },
      'nixpkgs-26-11': { type: 'string' },
      node: { type: 'string' },
      only: { type: 'string' },
      runs: { type: 'string' },
      neve: { type: 'string' },
    },
  },
  async (values) => {
    const nix = nixImplementation(values['nix-bin']);
    const command = neveImplementation(values['neve']);
    const neve = values['node'] === undefined ? command : underNode(command, values['node']);
    const runs = countOption('runs', values['runs'], 5);
    const wanted = new RegExp(values['only'] ?? '');
    return await withNixEnvironment({}, async ({ folder, variables: env }) => {
      console.log(`${runs} rounds a case; compared with ${await versionOf(nix, env)}`);
      const tally = new Tally();
      const rows = [['case', 'cpu', 'off', 'ratio', 'nix', 'ratio', 'wall', 'off', 'nix', 'image MB']];
      for (const it of imageCases().filter(({ name }) => wanted.test(name))) {
        const tree = values[`nixpkgs-${it.nixpkgs}`];
        if (tree === undefined) {
          console.log(`left out ${it.name}: needs --nixpkgs-${it.nixpkgs}`);
          continue;
        }
        if (!existsSync(tree)) throw new UsageError(`--nixpkgs-${it.nixpkgs}: there is no ${tree}`);
        const context = { neve, nix, nixpkgs: realpathSync(tree), folder, env };
        /** @type {Map<string, Round[]>} */
        const rounds = new Map();
        let imageBytes = 0;
        for (let run = 0; run < runs; run++) imageBytes = await runRound(it, { ...context, rounds });
        for (const [step, measured] of rounds) {
          rows.push(rowOf(`${it.name}: ${step}`, measured, imageBytes));
          tally.record(`${it.name}: ${step}`, isSame(measured));
        }
      }
      console.log(
        `\nMinima in seconds, medians of ratios of processor time. off: nothing is kept or looked for.\n\n${textTable(rows)}\n`,
      );
      return tally.conclude();
    });
  },
);

/**
 * All steps of a case once, from an empty cache. Gives the size of the image.
 *
 * @param {ImageCase} it
 * @param {{ neve: Implementation, nix: Implementation, nixpkgs: string, folder: string, env: NodeJS.ProcessEnv, rounds: Map<string, Round[]> }} context
 */
async function runRound({ steps }, { neve, nix, nixpkgs, folder, env, rounds }) {
  const cache = join(folder, 'cache');
  rmSync(cache, { recursive: true, force: true });
  const off = { folder, env: { ...env, XDG_CACHE_HOME: cache, NEVE_IMAGE: '0' } };
  const on = { folder, env: { ...off.env, NEVE_IMAGE: '1' } };
  const words = ['--eval', '--strict', '-I', `nixpkgs=${nixpkgs}`];
  // Compiled code is kept in the cache as well.
  await measure([...neve.instantiate, ...words, '-E', '1'], off);
  mkdirSync(join(folder, 'expressions'), { recursive: true });
  for (const { name, text, file = `${name}.nix` } of steps) {
    const path = join(folder, 'expressions', file);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
    const round = {
      off: await measure([...neve.instantiate, ...words, path], off),
      on: await measure([...neve.instantiate, ...words, path], on),
      nix: await measure([...nix.instantiate, ...words, path], off),
    };
    rounds.set(name, [...(rounds.get(name) ?? []), round]);
  }
  const images = join(cache, 'neve/images');
  const names = readdirSync(images).filter((name) => name.startsWith('image-'));
  return names.reduce((sum, name) => sum + statSync(join(images, name)).size, 0);
}

/** @param {readonly Round[]} rounds */
function isSame(rounds) {
  const all = rounds.flatMap(({ off, on, nix }) => [off, on, nix]);
  return all.every(({ code }) => code === 0) && new Set(all.map(({ stdout }) => stdout)).size === 1;
}

/**
 * @param {string} name
 * @param {readonly Round[]} rounds
 * @param {number} imageBytes
 */
function rowOf(name, rounds, imageBytes) {
  const cpu = (/** @type {keyof Round} */ side) => rounds.map((it) => it[side].cpuSeconds);
  const wall = (/** @type {keyof Round} */ side) => rounds.map((it) => it[side].wallSeconds);
  const least = (/** @type {readonly number[]} */ values) => Math.min(...values).toFixed(3);
  const ratio = (/** @type {keyof Round} */ side) => pairedRatio(cpu('on'), cpu(side)).toFixed(2);
  return [
    ...[name, least(cpu('on')), least(cpu('off')), ratio('off'), least(cpu('nix')), ratio('nix')],
    ...[least(wall('on')), least(wall('off')), least(wall('nix')), (imageBytes / 1e6).toFixed(1)],
  ];
}
