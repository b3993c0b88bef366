// Copies between Neve and a Nix, in both directions and every way.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ways } from './nix-side.mjs';

/** @typedef {import('./nix-side.mjs').NixSide} NixSide */
/** @typedef {import('../lib/run-checks.mjs').Check} Check */

/** How many derivations there are in the chain that is copied. */
const chainLength = 60;

/** @param {unknown} actual @param {unknown} expected @param {string} what */
export function expectSame(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual, null, 1), JSON.stringify(expected, null, 1)];
  if (a !== b) throw new Error(`${what} differ:\n${a}\n--- expected\n${b}`);
}

/** @param {import('../lib/command.mjs').Outcome} outcome @param {number} [code] @param {RegExp} [stderr] */
export function expectEnd(outcome, code = 0, stderr = /(?:)/) {
  if (outcome.stderr.includes('this is a bug')) throw new Error(outcome.stderr);
  if (outcome.code !== code || !stderr.test(outcome.stderr)) {
    throw new Error(
      `ended with ${outcome.signal ?? outcome.code}, not ${code}, and said:\n${outcome.stderr}${outcome.stdout}`,
    );
  }
  return outcome;
}

/**
 * A path of the Nix's store that refers to many others: derivations, one after another, the first with files of a tree.
 *
 * @param {NixSide} side
 */
async function chain(side) {
  const file = join(side.folder, 'chain.nix');
  writeFileSync(
    file,
    `let mk = name: input: derivation { inherit name input; system = "x86_64-linux"; builder = "/bin/sh"; text = builtins.toFile "text-\${name}" name; };
     in builtins.foldl' (input: n: mk "link-\${toString n}" input) ${side.makeTree()} (builtins.genList (n: n) ${chainLength})`,
  );
  return (await side.nix('nix-instantiate', [file])).stdout.trim().replace(/!.*/, '');
}

