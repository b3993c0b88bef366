// Evaluates with results that are kept, and without, in this process.

import { setTimeout as wait } from 'node:timers/promises';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { makeWorld, mutations, programParts } from './mutated-world.mjs';

/** @typedef {import('./mutated-world.mjs').World} World */
/** @typedef {import('../lib/random.mjs').Random} Random */

/** Longer than the clock of file systems takes to tick. */
const tickMs = 25;

/**
 * Changes the world again and again, and evaluates a program that may depend on it. A kept result must be what a cold
 * evaluation says. Half of the time signatures of files are trusted at once, as they are of files that nobody has touched
 * for a while.
 *
 * @param {{ folder: string, count: number, random: Random, record: (name: string, ok: boolean) => void }} options
 */
export async function runMutations({ folder, count, random, record }) {
  const evaluate = await evaluatorOf(folder);
  const world = makeWorld(`${folder}/world`);
  const parts = Object.entries(programParts(world.folder));
  const names = Object.keys(mutations);
  const programs = parts.map(([name, text]) => ({ names: [name], text: `{ ${name} = ${text}; }` }));
  for (let index = 0; index < 12; index++) {
    const chosen = Array.from({ length: 4 }, () => random.pick(parts.filter(([name]) => name !== 'clock')));
    const text = [...new Map(chosen)].map(([name, expression]) => `${name} = ${expression};`).join(' ');
    programs.push({ names: chosen.map(([name]) => name), text: `{ ${text} }` });
  }
  const seen = { kept: 0, changed: 0, none: 0 };
  for (let index = 0; index < count; index++) {
    const done = Array.from({ length: random.below(3) }, () => random.pick(names));
    const isTrusting = index % 100 < 50;
    if (isTrusting && done.length > 0) await wait(tickMs);
    for (const name of done) mutations[name]?.(world, random);
    if (isTrusting && done.length > 0) await wait(tickMs);
    // The same few programs many times, so that results are there to be used.
    const program = programs[(Math.floor(index / 7) + random.below(3)) % programs.length];
    if (program === undefined) throw new Error('there is no program');
    const { kind, answer, cold } = await evaluate(world, program.text, isTrusting);
    seen[kind]++;
    if (answer !== cold)
      console.log(`#${index} after ${done.join(', ')}: ${program.text}\n  ${answer}\n  ${cold}`);
    record(`${index}: ${done.join(', ')}: ${program.names.join(' ')}`, answer === cold);
  }
  console.log(
    `${count} evaluations: ${seen.kept} from kept results, ${seen.changed} whose reads had changed, ${seen.none} new`,
  );
  record(
    'many are answered from kept results, and many have changed',
    seen.kept > count / 5 && seen.changed > count / 20,
  );
}

/** @param {string} folder */
async function evaluatorOf(folder) {
  const library = await loadEvaluator();
  const {
    FileWorld,
    ImageFolder,
    KeptResults,
    RecordingIO,
    createEvaluator,
    createFileSystemIO,
    decodeUtf8,
    encodeUtf8,
    sha256,
  } = library;
  const core = new WebAssembly.Module(readCore('release'));
  const images = new ImageFolder({ path: `${folder}/images` });

  /** @param {World} world @param {string} program @param {boolean} isTrusting */
  return async function evaluate(world, program, isTrusting) {
    const aheadMs = isTrusting ? 60 * 60 * 1000 : 0;
    const key = JSON.stringify({ program, system: world.system, nixPath: world.folder });
    /** @type {string[]} */
    let messages = [];
    const io = () =>
      createFileSystemIO({
        ...{ storeDir: '/nix/store', readOnly: true, environment: world.environment },
        onMessage: (level, text) => void messages.push(`${level}: ${decodeUtf8(text)}`),
      });
    /** @param {import('@neve/eval').EvalIO} around */
    const run = async (around) => {
      messages = [];
      const settings = {
        currentSystem: world.system,
        nixPath: [{ prefix: '', path: `${world.folder}/search` }],
      };
      const evaluator = createEvaluator({ core, io: around, settings });
      try {
        const source = await evaluator.parse({ kind: 'string', text: program, directory: '/' });
        const value = await evaluator.evaluate(source);
        const json = decodeUtf8(await evaluator.toJSON(value, { strict: true }));
        return { ok: true, text: [...messages, json].join('\n') };
      } catch (error) {
        return { ok: false, text: [...messages, String(error)].join('\n') };
      }
    };
    const results = new KeptResults({
      ...{
        folder: images,
        files: new FileWorld({ storeDir: '/nix/store' }),
        world: io(),
        storeIsFiles: true,
      },
      nowMs: () => Date.now() + aheadMs,
    });
    const found = await results.find(key);
    const cold = (await run(io())).text;
    if (found.kind === 'kept') {
      return { kind: found.kind, answer: found.written.map(({ bytes }) => decodeUtf8(bytes)).join(''), cold };
    }
    const files = io();
    const recording = new RecordingIO({
      ...{
        world: io(),
        storeDir: '/nix/store',
        writesStore: false,
        hash: sha256,
        nowMs: Date.now() + aheadMs,
      },
    });
    const { ok, text } = await run(recording);
    const written = [{ file: /** @type {const} */ (1), bytes: encodeUtf8(text) }];
    const known = isTrusting ? (/** @type {string} */ path) => files.signatureOf(path) : undefined;
    if (ok) results.keep(key, { reads: recording.finish(), written, tookMs: 0, change: undefined, known });
    return { kind: found.kind, answer: text, cold };
  };
}
