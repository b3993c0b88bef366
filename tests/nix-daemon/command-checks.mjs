// The programs of a Nix on both daemons: they print the same and end in the same way. Checks build on each other's paths, so
// that they run in this order.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../lib/command.mjs';
import { DaemonProcess } from './daemon-process.mjs';
import { countProcesses, untilProcesses } from './processes.mjs';

/**
 * @typedef {import('../lib/command.mjs').Outcome} Outcome
 * @typedef {import('./client-programs.mjs').ClientPrograms} ClientPrograms
 * @typedef {(on: On) => Promise<Outcome>} Command
 * @typedef {object} On one of the daemons
 * @property {'nix' | 'neve'} daemon
 * @property {string} folder of its own, for what it writes
 * @property {(program: string, ...args: string[]) => Promise<Outcome>} run
 * @property {(program: string, args: readonly string[], options: { input?: string, env?: NodeJS.ProcessEnv }) => Promise<Outcome>} runWith
 * @property {string} remote
 */

/** What is running is looked for among all processes of the machine. */
const mark = `of-${process.pid}`;

const expressions = `
let
  sh = name: script: more: derivation ({
    inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ];
    PATH = "\${busybox}/bin";
  } // more);
  busybox = derivation {
    name = "tools"; system = builtins.currentSystem; builder = "/bin/sh";
    args = [ "-c" "/bin/sh -c 'exec -a mkdir /bin/sh' ; \${./busybox}/busybox mkdir -p $out/bin; for i in mkdir ln cat sleep; do \${./busybox}/busybox ln -s \${./busybox}/busybox $out/bin/$i; done" ];
  };
in rec {
  a = sh "a" "echo building a; mkdir $out; echo 1 > $out/one; ln -s one $out/link; echo $out > $out/self" { };
  b = sh "b" "echo \${a} > $out; echo \${c.dev} >> $out" { };
  c = sh "c" "echo x > $out; echo $out > $dev" { outputs = [ "out" "dev" ]; };
  fixed = sh "fixed" "echo hello > $out" { outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "hello\\n"; };
  ca = sh "ca" "echo ca > $out" { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
  onCa = sh "on-ca" "echo \${ca} > $out" { };
  bad = sh "bad" "echo going wrong; exit 7" { };
  needsBad = sh "needs-bad" "echo \${bad} > $out" { };
  imported = import (sh "expression" "echo 41 > $out" { });
  slow = sh "slow" ": slow MARK; sleep 60; echo > $out" { };
  shared = sh "shared" ": shared MARK; echo begun; sleep 5; echo > $out" { };
}
`;

