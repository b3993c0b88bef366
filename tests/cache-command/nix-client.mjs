// A real Nix with a store, a state, a cache and a netrc file of its own.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';

const expression = `
  let
    inherit (builtins) elemAt genList toFile toString;
    texts = genList (n: toFile "text-\${toString n}" "snow \${toString n} \${if n == 0 then "" else elemAt texts (n - 1)}") 30;
    built = genList (n: derivation {
      name = "built-\${toString n}";
      system = builtins.currentSystem;
      builder = "/bin/sh";
      PATH = "/bin:/usr/bin";
      args = [ "-c" ''
        mkdir -p $out/share
        echo \${elemAt texts (29 - n)} \${if n == 0 then "" else elemAt built (n - 1)} $out > $out/share/references
        head -c \${toString (n * 700000)} /dev/urandom > $out/share/noise
      '' ];
    }) 6;
  in elemAt built 5
`;

export class NixClient {
  /** @type {string} */
  folder;
  /** @type {string} */
  #bin;
  /** @type {NodeJS.ProcessEnv} */
  #env;

  /**
   * @param {string} folder
   * @param {string | undefined} bin
   */
  constructor(folder, bin) {
    this.folder = folder;
    this.#bin = bin === undefined ? '' : `${resolve(bin)}/`;
    for (const name of ['etc', 'home', 'cache']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(
      join(folder, 'etc/nix.conf'),
      `build-users-group =
sandbox-paths = /bin /usr /lib /lib64
substituters =
experimental-features = nix-command
netrc-file = ${this.netrc}
download-attempts = 1
`,
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

  get store() {
    return join(this.folder, 'store');
  }

  get netrc() {
    return join(this.folder, 'netrc');
  }

  /** @param {string} token */
  useToken(token) {
    writeFileSync(this.netrc, `machine 127.0.0.1\nlogin anybody\npassword ${token}\n`, { mode: 0o600 });
  }

  /** What was asked of caches is asked again. */
  forgetCaches() {
    rmSync(join(this.folder, 'cache'), { recursive: true, force: true });
    mkdirSync(join(this.folder, 'cache'));
  }

  /** The words of a daemon for the store, and its environment. @param {string} socket */
  daemon(socket) {
    const words = [`${this.#bin}nix-daemon`, '--store', this.store];
    return { words, env: { ...this.#env, NIX_DAEMON_SOCKET_PATH: socket } };
  }

  /** @param {readonly string[]} words */
  attempt([program = '', ...words]) {
    return runCommand([`${this.#bin}${program}`, ...words], { env: this.#env, timeoutMs: 300_000 }).catch(
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

  /** Makes a closure of texts and builds. @returns {Promise<{ root: string, paths: string[] }>} */
  async makeClosure() {
    const file = join(this.folder, 'sample.nix');
    writeFileSync(file, expression);
    const store = ['--store', this.store];
    const root = (await this.run(['nix-build', file, '--no-out-link', ...store])).trim();
    const paths = (await this.run(['nix-store', '-qR', root, ...store])).trim().split('\n');
    return { root, paths };
  }

  /** @param {string} name */
  async makeKey(name) {
    const [secret, shown] = [join(this.folder, `${name}.secret`), join(this.folder, `${name}.public`)];
    await this.run(['nix-store', '--generate-binary-cache-key', name, secret, shown]);
    return secret;
  }

  /** The SHA-256 of every NAR in the closure, as this Nix has it. @param {string} root */
  async hashes(root) {
    const text = await this.run([
      'nix',
      'path-info',
      '--json',
      '--json-format',
      '1',
      '-r',
      '--store',
      this.store,
      root,
    ]);
    /** @type {Record<string, { narHash: string }>} */
    const infos = JSON.parse(text);
    return Object.fromEntries(
      Object.entries(infos)
        .map(([path, { narHash }]) => [path, narHash])
        .sort(),
    );
  }
}
