// `neve store daemon` at a Unix socket, for as long as a test needs it.

import { once } from 'node:events';

export class Daemon {
  /** Where clients find it. @type {string} */
  url;
  /** @type {import('./store-command.mjs').StoreCommand} */
  #command;
  /** @type {string} */
  #folder;
  /** @type {string} */
  #socket;
  /** @type {import('./store-command.mjs').Started | undefined} */
  #running;

  /** @param {{ command: import('./store-command.mjs').StoreCommand, folder: string, socket: string }} options */
  constructor({ command, folder, socket }) {
    this.#command = command;
    this.#folder = folder;
    this.#socket = socket;
    this.url = `grpc+unix:${socket}`;
  }

  /**
   * Fulfilled when it listens.
   *
   * @param {{ clockMs?: number }} [options]
   */
  async start(options) {
    const words = ['daemon', '--store', this.#folder, '--listen', `unix:${this.#socket}`];
    const started = this.#command.start(words, options);
    this.#running = started;
    const said = await Promise.race([once(started.child.stderr, 'data'), started.ended]);
    if (!Array.isArray(said)) throw new Error(`the daemon ended at once: ${said.stderr}`);
  }

  /** @param {'SIGTERM' | 'SIGKILL'} signal */
  async stop(signal) {
    this.#running?.child.kill(signal);
    const ended = await this.#running?.ended;
    this.#running = undefined;
    return ended;
  }
}
