// Compares what the builtins that fetch give with a real Nix: every attribute, the store path, and for what is wrong the message.
//
// Repositories, archives and a server of HTTP are made for it. Nix evaluates `builtins.fetchGit { … }` and its like in a store
// and with a cache of its own; Neve reads the same arguments through `@neve/fetch` and fetches into memory.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { runCommand } from '../lib/command.mjs';
import { withNixEnvironment } from '../lib/nix-environment.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { makeArchives } from './archives.mjs';
import { allCases } from './cases.mjs';
import { serveFolder } from './file-server.mjs';
import { makeRepositories } from './git-repositories.mjs';
import { makeMercurialRepositories } from './mercurial-repositories.mjs';
import { attributeMap, nixText } from './nix-text.mjs';
import { serveSsh } from './ssh-server.mjs';

const usage = `usage: node tests/fetch/run.mjs [options]

  --nix-bin DIR    folder of the Nix to compare with (default: from PATH)
  --filter TEXT    only cases whose expression has the text in it`;

const settings = `experimental-features = nix-command flakes fetch-tree
substituters =
build-users-group =
flake-registry =
download-attempts = 1
`;

const here = dirname(fileURLToPath(import.meta.url));
/** @type {ReadonlySet<import('@neve/fetch').ExperimentalFeature>} */
const features = new Set([/** @type {const} */ ('flakes')]);

/** @typedef {typeof import('./fetch-entry.mjs')} Library */
/** @typedef {import('./cases.mjs').Case} Case */
/** @typedef {{ readonly value: string } | { readonly message: string }} Outcome */

const options = /** @type {const} */ ({ 'nix-bin': { type: 'string' }, filter: { type: 'string' } });

await runHarness({ usage, options }, (values) =>
  withNixEnvironment({ settings }, async ({ folder, variables }) => {
    /** @type {Library} */
    const library = await import(await bundleModule(join(here, 'fetch-entry.mjs')));
    mkdirSync(join(folder, 'archives'));
    const archives = makeArchives(join(folder, 'archives'));
    const revisions = makeRepositories(folder);
    const hasMercurial = makeMercurialRepositories(folder);
    if (!hasMercurial) console.log('without the cases of Mercurial, as hg is not installed');
    const server = await serveFolder(folder);
    const ssh = await serveSsh(folder);
    if (ssh === undefined) console.log('without the cases of SSH, as sshd is not installed');
    else process.env['GIT_SSH_COMMAND'] = ssh.command;
    try {
      const places = { folder, server: server.url, ssh: ssh?.url, revisions, archives, hasMercurial };
      const nix = realNix({
        bin: values['nix-bin'],
        folder,
        variables: { ...variables, ...(ssh !== undefined && { GIT_SSH_COMMAND: ssh.command }) },
      });
      const cases = allCases(places);
      return await compareAll({ cases, nix, library, folder, filter: values['filter'] ?? '' });
    } finally {
      ssh?.close();
      server.close();
    }
  }),
);

/**
 * @param {{ cases: readonly Case[], nix: (test: Case) => Promise<Outcome>, library: Library, folder: string, filter: string }} comparison
 */
async function compareAll({ cases, nix, library, folder, filter }) {
  const tally = new Tally();
  for (const test of cases) {
    const name = `${test.pure === true ? 'pure: ' : ''}${expressionOf(test)}`;
    if (!name.includes(filter)) continue;
    const theirs = await nix(test);
    const ours = await neve(test, { library, cacheFolder: join(folder, 'neve') });
    const ok = isSame(test, ours, theirs);
    if (!ok) console.log(`\n${name}\n  ours   ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}`);
    tally.record(name, ok);
  }
  for (const failure of tally.failures) console.log(`FAILED ${failure}`);
  return tally.conclude();
}

/**
 * @param {Case} test
 * @param {Outcome} ours
 * @param {Outcome} theirs
 */
