/**
 * Where hash functions come from. Packages that hash take a `HashFunctions`; Node's is `@neve/bytes/node`, a browser
 * brings its own (the language core has them, for example).
 */
import type { Digest, HashAlgorithm } from './digest.ts';

/** One hash under way. After `digest` it must not be used again. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

export interface HashFunctions {
  /** Throws `BytesError` for an algorithm that this implementation lacks. */
  create(algorithm: HashAlgorithm): Hasher;
  /** The digest of bytes that are all there. */
  hash(algorithm: HashAlgorithm, bytes: Uint8Array): Digest;
}
