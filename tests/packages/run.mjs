// Are the packages usable from outside? Packs every public package, looks at what is in it, installs the tarballs into empty
// projects, runs and type-checks programs there that import every export; with Deno and Bun, if they are named or in PATH.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { packageProblems } from './package-problems.mjs';

const usage = `usage: npm run packages -- [options]

  --deno FILE      a Deno to run the evaluator with (default: from PATH, or without)
  --bun FILE       a Bun, likewise`;

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** @typedef {{ name: string, folder: string, tarball: string, exports: string[], dependencies: string[] }} Packed */

const program = `
import { readFileSync } from 'node:fs';
import { createEvaluator, createMemoryIO, evaluateJson } from '@neve/eval';
import { builtinDocs } from '@neve/eval/builtin-docs';
import { coreUrl } from '@neve/language';

const core = await WebAssembly.compile(new Uint8Array(readFileSync(coreUrl)));
const io = createMemoryIO({ core, files: { '/a.nix': '{ x }: x * 2' } });
const evaluator = createEvaluator({ core, io });
const value: unknown = await evaluateJson(evaluator, { kind: 'string', text: 'import ./a.nix { x = 21; }', directory: '/' });
console.log(JSON.stringify({ value, documented: builtinDocs.length > 100 }));
`;
const printed = '{"value":42,"documented":true}';

await runHarness(
  { usage, options: { deno: { type: 'string' }, bun: { type: 'string' } } },
  async ({ deno = inPath('deno'), bun = inPath('bun') }) => {
    const tally = new Tally();
    const folder = mkdtempSync(join(tmpdir(), 'neve-packages-'));
    try {
      /** @type {(name: string, problem: string | undefined) => void} */
      const record = (name, problem) => {
        tally.record(name, problem === undefined);
        console.log(
          `${problem === undefined ? '✓' : '✗'} ${name}${problem === undefined ? '' : `\n  ${problem}`}`,
        );
      };
      /** @type {Packed[]} */
      const packed = [];
      for (const name of readdirSync(join(root, 'packages'))) {
        const { problems, ...it } = await pack(join(root, 'packages', name), folder);
        record(
          `${it.name} has what it should and nothing else`,
          problems.length === 0 ? undefined : problems.join('\n  '),
        );
        packed.push(it);
      }
      await useEvaluator(closureOf('@neve/eval', packed), join(folder, 'alone'), record, { deno, bun });
      await useEverything(packed, join(folder, 'all'), record);
      return tally.conclude();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/**
 * A package with all of ours that it needs.
 *
 * @param {string} name
 * @param {readonly Packed[]} packed
 * @returns {Packed[]}
 */
function closureOf(name, packed) {
  const names = new Set([name]);
  for (const it of names) {
    for (const dependency of packed.find((other) => other.name === it)?.dependencies ?? [])
      names.add(dependency);
  }
  return packed.filter((it) => names.has(it.name));
}

/**
 * @param {string} folder
 * @param {string} target
 * @returns {Promise<Packed & { problems: string[] }>}
 */
async function pack(folder, target) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  // What an earlier run has left would be packed as well.
  for (const name of readdirSync(folder)) if (name.startsWith('LICENSE')) rmSync(join(folder, name));
  const { stdout } = await must(['npm', 'pack', '--json', '--pack-destination', target], folder);
  const [{ filename, files }] = JSON.parse(stdout);
  return {
    name: manifest.name,
    folder,
    tarball: join(target, filename),
    exports: Object.keys(manifest.exports).map((path) => join(manifest.name, path)),
    dependencies: Object.keys(manifest.dependencies ?? {}),
    problems: packageProblems(
      manifest,
      folder,
      files.map((/** @type {{ path: string }} */ file) => file.path),
    ),
  };
}

/**
 * @param {readonly Packed[]} packed
 * @param {string} folder
 * @param {(name: string, problem: string | undefined) => void} record
 * @param {{ deno: string | undefined, bun: string | undefined }} engines
 */
async function useEvaluator(packed, folder, record, { deno, bun }) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  await must(
    [
      'npm',
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      ...packed.map(({ tarball }) => tarball),
    ],
    folder,
  );
  writeFileSync(join(folder, 'main.ts'), program);
  writeFileSync(join(folder, 'main.js'), program.replace(': unknown', ''));
  record(
    'the evaluator, installed alone, runs in Node.js',
    await runs([process.execPath, 'main.js'], folder),
  );
  for (const mode of /** @type {const} */ (['nodenext', 'bundler'])) {
    record(`its types are right for ${mode}`, await typeChecks(folder, ['main.ts'], mode, false));
  }
  if (deno === undefined) console.log('– there is no Deno');
  else
    record(
      'it runs in Deno',
      await runs(
        [deno, 'run', '--no-remote', '--allow-read', '--node-modules-dir=manual', 'main.js'],
        folder,
      ),
    );
  if (bun === undefined) console.log('– there is no Bun');
  else record('it runs in Bun', await runs([bun, 'main.ts'], folder));
}

/**
 * All packages beside each other; what they need from elsewhere is what is installed in the project.
 *
 * @param {readonly Packed[]} packed
 * @param {string} folder
 * @param {(name: string, problem: string | undefined) => void} record
 */
async function useEverything(packed, folder, record) {
  const modules = join(folder, 'node_modules');
  for (const { name, tarball, dependencies } of packed) {
    mkdirSync(join(modules, name), { recursive: true });
    await must(['tar', '-xzf', tarball, '--strip-components=1', '-C', join(modules, name)], folder);
    for (const dependency of dependencies) if (!dependency.startsWith('@neve/')) link(dependency, modules);
  }
  link('@types/node', modules);
  link('undici-types', modules);
  writeFileSync(
    join(folder, 'package.json'),
    '{ "name": "everything", "private": true, "type": "module" }\n',
  );
  const all = packed.flatMap((it) => it.exports).filter((path) => !path.endsWith('.wasm'));
  const imports = all.map((path, index) => `import * as it${index} from '${path}';`).join('\n');
  const uses = `console.log([${all.map((_, index) => `it${index}`).join(', ')}].every((it) => Object.keys(it).length > 0));`;
  writeFileSync(join(folder, 'main.ts'), `${imports}\n${uses}\n`);
  writeFileSync(join(folder, 'main.js'), `${imports}\n${uses}\n`);
  record(
    `all ${all.length} exports can be imported`,
    await runs([process.execPath, 'main.js'], folder, 'true'),
  );
  for (const mode of /** @type {const} */ (['nodenext', 'bundler'])) {
    record(`types of all exports are right for ${mode}`, await typeChecks(folder, ['main.ts'], mode, true));
  }
}

/** @param {string} name @param {string} modules */
function link(name, modules) {
  const target = join(modules, name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), target);
}

