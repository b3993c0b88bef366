// Reads files of cases (`cases/*.nix-cases`): expressions on which Neve and Nix must agree.
//
//   # comment           at the start of a line
//   %arguments A B      arguments for the cases that follow; without any: the usual ones
//   1 + 1               a case that evaluates
//   ! 1 + "a"           a case that must fail, which the author says so deliberately
//   let x = 1;
//     in x              a line that begins with a blank goes on with the case above
//
// Blank lines separate, unless what follows them begins with a blank. The usual arguments are
// --eval --strict.

import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** @type {readonly string[]} */
export const usualArguments = ['--eval', '--strict'];

/**
 * @typedef {object} Case
 * @property {string} topic name of the file without its extension
 * @property {number} line where the case begins; 0 for a generated one
 * @property {string} expression
 * @property {readonly string[]} arguments
 * @property {boolean | undefined} fails undefined where either is right
 */

/**
 * All cases of a folder, by file and line.
 *
 * @param {string} folder
 */
export function readCaseFolder(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.nix-cases'))
    .sort()
    .flatMap((file) => readCaseFile(join(folder, file)));
}

/**
 * @param {string} path
 * @returns {Case[]}
 */
export function readCaseFile(path) {
  const topic = basename(path, '.nix-cases');
  /** @type {Case[]} */
  const cases = [];
  let words = usualArguments;
  let open = false;
  let skipped = '';
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      const last = cases.at(-1);
      if (text === '') {
        skipped += '\n';
        return;
      }
      if (/^\s/.test(text) && open && last !== undefined) {
        last.expression += `${skipped}\n${text}`;
      } else if (text.startsWith('#')) {
        open = false;
      } else if (/^\s/.test(text)) {
        throw new Error(`${path}:${index + 1}: nothing stands above this line to go on with`);
      } else if (text.startsWith('%arguments')) {
        const given = text
          .slice('%arguments'.length)
          .split(/\s+/)
          .filter((word) => word !== '');
        words = given.length > 0 ? given : usualArguments;
        open = false;
      } else {
        const fails = text.startsWith('! ');
        if (/^(! )?-/.test(text))
          throw new Error(`${path}:${index + 1}: put this into parentheses; '-' begins an option`);
        cases.push({
          topic,
          line: index + 1,
          expression: fails ? text.slice(2) : text,
          arguments: words,
          fails,
        });
        open = true;
      }
      skipped = '';
    });
  return cases;
}
