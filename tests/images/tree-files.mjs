// Images of different files of package trees: each evaluation goes on from that of the file that it comes to first, whatever
// it was thought to want, and says what it says without.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packages } from './package-tree.mjs';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** @param {{ folder: string, record: (name: string, ok: boolean) => void }} options */
export function runTreeFiles({ folder, record }) {
  const images = join(folder, 'cache/neve/images');
  fs.mkdirSync(join(folder, 'cache'), { recursive: true });
  for (const tree of ['old', 'new']) {
    const top = join(folder, tree, 'pkgs/top-level');
    fs.mkdirSync(join(folder, tree, 'nixos'), { recursive: true });
    fs.mkdirSync(top, { recursive: true });
    fs.writeFileSync(join(top, 'default.nix'), packages(tree));
    fs.writeFileSync(join(folder, tree, 'default.nix'), 'import ./pkgs/top-level { localSystem = "x"; }');
    fs.writeFileSync(
      join(folder, tree, 'nixos/default.nix'),
      '{ name }: { system = "${name} on ${(import ../.).motto}"; }',
    );
  }
  /** @param {readonly string[]} words */
  const run = (words) => {
    const { PATH } = process.env;
    const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NEVE_IMAGE: 'always' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [neve, ...words], {
      ...{ cwd: folder, env, encoding: 'utf8', timeout: 60_000 },
    });
    return JSON.stringify({ status, stdout, stderr });
  };
  const imageFiles = () => fs.readdirSync(images).filter((name) => name.startsWith('image-'));
  /** @param {string} name @param {readonly string[]} words @param {string} expected */
  // oxlint-disable-next-line eslint/max-params -- what it is called, what is run, and what it says
  const check = (name, words, expected) => {
    const warm = run(words);
    const cold = run([...words, '--no-image']);
    if (warm !== cold) console.log(name, warm, cold);
    record(`${name} says what it says without`, warm === cold && warm.includes(expected));
  };
  const program = join(folder, 'program.nix');
  /** @param {string} text */
  const write = (text) => fs.writeFileSync(program, text);

  check('a package', ['eval', '-I', 'nixpkgs=new', '--expr', '(import <nixpkgs>).motto'], '\\"new\\"');
  record('a package has an image', imageFiles().length === 1);
  const before = fs.readFileSync(join(images, imageFiles()[0] ?? ''));
  const system = '(import <nixpkgs/nixos> { name = "one"; }).system';
  check('a system', ['eval', '-I', 'nixpkgs=new', '--expr', system], 'one on new');
  record('a system has one of its own', imageFiles().length === 2);
  record(
    'that of the package stays as it is',
    imageFiles().some((name) => fs.readFileSync(join(images, name)).equals(before)),
  );

  // Without a search path the images of both trees have the same settings.
  fs.rmSync(images, { recursive: true });
  const wanted = ['old', 'new'].flatMap((tree) => [
    { text: `(import ${folder}/${tree}).motto`, says: `\\"${tree}\\"` },
    { text: `(import ${folder}/${tree}/nixos { name = "one"; }).system`, says: `one on ${tree}` },
  ]);
  for (const { text, says } of wanted) {
    write(text);
    check(`first, ${text.replace(folder, '')}`, ['eval', '-f', program], says);
  }
  record('there are four images', imageFiles().length === 4);
  for (const { text, says } of wanted) {
    // Changed, so that it is evaluated; what it comes to first is not what the words of the program say.
    write(`# nixpkgs nixos ${folder}/old\n  ${text} + ""`);
    check(`again, with words for another, ${text.replace(folder, '')}`, ['eval', '-f', program], says);
    write(`let other = import ./other.nix; in other`);
    fs.writeFileSync(join(folder, 'other.nix'), text);
    check(`again, without a word, ${text.replace(folder, '')}`, ['eval', '-f', program], says);
    const jobs = ['eval-jobs', '--no-instantiate', '--expr', `{ job = throw (${text}); }`];
    check(`jobs, ${text.replace(folder, '')}`, jobs, says.replaceAll('\\"', ''));
  }
  record('there are still four', imageFiles().length === 4);
  const list = run(['image', 'list']);
  record(
    'neve image list names the files',
    ['old', 'new'].every(
      (tree) => list.includes(`/${tree}/default.nix`) && list.includes(`/${tree}/nixos/default.nix`),
    ),
  );

  // Without a word for it, the next evaluation in a directory begins with what the last one has come to.
  const hint = () =>
    fs.readFileSync(
      join(images, fs.readdirSync(images).find((name) => name.startsWith('trees-')) ?? ''),
      'latin1',
    );
  for (const tree of ['old', 'new', 'old']) {
    write(`import ./other.nix + "on ${tree}"`);
    fs.writeFileSync(join(folder, 'other.nix'), `(import ${folder}/${tree}).motto`);
    check(`the ${tree} tree, after another`, ['eval', '-f', program], `${tree}on ${tree}`);
    record(
      `the ${tree} tree is what comes next`,
      hint().includes(`${folder}":"${folder}/${tree}/default.nix"`),
    );
  }

  // Both trees in one evaluation: it is that of the one that comes first.
  write(
    `[ (import ${folder}/new).motto (import ${folder}/old).motto (import ${folder}/old/nixos { name = "all"; }) ]`,
  );
  check('two trees', ['eval', '--strict', '-f', program], 'all on old');
  write(`{ broken = (import ${folder}/new/nixos { }).system; }`);
  check('an error', ['eval', '--strict', '-f', program], 'name');
}
