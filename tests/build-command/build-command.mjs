// `neve` as a process with a store, a home and a working directory of its own: run to its end, or started to be interrupted.

import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const projectScript = resolve(here, '../../apps/cli/dist/neve.cjs');

export const packages = join(here, 'packages.nix');

/** @typedef {{ env?: NodeJS.ProcessEnv, cwd?: string, timeoutMs?: number }} RunOptions */

export class BuildCommand {
  /** @type {string} */
  #folder;
  /** @type {string} */
  #script;

  /**
   * @param {string} folder everything of the command is below it
   * @param {string} [script]
   */
  constructor(folder, script = projectScript) {
    this.#folder = folder;
    this.#script = resolve(script);
    if (!existsSync(this.#script))
      throw new UsageError(`there is no ${this.#script}; build the project first`);
    for (const name of ['home', 'work']) mkdirSync(join(folder, name), { recursive: true });
  }

  get store() {
    return join(this.#folder, 'store');
  }

  /** Where links are made. */
  get workFolder() {
    return join(this.#folder, 'work');
  }

  /** Nothing of the user's settings shows through, and no cache is asked. */
  get environment() {
    return {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: join(this.#folder, 'home'),
      NIX_CONF_DIR: join(this.#folder, 'none'),
      NIX_CONFIG: 'substituters =',
    };
  }

  /**
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  run(args, { env = {}, cwd = this.workFolder, timeoutMs = 60_000 } = {}) {
    const environment = { ...this.environment, ...env };
    return runCommand([process.execPath, this.#script, ...args], { cwd, env: environment, timeoutMs });
  }

  /**
   * With the store of this object.
   *
   * @param {string} command
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  inStore(command, args, options) {
    const words = command.split(' ');
    return this.run([...words, '--store', this.store, ...args], options);
  }

  /**
   * What it prints. Throws unless it succeeds.
   *
   * @param {string} command
   * @param {readonly string[]} args
   * @param {RunOptions} [options]
   */
  async output(command, args, options) {
    const { code, signal, stdout, stderr } = await this.inStore(command, args, options);
    if (code === 0) return stdout;
    throw new Error(`neve ${command} ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`);
  }

  /**
   * @param {readonly string[]} args
   */
  start(args) {
    const child = spawn(process.execPath, [this.#script, ...args, '--store', this.store], {
      cwd: this.workFolder,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stdout.resume();
    /** @type {Promise<void>} */
    const started = new Promise((fulfil) => {
      child.stderr.on('data', (/** @type {Buffer} */ bytes) => {
        stderr += bytes.toString();
        if (stderr.includes('> started')) fulfil();
      });
    });
    /** @type {Promise<{ code: number | null, signal: string | null, stderr: string }>} */
    const ended = new Promise((fulfil, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => fulfil({ code, signal, stderr }));
    });
    return { child, started, ended };
  }
}

/**
 * The links in a folder, by name, without what a store path is called before its name. They are removed.
 *
 * @param {string} folder
 */
export function takeLinks(folder) {
  /** @type {Record<string, string>} */
  const links = {};
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (!lstatSync(path).isSymbolicLink()) continue;
    links[name] = readlinkSync(path).replace(/^.*\/[0-9a-z]{32}-/, '');
    rmSync(path);
  }
  return links;
}
