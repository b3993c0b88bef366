// Compares derivation paths with recorded ones, which depend on every byte of every input of a
// package: the sharpest test of an evaluator there is.
//
// A golden file is JSON: { "about": text, "expression": a Nix expression in which the word
// ATTRIBUTE stands for the attribute path, "drvPaths": { attribute path: store path } }.
// Many attributes are asked of one process; a group that fails is asked one by one, so that a
// failure has a name.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { runCommand } from '../lib/command.mjs';
import { neveImplementation } from '../lib/implementation.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';

const usage = `usage: npm run golden -- --golden FILE --nixpkgs TREE [options]

  --golden FILE    recorded derivation paths
  --nixpkgs TREE   the nixpkgs they were recorded from, found as <nixpkgs>
  --only PATTERN   only attributes that contain the regular expression
  --group N        attributes per process (default: 25)
  --neve CMD       the command under test (default: the project's neve)`;

/** @typedef {{ about: string, expression: string, drvPaths: Record<string, string> }} Golden */

/**
 * @typedef {object} Answer
 * @property {string | undefined} drvPath
 * @property {string} complaint why there is no path
 */

await runHarness(
  {
    usage,
    required: ['golden', 'nixpkgs'],
    options: {
      golden: { type: 'string' },
      nixpkgs: { type: 'string' },
      only: { type: 'string' },
      group: { type: 'string' },
      neve: { type: 'string' },
    },
  },
  async (values) => {
    const golden = readGolden(values['golden']);
    if (!existsSync(values['nixpkgs'])) throw new UsageError(`there is no ${values['nixpkgs']}`);
    const tree = realpathSync(values['nixpkgs']);
    const implementation = neveImplementation(values['neve']);
    const wanted = new RegExp(values['only'] ?? '');
    const attributes = Object.keys(golden.drvPaths).filter((attribute) => wanted.test(attribute));
    const size = countOption('group', values['group'], 25);
    console.log(golden.about);
    return await withNixEnvironment({}, async (environment) => {
      const ask = (/** @type {string} */ expression) =>
        runCommand(
          [
            ...implementation.instantiate,
            '--eval',
            '--strict',
            '--json',
            '-I',
            `nixpkgs=${tree}`,
            '-E',
            expression,
          ],
          {
            cwd: environment.folder,
            env: environment.variables,
            timeoutMs: 1_800_000,
          },
        );
      const tally = new Tally();
      for (let start = 0; start < attributes.length; start += size) {
        const group = attributes.slice(start, start + size);
        for (const [attribute, answer] of await answersOf(golden, group, ask)) {
          judge(tally, { attribute, answer, expected: golden.drvPaths[attribute] });
        }
      }
      return tally.conclude();
    });
  },
);

/**
 * @param {string} file
 * @returns {Golden}
 */
function readGolden(file) {
  if (!existsSync(file)) throw new UsageError(`there is no ${file}`);
  const golden = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof golden.expression !== 'string' || !golden.expression.includes('ATTRIBUTE')) {
    throw new UsageError(`${file} has no "expression" with the word ATTRIBUTE`);
  }
  return golden;
}

/**
 * @param {Golden} golden
 * @param {readonly string[]} group
 * @param {(expression: string) => Promise<import("../lib/command.mjs").Outcome>} ask
 * @returns {Promise<Map<string, Answer>>}
 */
async function answersOf(golden, group, ask) {
  const outcome = await ask(groupExpression(golden.expression, group));
  if (outcome.code === 0) {
    const paths = /** @type {Record<string, string>} */ (JSON.parse(outcome.stdout));
    return new Map(
      group.map((attribute) => [attribute, { drvPath: paths[attribute], complaint: 'missing' }]),
    );
  }
  /** @type {Map<string, Answer>} */
  const answers = new Map();
  for (const attribute of group) {
    const single = await ask(golden.expression.replaceAll('ATTRIBUTE', attribute));
    answers.set(
      attribute,
      single.code === 0
        ? { drvPath: JSON.parse(single.stdout), complaint: '' }
        : { drvPath: undefined, complaint: lastError(single) },
    );
  }
  return answers;
}

/**
 * One expression for a group. What stands before `.ATTRIBUTE` is evaluated once for all.
 *
 * @param {string} expression
 * @param {readonly string[]} group
 */
function groupExpression(expression, group) {
  const [base, rest, ...more] = expression.split('.ATTRIBUTE');
  const shared = base !== undefined && rest !== undefined && more.length === 0;
  const bindings = group.map((attribute) => {
    const value = shared ? `base.${attribute}${rest}` : expression.replaceAll('ATTRIBUTE', attribute);
    return `${JSON.stringify(attribute)} = ${value};`;
  });
  return `${shared ? `let base = ${base}; in ` : ''}{ ${bindings.join(' ')} }`;
}

/**
 * @param {Tally} tally
 * @param {{ attribute: string, answer: Answer, expected: string | undefined }} comparison
 */
function judge(tally, { attribute, answer, expected }) {
  const ok = answer.drvPath === expected;
  tally.record(attribute, ok);
  if (ok) return;
  console.log(`FAIL ${attribute}`);
  console.log(`  expected ${expected}`);
  console.log(`  actual   ${answer.drvPath ?? answer.complaint}`);
}

/** @param {import("../lib/command.mjs").Outcome} outcome */
function lastError(outcome) {
  if (outcome.timedOut) return 'does not end';
  if (outcome.signal !== undefined) return `killed by ${outcome.signal}`;
  const lines = outcome.stderr.trimEnd().split('\n');
  return (lines.findLast((line) => /^\s*error:/.test(line)) ?? lines.at(-1) ?? '').trim();
}