/**
 * @param {{ programs: ClientPrograms, oldNix: string | undefined }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
export function* commandChecks({ programs, oldNix }) {
  const folder = join(programs.folder, 'commands');
  prepare(folder, programs);
  const file = join(folder, 'default.nix');
  /** @type {Record<'nix' | 'neve', On>} */
  const sides = { nix: sideOf('nix', programs), neve: sideOf('neve', programs) };
  /** Store paths by name, the same on both sides. @type {Record<string, string>} */
  const paths = {};

  /**
   * @param {string} name
   * @param {Command} command
   * @param {(outcome: Outcome) => unknown} [view] what has to be the same
   * @returns {import('../lib/run-checks.mjs').Check}
   */
  const same = (name, command, view = ({ code, stdout }) => ({ code, stdout })) => [
    name,
    async () => {
      const theirs = await command(sides.nix);
      const ours = await command(sides.neve);
      const [is, must] = [view(ours), view(theirs)].map((it) => JSON.stringify(it, undefined, 1));
      if (is !== must) throw new Error(`${is}\n  not\n${must}\n${ours.stderr}`);
    },
  ];
  /** @type {(name: string, ...words: string[]) => import('../lib/run-checks.mjs').Check} */
  const sameWords = (name, program = '', ...args) => same(name, (on) => on.run(program, ...args));
  /** @type {(...args: string[]) => Command} */
  const build =
    (...args) =>
    (on) =>
      on.run('nix-build', '--no-out-link', file, ...args);

  yield same('nix-instantiate', (on) => on.run('nix-instantiate', file, '-A', 'b', '-A', 'ca'));
  yield same('nix-build of several', build('-A', 'b', '-A', 'c', '-A', 'fixed'));
  yield [
    'paths of the following checks',
    async () => {
      for (const name of ['a', 'b', 'c', 'fixed', 'ca', 'onCa']) {
        const { code, stdout, stderr } = await build('-A', name)(sides.neve);
        if (code !== 0) throw new Error(stderr);
        paths[name] = stdout.trim();
        paths[`${name}.drv`] = (await sides.neve.run('nix-instantiate', file, '-A', name)).stdout.trim();
      }
      for (const name of ['a', 'b', 'c', 'fixed', 'ca', 'onCa']) await build('-A', name)(sides.nix);
    },
  ];
  const path = (/** @type {string} */ name) => paths[name] ?? `the path ${name} is not known`;

  yield same('nix-build of what is there', build('-A', 'a'), ({ code, stdout, stderr }) => ({
    code,
    stdout,
    stderr: stderr.replace(/^warning.*\n/gm, ''),
  }));
  yield same('a failing build', build('-A', 'bad'), failureView);
  yield same('a failing dependency', build('-A', 'needsBad'), failureView);
  yield same('keep-going', build('-k', '-A', 'needsBad', '-A', 'fixed'), failureView);
  yield same(
    'results of builds as JSON',
    (on) => on.run('nix', 'build', '--json', '--no-link', '-f', file, 'b', 'c', 'onCa'),
    ({ code, stdout }) => ({
      code,
      built: JSON.parse(stdout).map((/** @type {any} */ it) => [it.drvPath, it.outputs]),
    }),
  );
  yield same(
    'a failing build of nix build',
    (on) => on.run('nix', 'build', '--no-link', '-f', file, 'needsBad'),
    failureView,
  );
  yield same('import from derivation', (on) =>
    on.run('nix-instantiate', '--eval', '--read-write-mode', file, '-A', 'imported'),
  );
  yield same(
    'a dry run',
    (on) => on.run('nix-build', '--dry-run', file, '-A', 'slow', '-A', 'a'),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
  yield same('--check', build('--check', '-A', 'a'));
  yield same('a build log', (on) => on.run('nix-store', '--read-log', path('a.drv')));
  yield same('nix log', (on) => on.run('nix', 'log', path('a')));

  for (const query of [
    '--references',
    '--referrers',
    '--requisites',
    '--referrers-closure',
    '--deriver',
    '--hash',
    '--size',
    '--tree',
    '--outputs',
    '--valid-derivers',
  ]) {
    for (const name of ['a', 'b', 'a.drv', 'b.drv', 'ca']) {
      // A Nix keeps what it resolves derivations to.
      if (name === 'ca' && query.startsWith('--referrers')) continue;
      yield same(
        `nix-store --query ${query} ${name}`,
        (on) => on.run('nix-store', '--query', query, path(name)),
        ({ code, stdout }) => ({ code, lines: stdout.split('\n').sort() }),
      );
    }
  }
  yield same('nix-store --query --binding', (on) =>
    on.run('nix-store', '--query', '--binding', 'name', path('a.drv')),
  );
  yield same(
    'nix-store --query of what is not there',
    (on) => on.run('nix-store', '--query', '--references', '/nix/store/00000000000000000000000000000000-x'),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
  yield same('nix-store --check-validity', (on) =>
    on.run(
      'nix-store',
      '--check-validity',
      '--print-invalid',
      path('a'),
      '/nix/store/00000000000000000000000000000000-x',
    ),
  );
  yield same('nix-store --verify-path', (on) => on.run('nix-store', '--verify-path', path('a'), path('b')));
  yield same(
    'nix path-info',
    (on) => on.run('nix', 'path-info', '--json', '--json-format', '1', '-rsh', path('b')),
    ({ code, stdout }) => ({ code, infos: withoutTimes(stdout) }),
  );
  yield same('nix path-info --closure-size', (on) => on.run('nix', 'path-info', '-rS', path('b')));
  yield same('nix derivation show', (on) => on.run('nix', 'derivation', 'show', path('b.drv')));
  yield same('nix store ls', (on) => on.run('nix', 'store', 'ls', '-lR', path('a')));
  yield same('nix store cat', (on) => on.run('nix', 'store', 'cat', `${path('a')}/one`));
  yield same(
    'nix-store --dump',
    (on) => on.run('nix-store', '--dump', path('a')),
    ({ code, stdout }) => ({ code, length: stdout.length }),
  );
  yield same('nix why-depends', (on) => on.run('nix', 'why-depends', path('b'), path('a')));
  yield same('nix path-from-hash-part', (on) =>
    on.run('nix', 'store', 'path-from-hash-part', path('a').slice(11, 43)),
  );
  yield same(
    'all paths',
    (on) => on.run('nix', 'path-info', '--all'),
    ({ code, stdout }) => ({ code, has: stdout.includes(path('b')) }),
  );

  const tree = join(folder, 'tree');
  yield sameWords('nix-store --add', 'nix-store', '--add', tree);
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
    yield sameWords(
      `nix-store --add-fixed ${algorithm}`,
      'nix-store',
      '--add-fixed',
      algorithm,
      join(tree, 'file'),
    );
    yield sameWords(
      `nix-store --add-fixed --recursive ${algorithm}`,
      'nix-store',
      '--add-fixed',
      '--recursive',
      algorithm,
      tree,
    );
  }
  for (const mode of ['nar', 'flat', 'text']) {
    yield sameWords(
      `nix store add --mode ${mode}`,
      'nix',
      'store',
      'add',
      '--mode',
      mode,
      join(tree, 'file'),
    );
  }
  yield same('a large file', (on) => on.run('nix', 'store', 'add', join(folder, 'large')));
  yield same('builtins.path and toFile', (on) =>
    on.run(
      'nix-instantiate',
      '--eval',
      '--read-write-mode',
      '-E',
      `[ "\${builtins.path { path = ${tree}; name = "p"; }}" (builtins.toFile "t" "text") ]`,
      '--strict',
    ),
  );

  yield same(
    '--export and --import',
    async (on) => {
      const exported = join(on.folder, 'export');
      const shell = await on.runWith(
        'sh',
        [
          '-c',
          `nix-store --export $(nix-store -qR ${path('b')}) > ${exported} && nix-store --import < ${exported}`,
        ],
        {},
      );
      return shell;
    },
    ({ code, stdout }) => ({ code, lines: stdout.split('\n').sort() }),
  );
  yield same('nix copy to a cache', (on) =>
    on.run('nix', 'copy', '--to', `file://${on.folder}/cache`, path('b')),
  );
  yield same(
    'nix copy from a cache that is not signed',
    async (on) => {
      const { stdout } = await on.run(
        'nix',
        'path-info',
        '--store',
        `file://${on.folder}/cache`,
        '-r',
        path('b'),
      );
      await on.run('nix-store', '--delete', ...stdout.trim().split('\n'));
      return await on.run('nix', 'copy', '--from', `file://${on.folder}/cache`, path('b'));
    },
    ({ code, stderr }) => ({ code, hasReason: stderr.includes('lacks a signature by a trusted key') }),
  );
  yield same('nix copy --no-check-sigs', (on) =>
    on.run('nix', 'copy', '--no-check-sigs', '--from', `file://${on.folder}/cache`, path('b')),
  );
  yield same(
    'what was copied',
    (on) => on.run('nix', 'path-info', '--json', '--json-format', '1', '-r', path('b')),
    ({ code, stdout }) => ({ code, infos: withoutTimes(stdout) }),
  );
  yield same('nix copy from the daemon to a store', (on) =>
    on.run('nix', 'copy', '--no-check-sigs', '--to', join(on.folder, 'store'), path('b'), path('ca')),
  );
  yield same('nix copy from a store to the daemon', async (on) => {
    await on.run('nix-store', '--delete', path('b'));
    return await on.run('nix', 'copy', '--no-check-sigs', '--from', join(on.folder, 'store'), path('b'));
  });
  yield same('nix store sign', async (on) => {
    await on.runWith('sh', ['-c', `nix key generate-secret --key-name k-1 > ${on.folder}/key`], {});
    return await on.run('nix', 'store', 'sign', '-k', join(on.folder, 'key'), path('a'));
  });
  yield same(
    'signatures',
    (on) => on.run('nix', 'path-info', '--sigs', path('a')),
    ({ code, stdout }) => ({ code, hasKey: stdout.includes('k-1:') }),
  );

  yield same(
    'a result link is a root',
    async (on) => {
      await on.run('nix-build', '-o', join(on.folder, 'result'), file, '-A', 'b');
      return await on.run('nix-store', '--query', '--roots', path('b'));
    },
    ({ code, stdout }) => ({ code, isRoot: stdout.includes('/result') }),
  );
  yield same(
    'nix-store --gc --print-dead',
    (on) => on.run('nix-store', '--gc', '--print-dead'),
    ({ code, stdout }) => ({ code, c: stdout.includes(path('fixed')), b: stdout.includes(path('b')) }),
  );
  yield same(
    'nix-store --gc --print-live',
    (on) => on.run('nix-store', '--gc', '--print-live'),
    ({ code, stdout }) => ({ code, lines: stdout.split('\n').sort() }),
  );
  yield same(
    'a live path is not deleted',
    (on) => on.run('nix-store', '--delete', path('a')),
    ({ code, stderr }) => ({ code, reason: /Cannot delete.*/.exec(stderr)?.[0] }),
  );
  yield same(
    'a dead path is deleted',
    (on) => on.run('nix-store', '--delete', path('fixed')),
    ({ code, stdout }) => ({ code, deleted: /^\d+ store path/m.exec(stdout)?.[0] }),
  );
  yield same(
    'nix-store --gc',
    (on) => on.run('nix-store', '--gc'),
    ({ code }) => ({ code }),
  );
  yield same(
    'what is left',
    (on) => on.run('nix', 'path-info', '--all'),
    ({ code, stdout }) => ({ code, lines: stdout.split('\n').sort() }),
  );
  yield same(
    'the view has no more than the store',
    async (on) => on.runWith('ls', [join(programs.folder, on.daemon, 'nix/store')], {}),
    ({ code, stdout }) => ({
      code,
      lines: stdout
        .split('\n')
        .filter((it) => /^[0-9a-z]{32}-/.test(it) && !it.endsWith('.lock'))
        .sort(),
    }),
  );
  yield same(
    'nix-store --verify --check-contents',
    (on) => on.run('nix-store', '--verify', '--check-contents'),
    ({ code }) => ({ code }),
  );
  yield same(
    'nix-store --optimise',
    (on) => on.run('nix-store', '--optimise'),
    ({ code }) => ({ code }),
  );
  yield same(
    'nix store info',
    (on) => on.run('nix', 'store', 'info', '--json'),
    ({ code, stdout }) => ({ code, trusted: JSON.parse(stdout).trusted }),
  );

  yield* substitutionChecks({ sides, path });
  yield* signingChecks({ programs, folder, file });
  yield* sharedChecks({ programs, file, side: sides.neve });
  yield* untrustedChecks({ programs, folder, path });
  if (oldNix !== undefined) yield* oldNixChecks({ programs, oldNix, file });
}

