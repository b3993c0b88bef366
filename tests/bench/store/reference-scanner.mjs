// Measures the reference scanner of castore: MB/s over random bytes, text and a real binary, for several numbers of
// needles, in pieces of 64 KiB as a store gives them.

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ReferenceScanner } from '@neve/castore';

const sizeBytes = 256 * 2 ** 20;
const pieceBytes = 65_536;
const runs = 3;
const alphabet = '0123456789abcdfghijklmnpqrsvwxyz';

/**
 * As many names as there would be of inputs: 32 characters each.
 *
 * @param {number} count
 */
function needlesOf(count) {
  return Array.from({ length: count }, (_, index) => {
    const hash = createHash('sha256').update(`needle ${index}`).digest();
    return new TextEncoder().encode([...hash].map((byte) => alphabet[byte & 31]).join(''));
  });
}

/**
 * Fills a buffer with copies.
 *
 * @param {Uint8Array} sample
 */
function repeated(sample) {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += sample.length) {
    bytes.set(sample.subarray(0, Math.min(sample.length, sizeBytes - at)), at);
  }
  return bytes;
}

/**
 * The best of several runs, in MB/s.
 *
 * @param {Uint8Array} bytes
 * @param {readonly Uint8Array[]} needles
 */
function measure(bytes, needles) {
  let best = 0;
  for (let run = 0; run < runs; run++) {
    const scanner = new ReferenceScanner(needles);
    const stream = scanner.begin();
    const start = performance.now();
    for (let at = 0; at < bytes.length; at += pieceBytes) stream.scan(bytes.subarray(at, at + pieceBytes));
    best = Math.max(best, bytes.length / 1000 / (performance.now() - start));
  }
  return Math.round(best);
}

const changes = fileURLToPath(new URL('../../../package-lock.json', import.meta.url));
const inputs = {
  'random bytes': repeated(randomBytes(16 * 2 ** 20)),
  text: repeated(readFileSync(changes)),
  binary: repeated(readFileSync(process.execPath)),
  'only characters of needles': repeated(
    Uint8Array.from(randomBytes(2 ** 20), (byte) => alphabet.charCodeAt(byte & 31)),
  ),
};

for (const count of [1, 10, 100, 1000]) {
  for (const [name, bytes] of Object.entries(inputs)) {
    const rate = measure(bytes, needlesOf(count));
    console.log(`reference-scanner ${String(count).padStart(5)} needles  ${name.padEnd(28)} ${rate} MB/s`);
  }
}
