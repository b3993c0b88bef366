// All derivations of a nixpkgs by `neve eval-jobs`, beside the real Nix, which does what nix-eval-jobs does: as many processes,
// each with its part of the names, and each asking every derivation for its name, system, path and outputs. `nix eval` goes on
// after every kind of failure, as nix-eval-jobs does. A side's memory is the largest sum over its processes, looked at ten times
// a second.
//
// A case passes when both have the same paths, and fail at the same attributes.

import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { neveImplementation, nixImplementation } from '../../lib/implementation.mjs';
import { withNixEnvironment } from '../../lib/nix-environment.mjs';
import { countOption, runHarness } from '../../lib/options.mjs';
import { Tally } from '../../lib/tally.mjs';
import { textTable } from '../../lib/text-table.mjs';

const usage = `usage: npm run bench:jobs -- --nixpkgs TREE [options]

  --nixpkgs TREE         a nixpkgs
  --nix-bin DIR          folder of the Nix to compare with (default: from PATH)
  --step N               only each Nth of the names (default: 1)
  --from N               from this one on (default: 0)
  --workers N            processes of each side (default: 2)
  --parts N              parts that the Nix does one after the other, since it is not restarted (default: 1)
  --max-memory-size MIB  of a worker (default: 2600)
  --neve CMD             the command under test (default: the project's neve)`;

await runHarness(
  {
    usage,
    required: ['nixpkgs'],
    options: {
      nixpkgs: { type: 'string' },
      'nix-bin': { type: 'string' },
      step: { type: 'string' },
      from: { type: 'string' },
      workers: { type: 'string' },
      parts: { type: 'string' },
      'max-memory-size': { type: 'string' },
      neve: { type: 'string' },
    },
  },
  async (values) =>
    await withNixEnvironment({}, async ({ folder, variables: env }) => {
      const nix = join(dirname(nixImplementation(values['nix-bin']).program[0] ?? ''), 'nix');
      const workers = countOption('workers', values['workers'], 2);
      const step = countOption('step', values['step'], 1);
      const from = countOption('from', values['from'], 0);
      const parts = countOption('parts', values['parts'], 1);
      const memory = String(countOption('max-memory-size', values['max-memory-size'], 2600));
      writeFileSync(join(folder, 'jobs.nix'), jobsOf(values['nixpkgs']));
      const context = { folder, env };

      const jobs = `import ./jobs.nix { from = ${from}; step = ${step}; }`;
      const neve = [...neveImplementation(values['neve']).program, 'eval-jobs', '--no-instantiate'];
      const ours = await measureAll(
        [[...neve, '--workers', String(workers), '--max-memory-size', memory, '--expr', jobs]],
        context,
      );
      console.log(`neve: ${seconds(ours)}`);

      const words = [
        '--extra-experimental-features',
        'nix-command',
        'eval',
        '--impure',
        '--read-only',
        '--expr',
      ];
      /** @type {Measured[]} */
      const theirs = [];
      for (let part = 0; part < parts; part++) {
        const commands = Array.from({ length: workers }, (_, worker) => {
          const first = from + step * (part * workers + worker);
          return [
            nix,
            ...words,
            `import ./jobs.nix { from = ${first}; step = ${step * parts * workers}; describes = true; }`,
          ];
        });
        theirs.push(await measureAll(commands, context));
        console.log(`nix, part ${part + 1} of ${parts}: ${seconds(theirs.at(-1) ?? ours)}`);
      }
      const nixTotal = {
        cpuSeconds: sum(theirs.map((it) => it.cpuSeconds)),
        wallSeconds: sum(theirs.map((it) => it.wallSeconds)),
        peakMiB: Math.max(...theirs.map((it) => it.peakMiB)),
        outputs: theirs.flatMap((it) => it.outputs),
      };
      const tally = new Tally();
      compare(neveJobs(ours.outputs), nixJobs(nixTotal.outputs), tally);
      const row = (/** @type {string} */ name, /** @type {Measured} */ it) => [
        ...[name, it.cpuSeconds.toFixed(1), it.wallSeconds.toFixed(1), it.peakMiB.toFixed(0)],
      ];
      const ratio = [
        'ratio',
        .../** @type {const} */ (['cpuSeconds', 'wallSeconds', 'peakMiB']).map((it) =>
          (ours[it] / nixTotal[it]).toFixed(2),
        ),
      ];
      console.log(
        `\n${textTable([['', 'cpu s', 'wall s', 'MiB'], row('neve', ours), row('nix', nixTotal), ratio])}\n`,
      );
      return tally.conclude();
    }),
);