/**
 * Caches that a trusted client names.
 *
 * @param {{ sides: Record<'nix' | 'neve', On>, path: (name: string) => string }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* substitutionChecks({ sides, path }) {
  yield [
    'a path is substituted from a cache that the client names',
    async () => {
      const wanted = path('b');
      /** @type {unknown[]} */
      const seen = [];
      for (const on of [sides.nix, sides.neve]) {
        const key = join(on.folder, 'key');
        await on.run('nix', 'copy', '--to', `file://${on.folder}/signed-cache?secret-key=${key}`, wanted);
        const { stdout: publicKey } = await on.runWith(
          'sh',
          ['-c', `nix key convert-secret-to-public < ${key}`],
          {},
        );
        const server = createServer((request, response) => {
          const file = join(on.folder, 'signed-cache', request.url ?? '');
          if (!existsSync(file)) response.statusCode = 404;
          response.end(existsSync(file) ? readFileSync(file) : '');
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
        const address = server.address();
        const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
        try {
          const link = join(on.folder, 'result');
          rmSync(link, { force: true });
          const deleted = await on.run('nix-store', '--delete', wanted);
          const options = ['--option', 'substitute', 'true', '--option', 'substituters', url];
          const trusting = ['--option', 'trusted-public-keys', publicKey.trim()];
          const plan = await on.run('nix-store', '--realise', '--dry-run', wanted, ...options, ...trusting);
          const unsigned = await on.run('nix-store', '--realise', wanted, ...options);
          const got = await on.run('nix-store', '--realise', wanted, ...options, ...trusting);
          const checked = await on.run('nix-store', '--verify-path', wanted);
          const planned = /will be fetched/.test(plan.stderr);
          seen.push([deleted.code, planned, unsigned.code === 0, got.code, got.stdout, checked.code]);
          await on.run('nix-store', '--realise', wanted, '--add-root', link);
        } finally {
          server.close();
        }
      }
      const [theirs, ours] = seen.map((it) => JSON.stringify(it));
      if (theirs !== ours) throw new Error(`${ours}\n  not\n${theirs}`);
    },
  ];
}