/** @param {NixSide} side @returns {Iterable<Check>} */
export function* copyChecks(side) {
  const noCheck = '--no-check-signatures';

  for (const way of ways) {
    yield [
      `copy: a closure comes by ${way} and goes back by all ways`,
      async () => {
        const path = await chain(side);
        const closure = await side.closure([path]);
        if (closure.length < 2 * chainLength) throw new Error(`only ${closure.length} paths`);
        const expected = await side.pathInfos(closure);
        const store = side.newStore();
        const first = expectEnd(
          await side.neve(['store', 'copy', '--json', '--from', side.url(way), '--to', store, noCheck, path]),
        );
        expectSame(JSON.parse(first.stdout).paths, closure.length, 'numbers of copied paths');
        for (const back of /** @type {const} */ (['ssh-ng', 'ssh'])) {
          const root = side.newRoot();
          const out = await side.neve([
            'store',
            'copy',
            '--json',
            '--from',
            store,
            '--to',
            side.url(back, root),
            noCheck,
            path,
          ]);
          expectSame(
            JSON.parse(expectEnd(out).stdout).paths,
            closure.length,
            'numbers of paths that went back',
          );
          expectSame(await side.pathInfos(closure, root), expected, 'path infos');
          await side.nix('nix-store', ['--verify', '--check-contents'], { root });
          const again = await side.neve([
            'store',
            'copy',
            '--json',
            '--from',
            store,
            '--to',
            side.url(back, root),
            noCheck,
            path,
          ]);
          expectSame(JSON.parse(expectEnd(again).stdout).paths, 0, 'numbers of paths that went again');
        }
      },
    ];

    yield [
      `copy: what is not there, by ${way}`,
      async () => {
        const missing = '/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-missing';
        expectEnd(
          await side.neve([
            'store',
            'copy',
            '--from',
            side.url(way),
            '--to',
            side.newStore(),
            noCheck,
            missing,
          ]),
          1,
          /is not in/,
        );
      },
    ];
  }

  yield [
    'copy: signatures count',
    async () => {
      // Inputs of an output have no content addresses that would do.
      const built = (
        await side.nix('nix-build', [
          '--no-out-link',
          '-E',
          'derivation { name = "signed"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo signed > $out" ]; }',
        ])
      ).stdout.trim();
      const from = ['store', 'copy', '--from', side.url('unix'), built];
      expectEnd(await side.neve([...from, '--to', side.newStore()]), 1, /nobody says which signatures/);
      expectEnd(
        await side.neve([...from, '--to', side.newStore(), '--trusted-public-key', side.publicKey]),
        1,
        /no valid signature by a trusted key/,
      );
      await side.nix('nix', ['store', 'sign', '--key-file', join(side.folder, 'secret'), built]);
      const store = side.newStore();
      expectEnd(await side.neve([...from, '--to', store, '--trusted-public-key', side.publicKey]));
      // A Nix that trusts nobody but the key takes it with its signature, and nothing without.
      const root = side.newRoot();
      const config = (/** @type {string} */ keys) => ({
        NIX_CONFIG: `${side.env['NIX_CONFIG']}\ntrusted-public-keys = ${keys}`,
      });
      const to = ['store', 'copy', '--from', store, '--to', side.url('ssh-ng', root), built];
      expectEnd(await side.neve(to, config('')), 1, /lacks a signature by a trusted key/);
      expectEnd(await side.neve(to, config(side.publicKey)));
      expectSame(await side.pathInfos([built], root), await side.pathInfos([built]), 'path infos');
    },
  ];

  yield [
    'copy: a daemon that does not trust us takes nothing unsigned',
    async () => {
      const store = side.newStore();
      expectEnd(
        await side.neve([
          'store',
          'copy',
          '--from',
          side.url('unix'),
          '--to',
          store,
          noCheck,
          await chain(side),
        ]),
      );
      // Unsigned and not addressed by its contents.
      const root = side.newRoot();
      const built = (
        await side.nix(
          'nix-build',
          [
            '--no-out-link',
            '-E',
            'derivation { name = "plain"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo plain > $out" ]; }',
          ],
          { root },
        )
      ).stdout.trim();
      expectEnd(
        await side.neve(['store', 'copy', '--from', side.url('ssh-ng', root), '--to', store, noCheck, built]),
      );
      const wary = `unix://${side.daemons.wary.socket}`;
      expectEnd(
        await side.neve(['store', 'copy', '--from', store, '--to', wary, noCheck, built]),
        1,
        /lacks a signature by a trusted key/,
      );
      if (await isThere(side, built)) throw new Error('it was taken');
    },
  ];

  yield [
    'copy: a connection that breaks in the middle leaves nothing, and the next one goes on',
    async () => {
      const path = await chain(side);
      for (const way of /** @type {const} */ (['ssh-ng', 'ssh'])) {
        for (const bytes of [1, 20, 400, 30_000, 2_000_000]) {
          const store = side.newStore();
          const log = join(side.folder, `cut-${way}-${bytes}`);
          writeFileSync(log, '');
          const args = ['store', 'copy', '--from', side.url(way), '--to', store, noCheck, path];
          const env = { FAKE_SSH_LOG: log, FAKE_SSH_CUT: String(bytes) };
          expectEnd(await side.neve(args, env), 1, /ended the connection|connection to .* broke/);
          expectEnd(await side.neve(args, env));
        }
      }
    },
  ];

  yield [
    'copy: ssh is called as the URL says',
    async () => {
      side.takeSshCalls();
      const url = `ssh-ng://nix@host:2222?ssh-key=/a/key&compress=true&remote-program=nix-daemon&remote-store=local?root=${side.root}`;
      const path = await chain(side);
      const args = ['store', 'copy', '--from', url, '--to', side.newStore(), noCheck, path];
      expectEnd(await side.neve(args, { NIX_SSHOPTS: `-o 'A B'` }));
      expectSame(
        side.takeSshCalls(),
        [`nix@host -x -o A B -i /a/key -C -p2222 -- nix-daemon --stdio --store local?root=${side.root}`],
        'calls',
      );
    },
  ];

  yield [
    'copy: a program that is none says what is wrong',
    async () => {
      const missing = '/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-missing';
      const copy = (/** @type {string} */ url) =>
        side.neve(['store', 'copy', '--from', url, '--to', side.newStore(), noCheck, missing]);
      expectEnd(await copy('ssh-ng://host?remote-program=/no/such/program'), 1, /not found|No such file/);
      expectEnd(
        await copy('ssh-ng://host?remote-program=/bin/echo'),
        1,
        /does not speak|larger than|ended the connection|broke/,
      );
      expectEnd(await copy(`unix://${side.folder}/nowhere`), 1, /cannot be reached/);
      expectEnd(await copy('ssh://-oProxyCommand=x'), 1, /is no name of a host/);
    },
  ];
}

/** @param {NixSide} side @param {string} path */
async function isThere(side, path) {
  return side.nix('nix-store', ['--check-validity', path]).then(
    () => true,
    () => false,
  );
}
