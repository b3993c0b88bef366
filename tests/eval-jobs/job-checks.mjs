// What is a job and what is not, what is printed of it, and that what fails does so alone. Paths are those of a real Nix where
// there is one. Which sets are looked into follows from the rules of nix-eval-jobs: all that say `recurseForDerivations = true`,
// and the outermost.

import assert from 'node:assert/strict';
import { runCommand } from '../lib/command.mjs';

/** By attribute, the paths of the names. */
const found = {
  '': [''],
  '"with.dot"': ['with.dot'],
  called: ['called'],
  described: ['described'],
  'lookedInto.deeper.inside': ['lookedInto', 'deeper', 'inside'],
  'lookedInto.derivation': ['lookedInto', 'derivation'],
  'lookedInto.inside': ['lookedInto', 'inside'],
  needs: ['needs'],
  outputs: ['outputs'],
  plain: ['plain'],
  structured: ['structured'],
  'with space': ['with space'],
};

const hidden = [
  ['lookedInto', 'refuses', 'inside'],
  ['notLookedInto', 'inside'],
];

/** By attribute, a word of the message. */
const failing = {
  aborts: 'aborted',
  asserts: 'assertion',
  badFlag: 'Boolean',
  badName: 'string',
  badPath: 'not in the Nix store',
  endlessCalls: 'stack overflow',
  failsInside: 'inside',
  'lookedInto.deeper.fails': 'down here',
  missingFile: 'no-such-file.nix',
  noPath: 'drvPath',
  recursion: 'infinite recursion',
  throws: 'as asked',
};

const light = '--no-instantiate';

