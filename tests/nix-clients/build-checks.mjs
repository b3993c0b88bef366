// A Nix as a substituter of `neve build`, and as a machine that builds for it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonProcess } from '../nix-daemon/daemon-process.mjs';
import { expectEnd, expectSame } from './copy-checks.mjs';
import { ways } from './nix-side.mjs';

/** @typedef {import('./nix-side.mjs').NixSide} NixSide */
/** @typedef {import('../lib/run-checks.mjs').Check} Check */

/** `salt` makes other derivations of them. @param {NixSide} side */
function writeExpressions(side, salt = '') {
  const file = join(side.folder, `build${salt}.nix`);
  writeFileSync(
    file,
    `let
      sh = name: script: more: derivation ({ inherit name; salt = "${salt}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; } // more);
      base = sh "base" "echo building base; echo base > $out" { };
      many = sh "many" "echo $base $tree > $out; echo $out > $dev; echo building many" { outputs = [ "out" "dev" ]; inherit base; tree = ${side.makeTree()}; };
    in rec {
      top = sh "top" "echo building top; echo line two; cat $many > $out; echo $dev >> $out" { inherit many; inherit (many) dev; };
      sub = sh "sub" "echo only once > $out; echo $base >> $out" { inherit base; };
      fixed = sh "fixed" "echo -n hello > $out" { outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = builtins.hashString "sha256" "hello"; };
      wrong = sh "wrong" "echo -n other > $out" { outputHashAlgo = "sha256"; outputHashMode = "flat"; outputHash = builtins.hashString "sha256" "hello"; };
      fail = sh "fail" "echo some log; echo more of it; exit 3" { };
      slow = sh "slow" "echo begun; while true; do :; done" { };
      featured = sh "featured" "echo featured > $out" { requiredSystemFeatures = [ "special" ]; };
      local = sh "local" "echo local > $out" { preferLocalBuild = true; };
      structured = sh "structured" ". .attrs.sh; echo $list > \${"$"}{outputs[out]}" { __structuredAttrs = true; list = [ "a" "b" ]; };
      wide = map (n: sh "wide-\${toString n}" "echo \${toString n} > $out" { }) [ 1 2 3 4 5 6 7 8 ];
    }`,
  );
  return file;
}

/** `salt` makes other derivations of them. @param {NixSide} side @param {string} salt */
function writeFloating(side, salt) {
  const file = join(side.folder, `floating-${salt}.nix`);
  writeFileSync(
    file,
    `let
      sh = name: script: more: derivation ({ inherit name; salt = "${salt}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; } // more);
      floating = { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
      base = sh "base" "echo base > $out; echo $out > $dev" (floating // { outputs = [ "out" "dev" ]; });
    in {
      # Its own path is not known either, since it has such an input.
      top = sh "top" "echo $base $dev $out > $out" { inherit base; inherit (base) dev; };
    }`,
  );
  return file;
}

