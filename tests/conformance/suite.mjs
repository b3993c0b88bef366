// The language suite of the NixOS/nix repository, read from a checkout: which cases there are,
// how each is invoked, and what it must print. It follows `tests/functional/lang.sh`.
//
//   parse-fail-*  --parse - < FILE               exit 1, all output = .err.exp
//   parse-okay-*  --parse - < FILE               exit 0, stdout = .exp, stderr = .err.exp
//   eval-fail-*   --eval --strict --show-trace FILE, or FLAGS FILE where a .flags file gives them;
//                                                exit 1, all output = .err.exp
//   eval-okay-*   FLAGS --eval --strict FILE     exit 0, stdout = .exp, stderr = .err.exp
//                 --eval --xml --no-location --strict FILE when there is a .exp.xml (stderr is free)
//
// An expectation that has no file is empty. Evaluation output has the working folder written as
// /pwd. A .postprocess script edits the recorded output before it is compared.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../lib/options.mjs';

/** @typedef {"parse-fail" | "parse-okay" | "eval-fail" | "eval-okay"} Category */

/** @type {readonly Category[]} */
export const categories = ['parse-okay', 'parse-fail', 'eval-okay', 'eval-fail'];

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {Category} category
 * @property {readonly string[]} arguments
 * @property {string | undefined} stdin path of the file to feed
 * @property {number} exitCode
 * @property {string | undefined} stdout expected text; undefined when it is not compared
 * @property {string | undefined} stderr expected text; undefined when it is not compared
 * @property {boolean} merged whether stdout belongs to what `stderr` is compared with
 * @property {string | undefined} postprocess path of a script
 */

/**
 * The settings under which the upstream suite runs.
 */
export const suiteSettings = `experimental-features = nix-command flakes
substituters =
show-trace = true
`;

/**
 * The folder in which the suite runs.
 *
 * @param {string} checkout of NixOS/nix
 */
export function suiteFolder(checkout) {
  const folder = join(checkout, 'tests/functional');
  if (!existsSync(join(folder, 'lang'))) {
    throw new UsageError(`${checkout} has no tests/functional/lang; --nix needs a checkout of NixOS/nix`);
  }
  return folder;
}

/**
 * @param {string} folder from `suiteFolder`
 * @returns {{ cases: Case[], disabled: string[] }} cases in the order of categories and names
 */
export function readSuite(folder) {
  const names = readdirSync(join(folder, 'lang'))
    .filter((file) => file.endsWith('.nix'))
    .map((file) => file.slice(0, -'.nix'.length))
    .sort();
  const disabled = names.filter((name) => existsSync(join(folder, 'lang', `${name}.exp-disabled`)));
  const cases = categories.flatMap((category) =>
    names
      .filter((name) => name.startsWith(`${category}-`) && !disabled.includes(name))
      .map((name) => readCase(folder, category, name)),
  );
  return { cases, disabled };
}

/**
 * @param {string} folder
 * @param {Category} category
 * @param {string} name
 * @returns {Case}
 */
function readCase(folder, category, name) {
  const path = (/** @type {string} */ extension) => join(folder, 'lang', `${name}.${extension}`);
  const text = (/** @type {string} */ extension) =>
    existsSync(path(extension)) ? readFileSync(path(extension), 'utf8') : '';
  const hasXml = category === 'eval-okay' && existsSync(path('exp.xml'));
  const fails = category.endsWith('-fail');
  return {
    name,
    category,
    arguments: argumentsOf({ category, file: `lang/${name}.nix`, flags: text('flags'), hasXml }),
    stdin: category.startsWith('parse-') ? path('nix') : undefined,
    exitCode: fails ? 1 : 0,
    stdout: fails ? undefined : text(hasXml ? 'exp.xml' : 'exp'),
    stderr: hasXml ? undefined : text('err.exp'),
    merged: fails,
    postprocess: existsSync(path('postprocess')) ? path('postprocess') : undefined,
  };
}

/** @param {{ category: Category, file: string, flags: string, hasXml: boolean }} invocation */
function argumentsOf({ category, file, flags, hasXml }) {
  if (category.startsWith('parse-')) return ['--parse', '-'];
  if (category === 'eval-fail') {
    const given = words(flags.replaceAll(/#.*/g, ''));
    return [...(given.length > 0 ? given : ['--eval', '--strict', '--show-trace']), file];
  }
  if (hasXml) return ['--eval', '--xml', '--no-location', '--strict', file];
  return [...words(flags.split('\n')[0] ?? ''), '--eval', '--strict', file];
}

/** @param {string} text */
function words(text) {
  return text.split(/\s+/).filter((word) => word !== '');
}