/**
 * What a daemon with a key has built is trusted by who knows the key.
 *
 * @param {{ programs: ClientPrograms, folder: string, file: string }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* signingChecks({ programs, folder, file }) {
  yield [
    'what is built is signed',
    async () => {
      const { env, script, bin } = programs;
      const run = (/** @type {NodeJS.ProcessEnv} */ more, /** @type {string[]} */ ...command) =>
        runCommand([join(bin, command[0] ?? ''), ...command.slice(1)], {
          env: { ...env, ...more },
          cwd: folder,
        });
      const key = join(folder, 'secret-key');
      writeFileSync(key, (await run({}, 'nix', 'key', 'generate-secret', '--key-name', 'daemon-1')).stdout);
      const store = join(folder, 'signing');
      const args = ['--option', 'secret-key-files', key];
      const daemon = await DaemonProcess.neve({ folder: store, script, env, args });
      try {
        const remote = { NIX_REMOTE: daemon.remote };
        const built = await run(remote, 'nix-build', '--no-out-link', file, '-A', 'a', ...programs.settings);
        const publicKey = await runCommand([join(bin, 'nix'), 'key', 'convert-secret-to-public'], {
          env,
          input: readFileSync(key, 'utf8'),
        });
        const words = ['verify', '--trusted-public-keys', publicKey.stdout.trim(), built.stdout.trim()];
        const verified = await run(remote, 'nix', 'store', ...words);
        if (built.code !== 0 || verified.code !== 0) throw new Error(`${built.stderr} ${verified.stderr}`);
      } finally {
        await daemon.stop();
      }
    },
  ];
}

