// Three stores that are written to by processes that get killed: one that is imported into, one that is copied to, and one
// that is copied to through a daemon. After every kill all that was acknowledged is there and whole, `verify` is clean, and
// the same command ends well when it is run again.

import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { textTable } from '../lib/text-table.mjs';
import { Daemon } from './daemon.mjs';
import { LocalStore } from './local-store.mjs';
import { completeLines } from './store-command.mjs';
import { TreeGenerator } from './tree-generator.mjs';
import { removeTree } from './tree-listing.mjs';

const hourMs = 60 * 60 * 1000;
const treesARound = 6;

/** What is killed. The last is the daemon, while somebody copies to it. */
const victims = /** @type {const} */ (['import', 'copy', 'copy to a daemon', 'gc', 'daemon']);

/** @typedef {typeof victims[number]} Victim */

/** @typedef {{ rounds: number, kills: number, halfDone: number, leftovers: number, usualMs: number }} Figures */

export class CrashTest {
  #tally = new Tally();
  /** @type {Record<Victim, Figures>} */
  #figures;
  /** @type {import('./store-command.mjs').StoreCommand} */
  #command;
  /** @type {string} */
  #trees;
  /** @type {TreeGenerator} */
  #small;
  /** @type {TreeGenerator} */
  #large;
  #made = 0;
  /** @type {Random} */
  #random;
  /** @type {LocalStore} */
  #main;
  /** @type {LocalStore} */
  #copy;
  /** @type {LocalStore} */
  #served;
  /** @type {Daemon} */
  #daemon;

  /** @param {{ folder: string, neve: import('./store-command.mjs').StoreCommand, seed: number }} options */
  constructor({ folder, neve, seed }) {
    this.#command = neve;
    this.#trees = join(folder, 'trees');
    mkdirSync(this.#trees);
    this.#small = new TreeGenerator(seed, { small: true });
    this.#large = new TreeGenerator(seed + 1);
    this.#random = new Random(seed);
    this.#main = new LocalStore(join(folder, 'main'), this.#command);
    this.#copy = new LocalStore(join(folder, 'copy'), this.#command);
    this.#served = new LocalStore(join(folder, 'served'), this.#command);
    const socket = join(folder, 'socket');
    this.#daemon = new Daemon({ command: this.#command, folder: this.#served.folder, socket });
    this.#figures = Object.assign(
      {},
      ...victims.map((it) => ({ [it]: { rounds: 0, kills: 0, halfDone: 0, leftovers: 0, usualMs: 600 } })),
    );
  }

  /** @param {number} kills */
  async run(kills) {
    await this.#daemon.start();
    try {
      const limit = kills * 3 + 20;
      for (let round = 0; this.#kills() < kills && round < limit; round++) {
        await this.#round(victims[round % victims.length] ?? 'import');
      }
      this.#check(
        `${kills} kills in ${limit} rounds`,
        this.#kills() >= kills ? [] : [`only ${this.#kills()}`],
      );
    } finally {
      await this.#daemon.stop('SIGTERM');
    }
    for (const store of [this.#main, this.#copy, this.#served]) await this.#leftovers(store);
    this.#printFigures();
    return this.#tally.conclude();
  }

  #kills() {
    return victims.reduce((sum, it) => sum + this.#figures[it].kills, 0);
  }

  /** @param {Victim} victim */
  async #round(victim) {
    switch (victim) {
      case 'import':
        return await this.#importRound();
      case 'copy':
        return await this.#copyRound(victim, this.#copy, this.#copy.folder);
      case 'copy to a daemon':
        return await this.#copyRound(victim, this.#served, this.#daemon.url);
      case 'gc':
        return await this.#gcRound(this.#random.pick([this.#main, this.#copy, this.#served]));
      case 'daemon':
        return await this.#daemonRound();
    }
  }

