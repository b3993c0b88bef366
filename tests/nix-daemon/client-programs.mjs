// The programs of a Nix as clients of one daemon or of the other, as `BuildComparison` of the builds' harness runs them: what it
// calls Neve's build is `nix-build` on Neve's daemon here.

import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';
import { DaemonProcess } from './daemon-process.mjs';

const projectScript = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/dist/neve.cjs');

/**
 * @typedef {object} ClientProgramsOptions
 * @property {string} folder
 * @property {string} busybox
 * @property {string} nix the path of `nix-instantiate`
 * @property {string | undefined} neve the script of the command; the project's own unless given
 * @property {NodeJS.ProcessEnv} env
 */

export class ClientPrograms {
  /** @type {string} */
  folder;
  /** A folder with nothing but `busybox` in it. @type {string} */
  busyboxFolder;
  /** @type {string} */
  bin;
  /** @type {string} */
  script;
  /** @type {NodeJS.ProcessEnv} */
  env;
  /** `plain` is the Nix's, without experimental features, on the same store. */
  /** @type {{ nix: DaemonProcess, plain: DaemonProcess, neve: DaemonProcess } | undefined} */
  #daemons;

  /** @param {ClientProgramsOptions} options */
  constructor({ folder, busybox, nix, neve, env }) {
    this.folder = folder;
    this.bin = dirname(nix);
    this.script = resolve(neve ?? projectScript);
    if (!existsSync(this.script)) {
      throw new UsageError(`there is no ${this.script}; build the project first`);
    }
    this.env = { ...env, NEVE_TEST_VARIABLE: 'from outside' };
    this.busyboxFolder = join(folder, 'busybox');
    mkdirSync(this.busyboxFolder);
    copyFileSync(busybox, join(this.busyboxFolder, 'busybox'));
    chmodSync(join(this.busyboxFolder, 'busybox'), 0o755);
  }

  get daemons() {
    if (this.#daemons === undefined) throw new Error('the daemons were not started');
    return this.#daemons;
  }

  get settings() {
    return [
      '--option',
      'sandbox-paths',
      `/bin/sh=${join(this.busyboxFolder, 'busybox')}`,
      '--option',
      'cores',
      '3',
    ];
  }

  async start() {
    const { env, script } = this;
    const [folder, program] = [join(this.folder, 'nix'), join(this.bin, 'nix-daemon')];
    const plainEnv = { ...env, NIX_CONFIG: 'experimental-features = nix-command' };
    this.#daemons = {
      nix: await DaemonProcess.nix({ folder, program, env }),
      plain: await DaemonProcess.nix({ folder, program, env: plainEnv, socketName: 'plain-socket' }),
      neve: await DaemonProcess.neve({ folder: join(this.folder, 'neve'), script, env }),
    };
  }

  async stop() {
    await this.#daemons?.nix.stop();
    await this.#daemons?.plain.stop();
    await this.#daemons?.neve.stop();
  }

  /**
   * On the Nix's own daemon.
   *
   * @param {string} program such as `nix-build`
   * @param {readonly string[]} args
   */
  nix(program, args) {
    // A daemon with the features resolves derivations before it builds them, and names others in its messages.
    const isPlain = args.join(' ').includes('--option experimental-features nix-command');
    return this.on(isPlain ? 'plain' : 'nix', program, [...this.settings, ...args]);
  }

  /**
   * @param {'nix' | 'plain' | 'neve'} daemon
   * @param {string} program
   * @param {readonly string[]} args
   * @param {{ input?: string | Uint8Array, cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
   */
  on(daemon, program, args, { env = {}, cwd = this.folder, ...options } = {}) {
    const { remote } = this.daemons[daemon];
    return runCommand([program === 'sh' ? 'sh' : join(this.bin, program), ...args], {
      env: { ...this.env, NIX_REMOTE: remote, ...env },
      cwd,
      ...options,
    });
  }

  /** @param {string} _builder */
  neveStore(_builder) {
    return join(this.folder, 'neve');
  }

  /**
   * `nix-build` with the words of `neve build`.
   *
   * @param {string} _builder
   * @param {readonly string[]} args
   */
  neveBuild(_builder, args) {
    const words = args.map((it) => (it === '--no-link' ? '--no-out-link' : it));
    return this.on('neve', 'nix-build', ['-Q', ...this.settings, ...words]);
  }

  /** @param {readonly string[]} args */
  neve(args) {
    return runCommand([process.execPath, this.script, ...args], { env: this.env, cwd: this.folder });
  }
}