/** @param {NixSide} side @returns {Iterable<Check>} */
export function* buildChecks(side) {
  const file = writeExpressions(side);
  const local = ['--sandbox-paths', `/bin/sh=${side.shell}`];
  /** @type {(attribute: string, args: readonly string[], store?: string, from?: string) => Promise<import('../lib/command.mjs').Outcome>} */
  const build = (attribute, args, store = side.newStore(), from = file) =>
    side.neve([
      'build',
      '--store',
      store,
      '--no-out-link',
      '-f',
      from,
      attribute,
      '--substituters',
      '',
      ...local,
      ...args,
    ]);
  /** @type {(way: import('./nix-side.mjs').Way, root: string, more?: string) => string[]} */
  const elsewhere = (way, root, more = 'x86_64-linux - 2') => [
    '--max-jobs',
    '0',
    '--builders',
    `${side.url(way, root)} ${more}`,
  ];
  const expected = async (/** @type {string} */ attribute) =>
    (await side.nix('nix-build', ['--no-out-link', file, '-A', attribute])).stdout.trim().split('\n').sort();

  for (const way of ways) {
    yield [
      `build: on a machine behind ${way}, with the results of the Nix`,
      async () => {
        const root = side.newRoot();
        for (const attribute of ['top', 'fixed', 'wide']) {
          const store = side.newStore();
          const outcome = expectEnd(await build(attribute, elsewhere(way, root), store));
          const wanted = await expected(attribute);
          expectSame(outcome.stdout.trim().split('\n').sort(), wanted, 'outputs');
          const back = side.newRoot();
          expectEnd(
            await side.neve(['store', 'copy', '--from', store, '--to', side.url('ssh', back), ...wanted]),
          );
          expectSame(await side.pathInfos(wanted, back), await side.pathInfos(wanted), 'path infos');
        }
      },
    ];

    yield [
      `build: the log of a build behind ${way} is shown and kept`,
      async () => {
        const store = side.newStore();
        const salted = writeExpressions(side, `-${way}`);
        const outcome = expectEnd(
          await build('top', [...elsewhere(way, side.newRoot()), '-L'], store, salted),
        );
        for (const line of ['base> building base', 'top> building top', 'top> line two']) {
          if (!outcome.stderr.includes(line)) throw new Error(`'${line}' is not in\n${outcome.stderr}`);
        }
        const log = await side.neve(['log', '--store', store, '-f', salted, 'top']);
        expectSame(expectEnd(log).stdout, 'building top\nline two\n', 'logs');
      },
    ];

    yield [
      `build: failures behind ${way}`,
      async () => {
        const root = side.newRoot();
        const failed = expectEnd(
          await build('fail', elsewhere(way, root)),
          1,
          /builder failed with exit code 3/,
        );
        if (!/some log[\s\S]*more of it/.test(failed.stderr)) throw new Error(`no log: ${failed.stderr}`);
        if (failed.stderr.includes('\x1b')) throw new Error('there are control sequences in the message');
        expectEnd(await build('wrong', elsewhere(way, root)), 1, /hash mismatch in fixed-output derivation/);
        const limited = await build('slow', [...elsewhere(way, root), '--timeout', '2']);
        expectEnd(limited, 101, /timed out after 2 seconds/);
        const silent = await build('slow', [...elsewhere(way, root), '--max-silent-time', '2']);
        expectEnd(silent, 101, /timed out after 2 seconds/);
      },
    ];
  }

  yield [
    'build: a machine is taken for its system and its features',
    async () => {
      const root = side.newRoot();
      const config = `${side.env['NIX_CONFIG']}\nsystem-features = special`;
      const on = (/** @type {string} */ more, /** @type {string} */ attribute) =>
        side.neve(
          [
            'build',
            '--store',
            side.newStore(),
            '--no-out-link',
            '-f',
            file,
            attribute,
            '--substituters',
            '',
            '--system-features',
            'none',
            ...elsewhere('ssh-ng', root, more),
          ],
          { NIX_CONFIG: config },
        );
      expectEnd(await on('x86_64-linux - 2 1 special', 'featured'));
      expectEnd(await on('x86_64-linux - 2 1 - special', 'featured'));
      side.takeSshCalls();
      const nobody = /no machine that can be reached builds it/;
      expectEnd(await on('x86_64-linux', 'featured'), 100, nobody);
      expectEnd(await on('aarch64-linux - 2 1 special', 'featured'), 100, nobody);
      expectEnd(await on('x86_64-linux - 2 1 - special', 'sub'), 100, nobody);
      expectSame(side.takeSshCalls(), [''], 'calls');
    },
  ];

  yield [
    'build: who cannot be reached is left out, and this machine builds',
    async () => {
      const outcome = await build('top', [
        '--max-jobs',
        '1',
        '--builders',
        `unix://${side.folder}/nowhere x86_64-linux - 4`,
      ]);
      expectEnd(outcome, 0, /cannot build on 'unix:.*nowhere': .*cannot be reached/);
      expectSame(outcome.stdout.trim().split('\n'), await expected('top'), 'outputs');
      const next = await build('top', [
        '--max-jobs',
        '0',
        '--builders',
        `unix://${side.folder}/nowhere x86_64-linux - 4 ; ${side.url('ssh-ng', side.newRoot())}`,
      ]);
      expectEnd(next, 0, /cannot build on/);
    },
  ];

  yield [
    'build: what prefers to be built here is, and nothing goes to a machine without jobs',
    async () => {
      side.takeSshCalls();
      const machine = side.url('ssh-ng', side.newRoot());
      expectEnd(await build('local', ['--builders', machine]));
      expectEnd(await build('sub', ['--builders', `${machine} x86_64-linux - 0`]));
      expectSame(side.takeSshCalls(), [''], 'calls');
    },
  ];

  yield [
    'build: machines from a file, and mistakes in it',
    async () => {
      const machines = join(side.folder, 'machines');
      writeFileSync(machines, `# ours\n${side.url('ssh', side.newRoot())} x86_64-linux - 2 # two\n`);
      expectEnd(await build('sub', ['--max-jobs', '0', '--builders', `@${machines}`]));
      writeFileSync(machines, '\nhost x86_64-linux - two\n');
      expectEnd(
        await build('sub', ['--builders', `@${machines}`]),
        1,
        /line 2 of '.*machines' of the machines: field 4/,
      );
    },
  ];

  yield [
    'build: a machine that does not trust us builds nothing by its inputs; others do',
    async () => {
      const wary = `unix://${side.daemons.wary.socket} x86_64-linux - 4 9`;
      const refusal = /does not build '.*' for us: .*(not privileged to build|lacks a)/;
      const expectedTop = await expected('top');
      const here = expectEnd(await build('top', ['--max-jobs', '1', '--builders', wary]), 0, refusal);
      expectSame(here.stdout.trim().split('\n'), expectedTop, 'outputs');
      const both = `${wary} ; ${side.url('ssh-ng', side.newRoot())} x86_64-linux - 1`;
      const there = await build('top', ['--max-jobs', '0', '--builders', both]);
      expectSame(expectEnd(there, 0, refusal).stdout.trim().split('\n'), expectedTop, 'outputs');
      const nobody = await build('top', ['--max-jobs', '0', '--builders', wary]);
      expectEnd(nobody, 100, /no machine that can be reached builds it/);
      // Contents speak for themselves.
      expectEnd(await build('fixed', ['--max-jobs', '0', '--builders', wary]));
    },
  ];

  for (const way of /** @type {const} */ (['unix', 'ssh-ng'])) {
    yield [
      `build: outputs whose paths follow from their contents, on a machine behind ${way}`,
      async () => {
        const floating = writeFloating(side, way);
        const store = side.newStore();
        const machine = elsewhere(way, side.newRoot(), 'x86_64-linux - 2 1 ca-derivations');
        const outcome = expectEnd(await build('top', machine, store, floating));
        const wanted = await side.nix('nix-build', ['--no-out-link', floating, '-A', 'top']);
        expectSame(outcome.stdout.trim(), wanted.stdout.trim(), 'outputs');
        // It is known from now on, and not built again.
        const again = await build('top', ['--max-jobs', '0', '--builders', ''], store, floating);
        expectSame(expectEnd(again).stdout.trim(), wanted.stdout.trim(), 'outputs');
      },
    ];
  }

  yield [
    'build: a machine is used by neve nix-daemon for its clients',
    async () => {
      const folder = join(side.folder, 'with-machines');
      side.takeSshCalls();
      const machine = `${side.url('ssh-ng', side.newRoot())} x86_64-linux - 2`;
      const daemon = await DaemonProcess.neve({
        ...{ folder, script: side.script, env: side.env },
        args: ['--builders', machine, '--max-jobs', '1', '--substituters', ''],
      });
      try {
        const words = ['--no-out-link', file, '-A', 'top', '--max-jobs', '0'];
        const here = await side.tryNix('nix-build', [...words, '--builders', ''], { remote: daemon.remote });
        expectEnd(here, 1, /builds are disabled|max-jobs|Cannot build/);
        if (side.takeSshCalls().join('') !== '') throw new Error('a machine was used that should not be');
        const built = await side.nix('nix-build', words, { remote: daemon.remote });
        expectSame(built.stdout.trim().split('\n').sort(), await expected('top'), 'outputs');
        if (!/building many/.test(built.stderr)) throw new Error(`no log: ${built.stderr}`);
        if (side.takeSshCalls().join('') === '') throw new Error('nothing was built on the machine');
      } finally {
        await daemon.stop();
      }
    },
  ];

  yield [
    'build: neve nix-daemon substitutes by ssh for a client that may choose',
    async () => {
      const folder = join(side.folder, 'substituting');
      const [path = ''] = await expected('top');
      const daemon = await DaemonProcess.neve({ folder, script: side.script, env: side.env });
      try {
        const url = `${side.url('ssh')}&trusted=true`;
        const options = ['--option', 'substitute', 'true', '--option', 'substituters', url];
        const words = ['--no-out-link', file, '-A', 'top', '--max-jobs', '0', ...options];
        const built = await side.nix('nix-build', words, { remote: daemon.remote });
        expectSame(built.stdout.trim(), path, 'outputs');
      } finally {
        await daemon.stop();
      }
    },
  ];

  yield [
    'build: a machine whose connection breaks',
    async () => {
      for (const bytes of [1, 300, 900]) {
        const log = join(side.folder, `cut-build-${bytes}`);
        writeFileSync(log, '');
        const args = [
          'build',
          '--store',
          side.newStore(),
          '--no-out-link',
          '-f',
          file,
          'top',
          '--substituters',
          '',
          ...elsewhere('ssh-ng', side.newRoot()),
        ];
        const env = { FAKE_SSH_LOG: log, FAKE_SSH_CUT: String(bytes) };
        const broken = await side.neve(args, env);
        expectEnd(broken, broken.code === 1 ? 1 : 100, /ended the connection|broke/);
        expectEnd(await side.neve(args, env));
      }
    },
  ];

  for (const way of /** @type {const} */ (['unix', 'ssh-ng', 'ssh'])) {
    yield [
      `build: what a Nix has is substituted by ${way}`,
      async () => {
        const [path = ''] = await expected('top');
        await side.nix('nix', [
          'store',
          'sign',
          '--recursive',
          '--key-file',
          join(side.folder, 'secret'),
          path,
        ]);
        const substitute = (/** @type {string} */ url, /** @type {readonly string[]} */ more) =>
          side.neve([
            'build',
            '--store',
            side.newStore(),
            '--no-out-link',
            '-f',
            file,
            'top',
            '--builders',
            '',
            '--max-jobs',
            '0',
            '--substituters',
            url,
            ...more,
          ]);
        const url = side.url(way);
        const got = expectEnd(await substitute(url, ['--trusted-public-keys', side.publicKey]));
        expectSame(got.stdout.trim(), path, 'outputs');
        if (/building '/.test(got.stderr)) throw new Error(`it was built: ${got.stderr}`);
        const trusted = `${url}${url.includes('?') ? '&' : '?'}trusted=true`;
        expectEnd(await substitute(trusted, ['--trusted-public-keys', '']));
        expectEnd(
          await substitute(url, ['--trusted-public-keys', '']),
          100,
          /no valid signature by a trusted key/,
        );
        expectEnd(await substitute(`unix://${side.folder}/nowhere`, []), 100, /cannot be reached/);
      },
    ];
  }

  yield [
    'build: a composition names a Nix',
    async () => {
      const [path = ''] = await expected('sub');
      const url = `unix://${side.daemons.trusting.socket}?trusted=true`;
      const info = await side.neve([
        'store',
        'ls',
        '--blob-service-addr',
        'memory:',
        '--directory-service-addr',
        'memory:',
        '--path-info-service-addr',
        url,
        path,
      ]);
      expectEnd(info);
    },
  ];
}
