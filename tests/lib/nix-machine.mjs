// A real Nix on a machine of its own: a store, a state, a configuration and a cache in a folder, so that nothing that another
// machine knows is known here.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from './command.mjs';
import { UsageError } from './options.mjs';

export class NixMachine {
  /** @type {string} */
  folder;
  /** @type {string} */
  #bin;
  /** @type {NodeJS.ProcessEnv} */
  #env;

  /**
   * @param {string} folder
   * @param {string | undefined} bin folder of its programs; from PATH unless given
   * @param {{ settings?: string }} [options] lines for nix.conf
   */
  constructor(folder, bin, { settings = '' } = {}) {
    this.folder = folder;
    this.#bin = bin === undefined ? '' : `${resolve(bin)}/`;
    for (const name of ['etc', 'home', 'cache']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(
      join(folder, 'etc/nix.conf'),
      `build-users-group =
sandbox-paths = /bin /usr /lib /lib64
substituters =
experimental-features = nix-command ca-derivations
netrc-file = ${this.netrc}
${settings}`,
    );
    this.#env = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      HOME: join(folder, 'home'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      NIX_CONF_DIR: join(folder, 'etc'),
      NIX_STATE_DIR: join(folder, 'var'),
      NIX_LOG_DIR: join(folder, 'log'),
      NIX_USER_CONF_FILES: '',
      _NIX_TEST_NO_ENVIRONMENT_WARNINGS: '1',
    };
  }

  /** The URL of its store. */
  get store() {
    return join(this.folder, 'store');
  }

  get netrc() {
    return join(this.folder, 'netrc');
  }

  /** @param {string} token the password for servers on this machine */
  useToken(token) {
    writeFileSync(this.netrc, `machine 127.0.0.1\nlogin anybody\npassword ${token}\n`, { mode: 0o600 });
  }

  /** The words of a daemon for the store, and its environment. @param {string} socket */
  daemon(socket) {
    const words = [`${this.#bin}nix-daemon`, '--store', this.store];
    return { words, env: { ...this.#env, NIX_DAEMON_SOCKET_PATH: socket } };
  }

  /** Where a store path is as files. @param {string} path */
  physical(path) {
    return join(this.store, path);
  }

  /** What was asked of caches is asked again. */
  forgetCaches() {
    rmSync(join(this.folder, 'cache'), { recursive: true, force: true });
    mkdirSync(join(this.folder, 'cache'));
  }

  /**
   * Runs a program of Nix to its end, whatever that is.
   *
   * @param {readonly string[]} words
   */
  async attempt([program = '', ...words]) {
    return runCommand([`${this.#bin}${program}`, ...words], { env: this.#env, timeoutMs: 600_000 }).catch(
      (/** @type {Error} */ error) => {
        throw new UsageError(`${error.message}; name the folder of a Nix with --nix-bin`);
      },
    );
  }

  /**
   * What it prints. Throws what it says when it fails.
   *
   * @param {readonly string[]} words
   */
  async run(words) {
    const { code, stdout, stderr } = await this.attempt(words);
    if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Files with a new key for signing. @param {string} name */
  async makeKey(name) {
    const [secret, shown] = [join(this.folder, `${name}.secret`), join(this.folder, `${name}.public`)];
    await this.run(['nix-store', '--generate-binary-cache-key', name, secret, shown]);
    return { secret, public: readFileSync(shown, 'utf8').trim() };
  }

  /** The SHA-256 of every NAR in the closure, as this Nix has it. @param {string} root */
  async hashes(root) {
    const format = ['--json', '--json-format', '1'];
    const text = await this.run(['nix', 'path-info', ...format, '-r', '--store', this.store, root]);
    /** @type {Record<string, { narHash: string }>} */
    const infos = JSON.parse(text);
    const all = Object.entries(infos).map(([path, { narHash }]) => [path, narHash]);
    return Object.fromEntries(all.sort());
  }

  /** The NAR of a store path, byte for byte. @param {string} path */
  async dump(path) {
    const file = join(this.folder, 'dump');
    const script = '"$0" --dump "$1" > "$2"';
    const { code, stderr } = await runCommand(
      ['sh', '-c', script, `${this.#bin}nix-store`, this.physical(path), file],
      { env: this.#env },
    );
    if (code !== 0) throw new Error(`nix-store --dump ${path}: ${stderr}`);
    return file;
  }
}
