// Builds everything that is generated: the language core (WebAssembly), the packages (tsc) and the `neve`
// bundle (esbuild, with the core beside it). The first two run at once; the build fails when a step does.
//
//   node scripts/build.mjs [--force]     --force compiles the core although its sources have not changed
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const force = process.argv.includes('--force') ? ['--force'] : [];

const generated = [
  { name: 'language', script: 'packages/language/scripts/build.mjs', args: force },
  { name: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-b'] },
];
const bundle = { name: 'neve', script: 'apps/cli/scripts/bundle.mjs', args: [] };

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

const results = await Promise.all(generated.map(run));
process.exitCode = results.every(Boolean) && (await run(bundle)) ? 0 : 1;
