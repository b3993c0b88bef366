// An implementation of Nix as a command: Neve, or a Nix to compare it with.
//
// Neve offers nix-instantiate's options under `neve instantiate`; everything here speaks that
// dialect. A command whose last word is called `nix-instantiate` is used as it stands, so any
// Nix can take either place, which is how a harness is checked against itself.

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.mjs';
import { UsageError } from './options.mjs';

const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * @typedef {object} Implementation
 * @property {string} name for reports
 * @property {readonly string[]} instantiate the words before nix-instantiate's own arguments
 * @property {readonly string[]} program the words before any argument at all
 */

/**
 * The implementation under test.
 *
 * @param {string | undefined} command words separated by blanks; the project's own `neve` when absent
 * @returns {Implementation}
 */
export function neveImplementation(command) {
  if (command === undefined) {
    const own = join(projectRoot, 'node_modules/.bin/neve');
    if (!existsSync(own)) {
      throw new UsageError(`there is no ${own}; build the project first, or name a command with --neve`);
    }
    return fromWords('neve', [own]);
  }
  const words = command.split(/\s+/).filter((word) => word !== '');
  const [program, ...rest] = words;
  if (program === undefined) throw new UsageError('--neve needs a command');
  return fromWords('neve', [located(program), ...rest]);
}

/**
 * The Nix to compare with.
 *
 * @param {string | undefined} folder where its `nix-instantiate` is; looked for in PATH when absent
 * @returns {Implementation}
 */
export function nixImplementation(folder) {
  const program =
    folder === undefined ? located('nix-instantiate') : join(resolve(folder), 'nix-instantiate');
  if (!existsSync(program)) {
    throw new UsageError(`there is no ${program}; name the folder of a Nix with --nix-bin`);
  }
  return fromWords('nix', [program]);
}

/**
 * The same implementation, run by a given Node.js.
 *
 * @param {Implementation} implementation
 * @param {string} node path of a Node.js
 * @returns {Implementation}
 */
export function underNode(implementation, node) {
  const [program = '', ...rest] = implementation.program;
  const script = realpathSync(program);
  if (!isNodeScript(script)) throw new UsageError(`--node needs a JavaScript command; ${program} is none`);
  return fromWords(`neve with ${node}`, [located(node), script, ...rest]);
}

/**
 * What `--version` says.
 *
 * @param {Implementation} implementation
 * @param {NodeJS.ProcessEnv} env
 */
export async function versionOf(implementation, env) {
  const { code, stdout, stderr } = await runCommand([...implementation.program, '--version'], { env });
  if (code !== 0) throw new Error(`${implementation.program.join(' ')} --version failed: ${stderr.trim()}`);
  return stdout.trim();
}

/**
 * @param {string} name
 * @param {readonly string[]} program
 * @returns {Implementation}
 */
function fromWords(name, program) {
  const isInstantiate = basename(program.at(-1) ?? '') === 'nix-instantiate';
  return { name, program, instantiate: isInstantiate ? program : [...program, 'instantiate'] };
}

/**
 * An absolute path for a program, because the harnesses run it in other folders.
 *
 * @param {string} program
 */
function located(program) {
  if (program.includes('/')) return resolve(program);
  const folder = (process.env['PATH'] ?? '')
    .split(delimiter)
    .find((entry) => existsSync(join(entry, program)));
  if (folder === undefined) throw new UsageError(`${program} is not in PATH`);
  return resolve(folder, program);
}

/** @param {string} path */
function isNodeScript(path) {
  if (/\.[cm]?js$/.test(path)) return true;
  return /^#!.*\bnode\b/.test(readFileSync(path, 'utf8').slice(0, 200));
}
