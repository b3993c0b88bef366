// The formats in which a hash is written: `<digest>` in one of three bases, optionally as `<algorithm>:<digest>`, or as
// an SRI `<algorithm>-<base64>` (W3C, Subresource Integrity).

import { Address } from "../memory/chunks";
import { bytesEqualText } from "../memory/bytes";
import { HashAlgorithm, algorithmName, digestSize } from "./algorithm";
import {
  base16Encode, base16EncodedLength, base64Encode, base64EncodedLength, nix32Encode, nix32EncodedLength,
} from "./encoding";

export type HashFormat = u32;

/** No format: not known. */
export const NO_FORMAT: HashFormat = 0;
export const BASE16: HashFormat = 1;
export const NIX32: HashFormat = 2;
export const BASE64: HashFormat = 3;
export const SRI: HashFormat = 4;

/** The longest text that `writeHash` writes: `sha512:` and 128 digits. */
export const MAXIMUM_HASH_TEXT: u32 = 135;

/**
 * Writes a digest to `out`, at most `MAXIMUM_HASH_TEXT` bytes, and returns the length of the text. The algorithm is put
 * before it if asked for; an SRI has it always.
 */
export function writeHash(
  algorithm: HashAlgorithm, digest: Address, format: HashFormat, prefixed: bool, out: Address,
): u32 {
  const size = digestSize(algorithm);
  const prefix: u32 = prefixed || format == SRI ? writePrefix(algorithm, format, out) : 0;
  return prefix + writeDigest(digest, size, format, out + prefix);
}

/** Characters of a digest of `size` bytes, without a prefix. */
export function digestTextLength(size: u32, format: HashFormat): u32 {
  if (format == BASE16) return base16EncodedLength(size);
  if (format == NIX32) return nix32EncodedLength(size);
  return base64EncodedLength(size);
}

/** The format of this name, or `NO_FORMAT`. `base32` is a deprecated alias of `nix32`; the warning is the caller's. */
export function formatNamed(name: Address, length: u32): HashFormat {
  if (bytesEqualText(name, length, "base16")) return BASE16;
  if (bytesEqualText(name, length, "nix32")) return NIX32;
  if (bytesEqualText(name, length, "base32")) return NIX32;
  if (bytesEqualText(name, length, "base64")) return BASE64;
  if (bytesEqualText(name, length, "sri")) return SRI;
  return NO_FORMAT;
}

function writeDigest(digest: Address, size: u32, format: HashFormat, out: Address): u32 {
  if (format == BASE16) base16Encode(digest, size, out);
  else if (format == NIX32) nix32Encode(digest, size, out);
  else base64Encode(digest, size, out);
  return digestTextLength(size, format);
}

function writePrefix(algorithm: HashAlgorithm, format: HashFormat, out: Address): u32 {
  const name = algorithmName(algorithm);
  const length = <u32>name.length;
  const from = changetype<usize>(name);
  let i: u32 = 0;
  while (i < length) {
    store<u8>(out + i, load<u8>(from + (i << 1)));
    i++;
  }
  store<u8>(out + length, format == SRI ? 0x2d : 0x3a);
  return length + 1;
}
