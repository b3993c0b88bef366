// Runs the tests which nixpkgs keeps for its own library: pure expressions that yield an empty
// list of failures, and the module system's shell script, which calls `nix-instantiate` from
// PATH and therefore gets a folder with that name leading to the implementation under test.

import { chmodSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { neveImplementation } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';

const usage = `usage: npm run nixpkgs-lib -- --nixpkgs TREE [options]

  --nixpkgs TREE  a nixpkgs whose lib/tests are run
  --only PATTERN  only parts whose name contains the regular expression
  --verbose       print everything that a failing part printed
  --neve CMD      the command under test (default: the project's neve)`;

/** Parts that are one evaluation: a file, further arguments, and what must be printed. */
const expressions = [
  { file: 'lib/tests/misc.nix', arguments: () => [], expected: '[ ]' },
  { file: 'lib/tests/systems.nix', arguments: () => [], expected: '[ ]' },
  {
    file: 'lib/path/tests/unit.nix',
    arguments: (/** @type {string} */ tree) => ['--argstr', 'libpath', join(tree, 'lib')],
    expected: 'null',
  },
];

const moduleScript = 'lib/tests/modules.sh';

/**
 * @typedef {object} Context
 * @property {string} tree
 * @property {import("../lib/implementation.mjs").Implementation} implementation
 * @property {import("../lib/nix-environment.mjs").NixEnvironment} environment
 * @property {Tally} tally
 * @property {boolean} verbose
 */

await runHarness(
  {
    usage,
    required: ['nixpkgs'],
    options: {
      nixpkgs: { type: 'string' },
      only: { type: 'string' },
      verbose: { type: 'boolean' },
      neve: { type: 'string' },
    },
  },
  async ({ nixpkgs, only, verbose, neve }) => {
    if (!existsSync(join(nixpkgs, 'lib/tests'))) throw new UsageError(`${nixpkgs} has no lib/tests`);
    const tree = realpathSync(nixpkgs);
    const implementation = neveImplementation(neve);
    const wanted = new RegExp(only ?? '');
    return await withNixEnvironment({}, async (environment) => {
      const tally = new Tally();
      const context = { tree, implementation, environment, tally, verbose: verbose === true };
      for (const part of expressions) {
        if (wanted.test(part.file)) await runExpression(context, part);
      }
      if (wanted.test(moduleScript)) await runModuleScript(context);
      return tally.conclude();
    });
  },
);

/**
 * @param {Context} context
 * @param {typeof expressions[number]} part
 */
async function runExpression({ tree, implementation, environment, tally, verbose }, part) {
  const outcome = await runCommand(
    [...implementation.instantiate, '--eval', '--strict', join(tree, part.file), ...part.arguments(tree)],
    { cwd: tree, env: environment.variables, timeoutMs: 600_000 },
  );
  const ok = outcome.code === 0 && outcome.stdout.trim() === part.expected;
  tally.record(part.file, ok);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${part.file}: ${shortened(outcome.stdout.trim(), 500)}`);
  if (!ok) console.log(verbose ? outcome.stderr : lastLines(outcome.stderr, 15));
}

/**
 * The script counts its own checks; each counts here as well.
 *
 * @param {Context} context
 */
async function runModuleScript({ tree, implementation, environment, tally, verbose }) {
  /** @type {NodeJS.ProcessEnv} */
  const variables = { ...environment.variables, ...writableStore(environment.folder) };
  variables['PATH'] = `${commandFolder(environment.folder, implementation)}:${variables['PATH']}`;
  const outcome = await runCommand(['bash', join(tree, moduleScript)], {
    cwd: tree,
    env: variables,
    timeoutMs: 1_800_000,
  });
  const passed = Number(/^(\d+) Pass$/m.exec(outcome.stdout)?.[1] ?? 0);
  const failed = Number(/^(\d+) Fail$/m.exec(outcome.stdout)?.[1] ?? 0);
  const complete = /^\d+ Fail$/m.test(outcome.stdout);
  tally.passed += passed;
  tally.failed += complete ? failed : failed + 1;
  console.log(
    `${failed === 0 && complete ? 'ok  ' : 'FAIL'} ${moduleScript}: ${passed} passed, ${failed} failed`,
  );
  if (!complete) console.log(`the script ended early\n${lastLines(outcome.stdout + outcome.stderr, 40)}`);
  if (failed > 0) console.log(verbose ? outcome.stdout : failedChecks(outcome.stdout));
}

/**
 * A store of its own, because the script evaluates in read-write mode.
 *
 * @param {string} folder
 */
function writableStore(folder) {
  mkdirSync(join(folder, 'store'), { recursive: true });
  return { NIX_REMOTE: '', NIX_STORE_DIR: join(folder, 'store'), NIX_LOCALSTATE_DIR: join(folder, 'var') };
}

/**
 * A folder for PATH in which `nix-instantiate` is the implementation under test.
 *
 * @param {string} folder
 * @param {import("../lib/implementation.mjs").Implementation} implementation
 */
function commandFolder(folder, implementation) {
  const commands = join(folder, 'bin');
  mkdirSync(commands, { recursive: true });
  const words = implementation.instantiate
    .map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)
    .join(' ');
  const script = join(commands, 'nix-instantiate');
  writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(script, 0o755);
  return commands;
}

/**
 * The checks that failed, without the output of each.
 *
 * @param {string} output
 */
function failedChecks(output) {
  return output
    .split('\n')
    .filter((line) => /TEST FAILED|^\$ nix-instantiate|^EXPECTED/.test(line))
    .map((line) => `  ${line}`)
    .join('\n');
}

/**
 * @param {string} text
 * @param {number} count
 */
function lastLines(text, count) {
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n');
}

/**
 * @param {string} text
 * @param {number} length
 */
function shortened(text, length) {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
