// `neve nar-bridge` as a process, on a port that is free.

import { spawn } from 'node:child_process';

export class BridgeServer {
  /** Where clients connect. */
  url = '';
  /** Everything that it said. */
  log = '';
  /** @type {import('node:child_process').ChildProcess} */
  #child;
  /** @type {Promise<number | null>} */
  ended;

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.#child = child;
    this.ended = new Promise((resolve) => child.once('exit', resolve));
  }

  /**
   * @param {import('../store/store-command.mjs').StoreCommand} neve
   * @param {{ store: string, options?: readonly string[], listen?: string, wrapper?: readonly string[] }} settings
   */
  static async start(neve, { store, options = [], listen = '127.0.0.1:0', wrapper = [] }) {
    const { command, env } = neve.words([]);
    const [program = '', ...words] = [
      ...wrapper,
      // The last word is `store`.
      ...command.slice(0, -1),
      'nar-bridge',
      '--store',
      store,
      '--listen',
      listen,
      ...options,
    ];
    const child = spawn(program, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new BridgeServer(child);
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`neve nar-bridge ended: ${server.log}`)));
      child.stderr?.on('data', (/** @type {Buffer} */ piece) => {
        server.log += piece.toString('latin1');
        const address = /listening on (\S+)\n/.exec(server.log)?.[1];
        if (address === undefined) return;
        server.url = address;
        resolve(undefined);
      });
    });
    return server;
  }

  get pid() {
    return this.#child.pid;
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
    return this.ended;
  }
}
