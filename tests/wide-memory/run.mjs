// Evaluations that are allowed more than 4 GiB, by a Node.js that has memories of 64 bits and by one that does not: what they
// say, what fits, and that images of one core are not for the other. Whether the core with 64-bit addresses evaluates as the
// other does is what `npm run collector -- --wide` looks at.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makePackages } from '../images/package-tree.mjs';
import { loadEvaluator } from '../lib/load-evaluator.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';

const usage = `usage: npm run wide-memory -- [options]

  --newer-node PATH   a Node.js 24 or later (default: .newer-node/bin/node, from scripts/newer-node.sh)`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const neve = join(root, 'apps/cli/bin/neve.cjs');

/** Strings of a kilobyte that are alive together: `count` times 100,000. The last digit of each is looked at. */
const strings = (/** @type {number} */ count) => `
  let
    pad = builtins.concatStringsSep "" (builtins.genList (_: "0123456789") 100);
    part = i:
      let list = builtins.genList (x: pad + toString (i * 100000 + x)) 100000;
      in builtins.foldl' (a: s: builtins.seq s a) list list;
    all = builtins.foldl' (parts: i: parts ++ [ (part i) ]) [ ] (builtins.genList (x: x) ${count});
    digit = s: builtins.substring (builtins.stringLength s - 1) 1 s;
  in builtins.foldl' (a: list: a + digit (builtins.elemAt list 7)) "" all`;

/**
 * @typedef {{ code: number, stdout: string, stderr: string }} Answer
 * @typedef {(node: string, options: readonly string[], expression: string) => Promise<Answer>} Evaluate
 */

await runHarness({ usage, options: { 'newer-node': { type: 'string' } } }, async (values) => {
  const newer = resolve(values['newer-node'] ?? join(root, '.newer-node/bin/node'));
  if (!existsSync(newer))
    throw new UsageError(`there is no ${newer}; bash scripts/newer-node.sh installs one`);
  const tally = new Tally();
  const folder = mkdtempSync(join(tmpdir(), 'neve-wide-memory-'));
  try {
    await checkLimits(evaluationsIn(folder), { newer, tally });
    await checkImages(evaluationsIn(folder), { newer, tally, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return tally.conclude();
});

/**
 * @param {string} folder
 * @returns {Evaluate}
 */
function evaluationsIn(folder) {
  const cache = join(folder, 'cache');
  mkdirSync(cache, { recursive: true });
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, XDG_CACHE_HOME: cache, NEVE_IMAGE: 'always' };
  return async (node, options, expression) => {
    const words = [neve, 'eval', ...options, '--expr', expression];
    try {
      return { code: 0, ...(await promisify(execFile)(node, words, { env, cwd: folder })) };
    } catch (error) {
      const { code, stdout, stderr } = /** @type {Answer} */ (error);
      return { code, stdout, stderr };
    }
  };
}

/**
 * @param {Evaluate} evaluate
 * @param {{ newer: string, tally: Tally }} options
 */
async function checkLimits(evaluate, { newer, tally }) {
  const record = (
    /** @type {string} */ name,
    /** @type {Answer} */ answer,
    /** @type {boolean} */ isRight,
  ) => {
    if (!isRight) console.log(`${name}\n${JSON.stringify(answer)}`);
    tally.record(name, isRight);
  };
  const small = await evaluate(newer, ['--no-image', '--max-heap-size', '8G'], strings(2));
  record('what fits into little is evaluated', small, small.stdout === '"77"\n');

  if (availableBytes() < 14 * 2 ** 30) {
    console.log('more than 4 GiB are not tried: the machine has less than 14 GiB to give');
  } else {
    const large = await evaluate(newer, ['--no-image', '--max-heap-size', '12G'], strings(45));
    record('4.5 GiB of strings are alive at once', large, large.stdout === `"${'7'.repeat(45)}"\n`);
  }
  const unlimited = await evaluate(newer, ['--no-image'], strings(45));
  record(
    'without the setting there are 4 GiB, and the error says how there can be more',
    unlimited,
    unlimited.code === 1 &&
      /more memory than 4 GiB; allow up to 12 GiB with max-heap-size/.test(unlimited.stderr),
  );

  const { engineHasWideMemories } = await loadEvaluator();
  if (engineHasWideMemories()) {
    console.log('this Node.js has such memories as well: what one without them says is not looked at');
    return;
  }
  const older = process.execPath;
  const within = await evaluate(older, ['--no-image', '--max-heap-size', '8G'], strings(2));
  record('an engine without such memories evaluates within 4 GiB', within, within.stdout === '"77"\n');
  const beyond = await evaluate(older, ['--no-image', '--max-heap-size', '8G'], strings(45));
  record(
    'and says above that what it lacks',
    beyond,
    beyond.code === 1 && /more memory than 4 GiB; the engine has no memories beyond that/.test(beyond.stderr),
  );
}

/**
 * @param {Evaluate} evaluate
 * @param {{ newer: string, tally: Tally, folder: string }} options
 */
async function checkImages(evaluate, { newer, tally, folder }) {
  const call = makePackages(join(folder, 'packages'), 'snow');
  const expression = (/** @type {number} */ n) => `with ${call}; "\${motto} \${tool.drvPath} ${n}"`;
  const cold = await evaluate(newer, ['--no-image'], expression(0));
  const expected = (/** @type {number} */ n) => cold.stdout.replace(/ 0"\n$/, ` ${n}"\n`);
  const images = () => readdirSync(join(folder, 'cache/neve/images')).filter((it) => it.startsWith('image-'));
  let round = 0;
  for (const [name, options, count] of /** @type {const} */ ([
    ['the first evaluation with 64-bit addresses', ['--max-heap-size', '8G'], 1],
    ['one that goes on from its image', ['--max-heap-size', '8G'], 1],
    ['one with 32-bit addresses, which makes an image of its own', [], 2],
    ['one that goes on from that', [], 2],
    ['one with 64-bit addresses again', ['--max-heap-size', '8G'], 2],
  ])) {
    round++;
    const answer = await evaluate(newer, options, expression(round));
    const isRight = answer.stdout === expected(round) && images().length === count;
    if (!isRight) console.log(`${name}\n${JSON.stringify(answer)}\n${images().join(' ')}`);
    tally.record(name, isRight);
  }
}

/** What the system can give without swapping, in bytes. */
function availableBytes() {
  const [, kibibytes = '0'] = /MemAvailable:\s+(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
