// Loads the evaluator into this process from the sources of the packages, as the `neve` bundle has them: nothing but
// the language core has to be built before.

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModule } from './bundle-module.mjs';
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
export function bundleEvaluator() {
  return bundleModule(join(here, 'evaluator-entry.mjs'));
}

/** Where the builds of the language core are. */
export const coreFolder = join(root, 'packages/language/build');

const coreFiles = { release: 'neve.wasm', debug: 'neve.debug.wasm', wide: 'neve64.wasm' };

/**
 * Reads a build of the language core.
 *
 * @param {'release' | 'debug' | 'wide'} kind
 * @param {string} [folder]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function readCore(kind, folder = coreFolder) {
  const path = join(folder, coreFiles[kind]);
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new UsageError(`there is no language core at ${path}; build the project first`, { cause });
  }
}
