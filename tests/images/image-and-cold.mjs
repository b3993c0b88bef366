// Evaluates with images of evaluators, and without, in this process: programs that call the function of a package set, in a
// tree that looks like nixpkgs, with arguments of all kinds.

import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { loadEvaluator, readCore } from '../lib/load-evaluator.mjs';
import { makeWorld, mutations, programParts } from './mutated-world.mjs';

/** @typedef {import('./mutated-world.mjs').World} World */
/** @typedef {import('../lib/random.mjs').Random} Random */

/** Longer than the clock of file systems takes to tick. */
const tickMs = 25;
/** An image is made anew at most so often while the one that is there is of use. */
const imageEvery = 5;

/**
 * Changes the world again and again, and evaluates programs over a package set. What an evaluation says that goes on from an
 * image must be what a cold one says.
 *
 * @param {{ folder: string, count: number, random: Random, record: (name: string, ok: boolean) => void }} options
 */
export async function runImages({ folder, count, random, record }) {
  const world = makePackageWorld(`${folder}/world`);
  const evaluate = await evaluatorOf(folder);
  const names = Object.keys(mutations);
  /** A few at a time, so that calls are found. */
  let packageSets = [packageSetOf(world, random)];
  const seen = { resumed: 0, found: 0, kept: 0, inDoubt: 0, prompts: 0 };
  for (let index = 0; index < count; index++) {
    const done = random.oneIn(3) ? [random.pick(names)] : [];
    const isTrusting = index % 50 < 25;
    if (isTrusting && done.length > 0) await wait(tickMs);
    for (const name of done) mutations[name]?.(world, random);
    if (random.oneIn(6)) writeOwnFiles(world, random);
    if (isTrusting && done.length > 0) await wait(tickMs);
    if (index % 20 === 0) packageSets = [packageSetOf(world, random), packageSetOf(world, random)];
    const program = programOf(world, random.pick(packageSets), random);
    // A prompt has evaluated other things in the same evaluator, with errors, and keeps what there is at its end.
    const isPrompt = random.oneIn(4);
    const earlier = !isPrompt
      ? []
      : [
          programOf(world, random.pick(packageSets), random),
          `(${random.pick(packageSets)} }).wrong`,
          `(${random.pick(packageSets)} }).unknown`,
          `(import ${world.folder}/packages/pkgs/top-level { localSystem = throw "of a prompt"; config = { }; overlays = [ ]; }).system`,
        ].filter(() => random.oneIn(2));
    const { image, cold, use } = await evaluate(world, program, {
      isTrusting,
      keeps: index % imageEvery === 0,
      isPrompt,
      earlier,
    });
    if (isPrompt && use.isKept) seen.prompts++;
    if (use.isResumed) seen.resumed++;
    if (use.found > 0) seen.found++;
    if (use.isKept) seen.kept++;
    // The command evaluates again, without the image.
    const isAgain = use.isResumed && !image.ok;
    if (isAgain && cold.ok) seen.inDoubt++;
    const isSame = isAgain || (image.ok === cold.ok && image.text === cold.text);
    if (!isSame)
      console.log(`#${index} after ${done.join(', ')}: ${program}\n  ${image.text}\n  ${cold.text}`);
    record(`image ${index}: ${done.join(', ')}: ${program}`, isSame);
  }
  console.log(
    `${count} evaluations: ${seen.resumed} from images, ${seen.found} of them found calls, ${seen.inDoubt} had to be ` +
      `done again; ${seen.kept} images were made, ${seen.prompts} of them by prompts`,
  );
  record('prompts have kept images', seen.prompts > 0);
  record('many go on from images and find calls there', seen.found > count / 10 && seen.inDoubt < count / 20);
}

/**
 * A world with a tree of packages that depends on all of it, and files of the user.
 *
 * @param {string} folder
 * @returns {World}
 */
