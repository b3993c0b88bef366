// The decoder that says whether compressed NARs are right: the program of that name.

import { execFileSync } from 'node:child_process';

/** @param {Buffer} bytes */
export function unzstd(bytes) {
  return execFileSync('zstd', ['-dc'], { input: bytes, maxBuffer: 2 ** 31 });
}
