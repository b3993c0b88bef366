// Bundles a module with what it imports from the packages' sources, as the `neve` bundle has them: nothing has to be built
// before, and no dependency of the tests has to be declared. What comes from registries stays outside of the bundle.

import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Gives the URL of the bundle to import; threads share one.
 *
 * @param {string} entry
 * @returns {Promise<string>}
 */
export async function bundleModule(entry) {
  const folder = join(root, 'node_modules/.cache/neve-tests');
  mkdirSync(folder, { recursive: true });
  const name = basename(entry, '.mjs');
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile: join(folder, `${name}.mjs`),
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    conditions: ['source'],
    external: foreignPackages(),
    logLevel: 'warning',
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error('esbuild gave no bundle');
  // Named for what is in it, so that runs at the same time do not disturb each other.
  const file = join(folder, `${name}-${bundle.hash.replace(/[^A-Za-z0-9]/g, '-')}.mjs`);
  writeFileSync(`${file}.${process.pid}`, bundle.contents);
  renameSync(`${file}.${process.pid}`, file);
  return pathToFileURL(file).href;
}

function foreignPackages() {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const path = join(root, 'packages', name, 'package.json');
    const manifest = /** @type {{ dependencies?: Record<string, string> }} */ (
      JSON.parse(readFileSync(path, 'utf8'))
    );
    return Object.keys(manifest.dependencies ?? {}).filter((it) => !it.startsWith('@neve/'));
  });
}
