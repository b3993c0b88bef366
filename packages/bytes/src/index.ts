export { compareBytes, equalBytes } from './compare-bytes.ts';
export { concatBytes } from './concat-bytes.ts';
export { decodeUtf8, encodeUtf8 } from './utf8.ts';
export { byteKey, keyBytes } from './byte-key.ts';
export { decodeHex, encodeHex } from './hex.ts';
export { decodeNixBase32, encodeNixBase32, nixBase32Length } from './nixbase32.ts';
export { decodeBase64, encodeBase64 } from './base64.ts';
export {
  ProtobufReader,
  ProtobufWriter,
  bytesWireType,
  varintLength,
  varintWireType,
} from './protobuf-wire.ts';
export { Digest, digestLengths, isHashAlgorithm, parseDigest } from './digest.ts';
export type { DigestFormat, HashAlgorithm } from './digest.ts';
export type { Hasher, HashFunctions } from './hasher.ts';
export { hashesBySize } from './hashes-by-size.ts';
export type { HashesBySizeOptions } from './hashes-by-size.ts';
export { BytesError } from './bytes-error.ts';
export type { BytesErrorCode } from './bytes-error.ts';
