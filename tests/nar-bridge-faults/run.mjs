// Disturbs `neve nar-bridge`: by clients that are broken or mean, by SIGKILL in the middle of everything, and by a full disk.
//
// Honest clients go on beside the bad ones, and must not notice. Afterwards everything that was acknowledged is served as it was
// put, whatever is served is what its hashes say, the store verifies, and the server holds no more of the system than before.
// Failures of a fault print it; `--seed` repeats the choices.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countOption, runHarness } from '../lib/options.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { badClients } from './bad-clients.mjs';
import { BridgeProcess } from './bridge-process.mjs';
import { HonestClient, problemOfNar, problemOfPath, putPath } from './cache-checks.mjs';
import { ask } from './raw-client.mjs';
import { narInfoText, parseFields, publicKey, samplePath } from './sample-paths.mjs';

const usage = `usage: npm run nar-bridge-faults -- [options]

  --seed N         of the random choices (default: by the clock)
  --kills N        how often the server is killed (default: 6)
  --only PATTERN   only faults whose name matches
${storeTestUsage}`;

const idleSeconds = 4;
const trust = ['--require-signatures', '--trusted-public-key', publicKey];

/** Beyond what it held when it had served for the first time. */
const mayGrow = { memoryMiB: 200, files: 8 };

/** @typedef {import('./sample-paths.mjs').SamplePath} SamplePath */

/**
 * @typedef {object} Setting
 * @property {string} folder
 * @property {import('../store/store-command.mjs').StoreCommand} command
 * @property {Random} random
 * @property {Tally} tally
 * @property {(options?: Parameters<typeof samplePath>[1]) => SamplePath} fresh
 */

await runHarness(
  {
    usage,
    options: {
      seed: { type: 'string' },
      kills: { type: 'string' },
      only: { type: 'string' },
      ...storeTestOptions,
    },
  },
  (values) =>
    withWorkingFolder(values, async (folder, command) => {
      const seed = countOption('seed', values['seed'], Date.now() % 1_000_000);
      console.log(`seed ${seed}`);
      const tally = new Tally();
      let next = seed * 100_000;
      const setting = {
        ...{ folder, command, tally, random: new Random(seed) },
        fresh: (/** @type {Parameters<typeof samplePath>[1]} */ options) => samplePath(next++, options),
      };
      const only = new RegExp(values['only'] ?? '');
      await disturbByClients(setting, only);
      if (only.test('kills')) await disturbByKills(setting, countOption('kills', values['kills'], 6));
      if (only.test('full disk')) await disturbByFullDisk(setting);
      return tally.conclude();
    }),
);

/** @param {Tally} tally @param {string} name @param {readonly string[]} problems */
function record(tally, name, problems) {
  tally.record(name, problems.length === 0);
  console.log(problems.length === 0 ? `ok      ${name}` : `FAILED  ${name}`);
  for (const problem of problems.slice(0, 10)) console.log(`        ${problem}`);
}

/** @param {Setting} setting @param {RegExp} only */
async function disturbByClients({ folder, command, random, tally, fresh }, only) {
  const bridge = new BridgeProcess({
    command,
    folder: join(folder, 'clients'),
    options: [
      ...trust,
      '--idle-timeout',
      String(idleSeconds),
      '--compressed-nars',
      join(folder, 'compressed'),
    ],
  });
  await bridge.start();
  try {
    const { port } = bridge;
    const known = fresh({ size: 6_000_000, isCompressed: false });
    record(tally, 'a path is put', (await putPath(port, known)).status === 201 ? [] : ['it is not']);
    for (let i = 0; i < 5; i++) await problemOfPath(port, known);
    const before = bridge.resources();
    const honest = new HonestClient(port, 1_000_000 + random.below(1_000_000_000));
    honest.start((it) => samplePath(it, { references: [known] }));
    for (const { name, run } of badClients.filter((it) => only.test(it.name))) {
      const problems = [...(await run({ port, random, known, fresh, idleMs: idleSeconds * 1000 }))];
      if (!bridge.isRunning) problems.push('the server ended');
      record(tally, name, problems);
      if (!bridge.isRunning) break;
    }
    record(tally, 'honest clients beside them', await honest.end());
    record(tally, 'the server had no failure', bridge.failures());
    await expectSound({
      bridge,
      command,
      tally,
      after: 'bad clients',
      acknowledged: [known, ...honest.paths],
    });
    await sleep(idleSeconds * 1000 + 1000);
    const after = bridge.resources();
    const grown = Object.entries(mayGrow).flatMap(([name, limit]) => {
      const [was, is] = [
        before[/** @type {keyof typeof before} */ (name)],
        after[/** @type {keyof typeof after} */ (name)],
      ];
      return is > was + limit ? [`${name}: ${was.toFixed(0)} before, ${is.toFixed(0)} after`] : [];
    });
    record(tally, 'memory and open files are as before', grown);
  } finally {
    await bridge.stop('SIGTERM');
  }
}

/**
 * Everything acknowledged is there and right; nothing else is.
 *
 * @param {{ bridge: BridgeProcess, command: import('../store/store-command.mjs').StoreCommand, tally: Tally, after: string, acknowledged: readonly SamplePath[], perhaps?: readonly SamplePath[] }} what
 */
