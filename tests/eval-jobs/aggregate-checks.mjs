// Aggregates. The derivation of one that names others is that of an expression which needs them without saying so in any
// text: `appendContext` gives a string such needs, so that a real Nix can say what its path must be.

import assert from 'node:assert/strict';
import { runCommand } from '../lib/command.mjs';

/** @param {{ neve: import('./eval-jobs-command.mjs').EvalJobs, nix: string | undefined, folder: string, env: NodeJS.ProcessEnv, here: string }} context */
export function aggregateChecks({ neve, nix, folder, env, here }) {
  const run = (/** @type {string[]} */ ...words) =>
    neve.run(['--store', `${folder}/aggregates`, '--constituents', ...words]);

  /** The expression of an aggregate with its needs, where `drvs` are other jobs. */
  const withNeeds = (
    /** @type {string} */ name,
    /** @type {string} */ constituents,
    /** @type {Record<string, string>} */ drvs,
  ) => {
    const context = Object.entries(drvs).map(
      ([path, output]) => `"${path}" = { outputs = [ "${output}" ]; };`,
    );
    return `((derivation {
      name = "${name}"; system = "x86_64-linux"; args = [ "-c" "echo done > $out" ]; _hydraAggregate = true;
      constituents = ${constituents};
      builder = builtins.appendContext "/bin/sh" { ${context.join(' ')} };
    }).drvPath)`;
  };

  return /** @type {import('../lib/run-checks.mjs').Check[]} */ ([
    [
      'aggregates need what they name',
      async () => {
        const { code, jobs } = await run(`${here}/aggregates.nix`);
        assert.equal(code, 0);
        const of = (/** @type {string} */ name) => jobs.find(({ attr }) => attr === name) ?? {};
        const paths = (/** @type {string[]} */ ...names) => names.map((name) => of(name)['drvPath']);
        for (const { namedConstituents = [] } of jobs) assert.deepEqual(namedConstituents, []);
        assert.deepEqual(of('direct')['constituents'], paths('one'));
        assert.deepEqual(of('indirect')['constituents'], paths('one', 'set.three'));
        assert.deepEqual(of('mixed')['constituents'], paths('one', 'two'));
        assert.deepEqual(of('ofAggregates')['constituents'], paths('indirect', 'one'));
        assert.deepEqual(of('globbing')['constituents'], paths('set.three', 'two'));
        assert.equal(of('all')['error'], 'nothing*: constituent glob pattern had no matches\n');
        assert.match(of('ofBroken')['error'], /^broken: error:[^]*it is broken\n$/);
        assert.equal(of('ofMissing')['error'], 'nowhere: does not exist\n');
        if (nix === undefined) return;
        const [one, three, two, indirect] = paths('one', 'set.three', 'two', 'indirect');
        const expected = {
          indirect: withNeeds('indirect', '[ "one" "set.three" ]', { [one]: 'out', [three]: 'out' }),
          ofAggregates: withNeeds('of-aggregates', '[ "indirect" "one" ]', {
            [one]: 'out',
            [indirect]: 'out',
          }),
          mixed: withNeeds('mixed', `[ (import ${here}/aggregates.nix).one "two" ]`, { [two]: 'lib' }),
        };
        // A Nix must have seen what others need.
        const before = `let jobs = import ${here}/aggregates.nix; in builtins.deepSeq
          [ jobs.one.drvPath jobs.two.drvPath jobs.set.three.drvPath ${expected.indirect} ]`;
        for (const [name, expression] of Object.entries(expected)) {
          const { stdout, stderr } = await ofNix(`${before} ${expression}`);
          assert.equal(of(name)['drvPath'], stdout.trim().slice(1, -1), stderr);
        }
      },
    ],
    [
      'a circle of aggregates',
      async () => {
        const { jobs } = await run(
          '--expr',
          `with import ${here}/aggregates.nix; {
            inherit one;
            a = direct // { constituents = [ "b" ]; };
            b = direct // { constituents = [ "a" ]; };
            c = direct // { constituents = [ "one" ]; };
          }`,
        );
        assert.deepEqual(
          jobs.map(({ attr, error }) => [attr, error]),
          [
            ['a', 'Dependency cycle: a <-> b'],
            ['b', 'Dependency cycle: a <-> b'],
            ['c', 'Skipping aggregate because of a dependency cycle'],
            ['one', undefined],
          ],
        );
      },
    ],
  ]);

  /** @param {string} expression */
  async function ofNix(expression) {
    return await runCommand([`${nix}/nix-instantiate`, '--eval', '-E', expression], { env });
  }
}
