// The Nix that Neve is a client of: a store, its daemon, and the ways to it; and Neve, each time with a store of its own.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';
import { DaemonProcess } from '../nix-daemon/daemon-process.mjs';

const projectScript = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/dist/neve.cjs');

/**
 * Runs the command here, as a server for ssh would there. `FAKE_SSH_CUT` ends it after so many bytes of its answers, once.
 */
const fakeSsh = `#!/bin/sh
echo "$*" >> "$FAKE_SSH_LOG"
while [ "$1" != -- ]; do shift; done
shift
if [ -n "$FAKE_SSH_CUT" ] && [ ! -e "$FAKE_SSH_LOG.cut" ]; then
  : > "$FAKE_SSH_LOG.cut"
  exec 3<&0
  mkfifo "$FAKE_SSH_LOG.pipe"
  "$@" <&3 > "$FAKE_SSH_LOG.pipe" &
  dd bs=65536 iflag=count_bytes count="$FAKE_SSH_CUT" status=none < "$FAKE_SSH_LOG.pipe"
  kill $!
else
  exec "$@"
fi
`;

/** @typedef {'unix' | 'ssh-ng' | 'ssh'} Way */

/** @type {readonly Way[]} */
export const ways = ['unix', 'ssh-ng', 'ssh'];

export class NixSide {
  /** @type {string} */ folder;
  /** The folder of the Nix's store. @type {string} */ root;
  /** @type {string} */ bin;
  /** @type {string} */ script;
  /** @type {NodeJS.ProcessEnv} */ env;
  /** @type {string} */ sshLog;
  /** @type {string} */ shell;
  /** What Nix signs with, and what is trusted then. */ publicKey = '';
  /** @type {{ trusting: DaemonProcess, wary: DaemonProcess } | undefined} */ #daemons;
  #stores = 0;