async function expectSound({ bridge, command, tally, after, acknowledged, perhaps = [] }) {
  const problems = [];
  for (const path of acknowledged) {
    const problem = await problemOfPath(bridge.port, path);
    if (problem !== undefined) problems.push(problem);
  }
  const allowed = new Set([...acknowledged, ...perhaps].map((it) => it.storePath));
  const stored = await command.lines(['ls', '--store', bridge.folder]);
  for (const storePath of stored.map((it) => it.trim())) {
    if (!allowed.has(storePath)) problems.push(`${storePath} is in the store, and nobody was told so`);
    const { status, body } = await ask(
      bridge.port,
      `/${storePath.slice('/nix/store/'.length).slice(0, 32)}.narinfo`,
    );
    const problem =
      status === 200 ? await problemOfNar(bridge.port, parseFields(body)) : `${storePath}: ${status}`;
    if (problem !== undefined) problems.push(problem);
  }
  const { code, stdout, stderr } = await command.run(['verify', '--store', bridge.folder]);
  if (code !== 0) problems.push(`neve store verify: ${stdout}${stderr}`);
  record(tally, `what is served after ${after} (${acknowledged.length} paths)`, problems);
}

/** @param {Setting} setting @param {number} kills */
async function disturbByKills({ folder, command, random, tally, fresh }, kills) {
  const bridge = new BridgeProcess({
    command,
    folder: join(folder, 'killed'),
    options: [...trust, '--compressed-nars', join(folder, 'killed-compressed')],
  });
  await bridge.start();
  const known = fresh({ size: 3_000_000, isCompressed: false });
  await putPath(bridge.port, known);
  const acknowledged = [known];
  /** @type {SamplePath[]} */
  const perhaps = [];
  const problems = [];
  try {
    for (let i = 0; i < kills; i++) {
      // Its NAR is put before the server is killed, its narinfo afterwards.
      const waiting = fresh();
      const put = await ask(bridge.port, waiting.url, { method: 'PUT', body: waiting.file });
      if (put.status !== 201) problems.push(`a NAR is answered with ${put.status}`);
      const killing = new AbortController();
      const clients = Array.from({ length: 4 }, async () => {
        while (!killing.signal.aborted) {
          const path = fresh({ references: [known], ...(random.oneIn(3) && { size: 5_000_000 }) });
          perhaps.push(path);
          const answer = await putPath(bridge.port, path).catch(() => undefined);
          if (answer?.status === 201) acknowledged.push(path);
          else if (answer !== undefined) problems.push(`an upload is answered with ${answer.status}`);
          await ask(bridge.port, known.url).catch(() => undefined);
        }
      });
      await sleep(200 + random.below(1200));
      killing.abort();
      await bridge.stop('SIGKILL');
      await Promise.all(clients);
      await bridge.start();
      const { status } = await putPathOnly(bridge.port, waiting);
      if (status === 201) acknowledged.push(waiting);
      else problems.push(`after a restart, the narinfo of a NAR that was put is answered with ${status}`);
    }
    record(tally, `${kills} kills`, problems);
    record(tally, 'no failure between kills', bridge.failures());
    await expectSound({ bridge, command, tally, after: 'kills', acknowledged, perhaps });
  } finally {
    await bridge.stop('SIGTERM');
  }
}

/** @param {number} port @param {SamplePath} path */
async function putPathOnly(port, path) {
  return ask(port, `/${path.hashPart}.narinfo`, { method: 'PUT', body: narInfoText(path.fields) });
}

/** On a file system of 64 MiB. Needs to be root, to mount it. @param {Setting} setting */
async function disturbByFullDisk({ folder, command, tally, fresh }) {
  if (process.getuid?.() !== 0) {
    console.log('skipped the full disk: only root may mount a small file system');
    return;
  }
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
  const bridge = new BridgeProcess({
    command,
    folder: join(disk, 'store'),
    options: [...trust, '--compressed-nars', join(disk, 'compressed')],
  });
  try {
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8 << 20));
    await bridge.start();
    /** @type {SamplePath[]} */
    const acknowledged = [];
    /** @type {SamplePath[]} */
    const perhaps = [];
    const problems = [];
    let refusals = 0;
    for (let i = 0; i < 60 && refusals < 5; i++) {
      const path = fresh({ size: 4_000_000 });
      perhaps.push(path);
      const { status } = await putPath(bridge.port, path);
      if (status === 201) acknowledged.push(path);
      else if (status >= 500) refusals++;
      else problems.push(`an honest upload is answered with ${status}`);
    }
    if (refusals === 0) problems.push('the disk was never full');
    for (const path of acknowledged) {
      const problem = await problemOfPath(bridge.port, path);
      if (problem !== undefined) problems.push(`while the disk is full: ${problem}`);
    }
    if (!bridge.isRunning) problems.push('the server ended');
    rmSync(ballast);
    const late = fresh({ size: 100_000 });
    const { status, body } = await putPath(bridge.port, late);
    if (status === 201) acknowledged.push(late);
    else problems.push(`with room again, an upload is answered with ${status}: ${body.toString()}`);
    record(tally, `a full disk (${refusals} refused)`, problems);
    await expectSound({ bridge, command, tally, after: 'a full disk', acknowledged, perhaps });
  } finally {
    await bridge.stop('SIGTERM');
    execFileSync('umount', ['--lazy', disk]);
  }
}
