// Evaluates in a browser: the same core and the same packages run in a worker of headless Chromium, over files that
// come from a server, and every answer must be Node's. Files are fetched while evaluation waits for them, and again
// with all of them there before it begins; both builds of the core take part. Where a Nix is given, what Node's
// evaluator answers must be that Nix's answer, too.

import { build } from 'esbuild';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { nixImplementation } from '../lib/implementation.mjs';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, countOption, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { casesFor } from './cases.mjs';
import { findChromium, openPage } from './chromium.mjs';
import { servePage } from './page-server.mjs';

const usage = `usage: npm run browser -- [options]

  --nixpkgs TREE     a nixpkgs, whose lib is evaluated (default: the library among the examples)
  --nixpkgs-lib DIR  the lib of a nixpkgs without the rest
  --nix-bin DIR      folder of a Nix to compare Node's answers with
  --chromium PATH    the browser (default: the one in PATH)
  --core DIR         where neve.wasm and neve.debug.wasm are (default: where the build puts them)
  --optional         passes without a browser, and says so
  --seconds N        how long the browser may take (default: 300)`;

const here = dirname(fileURLToPath(import.meta.url));

/** @type {import('./worker.mjs').Task['runs']} */
const runs = [
  { name: 'release core, files fetched', core: '/neve.wasm', files: 'fetched' },
  { name: 'release core, files preloaded', core: '/neve.wasm', files: 'preloaded' },
  { name: 'debug core, files fetched', core: '/neve.debug.wasm', files: 'fetched' },
];

await runHarness(
  {
    usage,
    options: {
      nixpkgs: { type: 'string' },
      'nixpkgs-lib': { type: 'string' },
      'nix-bin': { type: 'string' },
      chromium: { type: 'string' },
      core: { type: 'string' },
      optional: { type: 'boolean' },
      seconds: { type: 'string' },
    },
  },
  async (values) => {
    const chromium = values['chromium'] ?? findChromium();
    if (chromium === undefined) {
      if (values['optional'] !== true) throw new UsageError('there is no Chromium in PATH; install one');
      console.log('skipped: there is no Chromium in PATH');
      console.log('0 passed, 0 failed');
      return true;
    }
    const { library, files } = chosenLibrary(values);
    const { directory } = files;
    const expressions = casesFor(library);
    const cores = { release: readCore('release', values['core']), debug: readCore('debug', values['core']) };
    const expected = await answersOfNode(expressions, { directory, core: cores.release });
    const reports = await answersOfBrowser({
      chromium,
      expressions,
      files,
      cores,
      seconds: countOption('seconds', values['seconds'], 300),
    });
    const tally = new Tally();
    if (values['nix-bin'] !== undefined) {
      await compareWithNix(nixImplementation(values['nix-bin']), { expressions, expected, directory, tally });
    }
    return compare({ expressions, expected, reports, tally });
  },
);

/**
 * @param {Record<string, any>} values
 * @returns {{ library: 'example' | 'nixpkgs-lib' | 'nixpkgs', files: import('./page-server.mjs').Files }}
 */
function chosenLibrary(values) {
  const tree = values['nixpkgs'];
  const library =
    tree !== undefined ? 'nixpkgs' : values['nixpkgs-lib'] !== undefined ? 'nixpkgs-lib' : 'example';
  const folder =
    tree === undefined ? (values['nixpkgs-lib'] ?? join(here, '../../examples/library')) : join(tree, 'lib');
  if (!existsSync(join(folder, 'default.nix'))) throw new UsageError(`there is no default.nix in ${folder}`);
  const directory = realpathSync(resolve(folder));
  const further = library === 'nixpkgs' ? [join(dirname(directory), '.version')] : [];
  return { library, files: { directory, further } };
}

/**
 * @param {readonly string[]} expressions
 * @param {{ directory: string, core: Uint8Array<ArrayBuffer> }} world
 */
