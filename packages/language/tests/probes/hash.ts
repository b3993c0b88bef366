// The hash and text-encoding part of the core by itself, for hash.test.ts.
export {
  BLAKE3, MAXIMUM_DIGEST_SIZE, MD5, NO_ALGORITHM, SHA1, SHA256, SHA512, algorithmName, algorithmNamed, digestSize, hashBytes,
} from "../../assembly/hash/algorithm";
export { BLAKE3_STATE_SIZE, blake3, blake3Begin, blake3End, blake3Update } from "../../assembly/hash/blake3";
export { STORE_PATH_HASH_SIZE, compressHash } from "../../assembly/hash/compress-hash";
export {
  BAD_CHARACTER, BAD_LEFTOVER, BAD_LENGTH, base16Decode, base16Encode, base16EncodedLength, base64Decode,
  base64DecodeLoosely, base64Encode, base64EncodedLength, nix32Decode, nix32Encode, nix32EncodedLength,
} from "../../assembly/hash/encoding";
export {
  BASE16, BASE64, MAXIMUM_HASH_TEXT, NIX32, NO_FORMAT, SRI, digestTextLength, formatNamed, writeHash,
} from "../../assembly/hash/format";
export { MD5_STATE_SIZE, md5, md5Begin, md5End, md5Update } from "../../assembly/hash/md5";
export {
  HASH_ASSUMED, HASH_EMPTY, HASH_MALFORMED, HASH_NOT_SRI, HASH_OF_OTHER_ALGORITHM, HASH_OF_UNKNOWN_ALGORITHM,
  HASH_OF_WRONG_LENGTH, HASH_PARSED, HASH_WITHOUT_ALGORITHM, parseHash, parseHashOrEmpty, parseSri, parsedAlgorithm,
  parsedDigestStart, parsedFormat, parsedLength,
} from "../../assembly/hash/parse-hash";
export { SHA1_STATE_SIZE, sha1, sha1Begin, sha1End, sha1Update } from "../../assembly/hash/sha1";
export { SHA256_STATE_SIZE, sha256, sha256Begin, sha256End, sha256Update } from "../../assembly/hash/sha256";
export { SHA512_STATE_SIZE, sha512, sha512Begin, sha512End, sha512Update } from "../../assembly/hash/sha512";
