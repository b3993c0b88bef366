// Measures our binary cache under load beside nginx, which serves the same files statically and is the limit; and NARs that are
// rendered while they are sent beside `nix-store --dump` of a Nix, into a pipe.
//
// Both sides take turns in one run; of each the least wall and cpu time counts, since others may use the machine too. The cpu
// time is that of the server's processes. The client is the same for both, and reads all of every body; what a sample of
// the answers says is checked by its hashes before. Take ratios, not seconds.

import { linkSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { zstdDecompressor } from './zstd-program.mjs';
import { bundleModule } from '../../lib/bundle-module.mjs';
import { countOption, runHarness } from '../../lib/options.mjs';
import { Random } from '../../lib/random.mjs';
import { Tally } from '../../lib/tally.mjs';
import { textTable } from '../../lib/text-table.mjs';
import { StoreCommand } from '../../store/store-command.mjs';
import { nixBase32 } from '../../store/store-path.mjs';
import { removeTree } from '../../store/tree-listing.mjs';
import { timed } from '../store/timed.mjs';
import { load, sha256, slowClient } from './load-client.mjs';
import { writeClosure } from './sample-closure.mjs';
import { cpuSeconds, openFiles, residentMiB, startNeve, startNginx } from './servers.mjs';

const usage = `usage: npm run bench:cache -- [options]

  --nginx PROGRAM  (default: nginx, from PATH)
  --nix-bin DIR    folder of the Nix whose dumps are compared (default: none are)
  --runs N         pairs a case (default: 5)
  --paths N        store paths (default: 400)
  --megabytes N    of NARs, all together (default: 1500)
  --only PATTERN   only cases whose name matches: narinfos, compressed, rendered, slow
  --folder DIR     where everything is made (default: /dev/shm; a disk is erratic)
  --profile DIR    writes cpu profiles of our servers there`;

const connectionCounts = [1, 4, 16];
const slowClients = 64;
const slowSeconds = 8;

await runHarness(
  {
    usage,
    options: {
      nginx: { type: 'string' },
      'nix-bin': { type: 'string' },
      runs: { type: 'string' },
      paths: { type: 'string' },
      megabytes: { type: 'string' },
      only: { type: 'string' },
      folder: { type: 'string' },
      profile: { type: 'string' },
    },
  },
  async (values) => {
    const parent = values['folder'] ?? '/dev/shm';
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, 'neve-bench-'));
    try {
      return await measureAll(folder, values);
    } finally {
      removeTree(folder);
    }
  },
);

/** @typedef {import('./servers.mjs').RunningServer} RunningServer */
/** @typedef {{ narInfos: readonly string[], compressed: readonly string[], rendered: readonly string[], largest: { compressed: string, rendered: string } }} Urls */
/** @typedef {{ compressing: RunningServer, rendering: RunningServer, nginx: RunningServer }} Servers */
/** @typedef {{ wallSeconds: number, cpuSeconds: number, bytes: number }} Measured */

/**
 * @param {string} folder
 * @param {Record<string, any>} values
 */
