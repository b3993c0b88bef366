// Runs what a page of the documentation shows, in a folder of the page's own with the project's examples in it, one block
// after the other, so that a block finds what those before it have made.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { checkExample } from './builtin-examples.mjs';
import { blocksOf } from './marked-blocks.mjs';
import { root } from './root.mjs';

/** @typedef {import('./builtin-examples.mjs').Side} Side */

/**
 * @typedef {object} PageReport
 * @property {{ name: string, problem: string | undefined }[]} checks
 * @property {string[]} skipped blocks that say why they cannot be run
 */

/**
 * @param {string} file relative to the repository
 * @param {readonly Side[]} sides commands are run with the first, expressions with all
 * @returns {Promise<PageReport>}
 */
export async function checkPage(file, sides) {
  /** @type {PageReport} */
  const report = { checks: [], skipped: [] };
  const [first] = sides;
  if (first === undefined) return report;
  // Below the packages that are installed, for programs that import them.
  const above = join(root, 'node_modules/.cache/neve-docs');
  mkdirSync(above, { recursive: true });
  const folder = mkdtempSync(join(above, 'page-'));
  cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  for (const block of blocksOf(readFileSync(join(root, file), 'utf8'))) {
    const name = `${file}:${block.line}`;
    if (block.kind === 'skipped') report.skipped.push(`${name}: ${block.reason}`);
    else if (block.kind === 'unmarked') {
      const problem = `a block '${block.info}' should say 'run', 'eval' or 'skip=REASON'`;
      report.checks.push({ name, problem });
    } else if (block.kind === 'file') writeFileSync(join(folder, block.name), block.text);
    else if (block.kind === 'console')
      report.checks.push({ name, problem: await runConsole(block, folder, first) });
    else if (block.kind === 'sh' || block.kind === 'js') {
      report.checks.push({ name, problem: await runProgram(block, folder, first) });
    } else if (block.kind === 'nix')
      for (const side of sides)
        report.checks.push({ name: `${name} (${side.kind})`, problem: await runNix(block, side) });
  }
  rmSync(folder, { recursive: true, force: true });
  return report;
}

/**
 * @param {import('./marked-blocks.mjs').ProgramBlock} block
 * @param {string} folder
 * @param {Side} side
 */
async function runProgram({ kind, text, output }, folder, { env }) {
  const command =
    kind === 'sh'
      ? ['bash', '--norc', '-euo', 'pipefail', '-c', text]
      : [process.execPath, '--input-type=module', '--eval', text];
  const outcome = await runCommand(command, { cwd: folder, env });
  if (outcome.code !== 0) return `ended with ${outcome.code}:\n${outcome.stdout}${outcome.stderr}`;
  if (output === undefined || outcome.stdout.trimEnd() === output.trimEnd()) return undefined;
  return `should print\n${output}but prints\n${outcome.stdout}${outcome.stderr}`;
}

/**
 * What a person sees who types the commands: both streams. Here a command may fail, and `…` stands for anything.
 *
 * @param {import('./marked-blocks.mjs').ConsoleBlock} block
 * @param {string} folder
 * @param {Side} side
 */
async function runConsole({ commands, output }, folder, { env }) {
  const script = commands.map((command) => `{ ${command}\n} 2>&1`).join('\n');
  const { stdout } = await runCommand(['bash', '--norc', '-c', script], { cwd: folder, env });
  const pattern = output
    .trimEnd()
    .split('…')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  if (new RegExp(`^${pattern.join('.*')}$`).test(stdout.trimEnd())) return undefined;
  return `should print\n${output}but prints\n${stdout}`;
}

/**
 * @param {import('./marked-blocks.mjs').NixBlock} block
 * @param {Side} side
 */
async function runNix({ text, files, features, value, error }, side) {
  if (value === undefined && error === undefined) return 'no value or error follows';
  const example = { expression: text, files, ...(error === undefined ? { value: value ?? '' } : { error }) };
  return await checkExample(features === '' ? {} : { experimentalFeature: features }, example, side);
}

/**
 * Programs for PATH: `neve` is the one of this project, and so is `npx neve`.
 *
 * @param {string} folder
 * @returns {string} the folder of the programs
 */
export function neveInPath(folder) {
  const bin = join(folder, 'bin');
  const program = join(root, 'apps/cli/dist/neve.cjs');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'neve'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  return bin;
}
