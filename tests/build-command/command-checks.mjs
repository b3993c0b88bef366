// What only `neve` can be asked. Each check has the store of the whole run, so that it says what it needs to be there.

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { packages, takeLinks } from './build-command.mjs';

/** @typedef {readonly [name: string, check: () => Promise<void>]} Check */
/** @typedef {import('./build-command.mjs').BuildCommand} BuildCommand */
/** @typedef {{ neve: BuildCommand, folder: string }} Context */

/** @param {Context} context @returns {readonly Check[]} */
export function commandChecks(context) {
  return [
    ...resultChecks(context),
    ...failureChecks(context),
    ...lookingChecks(context),
    ...garbageChecks(context),
    ...processChecks(context),
    ...settingChecks(context),
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function resultChecks({ neve }) {
  return [
    [
      'a result is readable through its link',
      async () => {
        await neve.output('build', [packages, '-A', 'two']);
        assert.match(readFileSync(join(neve.workFolder, 'result'), 'utf8'), /^1\n\/nix\/store\/.*-one\n$/);
        takeLinks(neve.workFolder);
      },
    ],
    [
      'a link is replaced, and what is no link is left alone',
      async () => {
        const link = join(neve.workFolder, 'result');
        symlinkSync('/nowhere', link);
        await neve.output('build', [packages, '-A', 'one']);
        assert.match(readlinkSync(link), /-one$/);
        rmSync(link);
        writeFileSync(link, 'mine');
        const ended = await neve.inStore('build', [packages, '-A', 'one']);
        assert.deepEqual([ended.code, ended.stdout], [1, '']);
        assert.match(ended.stderr, /something else than a symbolic link/);
        assert.equal(readFileSync(link, 'utf8'), 'mine');
        rmSync(link);
      },
    ],
    [
      '--json is that of nix build',
      async () => {
        const [one] = await storePaths(neve, 'one');
        const text = await neve.output('build', [packages, '-A', 'outs', '--json', '--no-link']);
        const [row, ...others] = JSON.parse(text);
        assert.deepEqual(others, []);
        assert.deepEqual(Object.keys(row), ['drvPath', 'outputs']);
        assert.match(row.drvPath, /^\/nix\/store\/[0-9a-z]{32}-outs\.drv$/);
        assert.match(row.outputs.out, /^\/nix\/store\/[0-9a-z]{32}-outs$/);
        assert.deepEqual(JSON.parse(await neve.output('build', [one, '--json', '--no-link'])), [one]);
      },
    ],
    [
      'a store path is looked for, and links are made to it',
      async () => {
        const [one] = await storePaths(neve, 'one');
        assert.equal(await neve.output('build', [one]), `${one}\n`);
        assert.deepEqual(takeLinks(neve.workFolder), { result: 'one' });
        const missing = '/nix/store/00000000000000000000000000000000-missing';
        const ended = await neve.inStore('build', [missing]);
        assert.deepEqual([ended.code, ended.stdout], [1, '']);
        assert.match(ended.stderr, /is required, but there is no substituter that can build it/);
      },
    ],
    [
      '--dry-run says what would be done and does nothing',
      async () => {
        const store = `${neve.store}-dry`;
        const dry = await neve.run(['build', '--store', store, packages, '-A', 'two', '--dry-run']);
        assert.equal(dry.code, 0);
        assert.match(
          dry.stderr,
          /^these 2 derivations will be built:\n {2}\/nix\/store\/\S+-one\.drv\n {2}\/nix\/store\/\S+-two\.drv\n$/,
        );
        assert.deepEqual(takeLinks(neve.workFolder), {});
        const json = await neve.run([
          'build',
          '--store',
          store,
          packages,
          '-A',
          'two',
          '--dry-run',
          '--json',
        ]);
        const { builds, substitutions, fetches, unknown } = JSON.parse(json.stdout);
        assert.equal(builds[0].neededBy, builds[1].derivation);
        assert.deepEqual([builds[1].neededBy, substitutions, fetches, unknown], [null, [], [], []]);
      },
    ],
    [
      'an evaluation reads what a build makes',
      async () => {
        const text = await neve.output('eval', ['--raw', '--file', packages, 'imported']);
        assert.equal(text, 'from a build');
      },
    ],
    [
      'an input that is built anew and is the same builds nothing else anew',
      async () => {
        const features = ['--extra-experimental-features', 'ca-derivations'];
        const names = [
          ...features,
          '--expr',
          `let p = import ${packages}; in [ (p.uses-ca "1") (p.uses-ca "2") ]`,
        ];
        const first = await neve.inStore('build', [...names, '--no-link']);
        assert.equal(first.code, 0, first.stderr);
        const [one, two] = first.stdout.trim().split('\n');
        assert.equal(one, two);
        assert.equal(count(first.stderr, /^building '[^-]*-ca\.drv'/gm), 2);
        assert.equal(count(first.stderr, /^building '.*-uses-ca\.drv'/gm), 1);
        const again = await neve.inStore('build', [...names, '--no-link']);
        assert.equal(again.stderr, '');
      },
    ],
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function failureChecks({ neve, folder }) {
  return [
    [
      'a failure is told in the words of Nix, with the end of the log',
      async () => {
        const { stderr } = await neve.inStore('build', [packages, '-A', 'loud', '--log-lines', '2']);
        const [drv = '', out = ''] = [...stderr.matchAll(/\/nix\/store\/[0-9a-z]{32}-loud(\.drv)?/g)].map(
          String,
        );
        const [drvPath = ''] = drv.split(',');
        const outPath = /\/nix\/store\/[0-9a-z]{32}-loud\n/.exec(stderr)?.[0].trim() ?? out;
        assert.equal(
          stderr,
          `building '${drvPath}'...
error: Cannot build '${drvPath}'.
       Reason: builder failed with exit code 1.
       Output paths:
         ${outPath}
       Last 2 log lines:
       > line 29
       > line 30
       For full logs, run:
         neve log --store ${neve.store} ${drvPath}
`,
        );
      },
    ],
    [
      'without --keep-going nothing is begun after a failure, and it is told once',
      async () => {
        const args = [packages, '-A', 'fails', '-A', 'fails-too', '-A', 'needs-both', '--no-link'];
        const { stderr } = await neve.inStore('build', args);
        assert.equal(count(stderr, /^building /gm), 1);
        assert.equal(count(stderr, /^error: Cannot build/gm), 1);
        assert.match(stderr, /^error: build of '.*', '.*', '.*' failed$/m);
      },
    ],
    [
      'with --keep-going each failure is told once, and those of all dependencies',
      async () => {
        const args = [packages, '-A', 'fails', '-A', 'needs-both', '-A', 'one', '--no-link', '-k'];
        const { stderr } = await neve.inStore('build', args);
        assert.equal(count(stderr, /^error: Cannot build/gm), 3);
        assert.match(stderr, /Cannot build '.*-needs-both\.drv'\.\n\s+Reason: 2 dependencies failed\./);
        assert.match(
          stderr,
          /^error: build of '.*-fails\.drv', '.*-needs-both\.drv' failed$|^error: build of '.*-needs-both\.drv', '.*-fails\.drv' failed$/m,
        );
      },
    ],
    [
      'a failed import says what it was for',
      async () => {
        const { stderr } = await neve.inStore('build', [packages, '-A', 'imported-fails']);
        assert.match(stderr, /while realising the context of path/);
        assert.equal(count(stderr, /Cannot build '.*-imported-fails\.drv'/g), 1);
      },
    ],
    [
      '--keep-failed leaves what was built',
      async () => {
        const kept = join(folder, 'kept');
        const { stderr } = await neve.inStore('build', [packages, '-A', 'fails', '-K'], {
          env: { TMPDIR: kept },
        });
        const [, path = ''] = /was kept in '(.*)'/.exec(stderr) ?? [];
        assert.ok(lstatSync(path).isDirectory(), stderr);
      },
    ],
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function lookingChecks({ neve }) {
  return [
    [
      'neve log finds a log by derivation, output and attribute',
      async () => {
        const [one] = await storePaths(neve, 'one');
        const [drvPath] = await drvPaths(neve, 'one');
        assert.equal(await neve.output('log', ['--file', packages, 'one']), 'building one\n');
        assert.equal(await neve.output('log', [one]), 'building one\n');
        assert.equal(await neve.output('log', [drvPath]), 'building one\n');
        assert.equal(await neve.output('log', ['--file', packages, 'fails']), 'it will fail\n');
        const none = await neve.inStore('log', ['--file', packages, 'other-system']);
        assert.equal(none.code, 1);
        assert.match(none.stderr, /^error: build log of '.*-other-system\.drv' is not available\n$/);
      },
    ],
    [
      'neve why-depends draws the shortest chain',
      async () => {
        const [one, two, three] = await storePaths(neve, 'one', 'two', 'three');
        const chain = await neve.output('why-depends', ['--file', packages, 'three', 'one']);
        assert.equal(chain, `${three}\n└───${two}\n    └───${one}\n`);
        assert.deepEqual(JSON.parse(await neve.output('why-depends', [three, one, '--json'])), [
          three,
          two,
          one,
        ]);
        const none = await neve.inStore('why-depends', [one, three]);
        assert.deepEqual([none.code, none.stdout], [0, '']);
        assert.equal(none.stderr, `'${one}' does not depend on '${three}'\n`);
        assert.equal((await neve.inStore('why-depends', [one])).code, 1);
      },
    ],
    [
      'neve explain says why something would be built',
      async () => {
        const store = `${neve.store}-explain`;
        const explain = (/** @type {readonly string[]} */ ...args) =>
          neve.run(['explain', '--store', store, '--file', packages, 'two', ...args]);
        const built =
          /^\/nix\/store\/\S+-two is not in the store, and no cache is asked: built by \S+-two\.drv\n└─ \/nix\/store\/\S+-one is not in the store, and no cache is asked: built by \S+-one\.drv\n$/;
        assert.match((await explain()).stdout, built);
        await neve.run(['build', '--store', store, '--file', packages, 'one', '--no-link']);
        assert.match((await explain()).stdout, /^\S+-two is not in the store, [^\n]*\n$/);
        await neve.run(['build', '--store', store, '--file', packages, 'two', '--no-link']);
        assert.match((await explain()).stdout, /^\S+-two is in the store\n$/);
        assert.equal(JSON.parse((await explain('--json')).stdout).kind, 'present');
      },
    ],
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function garbageChecks({ neve }) {
  return [
    [
      'a link keeps what it leads to, and all that this needs, from garbage collection',
      async () => {
        const store = `${neve.store}-garbage`;
        /** @type {(command: string, ...args: readonly string[]) => Promise<string>} */
        const run = async (command, ...args) => {
          const ended = await neve.run([...command.split(' '), '--store', store, ...args]);
          assert.equal(ended.code, 0, ended.stderr);
          return ended.stdout;
        };
        const two = (await run('build', packages, '-A', 'two')).trim();
        const outs = (await run('build', packages, '-A', 'outs', '--no-link')).trim();
        const view = join(store, 'nix/store', two.slice('/nix/store/'.length));
        assert.ok(existsSync(view));
        const removed = await run('store gc');
        assert.ok(removed.includes(outs));
        assert.ok(!removed.includes('-one\n') && !removed.includes('-two\n'), removed);
        assert.match(await run('store ls', two), /./);
        assert.ok(existsSync(view));
        rmSync(join(neve.workFolder, 'result'));
        assert.match(await run('store gc'), /-two\n/);
        assert.ok(!existsSync(view));
        assert.deepEqual(readdirSync(join(store, 'nix/store')), []);
        const [boot = ''] = readdirSync(join(store, 'builder/inputs'));
        assert.deepEqual(readdirSync(join(store, 'builder/inputs', boot)), []);
        // And it can be built again.
        assert.equal((await run('build', packages, '-A', 'two', '--no-link')).trim(), two);
      },
    ],
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function processChecks({ neve }) {
  return [
    .../** @type {const} */ ([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ]).map(
      ([signal, expected]) =>
        /** @type {Check} */ ([
          `${signal} ends a build and leaves nothing of it`,
          async () => {
            const { child, started, ended } = neve.start(['build', packages, '-A', 'waits', '-L']);
            await Promise.race([started, ended]);
            child.kill(signal);
            const { code, stderr } = await ended;
            assert.equal(code, expected, stderr);
            assert.match(stderr, new RegExp(`error: interrupted by ${signal}\n$`));
            assert.deepEqual(readdirSync(join(neve.store, 'builder/builds')), []);
            assert.deepEqual(processesWith('read -r x < /dev/zero'), []);
            assert.deepEqual(takeLinks(neve.workFolder), {});
          },
        ]),
    ),
    [
      'SIGINT ends an evaluation that waits for a build',
      async () => {
        const expression = `builtins.readFile (import ${packages}).waits`;
        const { child, started, ended } = neve.start(['build', '--expr', expression, '-L']);
        await Promise.race([started, ended]);
        child.kill('SIGINT');
        const { code, stderr } = await ended;
        assert.equal(code, 130, stderr);
        assert.deepEqual(processesWith('read -r x < /dev/zero'), []);
      },
    ],
    [
      'two commands at once do the work once',
      async () => {
        const args = [packages, '-A', 'slow'];
        const both = await Promise.all([neve.inStore('build', args), neve.inStore('build', args)]);
        assert.deepEqual(
          both.map(({ code }) => code),
          [0, 0],
          both.map(({ stderr }) => stderr).join(''),
        );
        const [first, second] = both.map(({ stderr }) => count(stderr, /^building '/gm));
        assert.equal((first ?? 0) + (second ?? 0), 1);
        takeLinks(neve.workFolder);
      },
    ],
    [
      'a process that was killed leaves nothing that the next build does not remove',
      async () => {
        const { child, started, ended } = neve.start(['build', packages, '-A', 'waits', '-L']);
        await Promise.race([started, ended]);
        child.kill('SIGKILL');
        await ended;
        await neve.output('build', [packages, '-A', 'one', '--check', '--no-link']);
        assert.deepEqual(readdirSync(join(neve.store, 'builder/builds')), []);
        assert.deepEqual(processesWith('read -r x < /dev/zero'), []);
      },
    ],
    [
      'what is there is found without anything of the builder',
      async () => {
        const store = `${neve.store}-present`;
        const args = ['build', '--store', store, packages, '-A', 'one', '--no-link'];
        assert.equal((await neve.run(args)).code, 0);
        rmSync(join(store, 'builder'), { recursive: true });
        const again = await neve.run(args);
        assert.deepEqual([again.code, again.stderr], [0, '']);
        assert.ok(!existsSync(join(store, 'builder')));
      },
    ],
  ];
}

/** @param {Context} context @returns {readonly Check[]} */
function settingChecks({ neve, folder }) {
  /** The ports of servers that hang up at once. */
  const brokenCache = async (/** @type {(url: string, asked: () => number) => Promise<void>} */ use) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise((fulfil) => server.listen(0, '127.0.0.1', () => fulfil(undefined)));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    try {
      await use(`http://127.0.0.1:${port}`, () => connections);
    } finally {
      await new Promise((fulfil) => server.close(() => fulfil(undefined)));
    }
  };
  /** @type {(...args: readonly string[]) => readonly string[]} */
  const fresh = (...args) => [
    'build',
    '--store',
    join(folder, `fresh-${Math.random()}`),
    packages,
    '--no-link',
    ...args,
  ];
  return [
    [
      'a cache that is out of reach is warned of once, and things are built',
      () =>
        brokenCache(async (url, asked) => {
          const env = { NIX_CONFIG: `substituters = ${url}` };
          const startedMs = performance.now();
          const { code, stderr } = await neve.run(fresh('-A', 'three'), { env });
          assert.equal(code, 0, stderr);
          assert.equal(count(stderr, /^warning: /gm), 1, stderr);
          assert.match(stderr, new RegExp(`^warning: ${url} is not asked for anything: `));
          assert.ok(asked() <= 2, `${asked()} connections`);
          assert.ok(performance.now() - startedMs < 30_000);
        }),
    ],
    [
      'a cache is not asked with `substitute` off, wherever that is said',
      () =>
        brokenCache(async (url, asked) => {
          const conf = join(folder, 'conf');
          mkdirSync(conf, { recursive: true });
          writeFileSync(join(conf, 'nix.conf'), `substituters = ${url}\n`);
          for (const [args, env] of /** @type {const} */ ([
            [['--option', 'substitute', 'false'], { NIX_CONFIG: '' }],
            [['--no-substitute'], { NIX_CONFIG: '' }],
            [[], { NIX_CONFIG: 'substitute = false' }],
            [['--option', 'substituters', ''], { NIX_CONFIG: '' }],
          ])) {
            const ended = await neve.run(fresh('-A', 'one', ...args), {
              env: { ...env, NIX_CONF_DIR: conf },
            });
            assert.equal(ended.code, 0, ended.stderr);
          }
          assert.equal(asked(), 0);
          const asking = await neve.run(fresh('-A', 'one'), { env: { NIX_CONFIG: '', NIX_CONF_DIR: conf } });
          assert.equal(asking.code, 0);
          assert.notEqual(asked(), 0);
        }),
    ],
    [
      'the store may be a relative folder',
      async () => {
        const ended = await neve.run(['build', '--store', './here', packages, '-A', 'one', '--no-link']);
        assert.equal(ended.code, 0, ended.stderr);
        assert.ok(existsSync(join(neve.workFolder, 'here/db')));
      },
    ],
    [
      'a home that cannot be written to is no problem for a store elsewhere',
      async () => {
        const home = join(folder, 'read-only-home');
        mkdirSync(home);
        chmodSync(home, 0o555);
        // Root may write nevertheless; a file in its place is refused to everybody.
        writeFileSync(join(folder, 'no-cache'), '');
        const env = { HOME: home, XDG_CACHE_HOME: join(folder, 'no-cache') };
        const ended = await neve.run(fresh('-A', 'one'), { env });
        assert.equal(ended.code, 0, ended.stderr);
      },
    ],
    [
      'a builder that there is not is refused with those that there are',
      async () => {
        const { code, stderr } = await neve.inStore('build', [packages, '-A', 'one', '--builder', 'magic:']);
        assert.equal(code, 1);
        assert.match(stderr, /there is no builder 'magic:'; there are local:, unshare:, bwrap:, oci:/);
      },
    ],
  ];
}

/**
 * As many as there are names: three at most.
 *
 * @param {BuildCommand} neve @param {readonly string[]} names @returns {Promise<[string, string, string]>}
 */
async function storePaths(neve, ...names) {
  const text = await neve.output('build', [packages, ...names.flatMap((it) => ['-A', it]), '--no-link']);
  return /** @type {[string, string, string]} */ (text.trim().split('\n'));
}

/** @param {BuildCommand} neve @param {readonly string[]} names @returns {Promise<[string, string, string]>} */
async function drvPaths(neve, ...names) {
  const words = names.flatMap((it) => ['-A', it]);
  const rows = JSON.parse(await neve.output('build', [packages, ...words, '--json', '--no-link']));
  return rows.map((/** @type {{ drvPath: string }} */ { drvPath }) => drvPath);
}

/** @param {string} text @param {RegExp} pattern */
function count(text, pattern) {
  return [...text.matchAll(pattern)].length;
}

/** Processes whose command line has these words, by their ids. @param {string} words */
function processesWith(words) {
  return readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/.test(name) || Number(name) === process.pid) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(words);
    } catch {
      return false;
    }
  });
}
