// A local store under test, looked at from outside: through `neve store` and as a folder.

import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { storePathOfNar } from './store-path.mjs';

export class LocalStore {
  /** @type {string} */
  folder;
  /** Everything that was acknowledged and has a root. @type {Set<string>} */
  acknowledged = new Set();
  /** @type {import('./store-command.mjs').StoreCommand} */
  #command;

  /**
   * @param {string} folder
   * @param {import('./store-command.mjs').StoreCommand} command
   */
  constructor(folder, command) {
    this.folder = folder;
    this.#command = command;
    mkdirSync(join(folder, 'gcroots'), { recursive: true });
  }

  /**
   * A command on this store.
   *
   * @param {string} name
   * @param {...string} args
   */
  words(name, ...args) {
    return [name, '--store', this.folder, '--quiet', ...args];
  }

  /**
   * Notes that a command said that the paths are there, and makes roots of them.
   *
   * @param {Iterable<string>} paths
   */
  acknowledge(paths) {
    for (const path of paths) {
      if (this.acknowledged.has(path)) continue;
      this.acknowledged.add(path);
      symlinkSync(path, join(this.folder, 'gcroots', basename(path)));
    }
  }

  /** Removes these roots. */
  forget() {
    for (const path of this.acknowledged) rmSync(join(this.folder, 'gcroots', basename(path)));
    this.acknowledged.clear();
  }

  /** @returns {Promise<Set<string>>} */
  async paths() {
    return new Set(await this.#command.lines(this.words('ls')));
  }

  /**
   * What is wrong with the store: damage that `verify` finds, and paths that were acknowledged and are not there.
   *
   * @returns {Promise<readonly string[]>}
   */
  async problems() {
    const { code, signal, stdout, stderr } = await this.#command.run(this.words('verify'));
    const problems = code === 0 ? [] : [`verify ended with ${code ?? signal}: ${stdout}${stderr}`];
    const paths = await this.paths();
    for (const path of this.acknowledged) if (!paths.has(path)) problems.push(`${path} is lost`);
    return problems;
  }

  /**
   * Reads all of a path, and says what is wrong with it, if anything.
   *
   * @param {string} path
   * @returns {Promise<string | undefined>}
   */
  async problemOf(path) {
    const { command, env } = this.#command.words(this.words('export', '--nar', path));
    const [program = '', ...words] = command;
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const hash = createHash('sha256');
    let stderr = '';
    child.stdout.on('data', (/** @type {Buffer} */ bytes) => hash.update(bytes));
    child.stderr.on('data', (/** @type {Buffer} */ bytes) => (stderr += bytes.toString()));
    const code = await new Promise((fulfil) => child.on('close', fulfil));
    if (code !== 0) return `${path} cannot be exported: ${stderr}`;
    // The name begins after /nix/store/, 32 characters and a dash.
    const name = path.slice('/nix/store/'.length + 33);
    const found = storePathOfNar(name, hash.digest('hex'));
    return found === path ? undefined : `what is exported as ${path} is ${found}`;
  }

  /** Files of writers that are under way or were killed. */
  temporaryFiles() {
    return filesBelow(join(this.folder, 'tmp'));
  }

  /** Files of blobs that are too large for the database. */
  blobFiles() {
    return filesBelow(join(this.folder, 'blobs'));
  }
}

/** @param {string} folder */
function filesBelow(folder) {
  // A process that was killed early has made nothing.
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
}