function makePackageWorld(folder) {
  const world = makeWorld(folder);
  const parts = Object.entries(programParts(folder)).filter(
    ([name]) => name !== 'clock' && name !== 'message',
  );
  const lines = parts.map(([name, text]) => `    ${name} = ${text};`).join('\n');
  fs.mkdirSync(join(folder, 'packages/pkgs/top-level'), { recursive: true });
  fs.mkdirSync(join(folder, 'packages/lib'), { recursive: true });
  fs.writeFileSync(
    join(folder, 'packages/lib/default.nix'),
    'rec { fix = f: let x = f x; in x; elaborate = system: fix (self: { inherit system; is = name: self.system == name; }); }',
  );
  fs.writeFileSync(
    join(folder, 'packages/pkgs/top-level/default.nix'),
    `let lib = import ../../lib; in
{ localSystem, config ? { }, overlays ? [ ], unused ? null, ... }@args:
let
  base = self: {
${lines}
    inherit lib;
    system = if builtins.isString localSystem then localSystem else localSystem.system;
    isLinux = !builtins.isString localSystem && localSystem.is "x86_64-linux";
    free = config.allow or false;
    given = builtins.attrNames args;
    named = config.name or "none";
    made = if config ? make then config.make 3 else 0;
    later = config;
    place = builtins.unsafeGetAttrPos "allow" config;
  };
  compose = self: builtins.foldl' (previous: overlay: previous // overlay self previous) (base self) overlays;
in lib.fix compose`,
  );
  fs.mkdirSync(join(folder, 'own'));
  return world;
}

/** @param {World} world @param {Random} random */
function writeOwnFiles({ folder }, random) {
  const number = random.below(3);
  fs.writeFileSync(
    join(folder, 'own/overlay.nix'),
    `let number = ${number}; in [ (self: previous: { named = "overlaid \${toString number}"; system = previous.system + "!"; }) ]`,
  );
  fs.writeFileSync(
    join(folder, 'own/config.nix'),
    `${random.oneIn(2) ? '\n' : ''}{ allow = ${random.pick(['true', 'false'])}; name = ./. + "/x${random.below(2)}"; }`,
  );
  fs.writeFileSync(join(folder, 'own/closure.nix'), `n: { make = x: x + n; allow = n > 1; }`);
}

/** The call of a package set. @param {World} world @param {Random} random */
function packageSetOf(world, random) {
  const { folder } = world;
  if (!fs.existsSync(join(folder, 'own/config.nix'))) writeOwnFiles(world, random);
  const system = random.pick([
    '"x86_64-linux"',
    '{ system = "x86_64-linux"; }',
    `((import ${folder}/packages/lib).elaborate "x86_64-linux")`,
    `((import ${folder}/packages/lib).elaborate builtins.currentSystem)`,
  ]);
  const config = random.pick([
    '{ }',
    '{ allow = true; }',
    '{ allow = 1 == 1; name = "n" + "m"; }',
    '{ allow = false; name = throw "nobody asks"; }',
    `(import ${folder}/own/config.nix)`,
    `(import ${folder}/own/closure.nix ${random.below(3)})`,
    `{ make = x: x * ${random.below(3)}; }`,
    '(let self = { allow = true; name = "self"; inherit self; }; in self)',
    `{ name = toString (builtins.getEnv "SOME"); }`,
  ]);
  const overlays = random.pick([
    '[ ]',
    '[ ]',
    `(import ${folder}/own/overlay.nix)`,
    `[ (self: previous: { made = previous.made + ${random.below(3)}; }) ]`,
  ]);
  return `import ${folder}/packages/pkgs/top-level {
    localSystem = ${system}; config = ${config}; overlays = ${overlays};`;
}