/**
 * @param {{ programs: ClientPrograms, file: string, side: On }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* sharedChecks({ programs, file, side }) {
  yield [
    'several clients want the same, and it is built once',
    async () => {
      const running = Array.from({ length: 5 }, () =>
        side.run('nix-build', '--no-out-link', file, '-A', 'shared'),
      );
      await untilProcesses(`shared ${mark}`, (builds) => builds > 0);
      // A second one would come soon.
      await sleep(1000);
      const count = countProcesses(`shared ${mark}`);
      const outcomes = await Promise.all(running);
      for (const { code, stdout, stderr } of outcomes) {
        if (code !== 0 || stdout !== outcomes[0]?.stdout) throw new Error(`${code} ${stdout} ${stderr}`);
        if (!stderr.includes('begun')) throw new Error(`a client has not seen the log: ${stderr}`);
      }
      if (count !== 1) throw new Error(`it is built ${count} times`);
    },
  ];
  yield [
    'a client that goes takes its build with it',
    async () => {
      const { remote } = programs.daemons.neve;
      const command = [
        join(programs.bin, 'nix-build'),
        '--no-out-link',
        file,
        '-A',
        'slow',
        ...programs.settings,
      ];
      const env = { ...programs.env, NIX_REMOTE: remote };
      const [program = '', ...words] = command;
      const { pid } = spawn(program, words, { env, cwd: programs.folder, stdio: 'ignore', detached: true });
      await untilProcesses(`slow ${mark}`, (builds) => builds > 0);
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
      await untilProcesses(`slow ${mark}`, (builds) => builds === 0);
    },
  ];
}

/**
 * Only root can be somebody else.
 *
 * @param {{ programs: ClientPrograms, folder: string, path: (name: string) => string }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* untrustedChecks({ programs, folder, path }) {
  if (process.getuid?.() !== 0) {
    console.log('without root: what untrusted users may do is not tried');
    return;
  }
  const home = join(folder, 'nobody');
  mkdirSync(home);
  chmodSync(home, 0o777);
  chmodSync(programs.folder, 0o755);
  const as = (/** @type {'nix' | 'neve'} */ daemon, /** @type {string[]} */ ...args) =>
    programs.on(
      daemon,
      'sh',
      [
        '-c',
        '"$@"',
        'sh',
        'setpriv',
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        join(programs.bin, args[0] ?? ''),
        ...args.slice(1),
      ],
      {
        env: { HOME: home, NIX_STATE_DIR: join(home, 'state'), NIX_CONF_DIR: home },
      },
    );
  /** @type {readonly [name: string, args: readonly string[], view: (outcome: Outcome) => unknown][]} */
  const cases = [
    [
      'is not trusted',
      ['nix', '--extra-experimental-features', 'nix-command', 'store', 'info', '--json'],
      ({ code, stdout }) => ({ code, trusted: JSON.parse(stdout).trusted }),
    ],
    ['adds files', ['nix-store', '--add', join(folder, 'tree')], ({ code, stdout }) => ({ code, stdout })],
    [
      'builds',
      ['nix-build', '--no-out-link', join(folder, 'default.nix'), '-A', 'b'],
      ({ code, stdout }) => ({ code, stdout }),
    ],
    [
      'may not change the sandbox',
      ['nix-build', '--no-out-link', join(folder, 'default.nix'), '-A', 'a', '--option', 'sandbox', 'false'],
      ({ code, stderr }) => ({
        code,
        warning: /ignoring the client-specified setting 'sandbox'.*/.exec(stderr)?.[0],
      }),
    ],
    [
      'may not repair',
      ['nix-store', '--verify', '--repair'],
      ({ code, stderr }) => ({ code, reason: /you are not privileged.*/.exec(stderr)?.[0] }),
    ],
    [
      'may not repair a build',
      ['nix-build', '--no-out-link', '--repair', join(folder, 'default.nix'), '-A', 'a'],
      ({ code, stderr }) => ({ code, reason: /repairing is not allowed.*/.exec(stderr)?.[0] }),
    ],
    [
      'may not copy what is not signed',
      [
        'nix',
        '--extra-experimental-features',
        'nix-command',
        'copy',
        '--no-check-sigs',
        '--from',
        `file://${programs.folder}/commands-nix/cache`,
        '/nix/store/',
      ],
      ({ code }) => ({ code }),
    ],
  ];
  for (const [name, args, view] of cases) {
    yield [
      `an untrusted user ${name}`,
      async () => {
        const words = args.map((it) => (it === '/nix/store/' ? path('b') : it));
        const [theirs, ours] = [await as('nix', ...words), await as('neve', ...words)];
        const [is, must] = [view(ours), view(theirs)].map((it) => JSON.stringify(it));
        if (is !== must) throw new Error(`${is}\n  not\n${must}\n${ours.stderr}\n${theirs.stderr}`);
      },
    ];
  }
}

