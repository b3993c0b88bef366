// What the `neve` command says about the programs of the playground: their files are in a folder, and its store is empty.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';

const neve = join(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/dist/neve.cjs');

/** @typedef {{ name: string, text: string }} File */

/**
 * The value of the first file as the command prints it; `undefined` when it fails.
 *
 * @param {readonly File[]} files
 * @param {boolean} strict
 * @returns {Promise<string | undefined>}
 */
export async function printedByCommand(files, strict) {
  return await withFiles(files, async (folder) => {
    const options = [
      'instantiate',
      '--eval',
      '--read-write-mode',
      ...(strict ? ['--strict'] : []),
      ...common(folder),
    ];
    const { code, stdout } = await runCommand([process.execPath, neve, ...options, files[0]?.name ?? ''], {
      cwd: folder,
    });
    return code === 0 ? stdout.trimEnd() : undefined;
  });
}

/**
 * The paths that `neve instantiate` prints.
 *
 * @param {string} expression
 * @returns {Promise<string[]>}
 */
export async function instantiatedByCommand(expression) {
  return await withFiles([], async (folder) => {
    const { code, stdout, stderr } = await runCommand(
      [process.execPath, neve, 'instantiate', ...common(folder), '--expr', expression],
      { cwd: folder },
    );
    if (code !== 0) throw new Error(`neve instantiate failed: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/!.*$/, ''));
  });
}

/** @param {string} folder */
function common(folder) {
  return [
    '--physical-store-dir',
    join(folder, 'store'),
    '--option',
    'extra-experimental-features',
    'pipe-operators',
    '--option',
    'system',
    'x86_64-linux',
  ];
}

/**
 * @template T
 * @param {readonly File[]} files
 * @param {(folder: string) => Promise<T>} use
 */
async function withFiles(files, use) {
  const folder = mkdtempSync(join(tmpdir(), 'neve-playground-'));
  try {
    mkdirSync(join(folder, 'store'));
    for (const { name, text } of files) writeFileSync(join(folder, name), text);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
