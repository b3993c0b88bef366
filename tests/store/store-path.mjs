// Store paths by their specification, without the code under test: what is stored as a whole has a path that follows from
// its NAR, so that a NAR tells by itself whether it is the right one.

import { createHash } from 'node:crypto';

const alphabet = '0123456789abcdfghijklmnpqrsvwxyz';

/**
 * The base 32 of Nix: least significant digit last, no padding.
 *
 * @param {Uint8Array} bytes
 */
export function nixBase32(bytes) {
  let bits = BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
  let text = '';
  for (let left = Math.ceil((bytes.length * 8) / 5); left > 0; left--) {
    text = alphabet.charAt(Number(bits % 32n)) + text;
    bits /= 32n;
  }
  return text;
}

/**
 * The path that `nix-store --add` gives to what has a NAR with that SHA-256.
 *
 * @param {string} name
 * @param {string} narSha256 in hex
 */
export function storePathOfNar(name, narSha256) {
  const text = `source:sha256:${narSha256}:/nix/store:${name}`;
  const digest = createHash('sha256').update(text).digest();
  const folded = Buffer.alloc(20);
  for (const [index, byte] of digest.entries()) folded[index % 20] = (folded[index % 20] ?? 0) ^ byte;
  return `/nix/store/${nixBase32(folded)}-${name}`;
}
