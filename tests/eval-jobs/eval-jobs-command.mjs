// `neve eval-jobs` as the checks have it: run to its end, its lines read, or watched while it runs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { runCommand } from '../lib/command.mjs';

/** @typedef {Record<string, any>} Job */
/** @typedef {{ code: number | undefined, jobs: Job[], stderr: string }} Run */

export class EvalJobs {
  #program;
  #env;
  #folder;

  /** @param {{ program: readonly string[], env: NodeJS.ProcessEnv, folder: string }} options */
  constructor({ program, env, folder }) {
    this.#program = program;
    this.#env = env;
    this.#folder = folder;
  }

  /**
   * @param {readonly string[]} words
   * @param {NodeJS.ProcessEnv} [env] more variables
   * @returns {Promise<Run>} with the jobs in the order of their attributes
   */
  async run(words, env = {}) {
    const command = [...this.#program, 'eval-jobs', ...words];
    const { code, stdout, stderr } = await runCommand(command, {
      cwd: this.#folder,
      env: { ...this.#env, ...env },
      timeoutMs: 60_000,
    });
    return { code, jobs: jobsIn(stdout), stderr };
  }

  /**
   * Runs it, and lets `watch` do something to it whenever it says something on standard error.
   *
   * @param {readonly string[]} words
   * @param {(text: string, main: number) => void} watch
   * @returns {Promise<Run & { signal: string | null }>}
   */
  async watched(words, watch) {
    const [program = '', ...rest] = this.#program;
    const child = spawn(program, [...rest, 'eval-jobs', ...words], {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (text.stdout += chunk));
    child.stderr.on('data', (chunk) => {
      text.stderr += chunk;
      watch(String(chunk), child.pid ?? 0);
    });
    return await new Promise((resolve) => {
      child.on('close', (code, signal) =>
        resolve({ code: code ?? undefined, signal, jobs: jobsIn(text.stdout), stderr: text.stderr }),
      );
    });
  }
}

/**
 * The processes that a process has started.
 *
 * @param {number} parent
 */
export function childrenOf(parent) {
  return readdirSync(`/proc/${parent}/task`).flatMap((task) =>
    readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** @param {string} stdout */
function jobsIn(stdout) {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const jobs = lines.map((line) => {
    const job = JSON.parse(line);
    const keys = Object.keys(job);
    assert.deepEqual(keys, [...keys].sort(), `the keys of a line are in order: ${line}`);
    return job;
  });
  return jobs.sort((left, right) => (left.attr < right.attr ? -1 : 1));
}
