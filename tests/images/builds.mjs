// Builds that go on from an image: the store has to hear of derivations, texts and files that another process has described,
// and only that one has evaluated. What a build says and makes is what it does without images.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** A package set whose packages are described in the image, and made by whoever wants one. */
export const packages = `{ localSystem, ... }:
let
  make = name: script: derivation {
    inherit name;
    system = localSystem;
    builder = "/bin/sh";
    args = [ "-c" script ];
  };
  text = builtins.toFile "text" "of the set";
  directory = builtins.filterSource (path: type: baseNameOf path != "left-out") ./files;
  tools = make "tools" "echo tools > $out";
  texts = make "texts" "read line < \${text}; echo $line > $out";
  files = make "files" "for it in \${directory}/*; do echo \${"$"}{it##*/}; done > $out; read line < \${./one-file}; echo $line >> $out";
  names = import (make "names.nix" "echo [ 1 2 3 ] > $out");
in {
  inherit text directory tools texts files make;
  all = make "all" "read a < \${tools}; read b < \${texts}; read c < \${files}; echo $a $b $c > $out";
  imported = make "imported" "echo \${toString names} > $out";
  fails = make "fails" "echo it goes wrong >&2; exit 3";
  wrong = throw "nobody can have this";
}`;

/** @param {{ folder: string, record: (name: string, ok: boolean) => void }} options */
export async function runBuilds({ folder, record }) {
  const tree = join(folder, 'packages');
  const top = join(tree, 'pkgs/top-level');
  fs.mkdirSync(join(top, 'files'), { recursive: true });
  fs.mkdirSync(join(folder, 'cache'), { recursive: true });
  fs.writeFileSync(join(top, 'default.nix'), packages);
  fs.writeFileSync(join(top, 'one-file'), 'one file\n');
  for (const name of ['a', 'b', 'left-out']) fs.writeFileSync(join(top, 'files', name), name);

  let stores = 0;
  /** @param {readonly string[]} words @param {string} [store] a new one, without it */
  const run = (words, store = join(folder, `store-${stores++}`)) => {
    const { PATH } = process.env;
    const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NEVE_IMAGE: 'always' };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [neve, ...words, ...(words[0] === 'image' ? [] : ['--store', store])],
      {
        ...{ cwd: folder, env, encoding: 'utf8', timeout: 60_000 },
      },
    );
    return { status, stdout, stderr, store };
  };
  const expression = (/** @type {string} */ wanted) => [
    '--expr',
    `let packages = import ${top} { localSystem = builtins.currentSystem; }; in ${wanted}`,
  ];
  const image = () => {
    const images = join(folder, 'cache/neve/images');
    const [name] = fs.existsSync(images)
      ? fs.readdirSync(images).filter((it) => it.startsWith('image-'))
      : [];
    return name === undefined ? undefined : join(images, name);
  };
  /** What a store has of a path, as it is read back. */
  const contents = (/** @type {string} */ store, /** @type {string} */ path) =>
    run(['store', 'cat', path.trim()], store).stdout;

  const described = ['tools', 'texts', 'files', 'all', 'fails'].map((it) => `packages.${it}.drvPath`);
  const first = run(['eval', ...expression(`[ ${described.join(' ')} packages.text packages.directory ]`)]);
  record('the package set is evaluated', first.status === 0);
  record('an image of it is kept', image() !== undefined);

  /** @param {string} name @param {readonly string[]} words */
  const check = (name, words) => {
    const warm = run(words);
    const cold = run([...words, '--no-image']);
    const isSame =
      warm.status === cold.status && warm.stdout === cold.stdout && plain(warm.stderr) === plain(cold.stderr);
    if (!isSame) console.log(name, warm, cold);
    record(`neve, ${name}, from an image as without`, isSame);
    return warm;
  };
  for (const wanted of ['tools', 'texts', 'files', 'all', 'imported', 'make "own" "echo own > $out"']) {
    const { status, stdout, store } = check(`build of ${wanted}`, [
      ...['build', '--no-link', ...expression(`packages.${wanted}`)],
    ]);
    record(`${wanted} is built`, status === 0 && contents(store, stdout) !== '');
  }
  const all = run(['build', '--no-link', ...expression('packages.all')]);
  record('what is built is right', contents(all.store, all.stdout) === 'tools of the set a\n');
  check('read of a text', ['eval', ...expression('builtins.readFile packages.text')]);
  check('read of files', ['eval', ...expression('builtins.readDir packages.directory')]);
  check('read of what is built', ['eval', ...expression('builtins.readFile packages.all')]);
  check('plan', ['build', '--dry-run', ...expression('packages.all')]);
  check('explanation', ['explain', ...expression('packages.all')]);
  const failed = check('build that fails', ['build', '--no-link', ...expression('packages.fails')]);
  record('a build that fails is begun once', failed.stderr.split('it goes wrong').length === 2);
  check('read of what fails', ['eval', ...expression('builtins.readFile packages.fails')]);
  check('evaluation that fails', ['build', ...expression('packages.wrong')]);
  check('trace and an error', ['build', ...expression('builtins.trace "seen" packages.wrong')]);

  const store = join(folder, 'store-kept');
  const again = ['build', '--no-link', ...expression('builtins.trace "seen" packages.all')];
  const explained = () => run(['image', 'explain', ...again, '--store', store]).stdout;
  const builds = [run(again, store), run(again, store)];
  record(
    'a build says again what its evaluation says',
    builds.every((it) => it.stderr.includes('trace: seen')),
  );
  record(
    'it comes to the same',
    builds.every((it) => it.status === 0 && it.stdout === all.stdout),
  );
  record('its result is used', explained().includes('it would be used'));
  fs.rmSync(store, { recursive: true });
  const rebuilt = run(again, store);
  record('what has gone is built again', rebuilt.status === 0 && contents(store, all.stdout) !== '');
  record('what it says is said once', rebuilt.stderr.split('trace: seen').length === 2);

  // What was described ends the file, before its checksum.
  const before = image() ?? '';
  const bytes = fs.readFileSync(before);
  bytes[bytes.length - 12] = (bytes[bytes.length - 12] ?? 0) ^ 1;
  fs.writeFileSync(before, bytes);
  const damaged = run(['build', '--no-link', ...expression('packages.all')]);
  record('a damaged image does no harm', damaged.status === 0 && damaged.stdout === all.stdout);
  record('a damaged image goes', image() === undefined);
  run(['eval', ...expression('packages.all.drvPath')]);

  await wait(50);
  fs.writeFileSync(join(top, 'files', 'c'), 'c');
  const changed = check('build of changed files', ['build', '--no-link', ...expression('packages.files')]);
  record('what has changed is built anew', contents(changed.store, changed.stdout) === 'a\nb\nc\none file\n');
}

/** Without times and stores. @param {string} text */
function plain(text) {
  return text.replaceAll(/\d+(\.\d+)? ?m?s\b|store-\d+/g, '');
}
