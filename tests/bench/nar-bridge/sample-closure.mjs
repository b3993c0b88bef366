// Store objects as those of a large program's closure: many small ones, a few of a hundred megabytes and more, each with files of
// all sizes, whose bytes compress about as binaries do. The same every time.

import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../lib/random.mjs';

const megabyte = 1e6;
const largestShare = 0.15;
const poolLength = 32 << 20;

/**
 * Writes the trees `folder/<number>`; gives their paths. Their NARs come to about `totalBytes`.
 *
 * @param {string} folder
 * @param {{ paths: number, totalBytes: number }} size
 */
export function writeClosure(folder, { paths, totalBytes }) {
  mkdirSync(folder);
  const pool = binaryLikeBytes(poolLength, new Random(1));
  return sizesOf(paths, totalBytes).map((size, index) => {
    const path = join(folder, `sample-${String(index).padStart(3, '0')}`);
    writeObject(path, size, { pool, random: Random.forPart(2, index) });
    return path;
  });
}

/**
 * Log-normal, as measured closures are, by the sum of twelve uniform numbers; none has more than a part of all.
 *
 * @param {number} paths
 * @param {number} totalBytes
 */
function sizesOf(paths, totalBytes) {
  const random = new Random(3);
  const weights = Array.from({ length: paths }, () => Math.exp(2.2 * normal(random)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const capped = weights.map((it) => Math.min(it / sum, largestShare));
  const scale = totalBytes / capped.reduce((a, b) => a + b, 0);
  return capped.map((it) => Math.max(600, Math.round(it * scale)));
}

/** @param {Random} random */
function normal(random) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next() / 2 ** 32;
  return sum;
}

/**
 * @param {string} path
 * @param {number} size
 * @param {{ pool: Buffer, random: Random }} source
 */
function writeObject(path, size, { pool, random }) {
  mkdirSync(join(path, 'bin'), { recursive: true });
  mkdirSync(join(path, 'share/doc'), { recursive: true });
  symlinkSync('../share/doc', join(path, 'bin/doc'));
  for (let rest = size, number = 0; rest > 0; number++) {
    // Half of the bytes are in a few large files.
    const typical = size > megabyte && number < 4 ? size / 6 : 12_000 * Math.exp(1.6 * normal(random));
    const length = Math.min(rest, Math.max(100, Math.round(typical)));
    const file = join(path, number < 4 ? 'bin' : 'share/doc', `file-${number}`);
    writeFile(file, length, { pool, random });
    rest -= length;
  }
}

/**
 * @param {string} path
 * @param {number} length
 * @param {{ pool: Buffer, random: Random }} source
 */
function writeFile(path, length, { pool, random }) {
  const file = openSync(path, 'wx', path.includes('/bin/') ? 0o755 : 0o644);
  for (let rest = length; rest > 0;) {
    const piece = Math.min(rest, 4096 + random.below(1 << 18));
    const start = random.below(pool.length - piece);
    rest -= writeSync(file, pool, start, piece);
  }
  closeSync(file);
}

/**
 * Words from a table with favourites, zeroes, and noise: zstd makes it somewhat less than half as long.
 *
 * @param {number} length
 * @param {Random} random
 */
function binaryLikeBytes(length, random) {
  const table = Buffer.alloc(1 << 16);
  for (let i = 0; i < table.length; i++) table[i] = random.next();
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 16 <= length; at += 8 + random.below(9)) {
    const kind = random.below(16);
    if (kind < 2) continue;
    if (kind < 10) {
      const word = Math.floor((table.length / 16) * (random.next() / 2 ** 32) ** 3);
      table.copy(bytes, at, word * 16, word * 16 + 16);
    } else {
      bytes.writeUInt32LE(random.next(), at);
      bytes.writeUInt32LE(random.next() & 0x3f3f3f3f, at + 4);
    }
  }
  return bytes;
}
