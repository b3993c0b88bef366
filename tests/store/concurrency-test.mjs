// Several processes at one local store. Some import trees that others import as well, or that lie in the store as garbage;
// some copy and read; garbage is collected all the time. What a process said to be stored must be there, whole.
//
// Clocks are shifted (`shifted-clock.mjs`) so that things are old enough to be collected.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { Daemon } from './daemon.mjs';
import { LocalStore } from './local-store.mjs';
import { TreeGenerator } from './tree-generator.mjs';

const hourMs = 60 * 60 * 1000;
const treesOfAll = 40;

/** @typedef {{ store: LocalStore, target: LocalStore, trees: readonly string[], random: Random }} Place */

export class ConcurrencyTest {
  #tally = new Tally();
  /** @type {string} */
  #folder;
  /** @type {import('./store-command.mjs').StoreCommand} */
  #command;
  /** @type {number} */
  #seed;
  /** @type {number} */
  #rounds;

  /** @param {{ folder: string, neve: import('./store-command.mjs').StoreCommand, seed: number, rounds: number }} options */
  constructor({ folder, neve, seed, rounds }) {
    this.#folder = folder;
    this.#command = neve;
    this.#seed = seed;
    this.#rounds = rounds;
  }

  async run() {
    for (const processes of [2, 4]) await this.#together(processes);
    await this.#collectDuringImport();
    await this.#collectDuringCopies();
    return this.#tally.conclude();
  }

