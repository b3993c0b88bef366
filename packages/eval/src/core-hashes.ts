/**
 * The hash functions of the language core for the host. They run in an instance of their own, which is made when the
 * first input comes: it shares the compiled code with the evaluator's and nothing else, so that hashing is possible
 * whatever an evaluation is doing.
 */
import { Digest, type HashAlgorithm, digestLengths } from '@neve/bytes';
import { Core } from './core.ts';

/** By their numbers in `assembly/hash/algorithm.ts`. */
const algorithmNumbers: Record<HashAlgorithm, number> = { md5: 1, sha1: 2, sha256: 3, sha512: 4, blake3: 5 };

/** Hashes bytes that are all there; it does not keep them. */
export type HashBytes = (algorithm: HashAlgorithm, bytes: Uint8Array) => Digest;

export function coreHash(module: WebAssembly.Module): HashBytes {
  let instance: Core | undefined;
  return (algorithm, bytes) => {
    instance ??= new Core(module);
    const address = instance.exports.hashInput(algorithmNumbers[algorithm], instance.write(bytes));
    return new Digest(algorithm, instance.slice(address, digestLengths[algorithm]));
  };
}
