/**
 * `HashFunctions` by `node:crypto`, which has all algorithms of Nix but BLAKE3. That module takes longer to load than a
 * small program to run, so that it is loaded when it is used.
 */
import { BytesError } from '../bytes-error.ts';
import { Digest, type HashAlgorithm } from '../digest.ts';
import type { Hasher, HashFunctions } from '../hasher.ts';

function create(algorithm: HashAlgorithm): Hasher {
  if (algorithm === 'blake3') throw new BytesError('invalid-digest', 'BLAKE3 is not available here');
  const hash = process.getBuiltinModule('node:crypto').createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Digest(algorithm, new Uint8Array(hash.digest())),
  };
}

export const nodeHashes: HashFunctions = {
  create,
  hash(algorithm, bytes) {
    if (algorithm === 'blake3') return create(algorithm).digest();
    // Faster than a hasher, by half where there are few bytes.
    const digest = process.getBuiltinModule('node:crypto').hash(algorithm, bytes, 'buffer');
    return new Digest(algorithm, new Uint8Array(digest));
  },
};
