// `neve` at a terminal, with a home, a store and named pipes of its own: builds of `packages.nix` that wait read from those.

import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';
import { TerminalSession } from './terminal-session.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const projectScript = resolve(here, '../../apps/cli/dist/neve.cjs');
const gateNames = ['first', 'second', 'third', 'wide', 'imported'];

/** @typedef {{ size?: import('./terminal-session.mjs').Size, env?: Readonly<Record<string, string>> }} Options */

export class TerminalPlace {
  /** @type {Map<string, number>} */
  #gates = new Map();

  /** @param {string} folder everything is below it @param {string} [script] */
  constructor(folder, script = projectScript) {
    this.folder = folder;
    this.script = resolve(script);
    if (!existsSync(this.script)) throw new UsageError(`there is no ${this.script}; build the project first`);
    for (const name of ['home', 'work', 'gate']) mkdirSync(join(folder, name), { recursive: true });
    mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 });
    for (const name of gateNames) {
      const path = join(folder, 'gate', name);
      execFileSync('mkfifo', ['-m', '666', path]);
      this.#gates.set(name, openSync(path, 'r+'));
    }
  }

  get store() {
    return join(this.folder, 'home/.local/share/neve/store');
  }

  /** @type {Readonly<Record<string, string>>} */
  get environment() {
    return {
      PATH: process.env['PATH'] ?? '',
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      HOME: join(this.folder, 'home'),
      XDG_RUNTIME_DIR: join(this.folder, 'run'),
      NIX_CONF_DIR: join(this.folder, 'none'),
      NIX_CONFIG: `substituters =\nsandbox-paths = /gate=${join(this.folder, 'gate')}`,
    };
  }

  /** Lets a build go on. @param {readonly string[]} names */
  open(...names) {
    for (const name of names) writeSync(/** @type {number} */ (this.#gates.get(name)), '\n');
  }

  /** How long builds of earlier times took. @param {Readonly<Record<string, readonly number[]>>} times */
  remember(times) {
    mkdirSync(this.store, { recursive: true });
    writeFileSync(join(this.store, 'build-times.json'), JSON.stringify({ version: 1, times }));
  }

  /** @param {readonly string[]} words @param {Options} [options] */
  start(words, { size = { rows: 24, columns: 80 }, env = {} } = {}) {
    return new TerminalSession([process.execPath, this.script, ...words], {
      size,
      env: { ...this.environment, ...env },
      cwd: join(this.folder, 'work'),
    });
  }

  /** @param {readonly string[]} names @param {Options & { words?: readonly string[] }} [options] */
  build(names, { words = [], ...options } = {}) {
    return this.start(
      ['build', '--no-link', '-f', join(here, 'packages.nix'), '-j', '4', ...words, ...names],
      options,
    );
  }

  /** Without a terminal. @param {readonly string[]} words @param {{ env?: Readonly<Record<string, string>> }} [options] */
  run(words, { env = {} } = {}) {
    return runCommand([process.execPath, this.script, ...words], {
      cwd: join(this.folder, 'work'),
      env: { ...this.environment, ...env },
      timeoutMs: 60_000,
    });
  }

  /** @param {readonly string[]} names @param {readonly string[]} [words] */
  buildWithoutTerminal(names, words = []) {
    return this.run(['build', '--no-link', '-f', join(here, 'packages.nix'), ...words, ...names]);
  }

  dispose() {
    for (const gate of this.#gates.values()) closeSync(gate);
    rmSync(join(this.folder, 'gate'), { recursive: true });
  }
}

/** Times, rates and hashes differ from run to run. @param {string} text */
export function normalised(text) {
  return text
    .replace(/(?<![\w.-])(?:\d+h\d+m|\d+m\d+s|\d+s)\b/g, 'Ns')
    .replace(/\d+(?:\.\d+)? (?:bytes|[KMG]iB)\/s/g, 'N/s')
    .replace(/[0-9a-z]{32}-/g, '…-');
}
