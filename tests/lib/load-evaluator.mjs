// Loads the evaluator into this process from the sources of the packages, as the `neve` bundle has them: nothing but
// the language core has to be built before.

import { build } from 'esbuild';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from './options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

/** @typedef {typeof import('./evaluator-entry.mjs')} EvaluatorLibrary */

/** @returns {Promise<EvaluatorLibrary>} */
export async function loadEvaluator() {
  return await import(await bundleEvaluator());
}

/**
 * Bundles the evaluator, and gives the URL of the bundle to import; threads share one.
 *
 * @returns {Promise<string>}
 */
export async function bundleEvaluator() {
  const folder = join(root, 'node_modules/.cache/neve-tests');
  mkdirSync(folder, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [join(here, 'evaluator-entry.mjs')],
    outfile: join(folder, 'evaluator.mjs'),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    conditions: ['source'],
    logLevel: 'warning',
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error('esbuild gave no bundle');
  // Named for what is in it, so that runs at the same time do not disturb each other.
  const file = join(folder, `evaluator-${bundle.hash.replace(/[^A-Za-z0-9]/g, '-')}.mjs`);
  writeFileSync(`${file}.${process.pid}`, bundle.contents);
  renameSync(`${file}.${process.pid}`, file);
  return pathToFileURL(file).href;
}

/** Where the builds of the language core are. */
export const coreFolder = join(root, 'packages/language/build');

/**
 * Reads a build of the language core.
 *
 * @param {'release' | 'debug'} kind
 * @param {string} [folder]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function readCore(kind, folder = coreFolder) {
  const path = join(folder, kind === 'release' ? 'neve.wasm' : 'neve.debug.wasm');
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new UsageError(`there is no language core at ${path}; build the project first`, { cause });
  }
}
