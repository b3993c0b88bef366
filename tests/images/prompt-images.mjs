// Images that prompts keep when they end: other prompts and commands go on from them, and say what they say without.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { conversation } from './conversation.mjs';
import { packages } from './package-tree.mjs';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** @param {{ folder: string, record: (name: string, ok: boolean) => void }} options */
export async function runPromptImages({ folder, record }) {
  const top = join(folder, 'packages/pkgs/top-level');
  const file = join(top, 'default.nix');
  const images = join(folder, 'cache/neve/images');
  fs.mkdirSync(top, { recursive: true });
  fs.mkdirSync(join(folder, 'cache'));
  fs.writeFileSync(file, packages('snow'));
  const call = `import ${top} { localSystem = builtins.currentSystem; }`;
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NEVE_IMAGE: 'always' };
  const converse = conversation({ folder, env });
  const program = join(folder, 'program.nix');
  fs.writeFileSync(program, `{ packages = ${call}; other = 1; }`);

  const imageFiles = () =>
    fs.existsSync(images) ? fs.readdirSync(images).filter((name) => name.startsWith('image-')) : [];
  const image = () => join(images, imageFiles()[0] ?? '');
  const clear = () => fs.rmSync(images, { recursive: true, force: true });
  const clearResults = () => {
    for (const name of fs.readdirSync(images)) if (!name.startsWith('image-')) fs.rmSync(join(images, name));
  };
  let stores = 0;
  /** What a command prints. @param {readonly string[]} command */
  const run = (command) => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [neve, ...command, '--store', join(folder, `other-${stores++}`)],
      { cwd: folder, env, encoding: 'utf8', timeout: 60_000 },
    );
    return JSON.stringify([status, stdout]);
  };
  /** @param {string} name @param {readonly string[]} command */
  const check = (name, command) => {
    const answers = [run(command), run([...command, '--no-image'])];
    if (answers[0] !== answers[1]) console.log(name, answers);
    record(`neve ${command[0]}, ${name}, says what it says without`, answers[0] === answers[1]);
    return answers[0] ?? '';
  };
  const all = '"${motto} ${text} ${tool.drvPath}"';
  const evaluation = ['eval', '--expr', `with ${call}; ${all}`];
  const build = ['build', '--no-link', '--expr', `(${call}).tool`];
  const load = `packages = ${call}`;
  const ask = `with packages; ${all}`;

  await converse([load, ask], ['--no-image']);
  record('a prompt with --no-image keeps none', imageFiles().length === 0);
  await converse(['x = 1', 'x']);
  record('a prompt without a package tree keeps none', imageFiles().length === 0);
  await converse([load, ask]);
  record('a prompt keeps an image at the end of its input', imageFiles().length === 1);
  check('after a prompt', evaluation);
  check('after a prompt', build);
  // What was described ends the file, before its checksum.
  const bytes = fs.readFileSync(image());
  bytes[bytes.length - 12] = (bytes[bytes.length - 12] ?? 0) ^ 1;
  fs.writeFileSync(image(), bytes);
  clearResults();
  run(build);
  record('a build goes on from it: that it is damaged is noticed', imageFiles().length === 0);

  await converse([load, ask, ':q']);
  record('a prompt keeps an image at :q', imageFiles().length === 1);
  const before = fs.readFileSync(image());
  await converse([load, ask]);
  record('a prompt that adds nothing leaves it as it is', before.equals(fs.readFileSync(image())));
  clear();
  await converse([`:l ${program}`, ask]);
  record('a prompt keeps one of what it has loaded', imageFiles().length === 1);
  const loaded = fs.readFileSync(image());
  await converse([`:l ${program}`, ask]);
  record('the same again adds nothing', loaded.equals(fs.readFileSync(image())));
  clear();
  await converse([load, 'packages.wrong', 'packages.nothing', 'packages.', ask, 'throw packages.motto']);
  record('a prompt keeps an image after errors', imageFiles().length === 1);
  check('after errors', evaluation);
  check('of an error', ['eval', '--expr', `(${call}).wrong`]);

  clear();
  await converse([load, ask, `:l ${program}`, 'other']);
  record('none is kept where files of the tree were forgotten', imageFiles().length === 0);
  await converse([load, ask, { signal: 'SIGTERM' }]);
  record('none is kept after a signal that ends it', imageFiles().length === 0);
  const interrupted = await converse([
    ...[
      load,
      ask,
      {
        signal: /** @type {const} */ ('SIGINT'),
        during:
          'builtins.genericClosure { startSet = [ { key = 0; } ]; operator = it: [ { key = it.key + 1; } ]; }',
      },
    ],
    'packages.motto',
  ]);
  record('an evaluation is interrupted', interrupted.includes('interrupted'));
  record('none is kept after that', imageFiles().length === 0);

  // What was read twice, and was not the same, is no state of the world that could come again.
  const lib = join(top, 'lib.nix');
  const versions = {
    broken: '{ name = ',
    whole: '{ name = "whole"; }',
    other: '{ name = "other"; }',
    absent: undefined,
  };
  const put = (/** @type {keyof typeof versions} */ version) => {
    const contents = versions[version];
    if (contents === undefined) fs.rmSync(lib, { force: true });
    else fs.writeFileSync(lib, contents);
  };
  fs.writeFileSync(file, packages('snow').replace('}: {', '}: { inherit (import ./lib.nix) name;'));
  const name = ['eval', '--expr', `(${call}).name`];
  for (const was of /** @type {const} */ (['broken', 'absent'])) {
    clear();
    put(was);
    await wait(30);
    await converse([load, 'packages.name', () => put('whole'), 'packages.name', 'packages.tool.drvPath']);
    check(`where a file was ${was}`, name);
    put(was);
    check(`where a file is ${was} again`, name);
  }
  clear();
  put('whole');
  await wait(30);
  await converse([load, 'packages.name', () => put('other'), 'packages.motto']);
  record('what is there when it ends is another file', check('after a change', name).includes('other'));
  clear();
  await converse([load, 'packages.name']);
  await wait(30);
  put('whole');
  record('a change after it has ended is noticed', check('after it has ended', name).includes('whole'));

  clear();
  fs.writeFileSync(file, packages('snow'));
  const sessions = await Promise.all([1, 2, 3].map(() => converse([load, ask])));
  record('prompts beside each other say the same', new Set(sessions).size === 1);
  record(
    'they keep one image, and nothing else',
    // The other one says of which file of the tree there is an image.
    imageFiles().length === 1 && fs.readdirSync(images).length === 2,
  );
  check('after prompts beside each other', evaluation);
}
