// The comparison with others: every line that says something of Neve names what keeps it true, which has to be there; and
// what it says of Nix as "live" is asked of the installed one.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { readBuiltinDocs } from './builtin-examples.mjs';
import { root } from './root.mjs';

/** @typedef {import('./builtin-examples.mjs').Side} Side */

const page = 'docs/comparison.md';

/** Lines that claim no ability of Neve. */
const withoutTest = new Set(['written in', 'debugger, REPL', 'on macOS']);

/**
 * @param {readonly Side[]} sides
 * @returns {Promise<{ name: string, problem: string | undefined }[]>}
 */
export async function checkClaims(sides) {
  const text = readFileSync(join(root, page), 'utf8');
  const nix = sides.find(({ kind }) => kind === 'nix');
  return [...claimsIn(text).map(checkClaim), ...(nix === undefined ? [] : await askNix(text, nix))];
}

/** Rows of the tables that have Neve in them. @param {string} text */
function claimsIn(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.split('|').length === 8)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, subject = '', , , , neve = '', tests = '']) => ({ subject, neve, tests }))
    .filter(({ neve }) => neve !== 'Neve' && !neve.startsWith('---'));
}

/** @param {{ subject: string, neve: string, tests: string }} claim */
function checkClaim({ subject, neve, tests }) {
  const name = `${page}: ${subject}`;
  const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
  if (files.length === 0 && !withoutTest.has(subject)) return { name, problem: `"${neve}" names no test` };
  const missing = files.filter((file) => !existsSync(join(root, file)));
  return { name, problem: missing.length === 0 ? undefined : `there is no ${missing.join(', ')}` };
}

/** The names of its builtins, and whether flakes are experimental. @param {string} text @param {Side} nix */
async function askNix(text, { program, env }) {
  const ask = async (/** @type {string} */ expression, /** @type {string} */ features) =>
    await runCommand(
      [
        ...program,
        '--eval',
        '--strict',
        '--json',
        '--extra-experimental-features',
        features,
        '--expr',
        expression,
      ],
      { env },
    );
  const everyFeature = 'flakes fetch-tree fetch-closure dynamic-derivations ca-derivations';
  const { stdout } = await ask('builtins.attrNames builtins', everyFeature);
  const documented = (await readBuiltinDocs()).map(({ name }) => name).sort();
  const version = (await ask('builtins.nixVersion', '')).stdout.trim();
  const flakes = await ask('builtins.getFlake "path:/none"', '');
  return [
    {
      name: `${page}: the version of Nix`,
      problem: text.includes(`**Nix** is ${JSON.parse(version)}.`)
        ? undefined
        : `the page speaks of another Nix than ${version}`,
    },
    {
      name: `${page}: all builtins of Nix are named`,
      problem: stdout.trim() === JSON.stringify(documented) ? undefined : `its builtins are ${stdout}`,
    },
    {
      name: `${page}: flakes are experimental in Nix`,
      problem: /experimental .*feature 'flakes'/.test(flakes.stderr) ? undefined : flakes.stderr,
    },
  ];
}
