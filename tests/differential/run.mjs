// Evaluates many expressions with Neve and with a Nix, and compares.
//
// Two answers agree when the exit code and stdout are the same and, if they fail, the kind of
// failure is (see failure-kind.mjs). Whether all of stderr is the same, traces and positions
// included, is counted beside it and fails nothing.

import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { neveImplementation, nixImplementation, versionOf } from '../lib/implementation.mjs';
import { lineDiff } from '../lib/line-diff.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { defaultWidth, mapInPool } from '../lib/pool.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { textTable } from '../lib/text-table.mjs';
import { readCaseFolder, usualArguments } from './case-file.mjs';
import { failureKind } from './failure-kind.mjs';
import { knownDifferences } from './known.mjs';
import { AnswerCache } from './oracle.mjs';

const usage = `usage: npm run differential -- [options]

  --nix-bin DIR    folder of the Nix to compare with (default: from PATH)
  --only PATTERN   only files of cases whose name contains the regular expression
  --grep PATTERN   only cases whose text contains the regular expression
  --count N        compare N generated programs instead of the files of cases
  --seed N         seed of the generated programs (default: a random one, printed)
  --print          print the generated programs and stop
  --verbose        print all of both outputs of a failing case
  --inexact        also list the cases whose stderr differs
  --no-cache       ask the Nix again instead of remembering its answers
  --neve CMD       the command under test (default: the project's neve)
  --jobs N         commands at a time (default: ${defaultWidth})`;

const here = dirname(fileURLToPath(import.meta.url));
const fixtures = realpathSync(join(here, 'fixtures'));
const cacheFolder = resolve(here, '../../node_modules/.cache/neve-oracle');
const generatedTopic = 'generated';
const timeoutMs = 60_000;

/** What a case may see of its environment; fixed, because answers are remembered. */
const visibleVariables = { HOME: '/home/of-nobody', NEVE_TEST_VARIABLE: 'set' };

/**
 * @typedef {object} Verdict
 * @property {import("./case-file.mjs").Case} case
 * @property {import("../lib/command.mjs").Outcome} expected
 * @property {import("../lib/command.mjs").Outcome} actual
 * @property {string} complaint empty when they agree
 * @property {boolean} exact whether stderr is the same too
 */

