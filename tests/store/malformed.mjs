// Input that must be refused: NARs (the set of NixOS/nix and our own), tar and zip archives, binary caches that lie. The
// command ends with the exit code 1 and a message, not with a stack; nothing is visible in the store, `verify` is clean,
// and no file is made where a path leads out of an archive.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { mapInPool } from '../lib/pool.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { goodNarInfo, lyingCaches, writeCache } from './lying-caches.mjs';
import { LocalStore } from './local-store.mjs';
import { goodTar, goodZip, malformedArchives } from './malformed-archives.mjs';
import { goodNar, malformedNars } from './malformed-nars.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from './working-folder.mjs';

const usage = `usage: node tests/store/malformed.mjs [options]

  --nix DIR        a checkout of NixOS/nix, whose malformed NARs are taken too
  --count N        how many damaged copies of good files (default: 30)
  --seed N         seed of the damage (default: a random one, printed)
  --verbose        show what is said of each case
${storeTestUsage}`;

/** The one of that folder that is right; what the names of the others say is wrong with them. */
const goodNarOfNix = 'regular-one-byte-zero-padding.nar';
const narFolderOfNix = 'src/libutil-tests/data/nars';

const tally = new Tally();

// LMDB's library says so when it opens a database that another process closes at that moment; it is opened again then.
const beginsAsError = /^(No current read transaction available)*error: /;

await runHarness(
  {
    usage,
    options: {
      nix: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      verbose: { type: 'boolean' },
      ...storeTestOptions,
    },
  },
  async (values) => {
    const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
    const count = countOption('count', values['count'], 30);
    console.log(`seed ${seed}`);
    const nars = [
      ...malformedNars,
      ...(values['nix'] === undefined ? [] : narsOfNix(resolve(values['nix']))),
    ];
    if (values['nix'] === undefined) console.log('without the NARs of NixOS/nix, for which --nix is needed');
    const isVerbose = values['verbose'] === true;
    return await withWorkingFolder(values, async (folder, neve) => {
      const files = nars.map((it) => ({ ...it, form: 'nar' }));
      const cases = [...files, ...malformedArchives];
      await importAll({ cases, folder, neve, isVerbose });
      await damaged({ random: new Random(seed), count, folder, neve });
      await caches({ folder, neve, isVerbose });
      return tally.conclude();
    });
  },
);

/** @param {string} checkout */
function narsOfNix(checkout) {
  const folder = join(checkout, narFolderOfNix);
  if (!existsSync(folder)) throw new UsageError(`there is no ${folder}`);
  const names = readdirSync(folder).filter((name) => name.endsWith('.nar') && name !== goodNarOfNix);
  return names.map((name) => ({ name: `${name} of NixOS/nix`, bytes: readFileSync(join(folder, name)) }));
}

/**
 * @param {{ cases: readonly { name: string, bytes: Buffer, form: string }[], folder: string, neve: import('./store-command.mjs').StoreCommand, isVerbose: boolean }} options
 */
async function importAll({ cases, folder, neve, isVerbose }) {
  const store = new LocalStore(join(folder, 'refused'), neve);
  const work = join(folder, 'work');
  mkdirSync(work);
  await mapInPool(cases, async ({ name, bytes, form }, index) => {
    const file = join(folder, `case-${index}`);
    writeFileSync(file, bytes);
    const outcome = await neve.run(store.words('import', `--${form}`, file), {
      cwd: work,
      timeoutMs: 60_000,
    });
    expectRefusal(`${form}: ${name}`, outcome, isVerbose);
  });
  await expectNothing('archives', store);
  const made = readdirSync(folder, { recursive: true }).filter((name) => /evil/.test(String(name)));
  check('nothing is written outside of the store', [...made, ...readdirSync(work)].map(String));
  // The same bytes are taken when nothing is wrong with them.
  for (const [form, bytes] of Object.entries({ nar: goodNar, tar: goodTar, zip: goodZip })) {
    const file = join(folder, `good.${form}`);
    writeFileSync(file, bytes);
    const { code, stderr } = await neve.run(store.words('import', `--${form}`, file));
    check(`a good ${form}`, code === 0 ? [] : [stderr]);
  }
}

