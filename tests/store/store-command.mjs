// `neve store` as a process: run to its end, or started and killed, by a clock that may be wrong (`shifted-clock.mjs`).

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const projectScript = resolve(here, '../../apps/cli/dist/neve.cjs');
const shiftedClock = join(here, 'shifted-clock.mjs');

/**
 * @typedef {object} RunOptions
 * @property {string | Uint8Array} [input]
 * @property {string} [cwd]
 * @property {number} [clockMs] how far the command's clock is from the right one
 * @property {number} [timeoutMs]
 */

/**
 * @typedef {object} Ended
 * @property {string | undefined} signal
 * @property {number | undefined} code
 * @property {string} stdout
 * @property {string} stderr
 * @property {number} tookMs
 */

/**
 * @typedef {object} Started
 * @property {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, import('node:stream').Readable>} child
 * @property {Promise<Ended>} ended
 */

export class StoreCommand {
  /** @type {string} */
  #home;
  /** @type {string} */
  #script;

  /**
   * @param {string} home a folder of the test's own, where the command finds the user's configuration and data: none
   * @param {string} [script] what Node runs; the project's own command unless given
   */
  constructor(home, script = projectScript) {
    this.#script = resolve(script);
    if (!existsSync(this.#script))
      throw new UsageError(`there is no ${this.#script}; build the project first`);
    this.#home = home;
  }

  /**
   * The words of a command and its environment, for those who start it themselves.
   *
   * @param {readonly string[]} args
   * @param {number} [clockMs]
   * @returns {{ command: readonly string[], env: NodeJS.ProcessEnv }}
   */
  words(args, clockMs = 0) {
    const preload = clockMs === 0 ? [] : ['--import', shiftedClock];
    const env = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: this.#home,
      // Scripts are compiled once, not by every command.
      XDG_CACHE_HOME: join(this.#home, 'cache'),
      NEVE_TEST_CLOCK_MS: String(clockMs),
    };
    return { command: [process.execPath, ...preload, this.#script, 'store', ...args], env };
  }

  /**
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  run(args, { clockMs, ...options } = {}) {
    const { command, env } = this.words(args, clockMs);
    return runCommand(command, { ...options, env });
  }

  /**
   * What it prints. Throws unless it succeeds.
   *
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  async output(args, options) {
    const { code, signal, stdout, stderr } = await this.run(args, options);
    if (code !== 0) {
      throw new Error(`neve store ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`);
    }
    return stdout;
  }

  /**
   * The lines that it prints. Throws unless it succeeds.
   *
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  async lines(args, options) {
    return completeLines(await this.output(args, options));
  }

  /**
   * @param {readonly string[]} args
   * @param {{ clockMs?: number }} [options]
   * @returns {Started}
   */
  start(args, { clockMs } = {}) {
    const { command, env } = this.words(args, clockMs);
    const [program = '', ...words] = command;
    const startedMs = performance.now();
    const child = spawn(program, words, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (/** @type {Buffer} */ bytes) => (stdout += bytes.toString()));
    child.stderr.on('data', (/** @type {Buffer} */ bytes) => (stderr += bytes.toString()));
    const ended = new Promise((fulfil, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        const tookMs = performance.now() - startedMs;
        fulfil({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr, tookMs });
      });
    });
    return { child, ended };
  }
}

/**
 * What a process that was killed has said for certain: a line without its end is left out.
 *
 * @param {string} text
 */
export function completeLines(text) {
  return text.split('\n').slice(0, -1);
}
