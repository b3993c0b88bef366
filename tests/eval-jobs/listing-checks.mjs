// `neve search` and `neve env -qa` print what `nix search` and `nix-env -qa` print, byte for byte. `nix search` colours whatever it
// writes to, so that colours are forced here.

import assert from 'node:assert/strict';
import { runCommand } from '../lib/command.mjs';

const listings = [
  ['-qa'],
  ['-qaP'],
  ['-qaP', '--description'],
  ['-qaP', '--drv-path', '--out-path'],
  ['-qa', '--no-name', '--system', '--attr-path'],
  ['-qaP', '--json'],
  ['-qa', '--json', '--meta', '--out-path', '--drv-path'],
  ['-qaP', '--system-filter', 'aarch64-linux'],
  ['-qaP', '-A', 'set'],
  ['-qaP', 'hello', '.*l.*'],
  ['-qaP', 'firefox-100.0'],
  ['--query', '--available', 'nothing'],
];

const searches = [
  ['hello'],
  ['^'],
  ['h', 'l'],
  ['HELLO', '--exclude', 'inner'],
  ['comp|[[:digit:]]x|fire'],
  ['hello', '--json'],
  ['nothing at all'],
];

/** @param {{ program: readonly string[], nix: string | undefined, env: NodeJS.ProcessEnv, here: string }} context */
export function listingChecks({ program, nix, env, here }) {
  const file = ['-f', `${here}/packages.nix`];
  const colours = { env: { ...env, FORCE_COLOR: '1' } };

  return /** @type {import('../lib/run-checks.mjs').Check[]} */ ([
    [
      'packages of a file, in columns and as JSON',
      async () => {
        const { stdout } = await runCommand([...program, 'env', ...file, '-qaP', 'hello'], { env });
        assert.equal(stdout, 'alias  hello-2.10\n');
        if (nix === undefined) return;
        for (const words of listings) {
          const theirs = await runCommand([`${nix}/nix-env`, ...file, ...words], { env });
          const ours = await runCommand([...program, 'env', ...file, ...words], { env });
          assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout], words.join(' '));
        }
      },
    ],
    [
      'packages that match',
      async () => {
        const plain = await runCommand([...program, 'search', ...file, '', 'compress'], { env });
        assert.equal(plain.stdout, '* zlib (1.2.11)\n  Lossless compression\n');
        if (nix === undefined) return;
        const command = [`${nix}/nix`, '--extra-experimental-features', 'nix-command', 'search'];
        const flakeLike = ['-f', `${here}/flake-like.nix`, ''];
        for (const words of searches) {
          const theirs = await runCommand([...command, ...flakeLike, ...words], { env });
          const ours = await runCommand([...program, 'search', ...flakeLike, ...words], colours);
          assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout], words.join(' '));
        }
      },
    ],
    [
      'what fails for no good reason is told, and the rest is listed',
      async () => {
        const broken = `{ a = (import ${here}/packages.nix).hello; b = import ./nowhere.nix; }`;
        const { code, stdout, stderr } = await runCommand([...program, 'env', '-f', '-', '-qaP'], {
          env,
          input: broken,
        });
        assert.deepEqual([code, stdout], [1, 'a  hello-2.10\n']);
        assert.match(stderr, /nowhere\.nix' does not exist/);
      },
    ],
    [
      'wrong command lines of listings',
      async () => {
        for (const words of [
          ['search', 'a'],
          ['search', 'nixpkgs#hello', 'a'],
          ['search', ...file, '', '('],
          ['env', '-q'],
          ['env', '-qx'],
        ]) {
          const { code, stderr } = await runCommand([...program, ...words], { env });
          assert.equal(code, 1, words.join(' '));
          assert.match(stderr, /^error: /);
        }
      },
    ],
  ]);
}
