// Builds everything that is generated: the language core and castore's hashes (WebAssembly), the playground's grammar, the
// packages (tsc, which needs the types of the last two), the `neve` bundle (esbuild, with the core beside it) and the
// playground (Vite). What can runs at once; the build fails when a step does.
//
//   node scripts/build.mjs [--force]     --force compiles WebAssembly although its sources have not changed
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeStaleOutputs } from './remove-stale-outputs.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const force = process.argv.includes('--force') ? ['--force'] : [];

const language = { name: 'language', script: 'packages/language/scripts/build.mjs', args: force };
const castore = { name: 'castore', script: 'packages/castore/scripts/build.mjs', args: force };
const grammar = { name: 'grammar', script: 'apps/playground/scripts/build-grammar.mjs', args: [] };
const types = { name: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-b'] };
const bundle = { name: 'neve', script: 'apps/cli/scripts/bundle.mjs', args: [] };
const playground = {
  name: 'playground',
  script: 'node_modules/vite/bin/vite.js',
  args: ['build', 'apps/playground', '--logLevel', 'warn'],
};

/**
 * Runs one step; its output is printed when it ends, so that steps do not interleave.
 *
 * @param {{ name: string, script: string, args: readonly string[] }} step
 * @returns {Promise<boolean>}
 */
function run({ name, script, args }) {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stdout.write(Buffer.concat(output));
      console.log(`${name}: ${code === 0 ? 'built' : 'FAILED'} in ${seconds} s`);
      resolve(code === 0);
    });
  });
}

const generated = Promise.all([run(castore), run(grammar)]);
const results = await Promise.all([
  run(language),
  generated.then((built) => built.every(Boolean) && run(types)),
]);
const bundles = results.every(Boolean) ? await Promise.all([run(bundle), run(playground)]) : [false];
removeStaleOutputs();
process.exitCode = bundles.every(Boolean) ? 0 : 1;
