// Workers that become too large, run out of memory, are killed, or are interrupted: each costs at most the attribute that it was
// at. An attribute that takes for ever says so first, so that the check knows when to kill.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from './eval-jobs-command.mjs';

const tree = `
  let
    job = name: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; };
    loop = f: builtins.foldl' (a: _: f a) 0 (builtins.genList (i: i) 10000);
    forever = loop (a: loop (b: loop (c: loop (d: loop (e: 0)))));
    list = builtins.genList (i: [ i (i + 1) (i + 2) ]) 4000000;
  in
  builtins.trace "the jobs" {
    a = job "a";
    b = job "b";
    endless = builtins.trace "it begins" (builtins.seq forever (job "endless"));
    large = builtins.deepSeq list (job "large");
    y = job "y";
    z = job "z";
  }`;

const all = ['a', 'b', 'endless', 'large', 'y', 'z'];
const small = all.filter((name) => name !== 'endless' && name !== 'large');

/** @param {string[]} names */
const only = (...names) => [
  '--no-instantiate',
  '--select',
  `all: { inherit (all) ${names.join(' ')}; }`,
  '--expr',
  tree,
];

/** @param {{ neve: import('./eval-jobs-command.mjs').EvalJobs, folder: string }} context */
export function troubleChecks({ neve, folder }) {
  return /** @type {import('../lib/run-checks.mjs').Check[]} */ ([
    [
      'a worker that is too large is replaced after each job',
      async () => {
        const words = ['--workers', '1', ...only(...small)];
        const usual = await neve.run(words);
        const limited = await neve.run(['--max-memory-size', '1', ...words]);
        assert.deepEqual(limited.jobs, usual.jobs);
        assert.deepEqual(
          limited.jobs.map(({ attr }) => attr),
          small,
        );
        assert.equal(starts(usual.stderr), 1);
        // One that says what there is, and one for each job; perhaps one more that finds nothing to do.
        assert.ok(starts(limited.stderr) >= small.length + 1, limited.stderr);
      },
    ],
    [
      'what needs more memory than there may be is an error, and the others go on',
      async () => {
        const words = ['--workers', '1', '--max-heap-size', '96M', ...only('a', 'large', 'z')];
        const { code, jobs } = await neve.run(words);
        assert.equal(code, 0);
        assert.deepEqual(
          jobs.map(({ attr, drvPath }) => [attr, drvPath !== undefined]),
          [
            ['a', true],
            ['large', false],
            ['z', true],
          ],
        );
        assert.match(jobs[1]?.['error'], /memory/);
      },
    ],
    [
      'a job that kills its worker is an error, and the others go on',
      async () => {
        const { code, jobs, stderr } = await neve.watched(
          ['--workers', '2', ...only(...small, 'endless')],
          (text, main) => {
            if (text.includes('it begins')) void killWhatGoesOn(main);
          },
        );
        assert.equal(code, 0, stderr);
        assert.deepEqual(
          jobs.map(({ attr }) => attr),
          [...small, 'endless'].sort(),
        );
        const [endless] = jobs.filter(({ attr }) => attr === 'endless');
        assert.match(
          endless?.['error'],
          /while evaluating 'endless', the evaluation worker was killed by SIGKILL/,
        );
        for (const { attr, drvPath } of jobs) assert.equal(drvPath === undefined, attr === 'endless');
      },
    ],
    [
      'workers that die before they begin end all',
      async () => {
        const { code, stderr, jobs } = await neve.run(only('a'), { NEVE_CORE: `${folder}/nowhere.wasm` });
        assert.equal(code, 1, stderr);
        assert.deepEqual(jobs, []);
      },
    ],
    [
      'an interruption ends the workers too',
      async () => {
        /** @type {number[]} */
        let workers = [];
        const { code, stderr } = await neve.watched(['--workers', '2', ...only('endless')], (text, main) => {
          if (!text.includes('it begins')) return;
          workers = childrenOf(main);
          process.kill(main, 'SIGINT');
        });
        assert.equal(code, 130, stderr);
        assert.match(stderr, /interrupted/);
        assert.equal(workers.length, 2);
        assert.deepEqual(workers.filter(isThere), []);
      },
    ],
  ]);
}

/** @param {string} stderr */
function starts(stderr) {
  return stderr.split('trace: the jobs').length - 1;
}

/**
 * Kills the one worker that goes on working when the others have nothing left to do: one that begins, or is at a job that ends, is
 * busy for a moment too.
 *
 * @param {number} main
 */
async function killWhatGoesOn(main) {
  for (;;) {
    const before = new Map(childrenOf(main).map((pid) => [pid, workOf(pid)]));
    await sleep(500);
    const busy = [...before].filter(([pid, work]) => workOf(pid) !== work).map(([pid]) => pid);
    const [one, ...others] = busy;
    if (one !== undefined && others.length === 0) return process.kill(one, 'SIGKILL');
  }
}

/**
 * The processor time of a process: user and system, in ticks (proc_pid_stat(5), fields 14 and 15).
 *
 * @param {number} pid
 */
function workOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** @param {number} pid */
function isThere(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
