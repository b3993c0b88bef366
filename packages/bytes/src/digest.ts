/**
 * A digest: the algorithm and the bytes that it gave. Whoever has one knows that the length is right.
 *
 * Text forms, all lower case in front: `sha256:<hex | nixbase32 | base64>` and SRI, `sha256-<base64>` (W3C
 * Subresource Integrity, one hash only).
 */
import { decodeBase64, encodeBase64 } from './base64.ts';
import { BytesError } from './bytes-error.ts';
import { equalBytes } from './compare-bytes.ts';
import { decodeHex, encodeHex } from './hex.ts';
import { decodeNixBase32, encodeNixBase32, nixBase32Length } from './nixbase32.ts';

/** Algorithms and the length of their digests in bytes. */
export const digestLengths = { md5: 16, sha1: 20, sha256: 32, sha512: 64, blake3: 32 } as const;

export type HashAlgorithm = keyof typeof digestLengths;

export type DigestFormat = 'hex' | 'nix32' | 'base64' | 'sri';

export class Digest {
  readonly algorithm: HashAlgorithm;
  readonly bytes: Uint8Array;

  /** Throws `BytesError` when the bytes are not as many as the algorithm gives. */
  constructor(algorithm: HashAlgorithm, bytes: Uint8Array) {
    if (bytes.length !== digestLengths[algorithm]) {
      throw new BytesError('invalid-digest', `${bytes.length} bytes are not a ${algorithm} digest`);
    }
    this.algorithm = algorithm;
    this.bytes = bytes;
  }

  equals(other: Digest): boolean {
    return this.algorithm === other.algorithm && equalBytes(this.bytes, other.bytes);
  }

  /** `nix32`, `hex` and `base64` give the bare text, `sri` has its algorithm in front. */
  format(format: DigestFormat): string {
    switch (format) {
      case 'hex':
        return encodeHex(this.bytes);
      case 'nix32':
        return encodeNixBase32(this.bytes);
      case 'base64':
        return encodeBase64(this.bytes);
      case 'sri':
        return `${this.algorithm}-${encodeBase64(this.bytes)}`;
    }
  }
}

export function isHashAlgorithm(name: string): name is HashAlgorithm {
  return Object.hasOwn(digestLengths, name);
}

/** Reads any text form; a bare one needs the algorithm. Throws `BytesError`. */
export function parseDigest(text: string, algorithm?: HashAlgorithm): Digest {
  const prefix = /^([a-z0-9]+)([:-])/.exec(text);
  const named = prefix?.[1];
  if (named !== undefined && !isHashAlgorithm(named)) {
    throw new BytesError('invalid-digest', `'${text}' names the unknown hash algorithm '${named}'`);
  }
  if (named !== undefined && algorithm !== undefined && named !== algorithm) {
    throw new BytesError('invalid-digest', `'${text}' is not a ${algorithm} digest`);
  }
  const chosen = named ?? algorithm;
  if (chosen === undefined)
    throw new BytesError('invalid-digest', `'${text}' does not say its hash algorithm`);
  const rest = text.slice(prefix?.[0].length ?? 0);
  return new Digest(
    chosen,
    prefix?.[2] === '-' ? decodeBase64(rest) : decodeByLength(rest, digestLengths[chosen]),
  );
}

/** The three bare forms differ in length, which tells them apart. */
function decodeByLength(text: string, byteLength: number): Uint8Array {
  if (text.length === byteLength * 2) return decodeHex(text);
  if (text.length === nixBase32Length(byteLength)) return decodeNixBase32(text);
  return decodeBase64(text);
}