  /** @param {number} processes */
  async #together(processes) {
    const startedMs = performance.now();
    const folder = join(this.#folder, `together-${processes}`);
    const trees = this.#makeTrees(folder, { count: treesOfAll, seed: this.#seed + processes });
    const store = new LocalStore(join(folder, 'store'), this.#command);
    const target = new LocalStore(join(folder, 'target'), this.#command);
    for (const it of [store, target])
      await this.#command.output(it.words('import', ...trees), { clockMs: -2 * hourMs });
    const collector = { isOver: false, runs: 0, removed: 0 };
    const collecting = this.#collect([store, target], collector);
    const works = /** @type {const} */ (['import', 'copy', 'import', 'read']);
    try {
      const ends = await Promise.allSettled(
        Array.from({ length: processes }, async (_, number) => {
          const random = Random.forPart(this.#seed, 100 * processes + number);
          for (let round = 0; round < this.#rounds; round++) {
            const work = works[processes === 2 ? number * (round % 2) : number] ?? 'import';
            await this.#work(work, { store, target, trees, random });
          }
        }),
      );
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      collector.isOver = true;
      await collecting;
    }
    const name = `${processes} processes`;
    for (const it of [store, target]) {
      this.#check(`${name}: verify`, await it.problems());
      for (const path of it.acknowledged) await this.#expectWhole(`${name}, at the end`, it, path);
    }
    const { runs, removed } = collector;
    const tookMs = Math.round(performance.now() - startedMs);
    console.log(
      `${name}: ${store.acknowledged.size} paths stored, ${target.acknowledged.size} copied, ${runs} collections of ${removed} paths, ${tookMs} ms`,
    );
    this.#check(`${name}: something was collected`, removed > 0 ? [] : ['nothing']);
  }

  /**
   * @param {'import' | 'copy' | 'read'} work
   * @param {Place} place
   */
  async #work(work, place) {
    if (work === 'copy') await this.#copy(place);
    else if (work === 'read') await this.#read(place);
    else await this.#import(place);
  }

  /**
   * Imports some that are garbage, or that another process imports at the same time.
   *
   * @param {Place} place
   */
  async #import({ store, trees, random }) {
    const chosen = trees.filter(() => random.oneIn(8));
    if (chosen.length === 0) return;
    const paths = await this.#attempt('import', store.words('import', ...chosen));
    store.acknowledge(paths);
    this.#check('an import prints all paths', paths.length === chosen.length ? [] : paths);
    await this.#expectWhole('after an import', store, random.pick(paths));
  }

  /** @param {Place} place */
  async #copy({ store, target, trees, random }) {
    const chosen = [...store.acknowledged].filter(() => random.oneIn(4));
    if (chosen.length === 0) return await this.#import({ store, target, trees, random });
    await this.#attempt('copy', [
      'copy',
      '--quiet',
      '--from',
      store.folder,
      '--to',
      target.folder,
      ...chosen,
    ]);
    target.acknowledge(chosen);
    await this.#expectWhole('after a copy', target, random.pick(chosen));
  }

  /** @param {Place} place */
  async #read({ store, target, trees, random }) {
    const known = [...store.acknowledged];
    if (known.length === 0) return await this.#import({ store, target, trees, random });
    await this.#expectWhole('while others write', store, random.pick(known));
  }

  /**
   * @param {readonly LocalStore[]} stores
   * @param {{ isOver: boolean, runs: number, removed: number }} state
   */
  async #collect(stores, state) {
    for (let round = 0; !state.isOver; round++) {
      const store = /** @type {LocalStore} */ (stores[round % stores.length]);
      const acknowledged = new Set(store.acknowledged);
      // Between two commands nobody has a lease, and what was stored a moment ago is garbage as well; so it is told to be
      // kept. A part of the rest at a time, so that there is some until the end.
      const spared = round % 3 === 2 ? [] : ['--max-size', '3M'];
      const removed = await this.#attempt('gc', store.words('gc', '--older-than', '1h', ...spared));
      state.runs++;
      state.removed += removed.length;
      // What was removed, and imported again before the collector ended, was not lost.
      const lost = removed.filter((path) => acknowledged.has(path));
      this.#check('gc leaves alone what was acknowledged', lost);
    }
  }

  /** The importer waits for the rest of its archive while everything is collected that may be. */
  async #collectDuringImport() {
    const folder = join(this.#folder, 'during-import');
    const trees = this.#makeTrees(folder, { count: 12, seed: this.#seed + 7 });
    const store = new LocalStore(join(folder, 'store'), this.#command);
    // Half of what the archive has lies there as garbage.
    await this.#command.output(store.words('import', ...trees.slice(0, 6)), { clockMs: -5 * hourMs });
    const archive = join(folder, 'archive.tar');
    const { code, stderr } = await runCommand(['tar', '-C', join(folder, 'trees'), '-cf', archive, '.']);
    if (code !== 0) throw new Error(`tar failed: ${stderr}`);
    const bytes = readFileSync(archive);
    for (const part of [0.3, 0.7, 0.95]) {
      const name = `gc after ${part * 100} % of an import`;
      const before = store.blobFiles().length;
      const importer = this.#command.start(
        store.words('import', '--tar', '--name', `archive-${part * 100}`, '-'),
        {
          clockMs: -2 * hourMs,
        },
      );
      importer.child.stdin.write(bytes.subarray(0, bytes.length * part));
      await waitUntil(() => store.blobFiles().length > before || store.temporaryFiles().length > 0, 5000);
      await this.#attempt('gc', store.words('gc'));
      importer.child.stdin.end(bytes.subarray(bytes.length * part));
      const ended = await importer.ended;
      this.#check(`${name}: it ends well`, ended.code === 0 ? [] : [ended.stderr]);
      const path = ended.stdout.trim();
      await this.#expectWhole(name, store, path);
      this.#check(`${name}: verify`, await store.problems());
    }
  }

  /** The copying process, or its daemon, is stopped at some moment and goes on after garbage was collected. */
  async #collectDuringCopies() {
    const folder = join(this.#folder, 'during-copy');
    const trees = this.#makeTrees(folder, { count: 12, seed: this.#seed + 8 });
    const source = new LocalStore(join(folder, 'source'), this.#command);
    const target = new LocalStore(join(folder, 'target'), this.#command);
    const paths = await this.#command.lines(source.words('import', ...trees));
    await this.#command.output(target.words('import', ...trees.slice(0, 6)), { clockMs: -5 * hourMs });
    const daemon = new Daemon({
      command: this.#command,
      folder: target.folder,
      socket: join(folder, 'socket'),
    });
    await daemon.start({ clockMs: -2 * hourMs });
    const random = Random.forPart(this.#seed, 1000);
    try {
      for (let round = 0; round < this.#rounds * 2; round++) {
        const to = round % 2 === 0 ? target.folder : daemon.url;
        const chosen = paths.filter(() => random.oneIn(2));
        if (chosen.length === 0) continue;
        const name = `gc during a copy to ${round % 2 === 0 ? 'a folder' : 'a daemon'}`;
        const words = ['copy', '--quiet', '--from', source.folder, '--to', to, ...chosen];
        // Roots do not yet protect what no path info refers to, but they do once the copy has ended.
        target.acknowledge(chosen);
        const copier = this.#command.start(words, { clockMs: -2 * hourMs });
        await pause(100 + random.below(round % 2 === 0 ? 500 : 900));
        copier.child.kill('SIGSTOP');
        // A process that is stopped may have the lock of the database.
        const collecting = this.#command.start(target.words('gc'));
        await Promise.race([collecting.ended, pause(3000)]);
        copier.child.kill('SIGCONT');
        const [ended, collected] = await Promise.all([copier.ended, collecting.ended]);
        this.#check(
          `${name}: both end well`,
          [ended, collected].flatMap((it) => (it.code === 0 ? [] : [it.stderr])),
        );
        await this.#expectWhole(name, target, random.pick(chosen));
        this.#check(`${name}: verify`, await target.problems());
        // For the next round everything is old garbage again.
        target.forget();
        await this.#command.output(target.words('gc'), { clockMs: 24 * hourMs });
      }
    } finally {
      await daemon.stop('SIGTERM');
    }
  }

  /**
   * @param {string} folder
   * @param {{ count: number, seed: number }} options
   */
  #makeTrees(folder, { count, seed }) {
    mkdirSync(join(folder, 'trees'), { recursive: true });
    const generator = new TreeGenerator(seed, { small: true });
    return Array.from({ length: count }, (_, index) => {
      const path = join(folder, 'trees', `tree-${index}`);
      generator.make(path, index);
      return path;
    });
  }

  /**
   * @param {string} name
   * @param {readonly string[]} words
   */
  async #attempt(name, words) {
    const { code, signal, stdout, stderr } = await this.#command.run(words);
    this.#check(name, code === 0 ? [] : [`${code ?? signal}: ${stderr}`]);
    return stdout.split('\n').slice(0, -1);
  }

  /**
   * @param {string} name
   * @param {LocalStore} store
   * @param {string | undefined} path
   */
  async #expectWhole(name, store, path) {
    const problem = path === undefined ? 'nothing was stored' : await store.problemOf(path);
    this.#check(`a path is whole ${name}`, problem === undefined ? [] : [problem]);
  }

  /**
   * @param {string} name
   * @param {readonly string[]} problems
   */
  #check(name, problems) {
    this.#tally.record(name, problems.length === 0);
    if (problems.length > 0) console.log(`FAIL ${name}: ${problems.join('\n  ')}`);
  }
}

/** @param {number} timeMs */
function pause(timeMs) {
  return new Promise((fulfil) => setTimeout(fulfil, timeMs));
}

/**
 * @param {() => boolean} isSo
 * @param {number} limitMs
 */
async function waitUntil(isSo, limitMs) {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs && !isSo();) await pause(10);
}