  async #importRound() {
    const trees = this.#makeTrees();
    const words = this.#main.words('import', ...trees);
    const { stdout } = await this.#killed('import', words, this.#main);
    this.#main.acknowledge(completeLines(stdout));
    await this.#expectSound('import', this.#main);
    this.#main.acknowledge(await this.#again('import', words));
    for (const tree of trees) removeTree(tree);
  }

  /**
   * @param {Victim} victim
   * @param {LocalStore} target
   * @param {string} to
   */
  async #copyRound(victim, target, to) {
    const missing = await this.#pathsToCopy(target);
    const words = ['copy', '--quiet', '--from', this.#main.folder, '--to', to, ...missing];
    const { code } = await this.#killed(victim, words, target);
    if (code === 0) target.acknowledge(missing);
    await this.#expectSound(victim, target);
    await this.#again(victim, words);
    target.acknowledge(missing);
  }

  /**
   * Garbage is what was imported two hours ago, and has no root.
   *
   * @param {LocalStore} store
   */
  async #gcRound(store) {
    const trees = this.#makeTrees();
    const words = store.words('import', ...trees);
    const imported = await this.#command.lines(words, { clockMs: -2 * hourMs });
    for (const tree of trees) removeTree(tree);
    const [kept = '', ...garbage] = imported.filter((it) => !store.acknowledged.has(it));
    if (kept !== '') {
      // As old as the others, but with a root.
      await this.#command.output(store.words('root', 'add', basename(kept), kept));
      store.acknowledged.add(kept);
    }
    await this.#killed('gc', store.words('gc'), store);
    await this.#expectSound('gc', store);
    await this.#again('gc', store.words('gc'));
    const left = await store.paths();
    const remaining = garbage.filter((path) => path !== kept && left.has(path));
    this.#check('gc that is run again removes the garbage', remaining);
    this.#check(
      'gc removes what killed writers left',
      store.temporaryFiles().map(({ name }) => name),
    );
  }

  async #daemonRound() {
    const missing = await this.#pathsToCopy(this.#served);
    const words = ['copy', '--quiet', '--from', this.#main.folder, '--to', this.#daemon.url, ...missing];
    const figures = this.#figures['daemon'];
    figures.rounds++;
    const filesBefore = this.#served.blobFiles().length;
    const client = this.#command.start(words);
    await pause(this.#killTime(this.#figures['copy to a daemon'].usualMs));
    await this.#daemon.stop('SIGKILL');
    figures.kills++;
    const { code, signal, stderr } = await client.ended;
    if (this.#served.blobFiles().length !== filesBefore) figures.halfDone++;
    if (code === 0) this.#served.acknowledge(missing);
    else this.#check('a client whose daemon is killed says so', complaints({ code, signal, stderr }));
    figures.leftovers += this.#served.temporaryFiles().length;
    await this.#expectSound('daemon', this.#served);
    await this.#daemon.start();
    await this.#again('copy to a daemon', words);
    this.#served.acknowledge(missing);
  }

  /**
   * What the main store has and the other has not; something new when there is none.
   *
   * @param {LocalStore} target
   */
  async #pathsToCopy(target) {
    const missing = [...this.#main.acknowledged].filter((path) => !target.acknowledged.has(path));
    if (missing.length >= treesARound) return missing;
    const trees = this.#makeTrees();
    const paths = await this.#command.lines(this.#main.words('import', ...trees));
    this.#main.acknowledge(paths);
    for (const tree of trees) removeTree(tree);
    return [...new Set([...missing, ...paths])].filter((path) => !target.acknowledged.has(path));
  }

  /** Some small ones and a larger one. Their names differ, so that equal ones have paths of their own. */
  #makeTrees() {
    return Array.from({ length: treesARound }, (_, index) => {
      const number = this.#made++;
      const path = join(this.#trees, `tree-${number}`);
      (index === 2 ? this.#large : this.#small).make(path, number);
      return path;
    });
  }

  /**
   * @param {Victim} victim
   * @param {readonly string[]} words
   * @param {LocalStore} store
   */
  async #killed(victim, words, store) {
    const figures = this.#figures[victim];
    figures.rounds++;
    const filesBefore = store.blobFiles().length;
    const started = this.#command.start(words);
    const timer = setTimeout(() => started.child.kill('SIGKILL'), this.#killTime(figures.usualMs));
    const ended = await started.ended;
    clearTimeout(timer);
    if (ended.signal === 'SIGKILL') {
      figures.kills++;
      if (store.blobFiles().length !== filesBefore) figures.halfDone++;
    } else if (ended.code !== 0)
      this.#check(`${victim} that was not killed`, [`${ended.code}: ${ended.stderr}`]);
    figures.leftovers += store.temporaryFiles().length;
    return ended;
  }

  /**
   * Any time until the usual end; mostly not while the program is only being loaded.
   *
   * @param {number} usualMs
   */
  #killTime(usualMs) {
    const startMs = this.#random.oneIn(5) ? 0 : usualMs * 0.35;
    return startMs + (this.#random.next() / 2 ** 32) * (usualMs - startMs);
  }

  /**
   * @param {Victim} victim
   * @param {readonly string[]} words
   */
  async #again(victim, words) {
    const { code, signal, stdout, stderr, tookMs } = await this.#command.start(words).ended;
    this.#check(`${victim}, run again`, code === 0 ? [] : [`${code ?? signal}: ${stderr}`]);
    const figures = this.#figures[victim];
    figures.usualMs = figures.usualMs * 0.7 + tookMs * 0.3;
    return completeLines(stdout);
  }

  /**
   * @param {string} after
   * @param {LocalStore} store
   */
  async #expectSound(after, store) {
    const problems = [...(await store.problems())];
    const paths = [...store.acknowledged];
    const sample = paths.length === 0 ? undefined : await store.problemOf(this.#random.pick(paths));
    if (sample !== undefined) problems.push(sample);
    this.#check(`the store after ${after}`, problems);
  }

  /**
   * Everything that was acknowledged is whole; then, without roots and after some hours, nothing is left.
   *
   * @param {LocalStore} store
   */
  async #leftovers(store) {
    const name = basename(store.folder);
    const sample = [...store.acknowledged].filter(() => this.#random.oneIn(10));
    for (const path of sample)
      this.#check(`${path} in ${name}`, [(await store.problemOf(path)) ?? ''].filter(Boolean));
    const gc = store.words('gc');
    await this.#command.output(gc, { clockMs: 3 * hourMs });
    this.#check(`${name} after the last gc`, await store.problems());
    this.#check(
      `no temporary files in ${name}`,
      store.temporaryFiles().map((it) => it.name),
    );
    const pins = await this.#command.lines(store.words('root', 'list'));
    const pinned = pins.map((line) => line.split(' ')[0] ?? '').filter((it) => !it.startsWith('/'));
    if (pinned.length > 0) await this.#command.output(store.words('root', 'remove', ...pinned));
    removeTree(join(store.folder, 'gcroots'));
    await this.#command.output(gc, { clockMs: 6 * hourMs });
    this.#check(`${name} is empty`, [...(await store.paths()), ...store.blobFiles().map((it) => it.name)]);
    store.acknowledged.clear();
    this.#check(`verify of the empty ${name}`, await store.problems());
  }

  /**
   * @param {string} name
   * @param {readonly string[]} problems
   */
  #check(name, problems) {
    this.#tally.record(name, problems.length === 0);
    if (problems.length > 0)
      console.log(`FAIL ${name} (kill ${this.#kills()}): ${problems.slice(0, 5).join('\n  ')}`);
  }

  #printFigures() {
    const rows = victims.map((it) => {
      const { rounds, kills, halfDone, leftovers, usualMs } = this.#figures[it];
      return [it, rounds, kills, halfDone, leftovers, Math.round(usualMs)];
    });
    console.log(
      `${textTable([['killed', 'rounds', 'kills', 'half done', 'files left', 'usual ms'], ...rows])}\n`,
    );
  }
}

/**
 * @param {{ code: number | undefined, signal: string | undefined, stderr: string }} ended
 * @returns {readonly string[]}
 */
function complaints({ code, signal, stderr }) {
  const isGood = code === 1 && stderr.startsWith('error: ') && !/^\s+at /m.test(stderr);
  return isGood ? [] : [`${code ?? signal}: ${stderr}`];
}

/** @param {number} timeMs */
function pause(timeMs) {
  return new Promise((fulfil) => setTimeout(fulfil, timeMs));
}