/**
 * A NAR with a flipped bit is refused or another object; it never makes the store wrong, and never ends with a stack.
 *
 * @param {{ random: Random, count: number, folder: string, neve: import('./store-command.mjs').StoreCommand }} options
 */
async function damaged({ random, count, folder, neve }) {
  const store = new LocalStore(join(folder, 'damaged'), neve);
  const kinds = Object.entries({ nar: goodNar, tar: goodTar, zip: goodZip });
  const cases = Array.from({ length: count }, () => {
    const [form, good] = random.pick(kinds);
    const bytes = Buffer.from(good);
    for (let flips = random.below(3) + 1; flips > 0; flips--) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    return { form, bytes: random.oneIn(5) ? bytes.subarray(0, random.below(bytes.length)) : bytes };
  });
  await mapInPool(cases, async ({ form, bytes }, index) => {
    const file = join(folder, `damaged-${index}`);
    writeFileSync(file, bytes);
    const outcome = await neve.run(store.words('import', `--${form}`, file), { timeoutMs: 60_000 });
    if (outcome.code !== 0) expectRefusal(`damaged ${form} (${file})`, outcome, false);
    else check(`damaged ${form} that is good by chance`, []);
  });
  check('verify after damaged archives', await store.problems());
}

/** @param {{ folder: string, neve: import('./store-command.mjs').StoreCommand, isVerbose: boolean }} options */
async function caches({ folder, neve, isVerbose }) {
  const store = new LocalStore(join(folder, 'substituted'), neve);
  const copied = new LocalStore(join(folder, 'copied'), neve);
  await mapInPool(lyingCaches, async (lie, index) => {
    const cache = join(folder, `cache-${index}`);
    const { composition, path } = writeCache({ folder: cache, store: store.folder, lie });
    const words = ['--store-composition', composition, path];
    const info = await neve.run(['info', ...words], { timeoutMs: 60_000 });
    expectRefusal(`cache: ${lie.name}`, info, isVerbose);
    const copy = await neve.run(['copy', '--from', 'root', '--to', copied.folder, ...words], {
      timeoutMs: 60_000,
    });
    expectRefusal(`copy from a cache: ${lie.name}`, copy, false);
  });
  await expectNothing('caches', store);
  await expectNothing('copies from caches', copied);
  const good = writeCache({ folder: join(folder, 'good-cache'), store: store.folder, lie: goodNarInfo });
  const words = ['--store-composition', good.composition, good.path];
  const { code, stderr } = await neve.run(['info', ...words]);
  check('a cache that says the truth', code === 0 ? [] : [stderr]);
  await neve.output(['copy', '--from', 'root', '--to', copied.folder, ...words]);
  check('what was copied from it', [(await copied.problemOf(good.path)) ?? ''].filter(Boolean));
}

/**
 * @param {string} name
 * @param {import('../lib/command.mjs').Outcome} outcome
 * @param {boolean} isVerbose
 */
function expectRefusal(name, { code, signal, stdout, stderr, timedOut }, isVerbose) {
  if (isVerbose) console.log(`${name}\n    ${stderr.trim().slice(0, 300)}`);
  const problems = [];
  if (timedOut) problems.push('it does not end');
  if (code !== 1) problems.push(`exit code ${code ?? signal}`);
  if (stdout !== '') problems.push(`it printed ${stdout}`);
  if (!beginsAsError.test(stderr) || /^\s+at |bug in Neve/m.test(stderr)) problems.push(stderr);
  check(name, problems);
}

/**
 * @param {string} name
 * @param {LocalStore} store
 */
async function expectNothing(name, store) {
  const paths = [...(await store.paths())];
  check(`nothing is in the store after ${name}`, [...paths, ...store.temporaryFiles().map((it) => it.name)]);
  check(`verify after ${name}`, await store.problems());
}

/**
 * @param {string} name
 * @param {readonly string[]} problems
 */
function check(name, problems) {
  tally.record(name, problems.length === 0);
  if (problems.length > 0) console.log(`FAIL ${name}: ${problems.join('; ')}`);
}
