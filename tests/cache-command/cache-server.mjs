// `neve cache` as a process: commands with a configuration of their own, and servers.

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';

export class CacheCommand {
  /** @type {string} */
  #home;
  /** @type {import('../store/store-command.mjs').StoreCommand} */
  #store;

  /**
   * @param {string} home where it finds the user's configuration and data
   * @param {import('../store/store-command.mjs').StoreCommand} store
   */
  constructor(home, store) {
    this.#home = home;
    this.#store = store;
  }

  get env() {
    // What it remembers of other caches is its own.
    return { ...this.#store.words([]).env, HOME: this.#home, XDG_CACHE_HOME: join(this.#home, 'cache') };
  }

  /** @param {readonly string[]} args */
  words(args) {
    // The last word is `store`.
    return [...this.#store.words([]).command.slice(0, -1), 'cache', ...args];
  }

  /**
   * @param {readonly string[]} args
   * @param {{ input?: string, env?: NodeJS.ProcessEnv }} [options]
   */
  attempt(args, { input = '', env = {} } = {}) {
    return runCommand(this.words(args), { env: { ...this.env, ...env }, input });
  }

  /**
   * What it prints. Throws unless it succeeds.
   *
   * @param {readonly string[]} args
   * @param {{ input?: string, env?: NodeJS.ProcessEnv }} [options]
   */
  async run(args, options) {
    const { code, signal, stdout, stderr } = await this.attempt(args, options);
    if (code !== 0)
      throw new Error(`neve cache ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs `neve store`. @param {readonly string[]} args */
  async store(args) {
    const { code, stderr } = await runCommand([...this.#store.words([]).command, ...args], { env: this.env });
    if (code !== 0) throw new Error(`neve store ${args.join(' ')}: ${stderr}`);
  }

  /** @param {readonly string[]} args @param {{ input?: string, env?: NodeJS.ProcessEnv }} [options] */
  async json(args, options) {
    return JSON.parse(await this.run([...args, '--json'], options));
  }
}

/** A server with a folder of its own. */
export class TenantServer {
  url = '';
  log = '';
  /** @type {string} */
  folder;
  /** @type {CacheCommand} */
  #neve;
  /** @type {readonly string[]} */
  #options;
  /** @type {(signal: NodeJS.Signals) => void} */
  #kill = () => undefined;
  /** @type {Promise<unknown> | undefined} */
  #ended;

  /**
   * @param {CacheCommand} neve
   * @param {string} folder
   * @param {readonly string[]} options
   */
  constructor(neve, folder, options) {
    this.#neve = neve;
    this.folder = folder;
    this.#options = options;
  }

  /**
   * @param {CacheCommand} neve
   * @param {string} folder
   * @param {readonly string[]} [options]
   */
  static async start(neve, folder, options = []) {
    const server = new TenantServer(neve, folder, options);
    await server.start();
    return server;
  }

  async start() {
    const listen = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
    const words = this.#neve.words(['serve', '--folder', this.folder, '--listen', listen, ...this.#options]);
    const [program = '', ...rest] = words;
    const child = spawn(program, rest, { env: this.#neve.env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#kill = (signal) => void child.kill(signal);
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    const before = this.log.length;
    await new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(`neve cache serve ended: ${this.log}`)));
      child.stderr?.on('data', (/** @type {Buffer} */ piece) => {
        this.log += piece.toString('latin1');
        const address = /listening on (\S+)\n/.exec(this.log.slice(before))?.[1];
        if (address === undefined) return;
        this.url = address;
        resolve(undefined);
      });
    });
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    this.#kill(signal);
    return this.#ended;
  }

  /** @param {string} name @param {readonly string[]} [settings] @returns {Promise<{ publicKeys: string[] }>} */
  create(name, settings = []) {
    return this.#neve.json(['create', name, '--folder', this.folder, ...settings]);
  }

  /** @param {readonly string[]} scopes @returns {Promise<string>} */
  async token(scopes) {
    const words = ['token', 'create', '--folder', this.folder, '--subject', 'test', ...scopes];
    return (await this.#neve.run(words)).trim();
  }

  /** Requests in the log, as `METHOD path status`. */
  get requests() {
    return [...this.log.matchAll(/^\S+ (GET|HEAD|PUT|POST|DELETE) (\S+) (\d+) /gm)].map(
      (it) => `${it[1]} ${it[2]} ${it[3]}`,
    );
  }
}

/** @param {string} folder @param {string} token */
export function tokenFile(folder, token) {
  const file = join(folder, `token-${token.slice(-12)}`);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

/** @param {string} file */
export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
