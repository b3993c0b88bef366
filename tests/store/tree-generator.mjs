// Generated trees on disk, with what is hard to keep: odd names, sizes around the limits of blocks and chunks, modes that
// must not matter, links to nowhere, holes. Equal seeds give equal trees.

import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Random } from '../lib/random.mjs';

const kibi = 1024;
const mebi = 1024 * kibi;

/** NAR padding, the blocks of sparse files, the limits of what is kept inline, groups of the hash, chunks. */
const sizes = [
  0,
  1,
  7,
  8,
  9,
  100,
  1023,
  1024,
  1025,
  4096,
  ...[16, 32, 64, 128, 256].flatMap((it) => [it * kibi - 1, it * kibi, it * kibi + 1]),
];
const largeSizes = [512 * kibi + 1, mebi - 1, mebi, mebi + 1, 2 * mebi + 5, 3 * mebi, 5 * mebi + 11];

/** Each with its executable bit for Nix: whether the owner may execute it. */
const fileModes = [
  0o644, 0o755, 0o600, 0o700, 0o444, 0o555, 0o654, 0o645, 0o744, 0o4755, 0o2644, 0o6711, 0o1644, 0o400, 0o500,
  0o666,
];
const folderModes = [0o755, 0o700, 0o555, 0o2755, 0o1777, 0o775];

const latin = (/** @type {string} */ text) => Buffer.from(text, 'latin1');

/** Their order by bytes is not that of UTF-16 (the last of them), nor that of any locale. */
const oddNames = [
  ...[
    'a',
    'A',
    'B',
    'b',
    'Z',
    'z',
    '_',
    'a b',
    'a-b',
    'a.b',
    'a+b',
    'aB',
    'ab',
    'a~b',
    '0',
    '10',
    '9',
    ' ',
    ' a',
  ],
  ...[
    '...',
    '..a',
    '.hidden',
    '-dash',
    '--',
    '~',
    '*',
    '?',
    '$HOME',
    '"',
    "'",
    '\\',
    'a\\b',
    '\n',
    'new\nline',
    '\t',
  ],
  ...[
    '\u0001',
    '\u007f',
    'a~nix~case~hack~1',
    'con',
    'nul',
    'CON.txt',
    'é',
    'e\u0301',
    'ß',
    'ſ',
    'Ω',
    '中文',
    '\u202e',
    '\ufeff',
  ],
  ...['\uff5e', '😀', '\u{10ffff}', 'x'.repeat(255), 'é'.repeat(127)],
].map((name) => Buffer.from(name));
const brokenNames = ['\xff', '\xff\xfe', '\x80', 'caf\xe9', '\xed\xa0\x80', '\xc0\xaf', 'a\xf0b'].map(latin);

const linkTargets = [
  ...[
    'nowhere',
    '/nonexistent/absolute',
    '..',
    '.',
    '../../../../etc/passwd',
    '/',
    'a/../b',
    ' ',
    'new\nline',
    'é😀',
  ],
  ...[
    'a//b/',
    './',
    '/nix/store/00000000000000000000000000000000-nothing',
    'y'.repeat(300),
    'z/'.repeat(2000),
  ],
].map((target) => Buffer.from(target));
linkTargets.push(latin('\xff\xfe/\x80'));

const slash = Buffer.from('/');

export class TreeGenerator {
  /** @type {Buffer} random bytes, of which files are pieces */
  #pool;
  /** @type {number} */
  #seed;
  /** @type {boolean} */
  #isSmall;

  /**
   * @param {number} seed
   * @param {{ small?: boolean }} [options] `small` trees have only few files, none larger than 300 KiB
   */
  constructor(seed, { small = false } = {}) {
    this.#seed = seed;
    this.#isSmall = small;
    const random = Random.forPart(seed, -1);
    const words = new Uint32Array((small ? mebi : 6 * mebi) / 4);
    for (let index = 0; index < words.length; index++) words[index] = random.next();
    this.#pool = Buffer.from(words.buffer);
  }