  /** @param {{ folder: string, busybox: string, nix: string, neve: string | undefined, env: NodeJS.ProcessEnv }} options */
  constructor({ folder, busybox, nix, neve, env }) {
    this.folder = folder;
    this.root = join(folder, 'nix-store');
    this.bin = dirname(nix);
    this.script = resolve(neve ?? projectScript);
    if (!existsSync(this.script)) throw new UsageError(`there is no ${this.script}; build the project first`);
    const programs = join(folder, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'ssh'), fakeSsh);
    chmodSync(join(programs, 'ssh'), 0o755);
    this.shell = join(folder, 'busybox', 'busybox');
    mkdirSync(dirname(this.shell));
    copyFileSync(busybox, this.shell);
    chmodSync(this.shell, 0o755);
    this.sshLog = join(folder, 'ssh.log');
    writeFileSync(this.sshLog, '');
    this.env = {
      ...env,
      PATH: [programs, this.bin, env['PATH']].join(delimiter),
      FAKE_SSH_LOG: this.sshLog,
      NIX_CONFIG: `sandbox-paths = /bin/sh=${this.shell}`,
      XDG_DATA_HOME: join(folder, 'data'),
      XDG_CACHE_HOME: join(folder, 'cache'),
    };
  }

  /** Of the daemon that trusts its clients, and of one that trusts nobody. */
  get daemons() {
    if (this.#daemons === undefined) throw new Error('the daemons were not started');
    return this.#daemons;
  }

  async start() {
    const program = join(this.bin, 'nix-daemon');
    const wary = { ...this.env, NIX_CONFIG: `${this.env['NIX_CONFIG']}\ntrusted-users =\n` };
    this.#daemons = {
      trusting: await DaemonProcess.nix({ folder: this.root, program, env: this.env }),
      wary: await DaemonProcess.nix({ folder: this.root, program, env: wary, socketName: 'wary' }),
    };
    const secret = (await this.nix('nix', ['key', 'generate-secret', '--key-name', 'test-1'])).stdout;
    writeFileSync(join(this.folder, 'secret'), secret);
    this.publicKey = await this.#publicKey(secret);
  }

  async stop() {
    await this.#daemons?.trusting.stop();
    await this.#daemons?.wary.stop();
  }

  /**
   * The URL of the Nix's store. @param {Way} way @param {string} [root] the folder of a store, over ssh
   */
  url(way, root = this.root) {
    if (way === 'unix') return `unix://${this.daemons.trusting.socket}`;
    return `${way}://host?remote-store=local?root=${root}`;
  }

  /** A store of Neve that nobody has used. */
  newStore() {
    return join(this.folder, `neve-${this.#stores++}`);
  }

  /** An empty store of the Nix. */
  newRoot() {
    return join(this.folder, `nix-${this.#stores++}`);
  }

  /**
   * A program of the Nix that succeeds. @param {string} program @param {readonly string[]} args
   * @param {{ root?: string, input?: string, remote?: string }} [options]
   */
  async nix(program, args, options = {}) {
    const outcome = await this.tryNix(program, args, options);
    if (outcome.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${outcome.stderr}`);
    return outcome;
  }

  /**
   * A program of the Nix, which may fail. @param {string} program @param {readonly string[]} args
   * @param {{ root?: string, input?: string, remote?: string }} [options]
   */
  async tryNix(program, args, { root = this.root, input, remote } = {}) {
    const env = {
      ...this.env,
      NIX_REMOTE: remote ?? (root === this.root ? `${this.#daemons?.trusting.remote}` : `local?root=${root}`),
    };
    return await runCommand([join(this.bin, program), ...args], {
      env,
      cwd: this.folder,
      ...(input === undefined ? {} : { input }),
    });
  }

  /**
   * @param {readonly string[]} args @param {NodeJS.ProcessEnv} [env]
   */
  neve(args, env = {}) {
    return runCommand([process.execPath, this.script, ...args], {
      env: { ...this.env, ...env },
      cwd: this.folder,
    });
  }

  /**
   * What the Nix knows about paths: contents, references, content addresses.
   *
   * @param {readonly string[]} paths @param {string} [root]
   */
  async pathInfos(paths, root) {
    const { stdout } = await this.nix(
      'nix',
      ['path-info', '--json', '--json-format', '1', ...paths],
      root === undefined ? {} : { root },
    );
    /** @type {Record<string, any>} */
    const infos = JSON.parse(stdout);
    return Object.fromEntries(
      Object.entries(infos).map(([path, info]) => [
        path,
        info && { narHash: info.narHash, narSize: info.narSize, references: info.references, ca: info.ca },
      ]),
    );
  }

  /** @param {readonly string[]} paths @param {string} [root] */
  async closure(paths, root) {
    const { stdout } = await this.nix(
      'nix-store',
      ['--query', '--requisites', ...paths],
      root === undefined ? {} : { root },
    );
    return stdout.trim().split('\n').sort();
  }

  /** What ssh was called with since the last time. */
  takeSshCalls() {
    const calls = readFileSync(this.sshLog, 'utf8').trim().split('\n');
    writeFileSync(this.sshLog, '');
    return calls;
  }

  /** A tree with all that a store object can hold. */
  makeTree() {
    const tree = join(this.folder, 'tree');
    if (existsSync(tree)) return tree;
    mkdirSync(join(tree, 'empty'), { recursive: true });
    mkdirSync(join(tree, 'deep/er'), { recursive: true });
    writeFileSync(join(tree, 'script'), '#!/bin/sh\necho hi\n');
    chmodSync(join(tree, 'script'), 0o755);
    writeFileSync(join(tree, 'nothing'), '');
    writeFileSync(join(tree, 'deep/er/big'), Buffer.alloc(3_000_001, 'neve'));
    writeFileSync(
      Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x62, 0xff, 0x79])]),
      'a name that is not UTF-8',
    );
    symlinkSync('../script', join(tree, 'deep/link'));
    return tree;
  }

  /** @param {string} secret */
  async #publicKey(secret) {
    return (await this.nix('nix', ['key', 'convert-secret-to-public'], { input: secret })).stdout.trim();
  }
}
