// One project, built undisturbed once and then in stores of which each suffers something. See `chaos.mjs`.

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { Tally } from '../lib/tally.mjs';
import { StoreCommand } from '../store/store-command.mjs';

const project = join(dirname(fileURLToPath(import.meta.url)), 'chaos-project.nix');

const yearMs = 365 * 24 * 60 * 60 * 1000;
const clocks = [-30 * yearMs, -60_000, 60_000, 30 * yearMs];

/** Smaller and larger than what the project needs. */
const diskMegabytes = [3, 8, 14, 20, 26, 34];

/**
 * @typedef {{ narHash: string, narSize: number, references: string[] }} Known
 * @typedef {import('../store/store-command.mjs').Ended} Ended
 */

export class ChaosTest {
  #tally = new Tally();
  /** @type {string} */
  #folder;
  /** @type {string} */
  #busybox;
  /** @type {import('../lib/random.mjs').Random} */
  #random;
  /** @type {string} */
  #builder;
  /** @type {StoreCommand} */
  #neve;
  /** In the environment of every builder, by which a process of one is found. @type {string} */
  #salt;
  /** @type {Record<string, Known>} */
  #wanted = {};
  #usualMs = 0;
  #derivations = 0;

  /**
   * @param {{
   *   folder: string,
   *   busybox: string,
   *   random: import('../lib/random.mjs').Random,
   *   script: string | undefined,
   *   builder: string,
   * }} options
   */
  constructor({ folder, busybox, random, script, builder }) {
    this.#folder = folder;
    this.#random = random;
    this.#builder = builder;
    this.#neve = new StoreCommand(join(folder, 'home'), script);
    this.#busybox = join(folder, 'busybox');
    this.#salt = `chaos-${process.pid}-${random.next()}`;
    mkdirSync(this.#busybox);
    copyFileSync(busybox, join(this.#busybox, 'busybox'));
  }

  /** @param {number} count */
  async run(count) {
    await this.#buildUndisturbed();
    for (let round = 1; round <= count; round++) {
      await this.#killed(`killed ${round}`);
      await this.#together(`together ${round}`);
      const clockMs = clocks[round % clocks.length] ?? 0;
      await this.#clock(`clock ${clockMs / 1000} s, ${round}`, clockMs);
    }
    if (process.getuid?.() === 0) {
      for (const size of diskMegabytes) await this.#diskFull(`disk of ${size} MB`, size);
    } else console.log('without a full disk: only root can mount a small file system');
    await this.#check('no process of a build is left', async () => {
      const left = await this.#leftProcesses();
      return left.length === 0 ? undefined : left.join('; ');
    });
    return this.#tally.conclude();
  }

  async #buildUndisturbed() {
    const store = join(this.#folder, 'undisturbed');
    const startedMs = performance.now();
    const { code, stdout, stderr } = await this.#build(store).ended;
    if (code !== 0) throw new Error(`the undisturbed build failed:\n${stderr}`);
    this.#usualMs = performance.now() - startedMs;
    this.#derivations = buildsIn(stderr);
    this.#wanted = await this.#closure(store, stdout.trim());
    const size = Object.values(this.#wanted).reduce((sum, it) => sum + it.narSize, 0);
    console.log(`${this.#derivations} builds, ${size} bytes, ${(this.#usualMs / 1000).toFixed(1)} s`);
  }

  /** Killed several times, by chance also when it has ended. @param {string} name */
  async #killed(name) {
    const store = join(this.#folder, 'killed');
    const kills = 1 + this.#random.below(4);
    for (let kill = 0; kill < kills; kill++) {
      const { child, ended } = this.#build(store);
      const timer = setTimeout(() => child.kill('SIGKILL'), this.#random.below(this.#usualMs * 1.1));
      await ended;
      clearTimeout(timer);
    }
    await this.#recovers(name, store);
  }

  /** Several at once, one of which is killed at times. @param {string} name */
  async #together(name) {
    const store = join(this.#folder, 'together');
    const isKilled = this.#random.oneIn(2);
    const started = [1, 2, 3].map(() => this.#build(store));
    const timer = setTimeout(() => started[0]?.child.kill('SIGKILL'), this.#random.below(this.#usualMs));
    if (!isKilled) clearTimeout(timer);
    const outcomes = await Promise.all(started.map(({ ended }) => ended));
    clearTimeout(timer);
    const survivors = isKilled ? outcomes.slice(1) : outcomes;
    await this.#check(`${name}: all succeed`, async () => survivors.find(({ code }) => code !== 0)?.stderr);
    if (!isKilled) {
      await this.#check(`${name}: each derivation is built once`, async () => {
        const builds = outcomes.reduce((sum, { stderr }) => sum + buildsIn(stderr), 0);
        return builds === this.#derivations ? undefined : `${builds} builds, not ${this.#derivations}`;
      });
    }
    await this.#recovers(name, store);
  }

  /**
   * Begun with a right clock, killed, and gone on with a wrong one.
   *
   * @param {string} name
   * @param {number} clockMs
   */
  async #clock(name, clockMs) {
    const store = join(this.#folder, 'clock');
    const { child, ended } = this.#build(store);
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#random.below(this.#usualMs));
    await ended;
    clearTimeout(timer);
    await this.#recovers(name, store, clockMs);
  }

  /**
   * @param {string} name
   * @param {number} megabytes
   */
  async #diskFull(name, megabytes) {
    const mount = join(this.#folder, 'small-disk');
    mkdirSync(mount);
    await mustSucceed(['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'neve-chaos', mount]);
    try {
      const store = join(mount, 'store');
      const { code, signal, stderr } = await this.#build(store).ended;
      console.log(`${name}: ${code === 0 ? 'enough' : `ends with ${code ?? signal}`}`);
      await this.#check(`${name}: an error, and no crash`, async () => {
        const isTold = code === 0 || (signal === undefined && /ENOSPC|no space|full/i.test(stderr));
        return isTold && !stderr.includes('this is a bug') ? undefined : `${signal} ${stderr}`;
      });
      await mustSucceed(['mount', '-o', 'remount,size=400m', mount]);
      await this.#recovers(name, store);
    } finally {
      await mustSucceed(['umount', mount]);
      rmSync(mount, { recursive: true });
    }
  }

  /**
   * A build succeeds and gives what it must; nothing else is there. Removes the store.
   *
   * @param {string} name
   * @param {string} store
   * @param {number} [clockMs]
   */
  async #recovers(name, store, clockMs = 0) {
    const verified = existsSync(store)
      ? await this.#neve.run(['verify', '--store', store, '--nar'])
      : undefined;
    await this.#check(`${name}: verify before`, async () =>
      verified === undefined || verified.code === 0 ? undefined : verified.stdout + verified.stderr,
    );
    const { code, stdout, stderr } = await this.#build(store, clockMs).ended;
    await this.#check(`${name}: a retry succeeds`, async () => (code === 0 ? undefined : stderr));
    if (code === 0) {
      await this.#check(`${name}: what it gives`, async () => {
        const found = await this.#closure(store, stdout.trim());
        return JSON.stringify(found) === JSON.stringify(this.#wanted) ? undefined : JSON.stringify(found);
      });
    }
    const after = await this.#neve.run(['verify', '--store', store, '--nar']);
    await this.#check(`${name}: verify after`, async () =>
      after.code === 0 ? undefined : after.stdout + after.stderr,
    );
    await this.#check(`${name}: nothing is left`, async () => {
      const builds = join(store, 'builder/builds');
      // What was killed while it made its folder leaves it for an hour.
      const isBuild = (/** @type {string} */ name) => !name.startsWith('new-');
      const folders = existsSync(builds) ? readdirSync(builds).filter(isBuild) : [];
      const left = [...folders, ...mountsBelow(store)];
      return left.length === 0 ? undefined : left.join(' ');
    });
    rmSync(store, { recursive: true, force: true });
  }

  /**
   * @param {string} store
   * @param {number} [clockMs]
   */
  #build(store, clockMs = 0) {
    const { command, env } = this.#neve.words([], clockMs);
    const [program = '', ...words] = command.slice(0, -1);
    const features = 'nix-command ca-derivations';
    const child = spawn(
      program,
      [
        ...[...words, 'build', '--store', store, '--builder', `${this.#builder}:`, '--no-link', '-j', '3'],
        ...['--option', 'substitute', 'false', '--option', 'experimental-features', features],
        ...['-f', project, '--arg', 'busybox', this.#busybox, '--argstr', 'salt', this.#salt],
      ],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (/** @type {Buffer} */ bytes) => (stdout += bytes.toString()));
    child.stderr.on('data', (/** @type {Buffer} */ bytes) => (stderr += bytes.toString()));
    const ended = new Promise((fulfil, reject) => {
      child.on('error', reject);
      // Not 'close': what a killed command started may keep its streams.
      child.on('exit', (code, signal) =>
        setTimeout(
          () => fulfil({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr }),
          50,
        ),
      );
    });
    return { child, ended: /** @type {Promise<Ended>} */ (ended) };
  }

  /**
   * @param {string} store
   * @param {string} path
   */
  async #closure(store, path) {
    const words = ['info', '--store', store, '--closure', '--json', path];
    /** @type {Record<string, Known>} */
    const infos = JSON.parse(await this.#neve.output(words));
    const known = Object.entries(infos).map(([key, { narHash, narSize, references }]) => [
      key,
      { narHash, narSize, references },
    ]);
    return Object.fromEntries(known.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  }

  /** They may need a moment to end. */
  async #leftProcesses() {
    for (let attempt = 0; ; attempt++) {
      const left = processesWith(this.#salt);
      if (left.length === 0 || attempt === 20) return left;
      await new Promise((fulfil) => setTimeout(fulfil, 100));
    }
  }

  /**
   * @param {string} name
   * @param {() => Promise<string | undefined>} problemOf
   */
  async #check(name, problemOf) {
    const problem = await problemOf();
    this.#tally.record(name, problem === undefined);
    if (problem !== undefined) console.log(`FAIL ${name}: ${problem.slice(0, 2000)}`);
  }
}

/** @param {string} log */
function buildsIn(log) {
  return log.split('\n').filter((line) => line.startsWith('building ')).length;
}

/** @param {string} folder */
function mountsBelow(folder) {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((it) => it.startsWith(`${folder}/`));
}

/** @param {string} text in their environment */
function processesWith(text) {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)) return [];
      return [`${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
    } catch {
      return []; // it has ended, or belongs to somebody else
    }
  });
}

/** @param {readonly string[]} command */
async function mustSucceed(command) {
  const { code, stderr } = await runCommand(command);
  if (code !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`);
}