async function answersOfNode(expressions, { directory, core: bytes }) {
  const { evaluateCases, createFileSystemIO } = await loadEvaluator();
  const io = createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: {},
    currentTime: 0,
    onMessage: () => {},
  });
  const core = await WebAssembly.compile(bytes);
  return await evaluateCases(expressions, { core, io, directory });
}

/**
 * @param {{ chromium: string, expressions: readonly string[], files: import('./page-server.mjs').Files, cores: { release: Uint8Array, debug: Uint8Array }, seconds: number }} options
 * @returns {Promise<import('./worker.mjs').RunReport[]>}
 */
async function answersOfBrowser({ chromium, expressions, files, cores, seconds }) {
  const server = await servePage({
    worker: await bundleWorker(),
    cores: { '/neve.wasm': cores.release, '/neve.debug.wasm': cores.debug },
    task: { expressions, directory: files.directory, runs },
    files,
  });
  const browser = openPage(chromium, server.url);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<{ failure: string }>} */
  const late = new Promise((resolveLate) => {
    timer = setTimeout(() => resolveLate({ failure: `no answer within ${seconds} seconds` }), seconds * 1000);
  });
  try {
    const ended = browser.ended.then((how) => ({ failure: how }));
    /** @type {any} */
    const outcome = await Promise.race([server.report, ended, late]);
    if (outcome.failure !== undefined) throw new Error(`the browser failed: ${outcome.failure}`);
    return outcome.reports;
  } finally {
    clearTimeout(timer);
    await browser.close();
    server.close();
  }
}

/** The worker as one script, made for a browser: whatever needs Node.js would fail here. */
async function bundleWorker() {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'worker.mjs')],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2023',
    conditions: ['source'],
    logLevel: 'warning',
  });
  const [script] = outputFiles;
  if (script === undefined) throw new Error('esbuild gave no script');
  return script.contents;
}

/**
 * What Node's evaluator answered must be what Nix prints; where it fails, Nix must fail.
 *
 * @param {import('../lib/implementation.mjs').Implementation} nix
 * @param {{ expressions: readonly string[], expected: readonly string[], directory: string, tally: Tally }} answers
 */
async function compareWithNix(nix, { expressions, expected, directory, tally }) {
  await withNixEnvironment(
    { settings: 'extra-experimental-features = pipe-operators\n' },
    async ({ variables }) => {
      for (const [index, expression] of expressions.entries()) {
        const command = [...nix.instantiate, '--eval', '--strict', '-E', expression];
        const { code, stdout } = await runCommand(command, { cwd: directory, env: variables });
        const own = expected[index] ?? '';
        const same = code === 0 ? stdout.trimEnd() === own : own.startsWith('error:');
        tally.record(`node and nix: ${expression}`, same);
        if (!same)
          console.log(`DIFFERENT from Nix: ${expression}\n  node: ${own}\n  nix:  ${stdout || 'fails'}`);
      }
    },
  );
  console.log(`Nix was asked ${expressions.length} expressions`);
}

/**
 * @param {{ expressions: readonly string[], expected: readonly string[], reports: readonly import('./worker.mjs').RunReport[], tally: Tally }} results
 */
function compare({ expressions, expected, reports, tally }) {
  for (const { name, answers, milliseconds } of reports) {
    console.log(`${name}: ${expressions.length} expressions in ${Math.round(milliseconds)} ms`);
    for (const [index, expression] of expressions.entries()) {
      const same = answers[index] === expected[index];
      tally.record(`${name}: ${expression}`, same);
      if (same) continue;
      console.log(`DIFFERENT, ${name}: ${expression}`);
      console.log(`  node:    ${expected[index]}`);
      console.log(`  browser: ${answers[index]}`);
    }
  }
  const failures = expected.filter((answer) => answer.startsWith('error:')).length;
  console.log(`${expressions.length} expressions, ${failures} of which fail as Node's do`);
  return tally.conclude();
}
