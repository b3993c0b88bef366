// `neve shell`: what is in the environment of the program, where it sees the store, and how it ends. Expected is what `nix shell`
// does (its manual, and src/nix/shell.cc of 2.34: each output with its bin, then what it propagates, then the PATH before).

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tools = join(dirname(fileURLToPath(import.meta.url)), 'tools.nix');

/** @typedef {import('./build-command.mjs').BuildCommand} BuildCommand */

/**
 * @param {{ neve: BuildCommand, busybox: string | undefined }} context
 * @returns {readonly (readonly [name: string, check: () => Promise<void>])[]}
 */
export function shellChecks({ neve, busybox }) {
  const program = busybox ?? ['/bin/busybox', '/usr/bin/busybox'].find((it) => existsSync(it));
  if (program === undefined) {
    console.log('without the checks of neve shell, as there is no busybox');
    return [];
  }
  const packages = ['--file', tools, '--arg', 'busybox', program];
  /** @param {readonly string[]} words @param {import('./build-command.mjs').RunOptions} [options] */
  const shell = (words, options) => neve.inStore('shell', [...packages, ...words], options);
  /** @param {readonly string[]} words @param {import('./build-command.mjs').RunOptions} [options] */
  const said = async (words, options) => {
    const { code, stdout, stderr } = await shell(words, options);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return [
    [
      'a program of a package gets its arguments as they are',
      async () => {
        const out = await said(['greet', '--command', 'greet', '-A', '--command', 'a b']);
        assert.match(out, /^hello from \/nix\/store\/\w{32}-greet: -A --command a b\n$/);
      },
    ],
    [
      'its exit code and its signal are those of the command',
      async () => {
        assert.equal((await shell(['greet', '-c', 'sh', '-c', 'exit 7'])).code, 7);
        assert.equal((await shell(['greet', '-c', 'sh', '-c', 'kill -TERM $$'])).code, 143);
        const { code, stderr } = await shell(['greet', '-c', 'no-such-program']);
        assert.equal(code, 127, stderr);
        assert.match(stderr, /no-such-program/);
      },
    ],
    [
      'packages come first in PATH, what they propagate after them',
      async () => {
        const path = await said(['several', 'greet', '-c', 'sh', '-c', 'echo $PATH']);
        const names = path.replaceAll(/\/nix\/store\/\w{32}-/g, '').trim();
        assert.equal(names, `several-bin/bin:greet/bin:other/bin:${process.env['PATH']}`);
        const tree = 'several && other && test ! -e /nix/store/x && ! touch /nix/store/x 2>/dev/null && pwd';
        const out = await said(['several', 'greet', '-c', 'sh', '-c', tree]);
        assert.equal(out, `several\nother\n${neve.workFolder}\n`);
      },
    ],
    [
      'an output that is selected is the one',
      async () => {
        assert.equal(await said(['several.out', '-c', 'library']), 'library\n');
      },
    ],
    [
      'the environment is that of the command, or what is left of it',
      async () => {
        const env = { A: 'a', B: 'b' };
        const show = ['-c', '/usr/bin/env'];
        const all = (await said(['other', '-u', 'A', ...show], { env })).split('\n');
        assert.deepEqual([all.includes('A=a'), all.includes('B=b')], [false, true]);
        const few = (await said(['-i', '-k', 'B', 'other', ...show], { env })).trim().split('\n');
        // The shell that makes the namespace adds where it is.
        const names = few
          .map((line) => line.replace(/=.*/s, ''))
          .filter((it) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(it));
        assert.deepEqual(names.sort(), ['B', 'PATH']);
        assert.match(few.join('\n'), /^PATH=\/nix\/store\/\w{32}-other\/bin$/m);
      },
    ],
    [
      'a store directory that is not there is there for the program',
      async () => {
        const words = ['--store-dir', '/not/there', 'greet', '-c', 'sh', '-c', 'greet && pwd && ls -d /usr'];
        const temporary = join(neve.workFolder, 'temporary');
        mkdirSync(temporary);
        const { code, stdout, stderr } = await neve.run(
          ['shell', '--store', `${neve.store}-elsewhere`, '--builder', 'unshare:', ...packages, ...words],
          { env: { TMPDIR: temporary } },
        );
        assert.equal(code, 0, stderr);
        const [greeting = '', ...others] = stdout.trim().split('\n');
        assert.match(greeting, /^hello from \/not\/there\/\w{32}-greet:/);
        assert.deepEqual(others, [neve.workFolder, '/usr']);
        assert.equal(existsSync('/not/there'), false);
        assert.deepEqual(readdirSync(temporary), []);
      },
    ],
    [
      'without a program it is the shell of the user',
      async () => {
        const { code, stdout } = await shell(['greet'], { env: { SHELL: '/usr/bin/env' } });
        assert.equal(code, 0);
        assert.match(stdout, /^PATH=\/nix\/store\/\w{32}-greet\/bin:/m);
      },
    ],
    [
      'nothing is run when something cannot be built',
      async () => {
        const { code, stdout } = await neve.inStore('shell', [
          ...[
            '--expr',
            'derivation { name = "no"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "exit 1" ]; }',
          ],
          ...['-c', 'echo', 'run'],
        ]);
        assert.deepEqual([code, stdout], [100, '']);
      },
    ],
    [
      'the second shell evaluates nothing',
      async () => {
        const words = [...packages, '--store', neve.store, 'greet', '-c', 'greet'];
        const env = { XDG_CACHE_HOME: join(neve.workFolder, 'cache'), NEVE_IMAGE: 'always' };
        const first = await neve.run(['shell', ...words], { env });
        const { stdout } = await neve.run(['image', 'explain', 'shell', ...words], { env });
        assert.match(stdout, /it would be used/);
        assert.deepEqual(await neve.run(['shell', ...words], { env }), first);
      },
    ],
  ];
}
