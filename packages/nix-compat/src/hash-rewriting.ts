/**
 * Replaces hash parts of store paths in streams, whose length stays as it is: how an output gets the path that follows from
 * its contents, though it mentions its own.
 *
 * The hash of such contents is taken *modulo* the hash part they were made with: every occurrence counts as zeroes, and
 * after the contents comes `|<offset>` for each of them, so that contents which have zeroes there already get another hash.
 * Nix 2.17 to 2.34 left the offsets out by mistake, and so gave such outputs other paths than those before and after them.
 *
 * Where a hash part may stand is found from its end: 32 characters of nixbase32 in a row, which is rare in other bytes, so
 * that nearly all of them are stepped over 32 at a time.
 */
import type { Digest, HashAlgorithm, HashFunctions, Hasher } from '@neve/bytes';
import { encodeUtf8 } from '@neve/bytes';
import { hashPartLength } from './store-path.ts';

/** Hash parts, and 32 characters for each of them. */
export type HashRewrites = ReadonlyMap<string, string>;

/** One stream. */
export class HashRewriter {
  readonly #rewrites: ReadonlyMap<string, Uint8Array>;
  /** 1 for the bytes that they begin with. */
  readonly #begins: Uint8Array = new Uint8Array(256);
  readonly #onMatch: (offset: number) => void;
  /** Up to 31 bytes at the end of what was pushed, which a hash part may begin in. */
  #kept: Uint8Array = new Uint8Array(0);
  /** How many bytes were given out. */
  #offset = 0;

  /** `onMatch` is told where hash parts are, in ascending order. */
  constructor(rewrites: HashRewrites, onMatch: (offset: number) => void = () => undefined) {
    this.#rewrites = new Map(Array.from(rewrites, ([from, to]) => [from, encodeUtf8(to)]));
    for (const [from, to] of this.#rewrites) {
      if (from.length !== hashPartLength || to.length !== hashPartLength) {
        throw new RangeError(`'${from}' cannot be rewritten to ${to.length} bytes: both must have 32`);
      }
      this.#begins[from.charCodeAt(0)] = 1;
    }
    this.#onMatch = onMatch;
  }

  /** The next bytes, rewritten, as far as they are decided. The caller may use `bytes` again. */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#rewrites.size === 0) return bytes.slice();
    const joined = new Uint8Array(this.#kept.length + bytes.length);
    joined.set(this.#kept);
    joined.set(bytes, this.#kept.length);
    const end = this.#rewrite(joined);
    const decided = Math.max(end, joined.length - hashPartLength + 1, 0);
    this.#kept = joined.slice(decided);
    this.#offset += decided;
    return joined.subarray(0, decided);
  }

  /** What is left when the stream has ended. */
  flush(): Uint8Array {
    const rest = this.#kept;
    this.#kept = new Uint8Array(0);
    this.#offset += rest.length;
    return rest;
  }

  /** Rewrites in place, and gives the end of the last hash part. */
  #rewrite(bytes: Uint8Array): number {
    let end = 0;
    let at = 0;
    // Up to here all bytes from `at` on may be in a hash part.
    let checked = 0;
    while (at + hashPartLength <= bytes.length) {
      const foreign = lastForeign(bytes, Math.max(at, checked), at + hashPartLength);
      if (foreign >= 0) {
        at = foreign + 1;
        continue;
      }
      checked = at + hashPartLength;
      const replacement =
        this.#begins[bytes[at] as number] === 0 ? undefined : this.#rewrites.get(latin1(bytes, at));
      if (replacement === undefined) {
        at++;
        continue;
      }
      this.#onMatch(this.#offset + at);
      bytes.set(replacement, at);
      at += hashPartLength;
      end = at;
    }
    return end;
  }
}

/** Bytes in which hash parts are replaced. */
export function rewriteBytes(bytes: Uint8Array, rewrites: HashRewrites): Uint8Array {
  const rewriter = new HashRewriter(rewrites);
  const first = rewriter.push(bytes);
  const rest = rewriter.flush();
  const result = new Uint8Array(first.length + rest.length);
  result.set(first);
  result.set(rest, first.length);
  return result;
}

export type ModuloHasherOptions = {
  readonly algorithm: HashAlgorithm;
  readonly hashes: HashFunctions;
  /** The hash part that counts as zeroes. */
  readonly modulus: string;
  /** Whether offsets are hashed; unless given they are. */
  readonly hashesOffsets?: boolean | undefined;
};

/** Hashes a stream modulo a hash part. Where this does not occur, it is the plain hash. */
export class ModuloHasher implements Hasher {
  readonly #hasher: Hasher;
  readonly #rewriter: HashRewriter;
  readonly #hashesOffsets: boolean;
  readonly #offsets: number[] = [];

  constructor({ algorithm, hashes, modulus, hashesOffsets = true }: ModuloHasherOptions) {
    this.#hashesOffsets = hashesOffsets;
    this.#hasher = hashes.create(algorithm);
    this.#rewriter = new HashRewriter(new Map([[modulus, '\0'.repeat(hashPartLength)]]), (offset) =>
      this.#offsets.push(offset),
    );
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(this.#rewriter.push(bytes));
  }

  digest(): Digest {
    this.#hasher.update(this.#rewriter.flush());
    if (this.#hashesOffsets) this.#hasher.update(encodeUtf8(this.#offsets.map((it) => `|${it}`).join('')));
    return this.#hasher.digest();
  }
}

/** 1 for the characters of nixbase32. */
const isNixBase32 = new Uint8Array(256);
for (const character of '0123456789abcdfghijklmnpqrsvwxyz') isNixBase32[character.charCodeAt(0)] = 1;

/** Where, from `start` to `end`, the last byte is that cannot be in a hash part; -1 when all can. */
function lastForeign(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start; at--) {
    if (isNixBase32[bytes[at] as number] === 0) return at;
  }
  return -1;
}

function latin1(bytes: Uint8Array, start: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + hashPartLength));
}