/**
 * @param {{ programs: ClientPrograms, oldNix: string, file: string }} options
 * @returns {Generator<import('../lib/run-checks.mjs').Check>}
 */
function* oldNixChecks({ programs, oldNix, file }) {
  const run = (/** @type {string} */ program, /** @type {string[]} */ ...args) =>
    programs.on('neve', 'sh', ['-c', '"$@"', 'sh', join(oldNix, program), ...args]);
  const sameAs = (
    /** @type {string} */ name,
    /** @type {string} */ program,
    /** @type {string[]} */ ...args
  ) =>
    /** @type {import('../lib/run-checks.mjs').Check} */ ([
      `an older Nix: ${name}`,
      async () => {
        const wanted = await programs.on('neve', program, args);
        const { code, stdout, stderr } = await run(program, ...args);
        // Older ones do not quote links.
        if (code !== wanted.code || stdout !== wanted.stdout.replaceAll('"', '')) {
          throw new Error(
            `${code}: ${stdout} ${stderr}\n  not\n${wanted.code}: ${wanted.stdout} ${wanted.stderr}`,
          );
        }
      },
    ]);
  yield sameAs('nix-build', 'nix-build', '--no-out-link', file, '-A', 'b', ...programs.settings);
  yield sameAs('a failing build', 'nix-build', '--no-out-link', file, '-A', 'needsBad', ...programs.settings);
  yield sameAs('nix-instantiate', 'nix-instantiate', file, '-A', 'onCa');
  yield sameAs('nix-store --add', 'nix-store', '--add', join(programs.folder, 'commands/tree'));
  yield sameAs(
    'nix-store --add-fixed',
    'nix-store',
    '--add-fixed',
    'sha1',
    join(programs.folder, 'commands/tree/file'),
  );
  yield sameAs('roots', 'nix-store', '--gc', '--print-roots');
  yield sameAs('live paths', 'nix-store', '--gc', '--print-live');
  yield sameAs(
    'requisites',
    'nix-store',
    '--query',
    '--requisites',
    join(programs.folder, 'commands-neve/result'),
  );
  yield sameAs('verification', 'nix-store', '--verify');
}