/** @param {string} nixpkgs */
function jobsOf(nixpkgs) {
  return `
    { from, step, describes ? false }:
    let
      pkgs = import ${nixpkgs} { system = "x86_64-linux"; config = { allowAliases = false; allowUnfree = true; }; overlays = [ ]; };
      names = builtins.attrNames pkgs;
      count = (builtins.length names - from + step - 1) / step;
      mine = builtins.genList (i: builtins.elemAt names (from + i * step)) count;
      only = it: if it.type or null == "derivation" then it else null;
      text = it:
        if it == null then null
        else builtins.concatStringsSep " " ([ it.name it.system it.drvPath ] ++ map (o: it.\${o}.outPath) (it.outputs or [ "out" ]));
      of = name: let it = only pkgs.\${name}; in if describes then text it else it;
    in builtins.listToAttrs (map (name: { inherit name; value = of name; }) mine)`;
}

/** @typedef {{ cpuSeconds: number, wallSeconds: number, peakMiB: number, outputs: string[] }} Measured */

/**
 * Runs commands at the same time.
 *
 * @param {readonly (readonly string[])[]} commands
 * @param {{ folder: string, env: NodeJS.ProcessEnv }} context
 * @returns {Promise<Measured>}
 */
async function measureAll(commands, { folder, env }) {
  const started = performance.now();
  const running = commands.map((command) => start(command, folder, env));
  let peakMiB = 0;
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, sum(running.map(({ pid }) => residentMiB(pid))));
  }, 100);
  const ended = await Promise.all(running.map(({ output }) => output));
  clearInterval(timer);
  return {
    cpuSeconds: sum(ended.map((it) => it.cpuSeconds)),
    wallSeconds: (performance.now() - started) / 1000,
    peakMiB,
    outputs: ended.map(({ text }) => text),
  };
}

/**
 * @param {readonly string[]} command
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
function start(command, folder, env) {
  const script = `TIMEFORMAT='cpu %3U %3S'; time "$@" 2>/dev/null`;
  const child = spawn('bash', ['-c', script, 'bash', ...command], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, times] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (times += chunk));
  /** @type {Promise<{ text: string, cpuSeconds: number }>} */
  const output = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      const [user = NaN, system = NaN] = times.trim().split(' ').slice(1).map(Number);
      resolve({ text, cpuSeconds: user + system });
    });
  });
  return { pid: child.pid ?? 0, output };
}

/**
 * Of a process and all that it has started.
 *
 * @param {number} pid
 * @returns {number}
 */
function residentMiB(pid) {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return (pages * 4096) / 2 ** 20 + sum(children.map(residentMiB));
  } catch {
    // It has just ended.
    return 0;
  }
}

/** By attribute, its paths, or that it fails. @param {readonly string[]} outputs */
function neveJobs(outputs) {
  const jobs = outputs.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
  return new Map(
    jobs.map(({ attrPath, error, name, system, drvPath, outputs: paths = {} }) => [
      attrPath[0],
      error === undefined ? [name, system, drvPath, ...Object.values(paths).sort()].join(' ') : 'fails',
    ]),
  );
}

/** What `nix eval` prints. @param {readonly string[]} outputs */
function nixJobs(outputs) {
  const jobs = new Map();
  for (const text of outputs) {
    for (const [, name = '', value = ''] of text.matchAll(
      /(?:^\{ |; )("[^"]+"|[\w+'-]+) = (null|"[^"]*"|«error)/g,
    )) {
      const [title, system, drvPath, ...paths] = value.slice(1, -1).split(' ');
      if (value === 'null') continue;
      const fields = [title, system, drvPath, ...paths.sort()].join(' ');
      jobs.set(name.replaceAll('"', ''), value.startsWith('"') ? fields : 'fails');
    }
  }
  return jobs;
}

/**
 * @param {ReadonlyMap<string, string>} ours
 * @param {ReadonlyMap<string, string>} theirs
 * @param {Tally} tally
 */
function compare(ours, theirs, tally) {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  const different = names.filter((name) => ours.get(name) !== theirs.get(name));
  for (const name of different.slice(0, 10)) {
    console.log(`FAIL ${name}\n  neve: ${ours.get(name)}\n  nix:  ${theirs.get(name)}`);
  }
  const failing = names.filter((name) => ours.get(name) === 'fails').length;
  console.log(`${names.length} attributes, ${failing} of which fail; ${different.length} are different`);
  tally.record('all jobs are the same', different.length === 0 && names.length > 0);
}

/** @param {Measured} it */
function seconds({ cpuSeconds, wallSeconds, peakMiB }) {
  return `${cpuSeconds.toFixed(1)} s cpu, ${wallSeconds.toFixed(1)} s wall, ${peakMiB.toFixed(0)} MiB`;
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, it) => total + it, 0);
}
