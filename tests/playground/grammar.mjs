// Measures the editor's grammar on real files: of those that the language core reads without a syntax error, how many
// have no error in the editor's tree.
//
//   node tests/playground/grammar.mjs TREE [--every N] [--list]

import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';

const parserModule = join(
  dirname(fileURLToPath(import.meta.url)),
  '../../apps/playground/src/nix-language/parser.ts',
);

/** @typedef {{ files: number, refused: number, withErrors: { path: string, offset: number }[], bytes: number, milliseconds: number }} Measured */

/**
 * @param {string} tree a folder with Nix files
 * @param {number} [every] one file of so many
 * @returns {Promise<Measured>}
 */
export async function measureGrammar(tree, every = 1) {
  /** @type {{ parser: import('@lezer/lr').LRParser }} */
  const { parser } = await import(await bundleModule(parserModule));
  const accepts = await coreParser();
  /** @type {Measured} */
  const measured = { files: 0, refused: 0, withErrors: [], bytes: 0, milliseconds: 0 };
  for (const [index, path] of nixFiles(tree).entries()) {
    if (index % every !== 0) continue;
    const text = readFileSync(path);
    if (!(await accepts(text))) {
      measured.refused += 1;
      continue;
    }
    measured.files += 1;
    measured.bytes += text.length;
    const started = performance.now();
    const parsed = parser.parse(text.toString('utf8'));
    measured.milliseconds += performance.now() - started;
    const offset = firstError(parsed);
    if (offset !== undefined) measured.withErrors.push({ path, offset });
  }
  return measured;
}

/** Whether the language core parses a text. An evaluator keeps every source, so that it is replaced now and then. */
async function coreParser() {
  const { createEvaluator, createFileSystemIO, EvaluationError } = await loadEvaluator();
  const core = await WebAssembly.compile(readCore('release'));
  const io = createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: {},
    currentTime: 0,
    onMessage: () => {},
  });
  const settings = { homeDirectory: '/home/user', experimentalFeatures: new Set(['pipe-operators']) };
  let evaluator = createEvaluator({ core, io, settings });
  let bytes = 0;
  return async (/** @type {Uint8Array} */ text) => {
    bytes += text.length;
    if (bytes > 50_000_000) {
      evaluator = createEvaluator({ core, io, settings });
      bytes = 0;
    }
    try {
      await evaluator.parse({ kind: 'string', text, directory: '/' });
      return true;
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      // An undefined variable is no syntax error.
      return error.message.startsWith('undefined variable');
    }
  };
}

/** @param {import('@lezer/common').Tree} tree */
function firstError(tree) {
  /** @type {number | undefined} */
  let found;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) found ??= node.from;
      return found === undefined;
    },
  });
  return found;
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function nixFiles(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = lstatSync(path);
      if (stats.isDirectory()) return name === 'node_modules' ? [] : nixFiles(path);
      return stats.isFile() && name.endsWith('.nix') ? [path] : [];
    });
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { every: { type: 'string' }, list: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [tree] = positionals;
  if (tree === undefined) throw new Error('say which folder is to be measured');
  const { files, refused, withErrors, bytes, milliseconds } = await measureGrammar(
    tree,
    Number(values.every ?? 1),
  );
  if (values.list === true) for (const { path, offset } of withErrors) console.log(`${path}:${offset}`);
  const clean = files - withErrors.length;
  console.log(
    `${files} files that the core parses (${refused} that it refuses), ${(bytes / 1e6).toFixed(1)} MB`,
  );
  console.log(`${clean} without an error node: ${((clean / files) * 100).toFixed(3)} %`);
  console.log(`${(bytes / 1e3 / milliseconds).toFixed(1)} MB/s`);
}
