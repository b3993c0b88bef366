// Workers that go on from one image: the first keeps it when there is none. What they find is what they find without.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';

const packages = `{ localSystem }:
let
  job = name: needed: derivation {
    inherit name needed;
    system = localSystem;
    builder = "/bin/sh";
  };
  basis = job "basis" (builtins.toFile "text" "of the set");
  names = builtins.genList (i: "job-\${toString i}") 40;
in
builtins.listToAttrs (map (name: { inherit name; value = job name basis; }) names) // {
  inherit basis;
  wrong = throw "nobody can have this";
}`;

/**
 * @param {{
 *   neve: import('./eval-jobs-command.mjs').EvalJobs,
 *   program: readonly string[],
 *   env: NodeJS.ProcessEnv,
 *   folder: string,
 * }} context
 */
export function imageChecks({ neve, program, env: processEnv, folder }) {
  const tree = join(folder, 'packages/pkgs/top-level');
  const call = `import ${tree} { localSystem = "x86_64-linux"; }`;
  const cache = join(folder, 'image-cache');
  const env = { XDG_CACHE_HOME: cache, NEVE_IMAGE: 'always' };
  /** @param {string} store @param {readonly string[]} [words] */
  const run = (store, words = []) =>
    neve.run([...['--workers', '2', '--store', join(folder, store), ...words], ...['--expr', call]], env);
  const images = () => {
    const at = join(cache, 'neve/images');
    return fs.existsSync(at) ? fs.readdirSync(at).filter((name) => name.startsWith('image-')) : [];
  };
  return /** @type {import('../lib/run-checks.mjs').Check[]} */ ([
    [
      'the first worker keeps an image, and the others go on from it',
      async () => {
        fs.mkdirSync(tree, { recursive: true });
        fs.writeFileSync(join(tree, 'default.nix'), packages);
        const cold = await run('store-cold', ['--no-image']);
        assert.equal(cold.jobs.length, 42);
        assert.deepEqual(images(), []);
        const first = await run('store-first');
        assert.deepEqual(first.jobs, cold.jobs);
        assert.equal(images().length, 1);
        assert.deepEqual((await run('store-second')).jobs, cold.jobs);
      },
    ],
    [
      'what another command has described is written',
      async () => {
        fs.rmSync(cache, { recursive: true });
        const all = `let p = ${call}; in map (name: p.\${name}.drvPath) (builtins.filter (name: name != "wrong") (builtins.attrNames p))`;
        const { code, stderr } = await runCommand([...program, 'eval', '--expr', all], {
          ...{ cwd: folder, env: { ...processEnv, ...env }, timeoutMs: 60_000 },
        });
        assert.equal(code, 0, stderr);
        assert.equal(images().length, 1);
        const cold = await run('store-third', ['--no-image']);
        const { jobs } = await run('store-fourth');
        assert.deepEqual(jobs, cold.jobs);
        const written = await runCommand(
          [...program, 'store', 'ls', '--store', join(folder, 'store-fourth')],
          {
            ...{ cwd: folder, env: { ...processEnv, ...env }, timeoutMs: 60_000 },
          },
        );
        for (const { drvPath } of jobs)
          if (drvPath !== undefined) assert.ok(written.stdout.includes(drvPath), drvPath);
      },
    ],
    [
      'a directory gets all that an image has described',
      async () => {
        const runs = ['cold', 'warm'].map((name) => join(folder, `directory-${name}`));
        for (const [index, directory] of runs.entries()) {
          const { jobs } = await neve.run(
            [
              ...(index === 0 ? ['--no-image'] : []),
              ...['--workers', '2', '--physical-store-dir', directory, '--expr', call],
            ],
            env,
          );
          assert.equal(jobs.length, 42);
        }
        const [cold, warm] = runs.map((it) => fs.readdirSync(it).toSorted());
        assert.equal(images().length, 1);
        assert.deepEqual(warm, cold);
      },
    ],
    [
      'what has changed since is seen',
      async () => {
        fs.writeFileSync(join(tree, 'default.nix'), packages.replace('"basis"', '"other-basis"'));
        const cold = await run('store-changed-cold', ['--no-image']);
        const warm = await run('store-changed');
        assert.deepEqual(warm.jobs, cold.jobs);
        const basis = warm.jobs.find(({ attr }) => attr === 'basis');
        assert.equal(basis?.['name'], 'other-basis');
      },
    ],
    [
      'workers have the settings of the command line',
      async () => {
        const expression =
          '{ a = derivation { name = "a"; system = builtins.currentSystem; builder = "x"; }; }';
        const { jobs } = await neve.run([
          ...['--no-instantiate', '--option', 'eval-system', 'armv7l-linux', '--expr', expression],
        ]);
        assert.equal(jobs[0]?.['system'], 'armv7l-linux');
      },
    ],
  ]);
}
