// Prompts that go on from an image: they answer as without it, and see what has changed when they load files again.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conversation } from './conversation.mjs';
import { makePackages, packages } from './package-tree.mjs';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** @param {{ folder: string, record: (name: string, ok: boolean) => void }} options */
export async function runPrompts({ folder, record }) {
  const file = join(folder, 'packages/pkgs/top-level/default.nix');
  const call = makePackages(join(folder, 'packages'), 'snow');
  fs.mkdirSync(join(folder, 'cache'));
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), NEVE_IMAGE: 'always' };
  const converse = conversation({ folder, env });
  const load = `packages = ${call}`;
  /** @param {string} name @param {readonly (string | (() => void))[]} steps @param {() => void} [before] */
  // oxlint-disable-next-line eslint/max-params -- the last one is rare
  const check = async (name, steps, before = () => {}) => {
    before();
    const warm = await converse(steps);
    before();
    const cold = await converse(steps, ['--no-image']);
    if (warm !== cold) console.log(`${name}\n${warm}\n--\n${cold}`);
    record(`neve repl, ${name}, from an image as without`, warm === cold);
    return warm;
  };

  const child = spawn(
    process.execPath,
    [neve, 'eval', '--expr', `with ${call}; "\${motto} \${text} \${tool.drvPath}"`],
    { env },
  );
  await new Promise((resolve) => child.once('close', resolve));
  const images = fs.readdirSync(join(folder, 'cache/neve/images'));
  record(
    'there is an image for prompts',
    images.some((it) => it.startsWith('image-')),
  );

  const answers = await check('values and builds', [
    ...[load, 'packages.motto', 'packages.text', 'builtins.readFile packages.text', ':b packages.tool'],
    ...['builtins.readFile packages.tool', 'packages.wrong', 'packages.motto'],
  ]);
  record('what is built is there', answers.includes('"snow\\n"'));
  const program = join(folder, 'program.nix');
  fs.writeFileSync(program, `builtins.trace "seen" { packages = ${call}; inherit (${call}) motto; }`);
  const traced = await check('what is said on the way', [
    'x = 1',
    `y = builtins.trace "seen" (${call})`,
    `builtins.trace "once" y.motto`,
    'x',
  ]);
  record('a trace is said once', traced.split('trace: once').length === 2);
  const loaded = await check('a file that is loaded', [`:l ${program}`, 'motto']);
  record('what is loaded is told once', loaded.split('Added 2').length === 2);
  const started = [
    await converse(['motto'], ['--file', program]),
    await converse(['motto'], ['--file', program, '--no-image']),
  ];
  record('neve repl --file, from an image as without', started[0] === started[1]);
  record('what is loaded at the start is told once', started[0]?.split('Loading').length === 2);
  const again = await check(
    'a file that changes',
    [
      load,
      'packages.motto',
      () => fs.writeFileSync(file, packages('rain')),
      'packages.motto',
      ':r',
      load,
      'packages.motto',
    ],
    () => fs.writeFileSync(file, packages('snow')),
  );
  record('loaded again it is another', again.indexOf('"snow"') < again.indexOf('"rain"'));
}
