// Making store paths (Nix manual, "Store Path Specification").
//
//   path        = STORE "/" nix32(fold(sha256(fingerprint), 20 bytes)) "-" name
//   fingerprint = type ":sha256:" base16(inner digest) ":" STORE ":" name
//   type        = "text" (":" reference)*         a text; the inner digest is that of the text
//               | "source" (":" reference)*       a NAR hashed with SHA-256
//               | "output:" id                    an output of a derivation; every other fixed output, with id "out"
//
// A writer begins the type in the text buffer; `endStorePath` finishes the fingerprint and takes it away.

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendText, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { ERROR_EVAL, beginError, errorString, raiseError } from "../errors/raise";
import { HashAlgorithm, SHA256 } from "../hash/algorithm";
import { STORE_PATH_HASH_SIZE, compressHash } from "../hash/compress-hash";
import { base16Encode, nix32Encode } from "../hash/encoding";
import { BASE16, MAXIMUM_HASH_TEXT, writeHash } from "../hash/format";
import { sha256 } from "../hash/sha256";
import { storeDirectory } from "../operations/store-path";
import { Symbol, internBytes, symbolName } from "../symbols/symbols";
import { stringBytes, stringIs, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { METHOD_NAR, Method, appendMethodPrefix } from "./ingestion-method";
import { appendNameComplaint, isValidStoreName } from "./store-name";

const HASH_TEXT_LENGTH: u32 = 32;
const DIGEST_TEXT_LENGTH: u32 = 64;
const digest: Address = memory.data(32);
const folded: Address = memory.data(24);
const innerDigest: Address = memory.data(32);

/** Ends a fingerprint whose type was written since `mark`; `inner` are 32 bytes, `name` a STRING. Raises about bad names. */
export function endStorePath(mark: u32, inner: Address, name: Value): Symbol {
  appendText(":sha256:");
  base16Encode(inner, 32, textReserve(DIGEST_TEXT_LENGTH));
  textAdvance(DIGEST_TEXT_LENGTH);
  appendByte(0x3a);
  appendString(storeDirectory);
  appendByte(0x3a);
  appendString(name);
  sha256(textStart(mark), textLengthFrom(mark), digest);
  textRewind(mark);
  compressHash(digest, 32, folded, STORE_PATH_HASH_SIZE);
  appendString(storeDirectory);
  appendByte(0x2f);
  nix32Encode(folded, STORE_PATH_HASH_SIZE, textReserve(HASH_TEXT_LENGTH));
  textAdvance(HASH_TEXT_LENGTH);
  appendByte(0x2d);
  appendString(name);
  if (!isValidStoreName(name)) failName(mark, name);
  const path = internBytes(textStart(mark), textLengthFrom(mark));
  textRewind(mark);
  return path;
}

/** The path of an input-addressed output. */
export function makeOutputPath(drvName: Value, output: Symbol, drvDigest: Address): Symbol {
  const name = outputPathName(drvName, output);
  const mark = textMark();
  appendText("output:");
  appendString(symbolName(output));
  return endStorePath(mark, drvDigest, name);
}

/** The path of what is fixed by `hash` of `algorithm`, by `method` (METHOD_TEXT excepted); it refers to nothing. */
export function makeFixedPath(name: Value, method: Method, algorithm: HashAlgorithm, hash: Address): Symbol {
  const mark = textMark();
  if (method == METHOD_NAR && algorithm == SHA256) {
    appendText("source");
    return endStorePath(mark, hash, name);
  }
  appendText("fixed:out:");
  appendMethodPrefix(method);
  textAdvance(writeHash(algorithm, hash, BASE16, true, textReserve(MAXIMUM_HASH_TEXT)));
  appendByte(0x3a);
  sha256(textStart(mark), textLengthFrom(mark), innerDigest);
  textRewind(mark);
  appendText("output:out");
  return endStorePath(mark, innerDigest, name);
}

/** The name of a derivation's output in the store. */
export function outputPathName(drvName: Value, output: Symbol): Value {
  const name = symbolName(output);
  if (stringIs(name, "out")) return drvName;
  const mark = textMark();
  appendString(drvName);
  appendByte(0x2d);
  appendString(name);
  return takeTextAsString(mark);
}

export function appendString(string: Value): void {
  appendBytes(stringBytes(string), stringLength(string));
}

/** Raises that the path written since `mark` has a bad name. */
function failName(mark: u32, name: Value): void {
  const offset = stringLength(storeDirectory) + 1;
  const baseName = internBytes(textStart(mark) + offset, textLengthFrom(mark) - offset);
  beginError(ERROR_EVAL);
  appendText("path '");
  errorString(symbolName(baseName));
  appendText("' is not a valid store path: ");
  appendNameComplaint(name);
  raiseError();
}
