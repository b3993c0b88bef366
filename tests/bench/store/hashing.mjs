// Rates of what every imported byte passes through, of packages as they are built in `dist`.

import { blake3 } from '@napi-rs/blake-hash';
import { Blake3TreeHasher, Chunker } from '@neve/castore';
import { loadBlake3 } from '@neve/castore/node';

const bytes = Buffer.alloc(256 << 20);
for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
const piece = 1 << 20;

/** @returns {Promise<string[]>} one line each */
export async function hashingRates() {
  const library = rate(() => blake3(bytes));
  const fastest = await loadBlake3();
  const streamed = rate(() => {
    const hasher = fastest.createHasher();
    for (let start = 0; start < bytes.length; start += piece)
      hasher.update(bytes.subarray(start, start + piece));
    hasher.digest();
  });
  const tree = rate(() => {
    const hasher = new Blake3TreeHasher();
    for (let start = 0; start < bytes.length; start += piece)
      hasher.update(bytes.subarray(start, start + piece));
    hasher.finish();
  });
  const chunked = rate(() => {
    const chunker = new Chunker();
    for (let start = 0; start < bytes.length; start += piece)
      chunker.push(bytes.subarray(start, start + piece));
    chunker.end();
  });
  return [
    `BLAKE3, the library in one call: ${library} MiB/s`,
    `BLAKE3 as blobs are hashed: ${streamed} MiB/s, ${(streamed / library).toFixed(2)} of the library`,
    `BLAKE3 with the outboard: ${tree} MiB/s`,
    `content-defined chunking: ${chunked} MiB/s`,
  ];
}

/** The best of five, in MiB/s. @param {() => void} work */
function rate(work) {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return Math.round(bytes.length / 2 ** 20 / (best / 1000));
}