  /**
   * Makes the tree with that number at `path`. Some are a single file or link.
   *
   * @param {string} path
   * @param {number} index
   */
  make(path, index) {
    const random = Random.forPart(this.#seed, index);
    const at = Buffer.from(path);
    if (!this.#isSmall && index % 12 === 5) return this.#file(at, random);
    if (!this.#isSmall && index % 12 === 9) return symlinkSync(random.pick(linkTargets), at);
    mkdirSync(at);
    const shape = this.#isSmall ? 7 : index % 8;
    if (shape === 0) this.#deep(at, random);
    else if (shape === 1) this.#wide(at, random);
    // An empty directory may be all there is.
    else if (shape !== 2 || !random.oneIn(4)) this.#fill(at, { random, depth: 0 });
    chmodSync(at, random.pick(folderModes));
  }

  /**
   * @param {Buffer} folder
   * @param {{ random: Random, depth: number }} options
   */
  #fill(folder, { random, depth }) {
    let lastFile = Buffer.alloc(0);
    for (const name of this.#names(random, this.#isSmall ? 5 : 14)) {
      const path = Buffer.concat([folder, slash, name]);
      const choice = random.below(10);
      if (choice < 2 && depth < 6) {
        mkdirSync(path);
        if (!random.oneIn(4)) this.#fill(path, { random, depth: depth + 1 });
        chmodSync(path, random.pick(folderModes));
      } else if (choice < 4) symlinkSync(random.pick(linkTargets), path);
      else if (choice === 4 && lastFile.length > 0) linkSync(lastFile, path);
      else {
        this.#file(path, random);
        lastFile = path;
      }
    }
  }

  /**
   * @param {Random} random
   * @param {number} limit
   */
  #names(random, limit) {
    const names = new Map();
    for (let left = random.below(limit) + 1; left > 0; left--) {
      const pool = random.oneIn(5) ? brokenNames : oddNames;
      const name = random.oneIn(4) ? Buffer.from(`plain${random.below(1000)}.txt`) : random.pick(pool);
      names.set(name.toString('latin1'), name);
    }
    return names.values();
  }

  /**
   * Nix refuses more than 64 levels, with those above the tree.
   *
   * @param {Buffer} folder
   * @param {Random} random
   */
  #deep(folder, random) {
    let path = folder;
    for (let depth = random.below(40) + 20; depth > 0; depth--) {
      path = Buffer.concat([path, slash, random.pick([Buffer.from('d'), Buffer.from('D'), latin('\xfe')])]);
      mkdirSync(path);
      if (random.oneIn(10))
        this.#write(Buffer.concat([path, slash, Buffer.from('file')]), random.below(100), random);
    }
    this.#file(Buffer.concat([path, slash, Buffer.from('leaf')]), random);
  }

  /**
   * @param {Buffer} folder
   * @param {Random} random
   */
  #wide(folder, random) {
    for (let count = random.below(300) + 50; count > 0; count--) {
      const path = Buffer.concat([folder, slash, Buffer.from(`${random.next().toString(36)}-${count}`)]);
      if (random.oneIn(20)) mkdirSync(path);
      else this.#write(path, random.below(200), random);
    }
  }

  /**
   * @param {Buffer} path
   * @param {Random} random
   */
  #file(path, random) {
    const isLarge = !this.#isSmall && random.oneIn(60);
    const size = random.pick(isLarge ? largeSizes : sizes);
    if (random.oneIn(15)) writeWithHoles(path, random, isLarge ? 6 * mebi : 200 * kibi);
    else this.#write(path, size, random);
    chmodSync(path, random.pick(fileModes));
  }

  /**
   * Few different beginnings, so that many files are equal.
   *
   * @param {Buffer} path
   * @param {number} size
   * @param {Random} random
   */
  #write(path, size, random) {
    const start = random.below(8) * 64 * kibi;
    if (random.oneIn(10)) writeFileSync(path, Buffer.alloc(size, 'text\n'));
    else writeFileSync(path, this.#pool.subarray(start, start + size));
  }
}

/**
 * @param {Buffer} path
 * @param {Random} random
 * @param {number} limit
 */
function writeWithHoles(path, random, limit) {
  const file = openSync(path, 'wx');
  try {
    const size = random.below(limit) + 1;
    ftruncateSync(file, size);
    if (random.oneIn(2)) writeSync(file, 'islet', random.below(size));
  } finally {
    closeSync(file);
  }
}