/** @param {readonly string[]} command @param {string} cwd @param {string} [expected] */
async function runs(command, cwd, expected = printed) {
  const { code, stdout, stderr } = await runCommand(command, { cwd });
  return code === 0 && stdout.trim() === expected ? undefined : `ended with ${code}: ${stdout}${stderr}`;
}

/**
 * @param {string} cwd
 * @param {readonly string[]} files
 * @param {'nodenext' | 'bundler'} mode
 * @param {boolean} skipLibCheck
 */
async function typeChecks(cwd, files, mode, skipLibCheck) {
  writeFileSync(
    join(cwd, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        lib: ['es2023', 'dom', 'esnext.disposable'],
        module: mode === 'bundler' ? 'esnext' : 'nodenext',
        moduleResolution: mode,
        strict: true,
        noEmit: true,
        skipLibCheck,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files,
    }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { code, stdout } = await runCommand([process.execPath, tsc, '-p', 'tsconfig.json'], { cwd });
  return code === 0 ? undefined : stdout.split('\n').slice(0, 12).join('\n  ');
}

/** @param {readonly string[]} command @param {string} cwd */
async function must(command, cwd) {
  const outcome = await runCommand(command, { cwd });
  if (outcome.code !== 0) throw new Error(`${command.join(' ')} failed:\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

/** @param {string} name */
function inPath(name) {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((entry) => join(entry, name))
    .find((path) => existsSync(path));
}
