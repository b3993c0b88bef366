/**
 * SHA-256 (FIPS 180-4) of little: to load `node:crypto` takes as long as to hash some hundred KiB with it, and an evaluation
 * that goes on from an image reads a few files of its own.
 */

const blockBytes = 64;
let constants: { readonly start: readonly number[]; readonly rounds: readonly number[] } | undefined;

/** In hexadecimal digits. */
export function smallSha256(bytes: Uint8Array): string {
  constants ??= makeConstants();
  const { start, rounds } = constants;
  const state = Int32Array.from(start);
  const words = new Int32Array(64);
  // One bit, zeros and the length in bits follow the bytes, so that there are whole blocks.
  const padded = new DataView(new ArrayBuffer(Math.ceil((bytes.length + 9) / blockBytes) * blockBytes));
  new Uint8Array(padded.buffer).set(bytes);
  padded.setUint8(bytes.length, 0x80);
  padded.setUint32(padded.byteLength - 8, Math.floor(bytes.length / 2 ** 29));
  padded.setUint32(padded.byteLength - 4, bytes.length << 3);
  for (let at = 0; at < padded.byteLength; at += blockBytes) {
    for (let index = 0; index < 16; index++) words[index] = padded.getInt32(at + index * 4);
    expand(words);
    compress(state, { words, rounds });
  }
  return Array.from(state, (it) => (it >>> 0).toString(16).padStart(8, '0')).join('');
}

function expand(words: Int32Array): void {
  for (let index = 16; index < 64; index++) {
    const near = words[index - 15] ?? 0;
    const far = words[index - 2] ?? 0;
    const small = rotate(near, 7) ^ rotate(near, 18) ^ (near >>> 3);
    const large = rotate(far, 17) ^ rotate(far, 19) ^ (far >>> 10);
    words[index] = (words[index - 16] ?? 0) + small + (words[index - 7] ?? 0) + large;
  }
}

type Round = { readonly words: Int32Array; readonly rounds: readonly number[] };

function compress(state: Int32Array, { words, rounds }: Round): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < 64; index++) {
    const chosen = (e & f) ^ (~e & g);
    const sum = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + sum + chosen + (rounds[index] ?? 0) + (words[index] ?? 0)) | 0;
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  for (const [index, it] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + it;
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

/** The first bits of the fractions of square and cube roots of primes. */
function makeConstants(): { start: number[]; rounds: number[] } {
  const primes: number[] = [];
  for (let it = 2; primes.length < 64; it++) if (primes.every((prime) => it % prime !== 0)) primes.push(it);
  const fraction = (it: number): number => ((it - Math.floor(it)) * 2 ** 32) | 0;
  return {
    start: primes.slice(0, 8).map((it) => fraction(Math.sqrt(it))),
    rounds: primes.map((it) => fraction(Math.cbrt(it))),
  };
}
