// The compliance suites on services behind real servers, which are started here on loopback and stopped at the end.
//
// The servers are dependencies of this folder and not of the workspace: `npm ci --prefix tests/backends` installs them.
// Each file in `servers/` starts one and says which suites it takes part in. Google Cloud Storage is not tested: there is
// no emulator of it that could be installed from a registry; the code for it is that of S3 and Azure but for the options.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';

/**
 * @typedef {typeof import('./library.mjs')} Library
 * @typedef {{ readonly name: string, readonly run: () => Promise<void> }} Case
 * @typedef {{ readonly name: string, readonly cases: readonly Case[] }} Suite
 * @typedef {{ readonly suites: readonly Suite[], readonly stop: () => Promise<void> }} RunningServer
 * @typedef {{ readonly folder: string, readonly library: Library }} ServerContext `folder` is the server's own, and empty
 * @typedef {{ readonly name: string, start(context: ServerContext): Promise<RunningServer> }} Server
 */

const usage = `usage: node tests/backends/run.mjs [options]

  --server NAME   only this one (default: all of tests/backends/servers)
  --case TEXT     only cases whose name has this text
  --verbose       prints each case`;

const here = dirname(fileURLToPath(import.meta.url));

await runHarness(
  {
    usage,
    options: { server: { type: 'string' }, case: { type: 'string' }, verbose: { type: 'boolean' } },
  },
  async (values) => {
    if (!existsSync(join(here, 'node_modules'))) {
      throw new UsageError('the servers are not installed; run npm ci --prefix tests/backends');
    }
    const servers = await loadServers(values['server']);
    /** @type {Library} */
    const library = await import(await bundleModule(join(here, 'library.mjs')));
    const tally = new Tally();
    for (const server of servers) await runServer({ server, library, tally, values });
    for (const failure of tally.failures) console.log(`failed: ${failure}`);
    return tally.conclude();
  },
);

/**
 * @param {string | undefined} only
 * @returns {Promise<readonly Server[]>}
 */
async function loadServers(only) {
  const names = readdirSync(join(here, 'servers')).filter((name) => name.endsWith('.mjs'));
  /** @type {Server[]} */
  const servers = [];
  for (const name of names) {
    const { server } = /** @type {{ server?: Server }} */ (await import(`./servers/${name}`));
    if (server !== undefined) servers.push(server);
    else console.log(`servers/${name} exports no 'server': nothing is tested with it here`);
  }
  const chosen = servers.filter(({ name }) => only === undefined || name === only);
  if (chosen.length > 0) return chosen;
  throw new UsageError(`there is no server '${only}', only ${servers.map(({ name }) => name).join(', ')}`);
}

/**
 * @param {{ server: Server, library: Library, tally: Tally, values: Record<string, any> }} parts
 */
async function runServer({ server, library, tally, values }) {
  const folder = mkdtempSync(join(tmpdir(), `backend-${server.name}-`));
  try {
    const running = await server.start({ folder, library });
    try {
      for (const suite of running.suites) await runSuite({ suite, tally, values });
    } finally {
      await running.stop();
    }
  } catch (error) {
    console.log(`${server.name}: ${error instanceof Error ? error.stack : String(error)}`);
    tally.record(`${server.name} starts and stops`, false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {{ suite: Suite, tally: Tally, values: Record<string, any> }} parts
 */
async function runSuite({ suite, tally, values }) {
  const started = performance.now();
  const cases = suite.cases.filter(({ name }) => name.includes(values['case'] ?? ''));
  for (const { name, run } of cases) {
    const begun = performance.now();
    /** @type {unknown} */
    let failure;
    try {
      await run();
    } catch (error) {
      failure = error;
      console.log(`${suite.name}: ${name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    tally.record(`${suite.name}: ${name}`, failure === undefined);
    if (values['verbose'] === true) console.log(`${suite.name}: ${name} (${seconds(begun)})`);
  }
  console.log(`${suite.name}: ${cases.length} cases in ${seconds(started)}`);
}

/** @param {number} since */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