await runHarness(
  {
    usage,
    options: {
      'nix-bin': { type: 'string' },
      only: { type: 'string' },
      grep: { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      print: { type: 'boolean' },
      verbose: { type: 'boolean' },
      inexact: { type: 'boolean' },
      'no-cache': { type: 'boolean' },
      neve: { type: 'string' },
      jobs: { type: 'string' },
    },
  },
  async (values) => {
    const cases = chosenCases(values);
    if (cases.length === 0) throw new UsageError('no case matches');
    if (values['print'] === true) {
      for (const { expression } of cases) console.log(`${expression}\n`);
      return true;
    }
    const neve = neveImplementation(values['neve']);
    const nix = nixImplementation(values['nix-bin']);
    return await withNixEnvironment({}, async ({ folder, variables }) => {
      // There is no such home, so that scripts would be compiled for every case.
      const env = { ...variables, ...visibleVariables, XDG_CACHE_HOME: join(folder, 'cache') };
      const version = await versionOf(nix, env);
      const cache = new AnswerCache({ folder: cacheFolder, version, variables: visibleVariables, fixtures });
      const evaluate = (
        /** @type {typeof neve} */ side,
        /** @type {import("./case-file.mjs").Case} */ item,
      ) =>
        runCommand([...side.instantiate, ...item.arguments, '-E', item.expression], {
          cwd: fixtures,
          env,
          timeoutMs,
        });
      const compare = async (/** @type {import("./case-file.mjs").Case} */ item) => {
        const ask = () => evaluate(nix, item);
        const expected = values['no-cache'] === true ? await ask() : await cache.answer(item, ask);
        return judge(item, expected, await evaluate(neve, item));
      };
      const verdicts = await mapInPool(cases, compare, countOption('jobs', values['jobs'], defaultWidth));
      console.log(`compared with ${version}\n`);
      return report(verdicts, values);
    });
  },
);

/**
 * @param {Record<string, any>} values
 * @returns {import("./case-file.mjs").Case[]}
 */
function chosenCases(values) {
  const wanted = new RegExp(values['grep'] ?? '');
  if (values['count'] === undefined) {
    const topics = new RegExp(values['only'] ?? '');
    return readCaseFolder(join(here, 'cases')).filter(
      ({ topic, expression }) => topics.test(topic) && wanted.test(expression),
    );
  }
  const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
  if (values['print'] !== true) console.log(`seed ${seed}`);
  return Array.from({ length: countOption('count', values['count'], 0) }, (_, index) => ({
    topic: generatedTopic,
    line: index,
    expression: new ProgramGenerator(Random.forPart(seed, index)).program(),
    arguments: usualArguments,
    fails: undefined,
  })).filter(({ expression }) => wanted.test(expression));
}

/**
 * @param {import("./case-file.mjs").Case} item
 * @param {import("../lib/command.mjs").Outcome} expected
 * @param {import("../lib/command.mjs").Outcome} actual
 * @returns {Verdict}
 */
function judge(item, expected, actual) {
  return {
    case: item,
    expected,
    actual,
    complaint: markComplaint(item, expected) ?? differenceOf(expected, actual, item.topic === generatedTopic),
    exact: underOneName(expected.stderr) === underOneName(actual.stderr),
  };
}

/**
 * The hint of a usage error names the command as it was called.
 *
 * @param {string} text
 */
function underOneName(text) {
  return text.replaceAll(/^Try '.*? --help' for/gm, "Try 'nix --help' for");
}

/**
 * A case whose mark is wrong tests something else than its author meant.
 *
 * @param {import("./case-file.mjs").Case} item
 * @param {import("../lib/command.mjs").Outcome} expected
 */
function markComplaint(item, expected) {
  if (expected.timedOut || expected.signal !== undefined) return 'the oracle itself breaks on this case';
  if (item.fails === undefined || item.fails === (expected.code !== 0)) return undefined;
  return item.fails
    ? 'marked as failing, but the oracle evaluates it'
    : 'not marked as failing, but the oracle fails';
}

/**
 * @param {import("../lib/command.mjs").Outcome} expected
 * @param {import("../lib/command.mjs").Outcome} actual
 * @param {boolean} isGenerated
 */
function differenceOf(expected, actual, isGenerated) {
  if (actual.timedOut) return 'does not end';
  if (actual.signal !== undefined) return `killed by ${actual.signal}`;
  if (actual.code !== expected.code) return `exit code ${actual.code} instead of ${expected.code}`;
  if (actual.stdout !== expected.stdout) return 'stdout differs';
  if (expected.code === 0) return '';
  const [wanted, got] = [expected, actual].map(({ stderr }) => failureKind(stderr));
  const alike = isGenerated ? withoutLiterals(wanted ?? '') === withoutLiterals(got ?? '') : wanted === got;
  return alike ? '' : 'fails otherwise';
}

/**
 * A function or an empty set that is a literal is no thunk here, and a message that prints it shows that. `known.mjs` lists
 * the cases that are about it; programs that are generated meet it by chance.
 *
 * @param {string} failure
 */
function withoutLiterals(failure) {
  return failure.replaceAll(/«lambda[^»]*»|\{ \}/g, '«thunk»');
}

/**
 * @param {readonly Verdict[]} verdicts
 * @param {Record<string, any>} values
 */
function report(verdicts, values) {
  const tally = new Tally();
  const known = new Map(knownDifferences.map((difference) => [difference.expression, difference]));
  for (const verdict of verdicts) {
    const { case: item, complaint, exact } = verdict;
    const name = `${item.topic}:${item.line}`;
    const difference = known.get(item.expression);
    if (complaint === '') {
      tally.record(name, true);
      if (difference !== undefined) console.log(`listed in known.mjs but agrees: ${name}`);
      if (!exact && values['inexact'] === true) console.log(`inexact ${name}: ${item.expression}`);
    } else if (difference !== undefined && isAsKnown(difference, verdict)) {
      console.log(`known ${name}: ${difference.reason}`);
    } else {
      tally.record(name, false);
      console.log(`FAIL ${name}: ${complaint}\n${explanation(verdict, values['verbose'] === true)}`);
    }
  }
  console.log(`${summary(verdicts)}\n`);
  return tally.conclude();
}

/**
 * @param {import('./known.mjs').KnownDifference} difference
 * @param {Verdict} verdict
 */
function isAsKnown({ failure }, { actual }) {
  if (failure === undefined) return true;
  return actual.code === 1 && failureKind(actual.stderr).replaceAll(fixtures, 'FIXTURES') === failure;
}

/**
 * @param {Verdict} verdict
 * @param {boolean} verbose
 */
function explanation({ case: item, expected, actual }, verbose) {
  const lines = [`  ${item.expression.replaceAll('\n', '\n  ')}`];
  if (verbose) {
    lines.push(`--- stdout\n${lineDiff(expected.stdout, actual.stdout)}`);
    lines.push(`--- stderr\n${lineDiff(expected.stderr, actual.stderr)}`);
  } else {
    lines.push(`  expected ${shortAnswer(expected)}`, `  actual   ${shortAnswer(actual)}`);
  }
  return lines.join('\n');
}

/** @param {import("../lib/command.mjs").Outcome} outcome */
function shortAnswer({ code, stdout, stderr }) {
  const text = code === 0 ? stdout.trim() : `error: ${failureKind(stderr) || stderr.trim()}`;
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

/** @param {readonly Verdict[]} verdicts */
function summary(verdicts) {
  const row = (/** @type {string} */ name, /** @type {readonly Verdict[]} */ part) => {
    const failing = part.filter(({ expected }) => expected.code !== 0);
    return [
      name,
      part.length,
      part.filter(({ complaint }) => complaint === '').length,
      failing.length,
      failing.filter(({ complaint }) => complaint === '').length,
      part.filter(({ complaint, exact }) => complaint === '' && exact).length,
    ];
  };
  const topics = [...new Set(verdicts.map((verdict) => verdict.case.topic))];
  const rows = topics.map((topic) =>
    row(
      topic,
      verdicts.filter((verdict) => verdict.case.topic === topic),
    ),
  );
  return textTable([
    ['cases', 'all', 'agree', 'failing', 'agree', 'stderr too'],
    ...rows,
    row('total', verdicts),
  ]);
}