/** @param {World} world @param {string} packageSet @param {Random} random */
// oxlint-disable-next-line eslint/max-params -- the last one is random
function programOf({ folder }, packageSet, random) {
  const wanted = [
    ...Object.keys(programParts(folder)).filter((name) => name !== 'clock' && name !== 'message'),
    ...['system', 'isLinux', 'free', 'given', 'made'],
  ];
  if (random.oneIn(2)) wanted.push('named', 'later.allow or 7');
  if (random.oneIn(9)) wanted.push('place');
  const asked = Array.from({ length: 1 + random.below(4) }, () => `packages.${random.pick(wanted)}`);
  return `let packages = ${packageSet} unused = ${random.below(2)}; };
  in [ ${asked.map((it) => `(${it})`).join(' ')} ]`;
}

/** @param {string} folder */
async function evaluatorOf(folder) {
  const {
    FileWorld,
    ImageFolder,
    KeptImages,
    RecordingIO,
    createEvaluator,
    createFileSystemIO,
    decodeUtf8,
    imageSettings,
    resumeEvaluator,
    sha256,
  } = await loadEvaluator();
  const core = new WebAssembly.Module(readCore('release'));
  const storage = new ImageFolder({ path: `${folder}/images`, maxBytes: 64 << 20 });

  /** @param {World} world @param {string} program @param {{ isTrusting: boolean, keeps: boolean, isPrompt: boolean, earlier: readonly string[] }} options */
  return async function evaluate(world, program, { isTrusting, keeps, isPrompt, earlier }) {
    const aheadMs = isTrusting ? 60 * 60 * 1000 : 0;
    const io = () =>
      createFileSystemIO({
        ...{ storeDir: '/nix/store', readOnly: true, environment: world.environment },
        onMessage: () => undefined,
      });
    const settings = {
      currentSystem: world.system,
      nixPath: [{ prefix: '', path: `${world.folder}/search` }],
    };
    /** @param {import('@neve/eval').Evaluator} evaluator */
    // oxlint-disable-next-line eslint/max-params -- by whom, and what
    const answer = async (evaluator, text = program) => {
      try {
        const source = await evaluator.parse({ kind: 'string', text, directory: '/' });
        const value = await evaluator.evaluate(source);
        return { ok: true, text: decodeUtf8(await evaluator.toJSON(value, { strict: true })) };
      } catch (error) {
        return { ok: false, text: String(error) };
      }
    };
    const cold = await answer(createEvaluator({ core, io: io(), settings }));

    const images = new KeptImages({
      ...{
        folder: storage,
        files: new FileWorld({ storeDir: '/nix/store' }),
        world: io(),
        storeIsFiles: true,
      },
      nowMs: () => Date.now() + aheadMs,
    });
    const key = imageSettings(settings, io());
    const found = await images.find(key);
    const opened = found.kind === 'kept' ? found.opened : undefined;
    const recording = new RecordingIO({
      ...{ world: io(), storeDir: '/nix/store', writesStore: false, hash: sha256 },
      ...{ nowMs: Date.now() + aheadMs, asksAgain: isPrompt },
    });
    const options = {
      ...{ core, io: recording, settings, isInterruptible: isPrompt },
      images: {
        /** @param {'own' | 'shared'} region */
        enterRegion(region) {
          recording.region = region;
        },
      },
    };
    const evaluator =
      opened === undefined ? createEvaluator(options) : await resumeEvaluator(options, opened.image);
    opened?.noteReads(recording);
    for (const it of earlier) await answer(evaluator, it);
    const image = await answer(evaluator);
    const use = evaluator.imageUse();
    const reads = recording.finish().of('shared');
    const isKept =
      (image.ok || isPrompt) &&
      !use.isInDoubt &&
      !use.dependsOnClock &&
      (keeps || !use.isResumed) &&
      images.sign(reads, undefined) === undefined &&
      images.keep(key, {
        ...{ reads, image: evaluator.takeImage(), described: new Uint8Array(), change: undefined },
      });
    opened?.[Symbol.dispose]();
    return { image, cold, use: { ...use, isKept } };
  };
}