function isSame({ same }, ours, theirs) {
  if (same === 'failure') return 'message' in ours && 'message' in theirs;
  if (same === 'ours') return 'value' in ours && 'message' in theirs;
  return JSON.stringify(ours) === JSON.stringify(theirs) && 'value' in ours === (same === 'result');
}

/** @param {Case} test */
function expressionOf({ builtin, argument }) {
  return `builtins.${builtin} ${typeof argument === 'string' ? nixText(argument) : `(${nixText(argument)})`}`;
}

/**
 * @param {{ bin: string | undefined, folder: string, variables: NodeJS.ProcessEnv }} place
 * @returns {(test: Case) => Promise<Outcome>}
 */
function realNix({ bin, folder, variables }) {
  const program = bin === undefined ? 'nix-instantiate' : join(resolve(bin), 'nix-instantiate');
  const { NIX_REMOTE: _, ...env } = variables;
  return async (test) => {
    // A cache of one case only: Nix remembers counts of commits by revision, wherever they came from.
    rmSync(join(folder, 'home/.cache'), { recursive: true, force: true });
    const text = `let it = ${expressionOf(test)}; in
      if builtins.isAttrs it then removeAttrs it [ "outPath" ] // { path = it.outPath; } else { path = it; }`;
    const words = ['--eval', '--json', '--strict', '--store', join(folder, 'store'), '--expr', text];
    const pure = test.pure === true ? ['--option', 'pure-eval', 'true'] : [];
    const outcome = await runCommand([program, ...words, ...pure], { env, cwd: folder }).catch(
      (/** @type {Error} */ error) => {
        throw new UsageError(`${error.message}; name the folder of a Nix with --nix-bin`);
      },
    );
    if (outcome.code === 0) return { value: canonical(JSON.parse(outcome.stdout)) };
    return { message: errorOf(outcome.stderr) };
  };
}

/**
 * What stands behind the last `error:`, without the position in the source.
 *
 * @param {string} stderr
 */
function errorOf(stderr) {
  const [, message = stderr] = /\n {7}error: ([^]*?)(\n {7}at «|\nTry '|$)/.exec(stderr) ?? [];
  return message.trim().replaceAll('\n       ', '\n');
}

/**
 * @param {Case} test
 * @param {{ library: Library, cacheFolder: string }} place
 * @returns {Promise<Outcome>}
 */
async function neve({ builtin, argument, pure = false }, { library, cacheFolder }) {
  rmSync(cacheFolder, { recursive: true, force: true });
  const castore = { blobs: library.memoryBlobs(), directories: library.memoryDirectories() };
  const fetcher = library.createFetcher({
    ...castore,
    hashes: library.nodeHashes,
    cacheFolder,
    environment: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_SSH_COMMAND: process.env['GIT_SSH_COMMAND'],
    },
    http: { retry: { maxAttempts: 1 } },
  });
  try {
    const request = library.readFetchArguments(builtin, attributeMap(argument), { features, pure });
    const fetched = await fetcher.fetch(request.fetch);
    const attributes = library.fetchResultAttributes(request.result, fetched) ?? new Map();
    const store = new library.StoreDirectory('/nix/store', library.nodeHashes);
    const path = library.contentAddressedPath(store, {
      name: request.fetch.name,
      contentAddress: fetched.contentAddress,
    });
    const plain = [...attributes].map(([key, it]) => [key, typeof it === 'bigint' ? Number(it) : it]);
    return { value: canonical({ ...Object.fromEntries(plain), path: store.print(path) }) };
  } catch (error) {
    if (!(error instanceof Error) || !/^(FetchError|NixCompatError)$/.test(error.name)) throw error;
    return { message: error.message };
  } finally {
    await fetcher[Symbol.asyncDispose]();
  }
}

/** @param {Record<string, unknown>} value */
function canonical(value) {
  return JSON.stringify(value, Object.keys(value).sort());
}
