// Asks `neve nar-bridge` for a while whatever a grammar gives (`request-grammar.mjs`), over several connections at once, and looks
// at what must be so: no answer of 500 and above, no crash, no failure in its log, nothing that hangs; and afterwards everything
// that is served is what its hashes say. A failure prints the request; the seed and the number of workers repeat the run.

import { join } from 'node:path';
import { countOption, runHarness } from '../lib/options.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { BridgeProcess } from './bridge-process.mjs';
import { problemOfNar, problemOfPath, putPath } from './cache-checks.mjs';
import { ask, statusOf, talk } from './raw-client.mjs';
import { RequestGrammar, requestBytes } from './request-grammar.mjs';
import { parseFields, publicKey, samplePath } from './sample-paths.mjs';

const usage = `usage: npm run nar-bridge-fuzz -- [options]

  --seconds N      how long (default: 60)
  --seed N         of the requests (default: by the clock)
${storeTestUsage}`;

const workers = 6;
/** An answer that takes longer counts as none. */
const patienceMs = 20_000;
const maxShownFailures = 20;

await runHarness(
  { usage, options: { seconds: { type: 'string' }, seed: { type: 'string' }, ...storeTestOptions } },
  (values) =>
    withWorkingFolder(values, async (folder, command) => {
      const seed = countOption('seed', values['seed'], Date.now() % 1_000_000);
      const seconds = countOption('seconds', values['seconds'], 60);
      console.log(`seed ${seed}`);
      const tally = new Tally();
      const bridge = new BridgeProcess({
        command,
        folder: join(folder, 'store'),
        options: [
          '--require-signatures',
          '--trusted-public-key',
          publicKey,
          '--compressed-nars',
          join(folder, 'compressed'),
        ],
      });
      await bridge.start();
      try {
        await fuzz(bridge, { seed, seconds, tally });
        await checkAfterwards(bridge, { command, tally });
      } finally {
        await bridge.stop('SIGTERM');
      }
      return tally.conclude();
    }),
);

/**
 * @param {BridgeProcess} bridge
 * @param {{ seed: number, seconds: number, tally: Tally }} options
 */
async function fuzz(bridge, { seed, seconds, tally }) {
  const { port } = bridge;
  const known = [1, 2, 3].map((it) => samplePath(seed * 1000 + it, { size: it * 30_000 }));
  for (const path of known) tally.record('a path is put', (await putPath(port, path)).status === 201);
  /** @type {{ paths: Record<string, unknown> }} */
  const document = JSON.parse((await ask(port, '/openapi.json')).body.toString());
  const templates = [...Object.keys(document.paths), '/', '/openapi.json', '/serve/{hashPart}/', '/{file}'];
  /** @type {Map<string, number>} */
  const statuses = new Map();
  const endMs = performance.now() + seconds * 1000;
  const run = async (/** @type {number} */ worker) => {
    const grammar = new RequestGrammar(Random.forPart(seed, worker), {
      ...{ templates, known },
      firstSeed: seed * 1_000_000 + (worker + 1) * 100_000,
    });
    while (performance.now() < endMs && bridge.isRunning) {
      const request = grammar.next();
      const isWhole = request.cut === undefined;
      const { text, isClosed } = await talk(port, requestBytes(request), {
        quietMs: patienceMs,
        endAfter: !isWhole,
      });
      const status = statusOf(text);
      const kind = String(status ?? 'none');
      statuses.set(kind, (statuses.get(kind) ?? 0) + 1);
      // A client that breaks off gets no answer, or one.
      const isGood = (status === undefined ? !isWhole && isClosed : status < 500) && bridge.isRunning;
      tally.record(`${request.method} ${request.target}`, isGood);
      if (!isGood && tally.failed < maxShownFailures) {
        console.log(
          `FAILED  ${kind}: ${JSON.stringify(requestBytes(request).toString('latin1').slice(0, 600))}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, worker) => run(worker)));
  console.log(
    `answers: ${[...statuses]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}`,
  );
  const failures = bridge.failures();
  tally.record('the server had no failure', failures.length === 0);
  for (const failure of failures.slice(0, 10)) console.log(`FAILED  ${failure}`);
  for (const path of known) {
    const problem = await problemOfPath(port, path);
    tally.record('what was put first is there', problem === undefined);
    if (problem !== undefined) console.log(`FAILED  ${problem}`);
  }
}

/**
 * @param {BridgeProcess} bridge
 * @param {{ command: import('../store/store-command.mjs').StoreCommand, tally: Tally }} options
 */
async function checkAfterwards({ port, folder }, { command, tally }) {
  const stored = await command.lines(['ls', '--store', folder]);
  for (const storePath of stored.map((it) => it.trim())) {
    const { status, body } = await ask(
      port,
      `/${storePath.slice('/nix/store/'.length).slice(0, 32)}.narinfo`,
    );
    const problem = status === 200 ? await problemOfNar(port, parseFields(body)) : `${storePath}: ${status}`;
    tally.record(storePath, problem === undefined);
    if (problem !== undefined) console.log(`FAILED  ${problem}`);
  }
  const { code, stdout, stderr } = await command.run(['verify', '--store', folder]);
  tally.record('neve store verify', code === 0);
  if (code !== 0) console.log(`FAILED  neve store verify: ${stdout}${stderr}`);
  console.log(`${stored.length} paths are right afterwards`);
}
