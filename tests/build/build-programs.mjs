// `nix-build` and its companions, and `neve`, as they are run here: with the same settings, each in a store of its own.

import { closeSync, existsSync, mkdirSync, openSync, readSync, copyFileSync, chmodSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';

const projectScript = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/dist/neve.cjs');

/**
 * @typedef {object} BuildProgramsOptions
 * @property {string} folder
 * @property {string} busybox
 * @property {string} nix the path of `nix-instantiate`
 * @property {string | undefined} neve the script of the command; the project's own unless given
 * @property {NodeJS.ProcessEnv} env
 */

export class BuildPrograms {
  /** @type {string} */
  folder;
  /** A folder with nothing but `busybox` in it. @type {string} */
  busyboxFolder;
  /** @type {string} */
  #bin;
  /** @type {string} */
  #script;
  /** @type {NodeJS.ProcessEnv} */
  #env;

  /** @param {BuildProgramsOptions} options */
  constructor({ folder, busybox, nix, neve, env }) {
    this.folder = folder;
    this.#bin = dirname(nix);
    this.#script = resolve(neve ?? projectScript);
    if (!existsSync(this.#script))
      throw new UsageError(`there is no ${this.#script}; build the project first`);
    this.#env = { ...env, NEVE_TEST_VARIABLE: 'from outside' };
    this.busyboxFolder = join(folder, 'busybox');
    mkdirSync(this.busyboxFolder);
    copyFileSync(busybox, join(this.busyboxFolder, 'busybox'));
    chmodSync(join(this.busyboxFolder, 'busybox'), 0o755);
  }

  get #settings() {
    return [
      '--option',
      'sandbox-paths',
      `/bin/sh=${join(this.busyboxFolder, 'busybox')}`,
      '--option',
      'cores',
      '3',
    ];
  }

  get nixStore() {
    return join(this.folder, 'nix-store');
  }

  /** @param {string} builder */
  neveStore(builder) {
    return join(this.folder, `neve-store-${builder}`);
  }

  /**
   * @param {string} program such as `nix-build`
   * @param {readonly string[]} args
   */
  nix(program, args) {
    const command = [join(this.#bin, program), '--store', this.nixStore, ...this.#settings, ...args];
    return runCommand(command, { env: this.#env, cwd: this.folder });
  }

  /**
   * @param {string} builder
   * @param {readonly string[]} args
   * @param {string} [store]
   */
  neveBuild(builder, args, store = this.neveStore(builder)) {
    const features = 'nix-command ca-derivations impure-derivations dynamic-derivations';
    const words = ['--store', store, '--builder', `${builder}:`, ...this.#settings];
    return this.neve([
      ...[
        'build',
        ...words,
        '--option',
        'substitute',
        'false',
        '--option',
        'experimental-features',
        features,
      ],
      ...args,
    ]);
  }

  /** @param {readonly string[]} args */
  neve(args) {
    return runCommand([process.execPath, this.#script, ...args], { env: this.#env, cwd: this.folder });
  }
}

/** The busybox in PATH. */
export function findBusybox() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'busybox')).find((path) => existsSync(path));
}

/**
 * Whether an executable names no interpreter that would load its libraries.
 *
 * @param {string} path
 */
export function isStaticProgram(path) {
  const header = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  if (header.readUInt32BE(0) !== 0x7f45_4c46) return false;
  const [start, size, count] = [
    Number(header.readBigUInt64LE(32)),
    header.readUInt16LE(54),
    header.readUInt16LE(56),
  ];
  const kinds = Array.from({ length: count }, (_, index) => header.readUInt32LE(start + index * size));
  return !kinds.includes(3); // PT_INTERP
}
