// Trees that Neve and a Nix have both stored. Compared are store paths, NARs byte for byte, what `nix-store --restore` makes
// of Neve's NARs, what Neve makes of Nix's NARs and of tar archives, files that Neve exports, and signatures.

import { createHash, createPublicKey, verify } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../lib/command.mjs';
import { mapInPool } from '../lib/pool.mjs';
import { Random } from '../lib/random.mjs';
import { Tally } from '../lib/tally.mjs';
import { nixBase32 } from './store-path.mjs';
import { TreeGenerator } from './tree-generator.mjs';
import { listTree, removeTree } from './tree-listing.mjs';

/** Odd as they may be in a store path. */
const rootNames = [
  'tree',
  'a+b',
  '-dash',
  '_',
  '.hidden',
  'x.tar',
  'x.nar',
  'x.gz',
  'A',
  '0',
  '?',
  'a=b',
  'q'.repeat(150),
];

/** All of them keep names of any bytes and of any length. */
const tarForms = [
  { options: ['--format=gnu'], ending: '.tar' },
  { options: ['--format=pax'], ending: '.tar' },
  { options: ['--format=gnu', '--sparse'], ending: '.tar' },
  { options: ['--format=pax', '--sparse'], ending: '.tar' },
  { options: ['--format=pax', '--gzip'], ending: '.tar.gz' },
  { options: ['--format=gnu', '--xz'], ending: '.tar.xz' },
];

/**
 * @typedef {object} Tree
 * @property {number} index
 * @property {string} path
 * @property {string} name
 * @property {string} folder for what is made of it
 */

/** @typedef {{ path: string, narHash: string, narSize: number, ca: string, node: { type: string }, signatures?: string[] }} Info */

export class NixComparison {
  #tally = new Tally();
  /** @type {string} */
  #folder;
  /** @type {string} */
  #bin;
  /** @type {NodeJS.ProcessEnv} */
  #variables;
  /** @type {import('./store-command.mjs').StoreCommand} */
  #neve;
  /** @type {string} */
  #store;
  /** @type {readonly Tree[]} */
  #trees;

