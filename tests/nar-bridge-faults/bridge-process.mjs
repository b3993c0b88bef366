// `neve nar-bridge` as a process over a store folder of its own: started, killed, started again, and what it holds.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';

export class BridgeProcess {
  /** The store. @type {string} */
  folder;
  port = 0;
  /** What it wrote since it was first started. */
  log = '';
  /** @type {import('../store/store-command.mjs').StoreCommand} */
  #command;
  /** @type {readonly string[]} */
  #options;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #child;

  /** @param {{ command: import('../store/store-command.mjs').StoreCommand, folder: string, options?: readonly string[] }} settings */
  constructor({ command, folder, options = [] }) {
    this.#command = command;
    this.folder = folder;
    this.#options = options;
  }

  /** Fulfilled when it listens; a port is kept when it is started again. */
  async start() {
    const { command, env } = this.#command.words([]);
    const [program = '', ...words] = [
      // The last word is `store`.
      ...command.slice(0, -1),
      ...['nar-bridge', '--store', this.folder, '--listen', `127.0.0.1:${this.port}`, '--quiet'],
      ...this.#options,
    ];
    const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    const logged = this.log.length;
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`neve nar-bridge ended: ${this.log.slice(logged)}`)));
      child.stderr.on('data', (/** @type {Buffer} */ piece) => {
        this.log += piece.toString('latin1');
        const port = /listening on http:\/\/\S+:([0-9]+)\n/.exec(this.log.slice(logged))?.[1];
        if (port === undefined) return;
        this.port = Number(port);
        resolve(undefined);
      });
    });
  }

  get isRunning() {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal) {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** What it has taken of the system. */
  resources() {
    const pid = this.#child?.pid ?? 0;
    const resident = /^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { memoryMiB: Number(resident) / 1024, files: readdirSync(`/proc/${pid}/fd`).length };
  }

  /** Failures of the server itself: requests that it could not answer, each with its stack. */
  failures() {
    return [...this.log.matchAll(/^error: .*\n(?: .*\n|[A-Z]\w*Error.*\n)*/gm)].map(([text]) => text.trim());
  }
}