/** @param {{ neve: import('./eval-jobs-command.mjs').EvalJobs, nix: string | undefined, folder: string, env: NodeJS.ProcessEnv, here: string }} context */
export function jobChecks({ neve, nix, folder, env, here }) {
  const jobs = `${here}/jobs.nix`;

  /** @param {readonly string[]} path */
  async function ofNix(path) {
    const names = path.map((name) => JSON.stringify(name)).join(' ');
    const expression = `import ${here}/oracle.nix { jobs = import ${jobs}; path = [ ${names} ]; }`;
    return await runCommand([`${nix}/nix-instantiate`, '--eval', '--strict', '--json', '-E', expression], {
      env,
    });
  }

  /** @param {string[]} words */
  const attributes = async (...words) => (await neve.run(words)).jobs.map(({ attr }) => attr);

  return /** @type {import('../lib/run-checks.mjs').Check[]} */ ([
    [
      'each job has the paths that a Nix gives it',
      async () => {
        const { code, jobs: all } = await neve.run([light, jobs]);
        assert.equal(code, 0);
        const good = all.filter(({ error }) => error === undefined);
        assert.deepEqual(
          good.map(({ attr, attrPath }) => [attr, attrPath]),
          Object.entries(found),
        );
        if (nix === undefined) return;
        for (const { attr, ...job } of good) {
          const { stdout, stderr } = await ofNix(job['attrPath']);
          assert.deepEqual(job, JSON.parse(stdout || JSON.stringify(stderr)), attr);
        }
      },
    ],
    [
      'what fails has an error, as it has for a Nix',
      async () => {
        const { jobs: all, stderr } = await neve.run([light, jobs]);
        const bad = all.filter(({ error }) => error !== undefined);
        assert.deepEqual(
          bad.map(({ attr }) => attr),
          Object.keys(failing),
        );
        for (const { attr, attrPath, error, ...more } of bad) {
          const word = failing[/** @type {keyof typeof failing} */ (attr)];
          assert.match(error, new RegExp(word));
          assert.match(stderr, new RegExp(word));
          assert.doesNotMatch(error, /\u001B/);
          assert.deepEqual(more, {});
          // Nix only looks at the flag when it looks for jobs.
          if (nix !== undefined && attr !== 'badFlag') assert.notEqual((await ofNix(attrPath)).code, 0, attr);
        }
      },
    ],
    [
      'all sets are looked into when that is wanted',
      async () => {
        const all = await attributes(light, '--force-recurse', jobs);
        const more = [...hidden.map((path) => path.join('.')), 'badFlag.inside'];
        assert.deepEqual(
          all.filter((attr) => !(attr in failing)),
          [...Object.keys(found), ...more].sort(),
        );
      },
    ],
    [
      'one worker and four find the same',
      async () => {
        const one = await neve.run([light, '--workers', '1', jobs]);
        const four = await neve.run([light, '--workers', '4', jobs]);
        assert.deepEqual(four.jobs, one.jobs);
      },
    ],
    [
      'what a derivation says of itself',
      async () => {
        const { jobs: all } = await neve.run([light, '--meta', jobs]);
        const [described] = all.filter(({ attr }) => attr === 'described');
        // What `nix-env -qaP --json --meta` prints of it, without what that adds.
        assert.deepEqual(described?.['meta'], {
          broken: false,
          description: 'says "this"',
          license: { free: true },
          platforms: ['x86_64-linux'],
          priority: 5,
          share: 0.25,
        });
        assert.equal(all.find(({ attr }) => attr === 'plain')?.['meta'], null);
      },
    ],
    [
      'arguments, a function for the whole, and one for each',
      async () => {
        const { jobs: all } = await neve.run([
          ...[light, '--argstr', 'suffix', '-x', '--arg', 'system', '"aarch64-linux"', '--workers', '1'],
          ...['--select', 'jobs: { inherit (jobs) plain outputs; }'],
          ...['--apply', 'drv: { title = drv.name; version = drv.version or null; drv = drv; }', '--expr'],
          `import ${jobs}`,
        ]);
        assert.deepEqual(
          all.map(({ attr, system, extraValue }) => [attr, system, extraValue.title, extraValue.version]),
          [
            ['outputs', 'aarch64-linux', 'outputs-x', null],
            ['plain', 'aarch64-linux', 'plain-x', null],
          ],
        );
        for (const { outputs, extraValue } of all) assert.equal(extraValue.drv, outputs.out);
      },
    ],
    [
      'a function that gives no set is an error of each job',
      async () => {
        const { jobs: all } = await neve.run([
          light,
          '--apply',
          'drv: drv.name',
          '--select',
          'it: { inherit (it) plain; }',
          jobs,
        ]);
        assert.match(all[0]?.['error'], /apply needs to evaluate to an attrset/);
      },
    ],
    [
      'a job may be the whole',
      async () => {
        const { jobs: all } = await neve.run([light, '--expr', `(import ${jobs} { }).plain`]);
        assert.deepEqual(
          all.map(({ attr, attrPath, name }) => [attr, attrPath, name]),
          [['', [], 'plain']],
        );
      },
    ],
    [
      'the search path, and standard input',
      async () => {
        assert.deepEqual(
          await attributes(light, '-I', `jobs=${jobs}`, '--select', 'it: { inherit (it) plain; }', '<jobs>'),
          ['plain'],
        );
        assert.deepEqual(await attributes(light, '--expr', '{ }'), []);
      },
    ],
    [
      'derivations are written, read again, and linked',
      async () => {
        const store = `${folder}/store`;
        const roots = `${folder}/roots`;
        const { jobs: all } = await neve.run([
          '--store',
          store,
          '--gc-roots-dir',
          roots,
          '--show-input-drvs',
          jobs,
        ]);
        await checkWritten(all, roots);
      },
    ],
    [
      'a plain directory may be the store',
      async () => {
        const { mkdirSync } = await import('node:fs');
        const [store, roots] = [`${folder}/plain-store`, `${folder}/plain-roots`];
        mkdirSync(store);
        const words = ['--physical-store-dir', store, '--gc-roots-dir', roots, '--show-input-drvs', jobs];
        const { jobs: all } = await neve.run(words);
        await checkWritten(all, roots);
        const { existsSync } = await import('node:fs');
        for (const { drvPath } of all) {
          if (drvPath !== undefined) assert.ok(existsSync(drvPath.replace('/nix/store', store)), drvPath);
        }
      },
    ],
    [
      'what would have to be built',
      async () => {
        const words = ['--store', `${folder}/store`, '--check-cache-status', '--substituters', '', jobs];
        const { jobs: all } = await neve.run(words);
        const of = (/** @type {string} */ name) => all.find(({ attr }) => attr === name) ?? {};
        const { cacheStatus, isCached, neededBuilds, neededSubstitutes } = of('needs');
        assert.deepEqual([cacheStatus, isCached, neededSubstitutes], ['notBuilt', false, []]);
        assert.deepEqual(
          neededBuilds.map((/** @type {string} */ it) => it.slice(44)),
          ['one.drv'],
        );
        assert.deepEqual(of('plain')['neededBuilds'], []);
      },
    ],
    [
      'wrong command lines',
      async () => {
        const cases = /** @type {const} */ ([
          [['--flake', '.#jobs'], /flakes are not supported/],
          [[], /no expression specified/],
          [['--workers', '0', jobs], /--workers/],
          [['--max-memory-size', 'much', jobs], /--max-memory-size/],
          [['--no-instantiate', '--constituents', jobs], /incompatible with: --constituents/],
          [['--no-such', jobs], /--no-such/],
        ]);
        for (const [words, message] of cases) {
          const { code, stderr } = await neve.run(words);
          assert.equal(code, 1, words.join(' '));
          assert.match(stderr, message);
        }
      },
    ],
    [
      'a whole that cannot be evaluated ends all',
      async () => {
        for (const words of [['--expr', 'throw "no jobs"'], ['--expr', '{'], [`${folder}/not-there.nix`]]) {
          const { code, jobs: none } = await neve.run([light, ...words]);
          assert.deepEqual([code, none], [1, []], words.join(' '));
        }
        const { stderr } = await neve.run([light, '--select', 'it: 1', jobs]);
        assert.match(stderr, /must evaluate to an attrset/);
      },
    ],
  ]);

  /**
   * @param {import('./eval-jobs-command.mjs').Job[]} all
   * @param {string} roots
   */
  async function checkWritten(all, roots) {
    const { lstatSync, readdirSync } = await import('node:fs');
    const good = all.filter(({ error }) => error === undefined);
    assert.deepEqual(
      good.map(({ attr }) => attr),
      Object.keys(found),
    );
    const of = (/** @type {string} */ name) => good.find(({ attr }) => attr === name) ?? {};
    assert.deepEqual(of('plain')['requiredSystemFeatures'], ['big-parallel', 'kvm']);
    assert.deepEqual(of('structured')['requiredSystemFeatures'], ['nested']);
    const inputs = Object.entries(of('needs')['inputDrvs']);
    assert.deepEqual(
      inputs.map(([path, outputs]) => [path.slice(44), outputs]),
      [['one.drv', ['dev', 'out']]],
    );
    const links = readdirSync(roots).sort();
    assert.deepEqual(links, [...new Set(good.map(({ drvPath }) => drvPath.slice(11)))].sort());
    for (const link of links) assert.ok(lstatSync(`${roots}/${link}`).isSymbolicLink());
  }
}
