// A real Nix with a store of its own: makes objects, says what it knows of them, writes binary caches.

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { UsageError } from '../lib/options.mjs';

/** The builder needs a shell; the store is one of its own, so the build runs in a sandbox. */
export const nixSettings = `build-users-group =
sandbox-paths = /bin /usr /lib /lib64
substituters =
experimental-features = nix-command
`;

const expression = `
  let
    text = builtins.toFile "text" "snow";
    other = builtins.toFile "with-reference" "\${text} and more";
  in derivation {
    name = "built";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/bin:/usr/bin";
    args = [ "-c" "mkdir -p $out/d; echo \${other} > $out/d/x; ln -s $out $out/l; echo $out > $out/run; chmod +x $out/run" ];
  }
`;

/**
 * @typedef {{ narHash: string, narSize: number, references: string[], deriver: string | null, ca: string | null }} Known
 */

export class Nix {
  /** @type {string} */
  #folder;
  /** @type {NodeJS.ProcessEnv} */
  #env;
  /** @type {string} */
  #bin;

  /**
   * @param {string | undefined} bin
   * @param {{ folder: string, env: NodeJS.ProcessEnv }} options
   */
  constructor(bin, { folder, env }) {
    this.#bin = bin === undefined ? '' : `${resolve(bin)}/`;
    this.#folder = folder;
    this.#env = env;
  }

  get publicKey() {
    return readFileSync(join(this.#folder, 'public'), 'utf8');
  }

  async makeObjects() {
    const tree = join(this.#folder, 'tree');
    mkdirSync(join(tree, 'empty'), { recursive: true });
    mkdirSync(join(tree, 'a/b/c/d'), { recursive: true });
    symlinkSync('nowhere', join(tree, 'link'));
    writeFileSync(join(tree, 'zeroes'), Buffer.alloc(300_000));
    writeFileSync(join(tree, 'noise'), randomBytes(2_500_000));
    writeFileSync(join(tree, 'a/b/run'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(Buffer.concat([Buffer.from(join(tree, 'a/')), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
    for (let i = 0; i < 500; i++) writeFileSync(join(tree, `a/b/c/d/${i}`), `${i}`.repeat(i));
    await this.#run('nix-store', '--add', tree);
    await this.#run('nix-store', '--add-fixed', 'sha256', join(tree, 'zeroes'));
    writeFileSync(join(this.#folder, 'objects.nix'), expression);
    await this.#run('nix-build', '--no-out-link', join(this.#folder, 'objects.nix'));
    await this.#run(
      'nix-store',
      '--generate-binary-cache-key',
      'test-1',
      join(this.#folder, 'secret'),
      join(this.#folder, 'public'),
    );
  }

  /** @returns {Promise<Record<string, Known>>} */
  async pathInfos() {
    return JSON.parse(await this.#run('nix', 'path-info', '--json', '--all'));
  }

  /**
   * @param {string} compression
   * @returns {Promise<string>}
   */
  async writeCache(compression) {
    const cache = join(this.#folder, `cache-${compression}`);
    const key = join(this.#folder, 'secret');
    await this.#run(
      'nix',
      'copy',
      '--all',
      '--to',
      `file://${cache}?compression=${compression}&secret-key=${key}`,
    );
    return cache;
  }

  /**
   * The SHA-256 of `nix-store --dump`. Its output is no text, so that a shell hashes it.
   *
   * @param {string} path
   */
  async dumpHash(path) {
    const file = join(this.#folder, 'dump');
    const real = join(this.#folder, 'store', path);
    const script = '"$0" --dump "$1" > "$2"';
    const { code, stderr } = await runCommand(['sh', '-c', script, `${this.#bin}nix-store`, real, file], {
      env: this.#env,
    });
    if (code !== 0) throw new Error(`nix-store --dump ${path}: ${stderr}`);
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  }

  /**
   * @param {string} program
   * @param {...string} words
   */
  async #run(program, ...words) {
    const store =
      program === 'nix-store' && words[0] === '--generate-binary-cache-key'
        ? []
        : ['--store', join(this.#folder, 'store')];
    const outcome = await runCommand([`${this.#bin}${program}`, ...words, ...store], {
      env: this.#env,
    }).catch((/** @type {Error} */ error) => {
      throw new UsageError(`${error.message}; name the folder of a Nix with --nix-bin`);
    });
    if (outcome.code !== 0) throw new Error(`${program} ${words.join(' ')}: ${outcome.stderr}`);
    return outcome.stdout;
  }
}
