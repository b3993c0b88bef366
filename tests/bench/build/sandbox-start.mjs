// Measures what a build costs that does nothing: a static shell writes one file. For each kind of sandbox that works here,
// and for a Nix, in turns; beside them the mere start of the same shell from Node. Times are for one build, in ms: wall, and
// processor time of everything that ran.
//
//   node tests/bench/build/sandbox-start.mjs [--count 1000] [--rounds 3] [--nix DIR] [--folder DIR]
//
//     --nix DIR      the folder of `nix-build`; without it there is no comparison
//     --folder DIR   where builders and the Nix work; a folder of the system for temporary files unless given

import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { localBuilder, sandboxNames } from '@neve/build/node';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    nix: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const count = Number(values.count);
const rounds = Number(values.rounds);
const work = mkdtempSync(join(values.folder, 'neve-bench-'));
const shell = '/bin/busybox';
const ticksPerSecond = 100;

/** Of this process and all of its children that have ended, in ms. */
function processorMs() {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1000) / ticksPerSecond;
}

/**
 * Runs a program to its end.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<void>}
 */
function run(file, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(env !== undefined && { env }),
    });
    let said = '';
    child.stderr?.on('data', (/** @type {Buffer} */ bytes) => (said += bytes.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file}: ${code}: ${said}`))));
  });
}

/** @type {Map<string, () => Promise<void>>} */
const subjects = new Map();

subjects.set('process start', async () => {
  for (let i = 0; i < count; i++) await run(shell, ['true']);
});

for (const sandbox of sandboxNames) {
  const builder = await localBuilder({
    folder: join(work, sandbox),
    blobs: memoryBlobs(),
    directories: memoryDirectories(),
    binSh: shell,
    sandbox,
  });
  const works = await builder.sandboxName().catch((error) => {
    console.log(`${sandbox}: ${error.message}`);
    return undefined;
  });
  if (works === undefined) continue;
  const [system = ''] = await builder.systems();
  /** @type {import('@neve/build').BuildRequest} */
  const request = {
    inputs: new Map(),
    inputsDirectory: 'nix/store',
    command: ['/bin/sh', '-c', 'echo > $out'],
    workingDirectory: 'build',
    scratchPaths: ['build', 'nix/store'],
    outputs: ['nix/store/output'],
    environment: new Map([['out', new TextEncoder().encode('/nix/store/output')]]),
    files: new Map(),
    needles: [],
    constraints: {
      system,
      minMemoryBytes: 0,
      readOnlyPaths: [],
      hostPaths: [],
      network: false,
      binSh: true,
      userRange: false,
      isolation: 'full',
    },
    limits: {},
  };
  subjects.set(sandbox, async () => {
    for (let i = 0; i < count; i++) await builder.build(request);
  });
}

/** The same number of derivations, other ones in each round. */
if (values.nix !== undefined) {
  const nix = values.nix;
  const env = {
    ...process.env,
    NIX_STATE_DIR: join(work, 'nix-state'),
    NIX_CONF_DIR: join(work, 'nix-conf'),
  };
  mkdirSync(env.NIX_CONF_DIR, { recursive: true });
  writeFileSync(
    join(env.NIX_CONF_DIR, 'nix.conf'),
    `sandbox = true\nbuild-users-group =\nsandbox-paths = /bin/sh=${shell}\nsubstitute = false\nmax-jobs = 1\n`,
  );
  const store = join(work, 'nix-store');
  let round = 0;
  const prepare = async () => {
    const file = join(work, `builds-${++round}.nix`);
    const list = `builtins.genList (i: derivation { name = "b-${round}-\${toString i}"; system = builtins.currentSystem;
      builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }) ${count}`;
    writeFileSync(file, list);
    await run(join(nix, 'nix-instantiate'), ['--store', store, file], env);
    return file;
  };
  let file = await prepare();
  subjects.set('nix-build', () =>
    run(join(nix, 'nix-build'), ['--store', store, '--no-out-link', file], env),
  );
  subjects.set('(prepare nix)', async () => {
    file = await prepare();
  });
}

/** @type {Map<string, { wall: number, processor: number }>} */
const best = new Map();
try {
  for (let round = 0; round < rounds; round++) {
    for (const [name, body] of subjects) {
      const [startedMs, usedMs] = [performance.now(), processorMs()];
      await body();
      const wall = (performance.now() - startedMs) / count;
      const processor = (processorMs() - usedMs) / count;
      const known = best.get(name);
      best.set(name, {
        wall: Math.min(wall, known?.wall ?? Infinity),
        processor: Math.min(processor, known?.processor ?? Infinity),
      });
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const start = best.get('process start')?.wall ?? 0;
console.log(`${count} builds one after the other, the best of ${rounds} rounds, ms for one`);
for (const [name, { wall, processor }] of best) {
  if (name.startsWith('(')) continue;
  const above = name === 'process start' ? '' : `, ${(wall - start).toFixed(1)} above the process start`;
  console.log(`${name.padEnd(14)} wall ${wall.toFixed(1)}, processor ${processor.toFixed(1)}${above}`);
}
