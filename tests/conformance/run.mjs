// Runs the language suite of a NixOS/nix checkout against Neve, see suite.mjs for its rules, and checks the formats and
// protocols against the golden files of its unit tests, see golden-files.mjs.

import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { neveImplementation } from '../lib/implementation.mjs';
import { lineDiff } from '../lib/line-diff.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { defaultWidth, mapInPool } from '../lib/pool.mjs';
import { Tally } from '../lib/tally.mjs';
import { textTable } from '../lib/text-table.mjs';
import { runGoldenFiles } from './golden.mjs';
import { knownFailures } from './known.mjs';
import { categories, readSuite, suiteFolder, suiteSettings } from './suite.mjs';

const usage = `usage: npm run conformance -- --nix PATH [options]

  --nix PATH        a checkout of NixOS/nix: its tests/functional/lang is run, and the golden
                    files of src/libstore-tests and src/libutil-tests are checked
  --suite NAME      language, golden or all (default: all)
  --only PATTERN    only cases and files whose name contains the regular expression
  --details NAME    run one case and print the difference
  --neve CMD        the command under test (default: the project's neve)
  --jobs N          commands at a time (default: ${defaultWidth})`;

/**
 * @typedef {object} Verdict
 * @property {import("./suite.mjs").Case} case
 * @property {import("../lib/command.mjs").Outcome} outcome
 * @property {string} stdout as compared
 * @property {string} stderr as compared
 * @property {boolean} exitOk
 * @property {boolean} stdoutOk
 * @property {boolean} stderrOk
 * @property {boolean} ok
 */

await runHarness(
  {
    usage,
    required: ['nix'],
    options: {
      nix: { type: 'string' },
      suite: { type: 'string' },
      only: { type: 'string' },
      details: { type: 'string' },
      neve: { type: 'string' },
      jobs: { type: 'string' },
    },
  },
  async ({ nix, suite: part = 'all', only, details, neve, jobs }) => {
    if (!['language', 'golden', 'all'].includes(part)) throw new UsageError(`there is no suite '${part}'`);
    const tally = new Tally();
    if (part !== 'language' && details === undefined) {
      await runGoldenFiles({ nix: realpathSync(nix), pattern: new RegExp(only ?? ''), tally });
    }
    if (part === 'golden') return tally.conclude();
    const folder = realpathSync(suiteFolder(nix));
    const suite = readSuite(folder);
    const wanted = details === undefined ? new RegExp(only ?? '') : undefined;
    const cases = suite.cases.filter(({ name }) => (wanted ? wanted.test(name) : name === details));
    if (cases.length === 0 && tally.passed + tally.failed > 0) return tally.conclude();
    if (cases.length === 0) throw new UsageError(`no case matches '${details ?? only}'`);
    const implementation = neveImplementation(neve);
    return await withNixEnvironment({ settings: suiteSettings }, async (environment) => {
      const judge = (/** @type {import("./suite.mjs").Case} */ item) =>
        runCase({ item, folder, environment, implementation });
      const verdicts = await mapInPool(cases, judge, countOption('jobs', jobs, defaultWidth));
      return details === undefined ? report(verdicts, suite.disabled, tally) : showDetails(verdicts);
    });
  },
);

/**
 * @param {{ item: import("./suite.mjs").Case, folder: string, environment: import("../lib/nix-environment.mjs").NixEnvironment, implementation: import("../lib/implementation.mjs").Implementation }} run
 * @returns {Promise<Verdict>}
 */
async function runCase({ item, folder, environment, implementation }) {
  const outcome = await runCommand([...implementation.instantiate, ...item.arguments], {
    cwd: folder,
    env: variablesOf(item, environment),
    ...(item.stdin === undefined ? {} : { input: readFileSync(item.stdin) }),
  });
  const printed = await recorded({ item, outcome, folder, environment });
  const exitOk = outcome.code === item.exitCode;
  const stdoutOk = item.stdout === undefined || printed.stdout === item.stdout;
  const stderrOk = item.stderr === undefined || printed.stderr === item.stderr;
  return { case: item, outcome, ...printed, exitOk, stdoutOk, stderrOk, ok: exitOk && stdoutOk && stderrOk };
}

/**
 * @param {import("./suite.mjs").Case} item
 * @param {import("../lib/nix-environment.mjs").NixEnvironment} environment
 */
function variablesOf(item, environment) {
  const variables = { ...environment.variables, TEST_VAR: 'foo' };
  const isPlainEvaluation = item.category === 'eval-okay' && item.stderr !== undefined;
  return isPlainEvaluation
    ? { ...variables, NIX_PATH: 'lang/dir3:lang/dir4', HOME: '/fake-home' }
    : variables;
}

