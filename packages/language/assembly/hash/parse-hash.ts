// Reads a hash from text as Nix does, laxness and order of complaints included.
//
//   hash = [algorithm ":"] digest        the base follows from the length of the digest
//        | algorithm "-" base64          an SRI; the base64 is read loosely and may come to a wrong length
//
// The first `:` separates, else the first `-`. An outcome says which of Nix's errors there is; the parts of its message
// are left in `parsedAlgorithm`, `parsedFormat`, `parsedDigestStart` and `parsedLength` until the next call. In the
// messages below, HASH is the whole text, DIGEST what follows the separator, NAME what stands before it.
//
// A caller that does not allow blake3 looks at `parsedAlgorithm` first, whatever the outcome: Nix complains about the
// missing feature as soon as it has read the name.

import { Address } from "../memory/chunks";
import { findByte } from "../memory/bytes";
import { HashAlgorithm, NO_ALGORITHM, algorithmNamed, digestSize } from "./algorithm";
import { BAD_LEFTOVER, base16Decode, base64DecodeLoosely, nix32Decode } from "./encoding";
import { BASE16, BASE64, HashFormat, NIX32, NO_FORMAT, SRI, digestTextLength } from "./format";

export type ParseHashOutcome = u32;

/** The digest of `parsedAlgorithm()` was written. */
export const HASH_PARSED: ParseHashOutcome = 0;
/** The text is empty and the digest zeros. Warning: "found empty hash, assuming '<digest as SRI>'". */
export const HASH_ASSUMED: ParseHashOutcome = 1;
/** "empty hash requires explicit hash algorithm" */
export const HASH_EMPTY: ParseHashOutcome = 2;
/** "unknown hash algorithm 'NAME', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'" */
export const HASH_OF_UNKNOWN_ALGORITHM: ParseHashOutcome = 3;
/** "hash 'HASH' does not include a type, nor is the type otherwise known from context" */
export const HASH_WITHOUT_ALGORITHM: ParseHashOutcome = 4;
/** "hash 'HASH' should have type '<expected algorithm>'" */
export const HASH_OF_OTHER_ALGORITHM: ParseHashOutcome = 5;
/** "hash 'DIGEST' has wrong length for hash algorithm '<parsedAlgorithm>'" */
export const HASH_OF_WRONG_LENGTH: ParseHashOutcome = 6;
/**
 * "invalid FORMAT hash 'DIGEST', length <parsedLength> != expected length <digestSize>", where FORMAT is base16, nix32,
 * Base64 or SRI. A character that is no digit comes to length 0.
 */
export const HASH_MALFORMED: ParseHashOutcome = 7;
/** "hash 'HASH' is not SRI" */
export const HASH_NOT_SRI: ParseHashOutcome = 8;

let algorithm: HashAlgorithm = NO_ALGORITHM;
let format: HashFormat = NO_FORMAT;
let digestStart: u32 = 0;
let decodedLength: u32 = 0;

/** The algorithm: the one named in the text, else the expected one. */
@inline
export function parsedAlgorithm(): HashAlgorithm {
  return algorithm;
}

/** The format, once the digest was looked at: `HASH_PARSED` and `HASH_MALFORMED`. */
@inline
export function parsedFormat(): HashFormat {
  return format;
}

/** Where DIGEST begins in the text. NAME ends one byte before it, unless this is 0: then there is none. */
@inline
export function parsedDigestStart(): u32 {
  return digestStart;
}

/** How many bytes a malformed digest came to. */
@inline
export function parsedLength(): u32 {
  return decodedLength;
}

/**
 * Parses any kind of hash. `expected` is the algorithm known from elsewhere, or `NO_ALGORITHM`. `out` has room for
 * `MAXIMUM_DIGEST_SIZE` bytes, of which a digest of `parsedAlgorithm()` is written when the outcome is `HASH_PARSED`.
 */
export function parseHash(text: Address, length: u32, expected: HashAlgorithm, out: Address): ParseHashOutcome {
  begin();
  let separator = findByte(text, length, 0x3a, 0);
  if (separator == length) {
    separator = findByte(text, length, 0x2d, 0);
    if (separator < length) format = SRI;
  }
  if (separator < length) {
    digestStart = separator + 1;
    algorithm = algorithmNamed(text, separator);
    if (algorithm == NO_ALGORITHM) return HASH_OF_UNKNOWN_ALGORITHM;
    if (expected != NO_ALGORITHM && expected != algorithm) return HASH_OF_OTHER_ALGORITHM;
  } else {
    algorithm = expected;
    if (algorithm == NO_ALGORITHM) return HASH_WITHOUT_ALGORITHM;
  }
  return parseDigest(text + digestStart, length - digestStart, out);
}

/** The same for a place where the empty text stands for a digest of zeros, such as the hash of a fixed output. */
export function parseHashOrEmpty(text: Address, length: u32, expected: HashAlgorithm, out: Address): ParseHashOutcome {
  if (length != 0) return parseHash(text, length, expected, out);
  begin();
  if (expected == NO_ALGORITHM) return HASH_EMPTY;
  algorithm = expected;
  memory.fill(out, 0, digestSize(algorithm));
  return HASH_ASSUMED;
}

/** Parses an SRI only, of any algorithm. */
export function parseSri(text: Address, length: u32, out: Address): ParseHashOutcome {
  begin();
  const separator = findByte(text, length, 0x2d, 0);
  if (separator == length) return HASH_NOT_SRI;
  format = SRI;
  digestStart = separator + 1;
  algorithm = algorithmNamed(text, separator);
  if (algorithm == NO_ALGORITHM) return HASH_OF_UNKNOWN_ALGORITHM;
  return parseDigest(text + digestStart, length - digestStart, out);
}

function begin(): void {
  algorithm = NO_ALGORITHM;
  format = NO_FORMAT;
  digestStart = 0;
  decodedLength = 0;
}

function parseDigest(text: Address, length: u32, out: Address): ParseHashOutcome {
  const size = digestSize(algorithm);
  if (format != SRI) format = formatOfLength(length, size);
  if (format == NO_FORMAT) return HASH_OF_WRONG_LENGTH;
  decodedLength = decodeDigest(text, length, size, out);
  return decodedLength == size ? HASH_PARSED : HASH_MALFORMED;
}

/** The base in which a digest of `size` bytes has a text of `length` characters. */
function formatOfLength(length: u32, size: u32): HashFormat {
  if (length == digestTextLength(size, BASE16)) return BASE16;
  if (length == digestTextLength(size, NIX32)) return NIX32;
  if (length == digestTextLength(size, BASE64)) return BASE64;
  return NO_FORMAT;
}

/** How many bytes the text comes to by Nix's count, in which leftover bits of nix32 begin another byte. */
function decodeDigest(text: Address, length: u32, size: u32, out: Address): u32 {
  let decoded: i32;
  if (format == BASE16) decoded = base16Decode(text, length, out);
  else if (format == NIX32) decoded = nix32Decode(text, length, out);
  else decoded = base64DecodeLoosely(text, length, out, size);
  if (decoded == BAD_LEFTOVER) return size + 1;
  return decoded < 0 ? 0 : <u32>decoded;
}
