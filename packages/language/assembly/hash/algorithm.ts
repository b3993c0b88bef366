// The hash algorithms that Nix knows: their numbers inside the module, names, sizes, and one function for all.
//
// Whether blake3 may be used at all (Nix wants the experimental feature `blake3-hashes`) is for the caller to decide.

import { Address } from "../memory/chunks";
import { bytesEqualText } from "../memory/bytes";
import { BLAKE3_SIZE, blake3 } from "./blake3";
import { MD5_SIZE, md5 } from "./md5";
import { SHA1_SIZE, sha1 } from "./sha1";
import { SHA256_SIZE, sha256 } from "./sha256";
import { SHA512_SIZE, sha512 } from "./sha512";

export type HashAlgorithm = u32;

/** No algorithm: not given, or not known. */
export const NO_ALGORITHM: HashAlgorithm = 0;
export const MD5: HashAlgorithm = 1;
export const SHA1: HashAlgorithm = 2;
export const SHA256: HashAlgorithm = 3;
export const SHA512: HashAlgorithm = 4;
export const BLAKE3: HashAlgorithm = 5;

/** Bytes of the longest digest. */
export const MAXIMUM_DIGEST_SIZE: u32 = SHA512_SIZE;

/** Writes the digest of `length` bytes to `out`, `digestSize(algorithm)` bytes. Neither address need be aligned. */
export function hashBytes(algorithm: HashAlgorithm, input: Address, length: u32, out: Address): void {
  switch (algorithm) {
    case MD5: md5(input, length, out); break;
    case SHA1: sha1(input, length, out); break;
    case SHA256: sha256(input, length, out); break;
    case SHA512: sha512(input, length, out); break;
    case BLAKE3: blake3(input, length, out); break;
    default: assert(false, "an algorithm to hash with");
  }
}

/** Bytes of a digest. */
export function digestSize(algorithm: HashAlgorithm): u32 {
  switch (algorithm) {
    case MD5: return MD5_SIZE;
    case SHA1: return SHA1_SIZE;
    case SHA256: return SHA256_SIZE;
    case SHA512: return SHA512_SIZE;
    case BLAKE3: return BLAKE3_SIZE;
  }
  assert(false, "an algorithm with a digest");
  return 0;
}

/** The name, as a literal of this source. */
export function algorithmName(algorithm: HashAlgorithm): string {
  switch (algorithm) {
    case MD5: return "md5";
    case SHA1: return "sha1";
    case SHA256: return "sha256";
    case SHA512: return "sha512";
    case BLAKE3: return "blake3";
  }
  assert(false, "an algorithm with a name");
  return "";
}

/** The algorithm of this name, or `NO_ALGORITHM`. */
export function algorithmNamed(name: Address, length: u32): HashAlgorithm {
  if (bytesEqualText(name, length, "sha256")) return SHA256;
  if (bytesEqualText(name, length, "sha1")) return SHA1;
  if (bytesEqualText(name, length, "sha512")) return SHA512;
  if (bytesEqualText(name, length, "md5")) return MD5;
  if (bytesEqualText(name, length, "blake3")) return BLAKE3;
  return NO_ALGORITHM;
}
