// Compiles the language core, `assembly/index.ts`, to `build/neve.wasm` (release) and `build/neve.debug.wasm`
// (with assertions and names), and `build/neve64.wasm` for memories beyond 4 GiB. A build is skipped when no source changed since; `--force` compiles anyway,
// `--release` or `--debug` compiles only that one; so does `--wide`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportGlobals } from './export-globals.mjs';
import { lintAssembly } from './lint-assembly.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'assembly');
const build = join(root, 'build');

/** Options of both builds. Addresses below the memory base are never data, so that 0 can mean "none". */
const shared = ['--runtime', 'stub', '--memoryBase', '8192'];
/** For addresses of 64 bits. */
const wide = ['--enable', 'memory64', '--transform', './scripts/memory64.mjs'];
/** @type {Build[]} */
const builds = [
  { name: 'release', output: 'neve.wasm', options: ['-O3', '--noAssert'] },
  { name: 'debug', output: 'neve.debug.wasm', options: ['-O1', '--debug'] },
  { name: 'wide', output: 'neve64.wasm', options: ['-O3', '--noAssert', ...wide] },
];

/** @typedef {{ name: string, output: string, options: readonly string[] }} Build */

/**
 * All files under a folder, in a stable order.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : [path];
    })
    .sort();
}

/**
 * What a build depends on, as one hash: sources, compiler and options.
 *
 * @param {readonly string[]} options
 */
function fingerprint(options) {
  const hash = createHash('sha256');
  const compiler = createRequire(import.meta.url)('assemblyscript/package.json').version;
  hash.update(JSON.stringify([compiler, shared, options]));
  for (const script of ['export-globals.mjs', 'memory64.mjs'])
    hash.update(readFileSync(join(root, 'scripts', script)));
  for (const file of filesUnder(sources)) {
    hash.update(`\0${relative(sources, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * Runs asc in a process of its own; the module appears under its name only when it is complete.
 *
 * @param {Build} build
 * @param {boolean} force
 * @returns {Promise<boolean>}
 */
function compile({ name, output, options }, force) {
  const target = join(build, output);
  const stamp = `${target}.stamp`;
  const print = fingerprint(options);
  if (!force && existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === print) {
    console.log(`${output}: unchanged`);
    return Promise.resolve(true);
  }
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const temporary = `${target}.${process.pid}`;
  const args = ['assembly/index.ts', '--outFile', relative(root, temporary), ...shared, ...options];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [asc, ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('close', (code) => {
      if (code === 0) {
        writeFileSync(temporary, exportGlobals(readFileSync(temporary)));
        renameSync(temporary, target);
        writeFileSync(stamp, print);
        console.log(`${output}: ${readFileSync(target).length} bytes (${name})`);
      } else {
        rmSync(temporary, { force: true });
      }
      resolve(code === 0);
    });
  });
}

/** @param {readonly string[]} args */
async function main(args) {
  if (!existsSync(join(sources, 'index.ts'))) {
    console.log('assembly/index.ts does not exist yet: nothing to compile');
    return true;
  }
  const problems = lintAssembly(sources);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return false;
  mkdirSync(build, { recursive: true });
  const chosen = builds.filter(({ name }) => args.includes(`--${name}`));
  const results = await Promise.all(
    (chosen.length > 0 ? chosen : builds).map((it) => compile(it, args.includes('--force'))),
  );
  return results.every(Boolean);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
