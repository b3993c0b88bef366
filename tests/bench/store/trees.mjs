// The trees that are measured, the same every time: random bytes, which no compression makes smaller.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCipheriv } from 'node:crypto';

/** 16 files of 64 MiB. @param {string} folder */
export function makeLargeTree(folder) {
  const random = randomBytes('large');
  mkdirSync(folder);
  for (let i = 0; i < 16; i++) writeFileSync(join(folder, `file-${i}`), random(64 << 20));
}

/** 20,000 files of 100 to 6,000 bytes in 200 folders. @param {string} folder */
export function makeSmallTree(folder) {
  const random = randomBytes('small');
  for (let i = 0; i < 20_000; i++) {
    const inside = join(folder, `folder-${Math.floor(i / 100)}`);
    if (i % 100 === 0) mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `file-${i}`), random(100 + (random(2).readUInt16LE() % 5900)));
  }
}

/** A stream cipher over zeroes. @param {string} seed */
function randomBytes(seed) {
  const cipher = createCipheriv('aes-128-ctr', seed.padEnd(16), Buffer.alloc(16));
  return (/** @type {number} */ length) => cipher.update(Buffer.alloc(length));
}
