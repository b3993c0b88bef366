// Instantiations into a directory that go on from an image: whatever is referred to has to be written, also what only another
// process has evaluated. What is written is what an evaluation without images writes, to the last byte.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { packages } from './builds.mjs';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** @param {{ folder: string, record: (name: string, ok: boolean) => void }} options */
export async function runInstantiations({ folder, record }) {
  const top = join(folder, 'packages/pkgs/top-level');
  const images = join(folder, 'cache/neve/images');
  fs.mkdirSync(join(top, 'files'), { recursive: true });
  fs.mkdirSync(join(folder, 'cache'), { recursive: true });
  fs.writeFileSync(join(top, 'default.nix'), packages);
  fs.writeFileSync(join(top, 'one-file'), 'one file\n');
  for (const name of ['a', 'b', 'left-out']) fs.writeFileSync(join(top, 'files', name), name);

  /** @param {readonly string[]} words */
  const run = (words) => {
    const { PATH } = process.env;
    const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NEVE_IMAGE: 'always' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [neve, ...words], {
      ...{ cwd: folder, env, encoding: 'utf8', timeout: 60_000 },
    });
    return { status, stdout, stderr };
  };
  const expression = (/** @type {string} */ wanted) => [
    '--expr',
    `let packages = import ${top} { localSystem = "x86_64-linux"; }; in ${wanted}`,
  ];
  const imageFiles = () =>
    fs.existsSync(images) ? fs.readdirSync(images).filter((name) => name.startsWith('image-')) : [];
  const clearResults = () => {
    for (const name of fs.existsSync(images) ? fs.readdirSync(images) : [])
      if (!name.startsWith('image-')) fs.rmSync(join(images, name));
  };
  const store = join(folder, 'store');
  /** What a command says and leaves in an empty directory, and what is left in one that has everything of before. */
  const instantiate = (/** @type {string} */ wanted, /** @type {readonly string[]} */ words = []) => {
    empty(store);
    const answer = run(['instantiate', ...expression(wanted), '--physical-store-dir', store, ...words]);
    return { ...answer, written: treeText(store) };
  };
  /** @param {string} name @param {string} wanted */
  const check = (name, wanted) => {
    const warm = instantiate(wanted);
    const cold = instantiate(wanted, ['--no-image']);
    const isSame = JSON.stringify(warm) === JSON.stringify(cold);
    if (!isSame) console.log(name, warm, cold);
    record(`neve instantiate, ${name}, from an image as without`, isSame);
    return warm;
  };
  const described = ['tools', 'texts', 'files', 'all', 'fails'].map((it) => `packages.${it}.drvPath`);
  const wantedAll = `[ ${described.join(' ')} packages.text packages.directory ]`;

  // What a command with a store has described, which comes to the same settings.
  run(['eval', ...expression(wantedAll), '--store', join(folder, 'realised')]);
  record('there is an image for instantiations', imageFiles().length === 1);
  for (const wanted of ['tools', 'texts', 'files', 'all']) {
    const { status, written } = check(wanted, `packages.${wanted}`);
    record(`${wanted} is instantiated`, status === 0 && written.includes('.drv'));
  }
  const own = `packages.make "own" "read line < \${packages.all}; echo $line > $out"`;
  check('a derivation that refers to what is in the image', own);
  check(
    'a text that does',
    `packages.make "own" (builtins.toFile "own" "\${packages.text} \${packages.directory}")`,
  );
  check('the contents of a text', `packages.make (builtins.readFile packages.text) ""`);
  check(
    'the contents of files',
    `packages.make (toString (builtins.attrNames (builtins.readDir packages.directory))) ""`,
  );
  check('whether something is there', `assert builtins.pathExists packages.text; packages.tools`);
  check(
    'a path that is added once more',
    `packages.make "own" "\${builtins.path { path = packages.directory; name = "again"; }}"`,
  );
  check('nothing of the image', `derivation { name = "x"; system = "x"; builder = "x"; }`);
  check('several', `[ packages.files packages.texts packages.files ]`);
  check('an error', 'packages.wrong');
  check('an error behind what is written', `[ packages.tools packages.wrong ]`);
  check('an import of what would have to be built', 'packages.imported');
  const printed = (/** @type {readonly string[]} */ words) => {
    empty(store);
    const text = run([
      'instantiate',
      '--eval',
      '--read-write-mode',
      ...expression('packages.all.drvPath'),
      ...words,
      ...['--physical-store-dir', store],
    ]);
    return JSON.stringify([text, treeText(store)]);
  };
  record('what is printed is written', printed([]) === printed(['--no-image']));

  const wanted = 'packages.all';
  const words = ['instantiate', ...expression(wanted), '--physical-store-dir', store];
  const cold = instantiate(wanted, ['--no-image']);
  for (const name of fs.readdirSync(store)) {
    run(words);
    remove(join(store, name));
    run(words);
    record(`${name} is written again`, treeText(store) === cold.written);
  }
  empty(store);
  run(words);
  record('what is there is used', run(['image', 'explain', ...words]).stdout.includes('it would be used'));
  fs.rmSync(join(store, fs.readdirSync(store)[0] ?? ''), { recursive: true });
  record('and not when it is not', !run(['image', 'explain', ...words]).stdout.includes('it would be used'));

  // A derivation that is evaluated, and nobody refers to, is written as well, also the second time.
  fs.rmSync(images, { recursive: true });
  const unused = 'builtins.seq packages.tools.drvPath packages.files';
  const without = instantiate(unused, ['--no-image']);
  const first = instantiate(unused);
  record('an instantiation keeps an image', imageFiles().length === 1);
  const second = instantiate(unused);
  record('it writes what nobody refers to', without.written.includes('-tools.drv'));
  record('the first time', first.written === without.written);
  record('and the second time from its image', second.written === without.written);
  const file = join(images, imageFiles()[0] ?? '');
  const evaluated = run([
    'eval',
    ...expression('packages.files.drvPath'),
    '--store',
    join(folder, 'realised'),
  ]);
  record(
    'others go on from it',
    evaluated.stdout.trim() === `"${without.stdout.trim()}"` && fs.existsSync(file),
  );

  // What was described ends the file, before its checksum.
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 12] = (bytes[bytes.length - 12] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  clearResults();
  record(
    'a damaged image does no harm',
    instantiate('packages.files').written === instantiate('packages.files', ['--no-image']).written,
  );
  record('a damaged image is noticed, since it is used', !fs.existsSync(file));

  run(['eval', ...expression(wantedAll), '--store', join(folder, 'realised')]);
  /** @type {readonly [string, () => void, string][]} */
  const changes = [
    ['an entry of a directory', () => fs.writeFileSync(join(top, 'files', 'c'), 'c'), 'files'],
    ['what the filter leaves out', () => fs.writeFileSync(join(top, 'files', 'left-out'), 'more'), 'files'],
    ['contents', () => fs.writeFileSync(join(top, 'one-file'), 'two file\n'), 'all'],
    ['contents in a directory', () => fs.writeFileSync(join(top, 'files', 'a'), 'A'), 'all'],
    [
      'a program',
      () => fs.writeFileSync(join(top, 'default.nix'), packages.replace('of the set', 'anew')),
      'texts',
    ],
  ];
  for (const [name, change, of] of changes) {
    const before = instantiate(`packages.${of}`);
    await wait(30);
    change();
    const after = check(`after a change of ${name}`, `packages.${of}`);
    const matters = name !== 'what the filter leaves out';
    record(
      `${name} that has changed ${matters ? 'matters' : 'does not matter'}`,
      (before.written !== after.written) === matters,
    );
  }
}

/** @param {string} path */
function empty(path) {
  if (fs.existsSync(path)) for (const name of fs.readdirSync(path)) remove(join(path, name));
}

/** Objects are read only. @param {string} path */
function remove(path) {
  if (fs.lstatSync(path).isDirectory()) fs.chmodSync(path, 0o700);
  fs.rmSync(path, { recursive: true });
}

/** All names, modes and contents. @param {string} path @returns {string} */
function treeText(path) {
  if (!fs.existsSync(path)) return '';
  const lines = fs.readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => {
    const at = join(entry.parentPath, entry.name);
    const { mode } = fs.lstatSync(at);
    return `${at} ${mode} ${entry.isFile() ? fs.readFileSync(at, 'utf8') : ''}`;
  });
  return lines.toSorted().join('\n');
}
