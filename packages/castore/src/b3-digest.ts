/**
 * The name of a blob or a directory: the BLAKE3 digest, 32 bytes, of its contents or its canonical encoding.
 *
 * As text it is `blake3-` and base64 with padding. `key` is a short string for maps.
 */
import { BytesError, decodeBase64, decodeHex, encodeBase64, encodeHex, equalBytes } from '@neve/bytes';
import { CastoreError } from './castore-error.ts';

export const b3DigestLength = 32;

const prefix = 'blake3-';

export class B3Digest {
  readonly bytes: Uint8Array;
  #key: string | undefined;

  /** Throws `CastoreError` (`invalid-digest`) unless there are 32 bytes, which must not change afterwards. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== b3DigestLength) {
      throw new CastoreError(
        'invalid-digest',
        `${bytes.length} bytes are not a BLAKE3 digest, which has ${b3DigestLength}`,
      );
    }
    this.bytes = bytes;
  }

  /** One character a byte: the same for equal digests, for use in maps. */
  get key(): string {
    // Seven times as fast as spreading the bytes; `apply` takes whatever has a length and indexes.
    this.#key ??= String.fromCharCode.apply(undefined, this.bytes as unknown as number[]);
    return this.#key;
  }

  get hex(): string {
    return encodeHex(this.bytes);
  }

  equals(other: B3Digest): boolean {
    return this === other || equalBytes(this.bytes, other.bytes);
  }

  toString(): string {
    return prefix + encodeBase64(this.bytes);
  }
}

/** Of the blob without bytes. Not computed, since many a command needs nothing else of the hashing core. */
export const emptyBlobDigest: B3Digest = new B3Digest(
  decodeHex('af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'),
);

/** The digest whose `key` this is. */
export function digestFromKey(key: string): B3Digest {
  return new B3Digest(Uint8Array.from(key, (character) => character.charCodeAt(0)));
}

/** Reads `blake3-<base64>`. Throws `CastoreError` (`invalid-digest`). */
export function parseB3Digest(text: string): B3Digest {
  if (!text.startsWith(prefix)) {
    throw new CastoreError('invalid-digest', `'${text}' is not a digest: it does not begin with '${prefix}'`);
  }
  try {
    return new B3Digest(decodeBase64(text.slice(prefix.length)));
  } catch (cause) {
    if (!(cause instanceof BytesError) && !(cause instanceof CastoreError)) throw cause;
    throw new CastoreError('invalid-digest', `'${text}' is not a digest: ${cause.message}`, { cause });
  }
}