/**
 * The output in the form in which it is compared.
 *
 * @param {{ item: import("./suite.mjs").Case, outcome: import("../lib/command.mjs").Outcome, folder: string, environment: import("../lib/nix-environment.mjs").NixEnvironment }} run
 */
async function recorded({ item, outcome, folder, environment }) {
  const relative = (/** @type {string} */ text) =>
    item.category.startsWith('eval-') ? text.replaceAll(folder, '/pwd') : text;
  const stdout = relative(outcome.stdout);
  const stderr = underUpstreamName(relative(item.merged ? outcome.stdout + outcome.stderr : outcome.stderr));
  if (item.postprocess === undefined) return { stdout, stderr };
  const base = join(environment.folder, 'recorded', item.name);
  mkdirSync(join(environment.folder, 'recorded'), { recursive: true });
  writeFileSync(`${base}.out`, stdout);
  writeFileSync(`${base}.err`, stderr);
  await runCommand(['bash', item.postprocess, base], { cwd: folder, env: environment.variables });
  return { stdout: readFileSync(`${base}.out`, 'utf8'), stderr: readFileSync(`${base}.err`, 'utf8') };
}

/**
 * The hint of a usage error names the command as it was called; the suite calls it nix-instantiate.
 *
 * @param {string} text
 */
function underUpstreamName(text) {
  return text.replaceAll(/^Try '.*? --help' for/gm, "Try 'nix-instantiate --help' for");
}

/**
 * @param {readonly Verdict[]} verdicts
 * @param {readonly string[]} disabled
 * @param {Tally} tally
 */
function report(verdicts, disabled, tally) {
  for (const verdict of verdicts) {
    const reason = knownFailures.get(verdict.case.name);
    if (verdict.ok) {
      tally.record(verdict.case.name, true);
      if (reason !== undefined) console.log(`listed in known.mjs but passes: ${verdict.case.name}`);
    } else if (reason !== undefined) {
      console.log(`known: ${verdict.case.name}: ${reason}`);
    } else {
      tally.record(verdict.case.name, false);
      console.log(`FAIL ${verdict.case.name}: ${complaint(verdict)}`);
    }
  }
  for (const name of disabled) console.log(`disabled by the suite: ${name}`);
  console.log(`\n${summary(verdicts)}\n`);
  return tally.conclude();
}

/** @param {Verdict} verdict */
function complaint({ case: item, outcome, exitOk, stdoutOk, stderrOk }) {
  if (outcome.timedOut) return 'does not end';
  if (outcome.signal !== undefined) return `killed by ${outcome.signal}`;
  const complaints = [];
  if (!exitOk) complaints.push(`exit code ${outcome.code} instead of ${item.exitCode}`);
  if (!stdoutOk) complaints.push('stdout differs');
  if (!stderrOk) complaints.push('stderr differs');
  return complaints.join(', ');
}

/** @param {readonly Verdict[]} verdicts */
function summary(verdicts) {
  const row = (/** @type {string} */ name, /** @type {readonly Verdict[]} */ part) => [
    name,
    part.length,
    part.filter((verdict) => verdict.exitOk).length,
    part.filter((verdict) => verdict.exitOk && verdict.stdoutOk).length,
    part.filter((verdict) => verdict.exitOk && verdict.stderrOk).length,
    part.filter((verdict) => verdict.ok).length,
  ];
  const rows = categories
    .map((category) =>
      row(
        category,
        verdicts.filter((verdict) => verdict.case.category === category),
      ),
    )
    .filter(([, count]) => count !== 0);
  return textTable([
    ['category', 'cases', 'exit code', 'stdout', 'stderr', 'all'],
    ...rows,
    row('total', verdicts),
  ]);
}

/** @param {readonly Verdict[]} verdicts */
function showDetails(verdicts) {
  const tally = new Tally();
  for (const verdict of verdicts) {
    const { case: item, outcome } = verdict;
    console.log(
      `arguments: ${item.arguments.join(' ')}${item.stdin === undefined ? '' : ` < ${item.stdin}`}`,
    );
    console.log(`exit code: ${outcome.signal ?? outcome.code} (expected ${item.exitCode})`);
    if (!verdict.stdoutOk) console.log(`--- stdout\n${lineDiff(item.stdout ?? '', verdict.stdout)}`);
    if (!verdict.stderrOk) console.log(`--- stderr\n${lineDiff(item.stderr ?? '', verdict.stderr)}`);
    tally.record(item.name, verdict.ok);
  }
  return tally.conclude();
}