  /** @param {{ folder: string, neve: import('./store-command.mjs').StoreCommand, bin: string, variables: NodeJS.ProcessEnv, seed: number, count: number }} options */
  constructor({ folder, neve, bin, variables, seed, count }) {
    this.#folder = folder;
    this.#bin = bin;
    this.#variables = variables;
    this.#neve = neve;
    this.#store = join(folder, 'store');
    const generator = new TreeGenerator(seed);
    this.#trees = Array.from({ length: count }, (_, index) => {
      const own = join(folder, 'trees', String(index));
      const made = join(folder, 'made', String(index));
      for (const it of [own, made]) mkdirSync(it, { recursive: true });
      const name = Random.forPart(seed, -2 - index).pick(rootNames);
      const path = join(own, name);
      generator.make(path, index);
      return { index, path, name, folder: made };
    });
  }

  async run() {
    const infos = await this.#import();
    await this.#againstNix(infos);
    await this.#nars(infos);
    await this.#narsOfNix(infos);
    await this.#exportedFiles(infos);
    await this.#tarArchives(infos);
    await this.#signatures(infos);
    const verified = await this.#neve.run(['verify', '--store', this.#store, '--nar']);
    this.#check('verify', verified.code === 0, verified.stdout);
    return this.#tally.conclude();
  }

  /**
   * @param {string} name
   * @param {boolean} ok
   * @param {string} [explanation]
   */
  #check(name, ok, explanation = '') {
    this.#tally.record(name, ok);
    if (!ok) console.log(`FAIL ${name}${explanation === '' ? '' : `: ${explanation.trim()}`}`);
  }

  /** @returns {Promise<Info[]>} */
  async #import() {
    const words = ['import', '--store', this.#store, '--json', '--', ...this.#trees.map(({ path }) => path)];
    return JSON.parse(await this.#neve.output(words));
  }

  /**
   * Store paths, and the NAR hashes and sizes in both path infos.
   *
   * @param {readonly Info[]} infos
   */
  async #againstNix(infos) {
    const root = join(this.#folder, 'nix-root');
    const added = await this.#nix('nix-store', [
      '--store',
      root,
      '--add',
      ...this.#trees.map(({ path }) => path),
    ]);
    const paths = added.split('\n').slice(0, -1);
    const known = JSON.parse(
      await this.#nix('nix', ['path-info', '--store', root, '--json', ...new Set(paths)]),
    );
    for (const [position, { index, name }] of this.#trees.entries()) {
      const info = infos[position];
      const wanted = paths[position] ?? '';
      this.#check(`${index} (${name}): store path`, info?.path === wanted, `${info?.path}, not ${wanted}`);
      const { narHash, narSize, ca } = known[wanted] ?? {};
      const isSame = info?.narHash === narHash && info?.narSize === narSize && info?.ca === ca;
      this.#check(`${index}: path info`, isSame, JSON.stringify(info));
    }
  }

  /**
   * NARs of Neve are those of Nix, byte for byte, and `nix-store --restore` makes the trees of them: of all trees in one
   * directory, and of some on their own.
   *
   * @param {readonly Info[]} infos
   */
  async #nars(infos) {
    await mapInPool(this.#trees, async ({ path, name, folder }) => {
      await writeOutput([this.#nixStore, '--dump', path], this.#variables, join(folder, `${name}.nar`));
    });
    const trees = join(this.#folder, 'trees');
    const nar = join(this.#folder, 'trees.nar');
    await writeOutput([this.#nixStore, '--dump', trees], this.#variables, nar);
    const restored = join(this.#folder, 'restored');
    await this.#compareNar('all trees', { stored: await this.#storedForest(), nar, path: trees, restored });
    await mapInPool(this.#alone(infos), async ({ index, path, name, folder }) => {
      const theirs = join(folder, `${name}.nar`);
      const stored = infos[index]?.path ?? '';
      await this.#compareNar(String(index), {
        stored,
        nar: theirs,
        path,
        restored: join(folder, 'restored'),
      });
    });
  }

  /**
   * @param {string} title
   * @param {{ stored: string, nar: string, path: string, restored: string }} options `nar` is Nix's, of `path`
   */
  async #compareNar(title, { stored, nar, path, restored }) {
    const ours = `${restored}.nar`;
    const { command, env } = this.#neve.words(['export', '--store', this.#store, '--nar', stored]);
    await writeOutput(command, env, ours);
    const same = (await digestOfFile(ours)) === (await digestOfFile(nar));
    this.#check(`${title}: export --nar`, same, `${ours} and ${nar} differ`);
    const { code, stderr } = await runCommand([this.#nixStore, '--restore', restored], {
      env: this.#variables,
      input: readFileSync(ours),
    });
    const isEqual = code === 0 && listTree(restored).text === listTree(path).text;
    this.#check(`${title}: nix-store --restore`, isEqual, stderr);
    removeTree(restored);
  }

  /**
   * Those that are looked at one by one: files, links, and some of the others.
   *
   * @param {readonly Info[]} infos
   */
  #alone(infos) {
    return this.#trees.filter(({ index }) => infos[index]?.node.type !== 'directory' || index % 10 === 0);
  }

  /** The store path of all trees in one directory. */
  async #storedForest() {
    const trees = join(this.#folder, 'trees');
    const [stored = ''] = await this.#neve.lines([
      'import',
      '--store',
      this.#store,
      '--name',
      'forest',
      trees,
    ]);
    return stored;
  }

  /**
   * The NARs of Nix, in a store that has nothing yet.
   *
   * @param {readonly Info[]} infos
   */
  async #narsOfNix(infos) {
    const nars = this.#trees.map(({ folder, name }) => join(folder, `${name}.nar`));
    const store = join(this.#folder, 'store-of-nars');
    /** @type {Info[]} */
    const found = JSON.parse(
      await this.#neve.output(['import', '--store', store, '--json', '--nar', '--', ...nars]),
    );
    for (const { index } of this.#trees) {
      const isSame = JSON.stringify(found[index]) === JSON.stringify(infos[index]);
      this.#check(`${index}: import --nar`, isSame, JSON.stringify(found[index]));
    }
  }

  /**
   * All trees as one, exported once, and those that are no directory on their own.
   *
   * @param {readonly Info[]} infos
   */
  async #exportedFiles(infos) {
    const forest = join(this.#folder, 'forest');
    await this.#neve.output(['export', '--store', this.#store, await this.#storedForest(), forest]);
    for (const { index, path, name } of this.#trees)
      this.#compareFiles(`${index}: export`, path, join(forest, String(index), name));
    const [whole, again] = await Promise.all([
      this.#nixNarDigest(join(this.#folder, 'trees')),
      this.#nixNarDigest(forest),
    ]);
    this.#check('nix-store --dump of all that was exported', whole === again);
    await mapInPool(this.#alone(infos), async ({ index, path, folder }) => {
      const target = join(folder, 'exported');
      await this.#neve.output(['export', '--store', this.#store, infos[index]?.path ?? '', target]);
      this.#compareFiles(`${index}: export on its own`, path, target);
    });
  }

  /**
   * @param {string} name
   * @param {string} original
   * @param {string} exported
   */
  #compareFiles(name, original, exported) {
    const { text, strange } = listTree(exported);
    this.#check(name, text === listTree(original).text);
    this.#check(`${name}, modes and times`, strange.length === 0, strange.slice(0, 5).join(', '));
  }

  /**
   * Archives that tar makes of the trees, and what it unpacks of Neve's.
   *
   * @param {readonly Info[]} infos
   */
  async #tarArchives(infos) {
    const trees = this.#trees.filter(({ index }) => infos[index]?.node.type === 'directory');
    const archives = await mapInPool(trees, async ({ index, path, name, folder }) => {
      const { options, ending } = tarForms[index % tarForms.length] ?? { options: [], ending: '.tar' };
      const archive = join(folder, `${name}${ending}`);
      await succeed(['tar', ...options, '-C', path, '-cf', archive, '.']);
      return archive;
    });
    const store = join(this.#folder, 'store-of-archives');
    /** @type {Info[]} */
    const found = JSON.parse(
      await this.#neve.output(['import', '--store', store, '--json', '--tar', '--', ...archives]),
    );
    for (const [position, { index, name }] of trees.entries()) {
      const isSame = JSON.stringify(found[position]) === JSON.stringify(infos[index]);
      this.#check(
        `${index}: import --tar of ${name}`,
        isSame,
        `${archives[position]}: ${JSON.stringify(found[position])}`,
      );
    }
    await mapInPool(
      trees.filter(({ index }) => index % 10 === 0),
      async ({ index, path, folder }) => {
        const archive = join(folder, 'neve.tar');
        const { command, env } = this.#neve.words([
          'export',
          '--store',
          this.#store,
          '--tar',
          infos[index]?.path ?? '',
        ]);
        await writeOutput(command, env, archive);
        const unpacked = join(folder, 'unpacked');
        mkdirSync(unpacked);
        await succeed(['tar', '-C', unpacked, '-xf', archive]);
        this.#check(`${index}: export --tar`, listTree(unpacked).text === listTree(path).text, archive);
        removeTree(unpacked);
      },
    );
  }

  /**
   * Ed25519 signatures have no choice in them: those of Nix and of Neve by one key are the same.
   *
   * @param {readonly Info[]} infos
   */
  async #signatures(infos) {
    const paths = [...new Set(infos.map(({ path }) => path))].slice(0, 20);
    const root = join(this.#folder, 'nix-root');
    const keys = [
      await this.#nix('nix', ['key', 'generate-secret', '--key-name', 'of-nix-1']),
      await this.#neve.output(['key', 'generate', 'of-neve-1']),
    ].map((text, index) => {
      const file = join(this.#folder, `key-${index}`);
      writeFileSync(file, text);
      return { file, text };
    });
    for (const { file, text } of keys) {
      const publicKey = (await this.#neve.output(['key', 'public', file])).trim();
      const theirs = await runCommand([join(this.#bin, 'nix'), 'key', 'convert-secret-to-public'], {
        env: this.#variables,
        input: text,
      });
      this.#check('public key', publicKey === theirs.stdout.trim(), `${publicKey}, not ${theirs.stdout}`);
      await this.#nix('nix', ['store', 'sign', '--store', root, '--key-file', file, ...paths]);
    }
    const files = keys.flatMap(({ file }) => ['--key-file', file]);
    await this.#neve.output(['sign', '--store', this.#store, '--quiet', ...files, ...paths]);
    const ours = JSON.parse(await this.#neve.output(['info', '--store', this.#store, '--json', ...paths]));
    const theirs = JSON.parse(
      await this.#nix('nix', ['path-info', '--store', root, '--json', '--sigs', ...paths]),
    );
    const publicKey = (await this.#neve.output(['key', 'public', keys[1]?.file ?? ''])).trim();
    for (const path of paths) {
      const [found, wanted] = [ours, theirs].map((it) => [...it[path].signatures].sort().join(' '));
      this.#check(`signatures of ${path}`, found === wanted && found !== '', `${found}, not ${wanted}`);
      this.#check(`signature of ${path} is valid`, isSigned(ours[path], publicKey));
    }
  }

  get #nixStore() {
    return join(this.#bin, 'nix-store');
  }

  /** @param {string} path */
  async #nixNarDigest(path) {
    const nar = join(this.#folder, `dump-${Math.random()}`);
    await writeOutput([this.#nixStore, '--dump', path], this.#variables, nar);
    return await digestOfFile(nar);
  }

  /**
   * @param {string} program
   * @param {readonly string[]} args
   */
  #nix(program, args) {
    return succeed([join(this.#bin, program), ...args], this.#variables);
  }
}

/**
 * By the specification of fingerprints, and another implementation of Ed25519 than the store's.
 *
 * @param {{ path: string, narHash: string, narSize: number, references: string[], signatures: string[] }} info
 * @param {string} publicKey
 */
function isSigned({ path, narHash, narSize, references, signatures }, publicKey) {
  const [name = '', key = ''] = publicKey.split(':');
  const signature = signatures.find((it) => it.startsWith(`${name}:`))?.slice(name.length + 1) ?? '';
  const hash = `sha256:${nixBase32(Buffer.from(narHash.slice('sha256-'.length), 'base64'))}`;
  const fingerprint = ['1', path, hash, narSize, references.join(',')].join(';');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'base64')]);
  const keyObject = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, Buffer.from(fingerprint), keyObject, Buffer.from(signature, 'base64'));
}

/**
 * Standard output, which must come with the exit code 0.
 *
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 */
async function succeed(command, env) {
  const { code, stdout, stderr } = await runCommand(command, env === undefined ? {} : { env });
  if (code !== 0) throw new Error(`${command.slice(0, 6).join(' ')} failed: ${stderr}`);
  return stdout;
}

/**
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @param {string} file
 */
async function writeOutput([program = '', ...words], env, file) {
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const code = new Promise((fulfil) => child.on('close', fulfil));
  await pipeline(child.stdout, createWriteStream(file));
  if ((await code) !== 0) throw new Error(`${program} ${words.join(' ')} failed`);
}

/** @param {string} file */
async function digestOfFile(file) {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(file)) hash.update(bytes);
  return hash.digest('hex');
}