async function measureAll(folder, values) {
  const runs = countOption('runs', values['runs'], 5);
  const only = new RegExp(values['only'] ?? '');
  const bundle = await bundleModule(join(dirname(fileURLToPath(import.meta.url)), 'cache-entry.mjs'));
  const size = {
    paths: countOption('paths', values['paths'], 400),
    totalBytes: countOption('megabytes', values['megabytes'], 1500) * 1e6,
  };
  await fillStore(folder, { bundle, size });
  const profile = values['profile'];
  const nodeArgs = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
  const store = join(folder, 'store');
  const compressed = join(folder, 'compressed');
  const startedMs = performance.now();
  const compressing = await startNeve({ bundle, folder: store, compressed, nodeArgs });
  const compressingSeconds = (performance.now() - startedMs) / 1000;
  const rendering = await startNeve({ bundle, folder: store, compressed: undefined, nodeArgs });
  const root = join(folder, 'static');
  mkdirSync(join(root, 'nar'), { recursive: true });
  const nginx = await startNginx({
    program: values['nginx'] ?? 'nginx',
    folder: join(folder, 'nginx'),
    root,
  });
  const servers = { compressing, rendering, nginx };
  const tally = new Tally();
  try {
    const urls = await gatherUrls({ ...servers, folder, root });
    console.log(
      `${urls.narInfos.length} paths; compressed in ${compressingSeconds.toFixed(1)} s, cpu ${cpuSeconds(compressing).toFixed(1)} s\n`,
    );
    await checkSample(servers, urls, tally);
    const rows = await measureLoads({ servers, urls, runs, only });
    if (only.test('rendered')) {
      rows.push(await measureRendered({ server: rendering, urls, runs, folder, nixBin: values['nix-bin'] }));
    }
    console.log(
      textTable([
        [
          'case',
          'requests',
          'MB',
          'neve wall s',
          'cpu s',
          'other',
          'wall s',
          'cpu s',
          'wall ratio',
          'cpu ratio',
        ],
        ...rows,
      ]),
    );
    if (only.test('slow')) await measureSlowClients({ servers, urls, tally });
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
  return tally.conclude();
}

/**
 * The paths get references and a signature, so that narinfos are as long as elsewhere.
 *
 * @param {string} folder
 * @param {{ bundle: string, size: { paths: number, totalBytes: number } }} options
 */
async function fillStore(folder, { bundle, size }) {
  const trees = writeClosure(join(folder, 'trees'), size);
  const store = join(folder, 'store');
  await new StoreCommand(join(folder, 'home')).output(['import', '--store', store, ...trees]);
  /** @type {typeof import('./cache-entry.mjs')} */
  const library = await import(bundle);
  const { nodeHashes, nodeEd25519: ed25519 } = library;
  const pathInfos = await library.lmdbPathInfos(join(store, 'db'));
  const random = new Random(4);
  /** @type {import('@neve/store').PathInfo[]} */
  const all = [];
  for await (const pathInfo of pathInfos.list()) all.push(pathInfo);
  all.sort((a, b) => (a.storePath.baseName < b.storePath.baseName ? -1 : 1));
  const signing = {
    keys: [library.generateSecretKey('bench-1', ed25519)],
    store: new library.StoreDirectory('/nix/store', nodeHashes),
    ed25519,
  };
  for (const pathInfo of all) {
    const references = library.storePathSet(
      Array.from({ length: random.below(12) }, () => random.pick(all).storePath),
    );
    await pathInfos.put(
      library.signPathInfo({ ...pathInfo, contentAddress: undefined, references }, signing),
    );
  }
  await pathInfos[Symbol.asyncDispose]();
}

/**
 * Asks our servers for every narinfo, and gives nginx those of the compressing one and the files that they name.
 *
 * @param {{ compressing: RunningServer, rendering: RunningServer, folder: string, root: string }} options
 * @returns {Promise<Urls>}
 */
async function gatherUrls({ compressing, rendering, folder, root }) {
  const trees = await new StoreCommand(join(folder, 'home')).lines(['ls', '--store', join(folder, 'store')]);
  const narInfos = trees.map((it) => `/${it.trim().slice('/nix/store/'.length).slice(0, 32)}.narinfo`);
  const urlsOf = async (/** @type {RunningServer} */ { port }) => {
    /** @type {{ url: string, size: number }[]} */
    const found = [];
    const onBody = (/** @type {string} */ path, /** @type {Buffer} */ body) => {
      const { URL: url = '', FileSize: size } = fieldsOf(body);
      found.push({ url: `/${url}`, size: Number(size) });
      if (port === compressing.port) writeFileSync(join(root, path), body);
    };
    await load({ port, paths: narInfos, connections: 1, onBody });
    return found;
  };
  const [compressed, rendered] = [await urlsOf(compressing), await urlsOf(rendering)];
  for (const { url } of compressed) linkSync(join(folder, 'compressed', url), join(root, url));
  const largest = (/** @type {typeof compressed} */ all) =>
    all.toSorted((a, b) => b.size - a.size)[0]?.url ?? '';
  return {
    narInfos,
    compressed: compressed.map(({ url }) => url),
    rendered: rendered.map(({ url }) => url),
    largest: { compressed: largest(compressed), rendered: largest(rendered) },
  };
}

/** @param {Buffer} narInfo @returns {Record<string, string>} */
function fieldsOf(narInfo) {
  const lines = narInfo.toString().trim().split('\n');
  return Object.fromEntries(
    lines.map((it) => [it.slice(0, it.indexOf(': ')), it.slice(it.indexOf(': ') + 2)]),
  );
}

/**
 * What every tenth narinfo names has the hashes that it says, from every server.
 *
 * @param {Servers} servers
 * @param {Urls} urls
 * @param {Tally} tally
 */
async function checkSample({ compressing, rendering, nginx }, { narInfos }, tally) {
  for (const { name, port } of [compressing, { ...rendering, name: 'rendering' }, nginx]) {
    /** @type {Record<string, string>[]} */
    const sample = [];
    const paths = narInfos.filter((_, index) => index % 10 === 0);
    await load({ port, paths, connections: 1, onBody: (_, body) => sample.push(fieldsOf(body)) });
    for (const narInfo of sample) {
      let isRight = false;
      const onBody = (/** @type {string} */ _, /** @type {Buffer} */ body) => {
        const nar = narInfo['Compression'] === 'zstd' ? zstdDecompressor(body) : body;
        isRight =
          `sha256:${nixBase32(sha256(body))}` === narInfo['FileHash'] &&
          `sha256:${nixBase32(sha256(nar))}` === narInfo['NarHash'] &&
          nar.length === Number(narInfo['NarSize']);
      };
      await load({ port, paths: [`/${narInfo['URL']}`], connections: 1, onBody });
      tally.record(`${name}: ${narInfo['StorePath']}`, isRight);
      if (!isRight) console.log(`FAILED ${name}: ${narInfo['StorePath']} is not what its narinfo says`);
    }
  }
}

/**
 * @param {{ servers: Servers, urls: Urls, runs: number, only: RegExp }} options
 * @returns {Promise<string[][]>}
 */
async function measureLoads({ servers: { compressing, nginx }, urls, runs, only }) {
  const cases = [
    // So few are over before the clock has moved.
    { name: 'narinfos', paths: Array.from({ length: 20 }, () => urls.narInfos).flat() },
    { name: 'compressed NARs', paths: urls.compressed },
  ];
  const rows = [];
  for (const { name, paths } of cases.filter((it) => only.test(it.name))) {
    for (const connections of connectionCounts) {
      /** @type {Measured[]} */
      const ours = [];
      /** @type {Measured[]} */
      const theirs = [];
      for (let i = 0; i <= runs; i++) {
        const our = await measured(compressing, { paths, connections });
        const their = await measured(nginx, { paths, connections });
        // The first is for the compilers and caches of both.
        if (i === 0) continue;
        ours.push(our);
        theirs.push(their);
      }
      rows.push(rowOf(`${name}, ${connections} connections`, paths.length, { ours, other: 'nginx', theirs }));
    }
  }
  return rows;
}

/**
 * @param {RunningServer} server
 * @param {{ paths: readonly string[], connections: number }} what
 * @returns {Promise<Measured>}
 */
async function measured(server, { paths, connections }) {
  const before = cpuSeconds(server);
  const { wallSeconds, bytes } = await load({ port: server.port, paths, connections });
  return { wallSeconds, cpuSeconds: cpuSeconds(server) - before, bytes };
}

/**
 * All NARs over one connection, and one dump of the folder with all trees into a pipe: as many bytes.
 *
 * @param {{ server: RunningServer, urls: Urls, runs: number, folder: string, nixBin: string | undefined }} options
 */
async function measureRendered({ server, urls, runs, folder, nixBin }) {
  /** @type {Measured[]} */
  const ours = [];
  /** @type {Measured[]} */
  const theirs = [];
  const env = {
    PATH: process.env['PATH'],
    HOME: join(folder, 'home'),
    NIX_STATE_DIR: join(folder, 'nix'),
    TMPDIR: tmpdir(),
  };
  for (let i = 0; i <= runs; i++) {
    const our = await measured(server, { paths: urls.rendered, connections: 1 });
    if (i > 0) ours.push(our);
    if (nixBin === undefined) continue;
    const dump = [
      'bash',
      '-c',
      '"$0" --dump "$1" | cat > /dev/null',
      join(resolve(nixBin), 'nix-store'),
      join(folder, 'trees'),
    ];
    const { wallSeconds, cpuSeconds: cpu, code, stderr } = await timed(dump, { cwd: folder, env });
    if (code !== 0) throw new Error(`nix-store --dump: ${stderr}`);
    if (i > 0) theirs.push({ wallSeconds, cpuSeconds: cpu, bytes: NaN });
  }
  return rowOf('rendered NARs, 1 connection', urls.rendered.length, { ours, other: 'nix-store', theirs });
}

/**
 * @param {string} name
 * @param {number} requests
 * @param {{ ours: readonly Measured[], other: string, theirs: readonly Measured[] }} figures
 * @returns {string[]}
 */
function rowOf(name, requests, { ours, other, theirs }) {
  const least = (/** @type {readonly Measured[]} */ all, /** @type {'wallSeconds' | 'cpuSeconds'} */ of) =>
    Math.min(...all.map((it) => it[of]));
  const shown = (/** @type {readonly Measured[]} */ all) =>
    all.length === 0 ? ['', ''] : [least(all, 'wallSeconds').toFixed(2), least(all, 'cpuSeconds').toFixed(2)];
  const ratio = (/** @type {'wallSeconds' | 'cpuSeconds'} */ of) =>
    theirs.length === 0 ? '' : (least(ours, of) / least(theirs, of)).toFixed(2);
  const megabytes = ((ours[0]?.bytes ?? 0) / 1e6).toFixed(0);
  return [
    ...[name, String(requests), megabytes, ...shown(ours), other, ...shown(theirs)],
    ...[ratio('wallSeconds'), ratio('cpuSeconds')],
  ];
}

/**
 * Clients that hardly read, for some seconds, and one that goes on beside them. What the server takes must not grow with
 * what the clients have not read.
 *
 * @param {{ servers: Servers, urls: Urls, tally: Tally }} options
 */
async function measureSlowClients({ servers: { compressing, rendering }, urls, tally }) {
  for (const [what, server, path] of /** @type {const} */ ([
    ['compressed', compressing, urls.largest.compressed],
    ['rendered', rendering, urls.largest.rendered],
  ])) {
    const before = { memory: residentMiB(server), files: openFiles(server) };
    const leave = Array.from({ length: slowClients }, () =>
      slowClient({ port: server.port, path, everyMs: 20 }),
    );
    const memory = [];
    for (let i = 0; i < slowSeconds; i++) {
      await sleep(1000);
      memory.push(residentMiB(server));
    }
    const { wallSeconds } = await load({ port: server.port, paths: urls.narInfos, connections: 1 });
    for (const it of leave) it();
    await sleep(1000);
    const after = { memory: residentMiB(server), files: openFiles(server) };
    console.log(
      `${slowClients} slow clients, ${what}: ${before.memory.toFixed(0)} MiB before; ${memory.map((it) => it.toFixed(0)).join(' ')}; ${after.memory.toFixed(0)} after; ` +
        `${before.files} open files before, ${after.files} after; ${urls.narInfos.length} narinfos beside them in ${(wallSeconds * 1000).toFixed(0)} ms`,
    );
    // After the first second it has what it needs.
    const growth = Math.max(...memory.slice(2)) - (memory[1] ?? 0);
    tally.record(`memory is flat under slow clients, ${what}`, growth < 64);
    tally.record(`no file stays open, ${what}`, after.files <= before.files + 2);
  }
}
