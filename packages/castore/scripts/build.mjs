// Compiles the hot loops of castore, `assembly/index.ts`, to WebAssembly and writes the module as text to
// `build/castore-wasm.js`, so that it is found by sources, by `dist` and by bundlers alike, without a file to open.
// The build is skipped when no source changed since; `--force` compiles anyway.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintAssembly } from '../../language/scripts/lint-assembly.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'assembly');
/** What the language core has, too. */
const shared = ['hash/blake3-compression.ts', 'numbers/bits.ts'].map((name) =>
  join(root, '../language/assembly', name),
);
const build = join(root, 'build');
const target = join(build, 'castore-wasm.js');
const options = ['--runtime', 'stub', '--enable', 'simd', '-O3', '--noAssert'];

/** What the module depends on, as one hash: sources, compiler, options and this script. */
function fingerprint() {
  const hash = createHash('sha256');
  const compiler = createRequire(import.meta.url)('assemblyscript/package.json').version;
  hash.update(JSON.stringify([compiler, options]));
  const files = readdirSync(sources)
    .sort()
    .map((name) => join(sources, name));
  for (const file of [...files, ...shared, fileURLToPath(import.meta.url)]) {
    hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * The numbers that bytes draw in the gear hash of FastCDC: the first eight bytes, the highest first, of the MD5 of 64
 * bytes which all have the value of the byte. (So do destor, the authors' implementation, and those that follow it.)
 */
function gearTable() {
  const numbers = Array.from({ length: 256 }, (_, byte) =>
    createHash('md5').update(new Uint8Array(64).fill(byte)).digest('hex').slice(0, 16),
  );
  const rows = Array.from({ length: 64 }, (_, row) =>
    numbers
      .slice(row * 4, row * 4 + 4)
      .map((hex) => `0x${hex}, `)
      .join(''),
  );
  return `/** Made by scripts/build.mjs. */\nexport const GEAR: usize = memory.data<u64>([\n${rows.join('\n')}\n]);\n`;
}

/**
 * Runs asc in a process of its own.
 *
 * @param {string} output
 * @returns {Promise<boolean>}
 */
function compile(output) {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const args = [asc, 'assembly/index.ts', '--outFile', relative(root, output), ...options];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('close', (code) => resolve(code === 0));
  });
}

/**
 * Writes a file that is complete as soon as it has its name.
 *
 * @param {string} file
 * @param {string} text
 */
function writeWhole(file, text) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** @param {readonly string[]} args */
async function main(args) {
  const stamp = `${target}.stamp`;
  const print = fingerprint();
  if (!args.includes('--force') && existsSync(target) && existsSync(stamp)) {
    if (readFileSync(stamp, 'utf8') === print) {
      console.log('castore-wasm.js: unchanged');
      return true;
    }
  }
  const problems = lintAssembly(sources);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) return false;
  mkdirSync(build, { recursive: true });
  writeWhole(join(build, 'gear.ts'), gearTable());
  const module = join(build, `castore.${process.pid}.wasm`);
  try {
    if (!(await compile(module))) return false;
    const bytes = readFileSync(module);
    const comment = '/** The WebAssembly module of castore, in base64. Made by scripts/build.mjs. */\n';
    writeWhole(join(build, 'castore-wasm.d.ts'), `${comment}export declare const castoreWasm: string;\n`);
    writeWhole(target, `${comment}export const castoreWasm =\n  '${bytes.toString('base64')}';\n`);
    writeFileSync(stamp, print);
    console.log(`castore-wasm.js: ${bytes.length} bytes of WebAssembly`);
    return true;
  } finally {
    rmSync(module, { force: true });
  }
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