/**
 * @param {'nix' | 'neve'} daemon
 * @param {ClientPrograms} programs
 * @returns {On}
 */
function sideOf(daemon, programs) {
  const folder = join(programs.folder, `commands-${daemon}`);
  mkdirSync(folder);
  const PATH = `${programs.bin}:${process.env['PATH']}`;
  const options = () => ({ env: { PATH } });
  return {
    daemon,
    folder,
    run: (program, ...args) => {
      const isBuild = program === 'nix-build' || args[0] === 'build' || program === 'nix-instantiate';
      return programs.on(daemon, program, [...args, ...(isBuild ? programs.settings : [])], options());
    },
    runWith: (program, args, more) =>
      programs.on(daemon, 'sh', ['-c', '"$@"', 'sh', program, ...args], { ...options(), ...more }),
    get remote() {
      return programs.daemons[daemon].remote;
    },
  };
}

/**
 * @param {string} folder
 * @param {ClientPrograms} programs
 */
function prepare(folder, programs) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'tree/folder'), { recursive: true });
  writeFileSync(
    join(folder, 'default.nix'),
    expressions.replaceAll('./busybox', programs.busyboxFolder).replaceAll('MARK', mark),
  );
  writeFileSync(join(folder, 'tree/file'), 'contents\n');
  writeFileSync(join(folder, 'tree/folder/run'), '#!/bin/sh\n');
  chmodSync(join(folder, 'tree/folder/run'), 0o755);
  symlinkSync('file', join(folder, 'tree/link'));
  writeFileSync(join(folder, 'large'), Buffer.alloc(20 << 20, 'a piece of a large file '));
}

/** @param {Outcome} outcome */
function failureView({ code, stdout, stderr }) {
  const told = stderr.split('\n').filter((it) => /Cannot build|Reason:|build of|error:|> /.test(it));
  return { code, stdout, told: [...new Set(told)].sort() };
}

/** @param {string} json */
function withoutTimes(json) {
  return Object.entries(JSON.parse(json)).map(([path, info]) => {
    const { registrationTime: _, ultimate: __, signatures: ___, ...rest } = /** @type {any} */ (info);
    return [path, rest];
  });
}
