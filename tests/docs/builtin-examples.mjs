// The examples of the reference of builtins, each run as a command in a folder with its files: what it prints is compared
// with the value that the reference shows.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleModule } from '../lib/bundle-module.mjs';
import { runCommand } from '../lib/command.mjs';
import { root } from './root.mjs';

/** @typedef {import('../../packages/eval/src/builtin-docs/builtin-doc.ts').BuiltinDoc} BuiltinDoc */
/** @typedef {import('../../packages/eval/src/builtin-docs/builtin-doc.ts').BuiltinExample} BuiltinExample */

/**
 * @typedef {object} Side
 * @property {'neve' | 'nix'} kind
 * @property {readonly string[]} program the words before the first argument: `neve`, or `nix-instantiate`
 * @property {NodeJS.ProcessEnv} env
 * @property {string} folder where examples get folders of their own
 */

/** @returns {Promise<readonly BuiltinDoc[]>} */
export async function readBuiltinDocs() {
  const url = await bundleModule(join(root, 'packages/eval/src/builtin-docs/index.ts'));
  return (await import(url)).builtinDocs;
}

/** Dates and names that make commits the same everywhere. */
const gitIdentity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '2024-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_COMMITTER_DATE: '2024-01-01T00:00:00Z',
  GIT_CONFIG_NOSYSTEM: '1',
};

/**
 * Runs one example; what is wrong with it, or nothing. What Neve does not support it has to refuse.
 *
 * @param {Pick<BuiltinDoc, "experimentalFeature" | "unsupported">} doc
 * @param {BuiltinExample} example
 * @param {Side} side
 * @returns {Promise<string | undefined>}
 */
export async function checkExample(doc, example, side) {
  const folder = mkdtempSync(join(side.folder, 'example-'));
  try {
    await prepare(folder, example, side.env);
    const { code, stdout, stderr } = await runCommand(wordsFor(doc, example, side), {
      cwd: folder,
      env: side.env,
    });
    const { error, value } = expectation(doc, example, side);
    if (error !== undefined) {
      if (code !== 0 && plain(stderr).includes(error)) return undefined;
      return `should fail with "${error}", but ended with ${code}:\n${stdout}${stderr}`;
    }
    if (code === 0 && stdout.trimEnd() === value) return undefined;
    return `should be ${value}, but is:\n${stdout}${stderr}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Pick<BuiltinDoc, "experimentalFeature" | "unsupported">} doc
 * @param {BuiltinExample} example
 * @param {Side} side
 * @returns {{ error?: string | undefined, value?: string | undefined }}
 */
function expectation(doc, example, { kind }) {
  return kind === 'neve' && doc.unsupported !== undefined ? { error: 'Neve cannot' } : example;
}

/**
 * @param {Pick<BuiltinDoc, "experimentalFeature" | "unsupported">} doc
 * @param {BuiltinExample} example
 * @param {Side} side
 */
function wordsFor({ experimentalFeature }, { expression, needs }, { kind, program }) {
  const features = experimentalFeature === undefined ? '' : `${experimentalFeature} ca-derivations`;
  const common = ['--extra-experimental-features', features, '--expr', expression];
  if (kind === 'neve' && needs !== undefined) return [...program, 'eval', '--impure', ...common];
  const command = kind === 'neve' ? [...program, 'instantiate'] : program;
  const mode = needs !== undefined ? ['--read-write-mode'] : [];
  return [...command, '--eval', '--strict', ...mode, ...common];
}

/**
 * @param {string} folder
 * @param {BuiltinExample} example
 * @param {NodeJS.ProcessEnv} env
 */
async function prepare(folder, { files = {}, isRepository = false }, env) {
  for (const [name, contents] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof contents === 'string' ? contents : Buffer.from(contents.base64, 'base64'));
  }
  if (!isRepository) return;
  for (const words of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-q', '-m', 'first'],
  ]) {
    const { code, stderr } = await runCommand(['git', ...words], {
      cwd: folder,
      env: { ...env, ...gitIdentity },
    });
    if (code !== 0) throw new Error(`git ${words.join(' ')} failed: ${stderr}`);
  }
}

/** @param {string} text */
function plain(text) {
  // oxlint-disable-next-line no-control-regex -- escape sequences of colours
  return text.replace(/\u001B\[[0-9;]*m/g, '');
}
