// Is what the documentation shows true? Runs every example of the reference of builtins and every marked block of the
// README, of `docs` and of `examples`, with Neve and, given one, with a Nix.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { nixImplementation, versionOf } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { runHarness } from '../lib/options.mjs';
import { mapInPool } from '../lib/pool.mjs';
import { Tally } from '../lib/tally.mjs';
import { checkExample, readBuiltinDocs } from './builtin-examples.mjs';
import { checkClaims } from './comparison.mjs';
import { checkPage, neveInPath } from './page-examples.mjs';
import { root } from './root.mjs';

const usage = `usage: npm run docs-examples -- [options]

  --nix-bin DIR    folder of a Nix that should agree (without it, only Neve is asked)
  --filter TEXT    only pages and builtins whose name contains this`;

const settings = 'build-users-group =\nsubstituters =\n';

await runHarness(
  { usage, options: { 'nix-bin': { type: 'string' }, filter: { type: 'string' } } },
  async ({ 'nix-bin': nixBin, filter = '' }) =>
    await withNixEnvironment({ settings }, async ({ folder, variables }) => {
      const sides = await sidesIn(folder, variables, nixBin);
      const tally = new Tally();
      /** @type {(name: string, problem: string | undefined) => void} */
      const record = (name, problem) => {
        tally.record(name, problem === undefined);
        if (problem !== undefined) console.log(`✗ ${name}\n  ${problem.trimEnd().replaceAll('\n', '\n  ')}`);
      };
      await checkBuiltins(sides, filter, record);
      for (const page of pages().filter((name) => name.includes(filter))) {
        const { checks, skipped } = await checkPage(page, sides);
        for (const { name, problem } of checks) record(name, problem);
        for (const it of skipped) console.log(`– not run: ${it}`);
      }
      if ('comparison'.includes(filter))
        for (const { name, problem } of await checkClaims(sides)) record(name, problem);
      return tally.conclude();
    }),
);

/**
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} variables
 * @param {string | undefined} nixBin
 * @returns {Promise<import('./builtin-examples.mjs').Side[]>}
 */
async function sidesIn(folder, variables, nixBin) {
  const bin = neveInPath(folder);
  const examples = join(folder, 'examples');
  mkdirSync(examples);
  writeFileSync(join(folder, 'home/.gitconfig'), '[init]\n\tdefaultBranch = main\n');
  const { NIX_REMOTE: _, ...rest } = variables;
  const env = { ...rest, PATH: [bin, variables['PATH']].join(delimiter), NO_COLOR: '1' };
  /** @type {import('./builtin-examples.mjs').Side[]} */
  const sides = [{ kind: 'neve', program: [join(bin, 'neve')], env, folder: examples }];
  if (nixBin === undefined) {
    console.log('no Nix was named with --nix-bin: only Neve is asked');
    return sides;
  }
  const { program } = nixImplementation(nixBin);
  console.log(`asking ${await versionOf(nixImplementation(nixBin), env)} too`);
  return [
    ...sides,
    { kind: 'nix', program: [...program, '--store', join(folder, 'store')], env, folder: examples },
  ];
}

/**
 * @param {readonly import('./builtin-examples.mjs').Side[]} sides
 * @param {string} filter
 * @param {(name: string, problem: string | undefined) => void} record
 */
async function checkBuiltins(sides, filter, record) {
  const docs = (await readBuiltinDocs()).filter(({ name }) => `builtins.${name}`.includes(filter));
  const examples = docs.flatMap((doc) =>
    doc.examples.flatMap((example) => sides.map((side) => ({ doc, example, side }))),
  );
  const problems = await mapInPool(
    examples,
    async ({ doc, example, side }) => await checkExample(doc, example, side),
  );
  for (const [index, { doc, example, side }] of examples.entries()) {
    record(`builtins.${doc.name} (${side.kind}): ${example.expression}`, problems[index]);
  }
}

/** The files whose blocks are run. */
function pages() {
  const below = ['examples', 'packages'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  const folders = ['docs', 'examples', ...below];
  const found = folders.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOTDIR') return [];
      throw error;
    }
  });
  return ['README.md', 'CONTRIBUTING.md', ...found.filter((name) => name.endsWith('.md')).sort()];
}
