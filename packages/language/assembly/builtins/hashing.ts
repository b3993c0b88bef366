// Builtins that hash: hashString, convertHash, placeholder. (hashFile asks the host: it is with the files.)

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendInteger, appendText, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { SYMBOL_HASH, SYMBOL_HASH_ALGO, SYMBOL_TO_HASH_FORMAT } from "../symbols/known";
import { findAttr } from "../values/attrs";
import { makeSmallInt } from "../values/number";
import { makeString, stringBytes, stringIs, stringLength, stringOfText, takeTextAsString } from "../values/string";
import { Value, isString, isWhnf, resolve } from "../values/value";
import { HashAlgorithm, BLAKE3, MAXIMUM_DIGEST_SIZE, NO_ALGORITHM, SHA256, algorithmName, algorithmNamed, digestSize, hashBytes } from "../hash/algorithm";
import { BASE16, BASE64, HashFormat, MAXIMUM_HASH_TEXT, NIX32, NO_FORMAT, formatNamed, writeHash } from "../hash/format";
import {
  HASH_EMPTY,
  HASH_MALFORMED,
  HASH_OF_OTHER_ALGORITHM,
  HASH_OF_UNKNOWN_ALGORITHM,
  HASH_OF_WRONG_LENGTH,
  HASH_PARSED,
  HASH_WITHOUT_ALGORITHM,
  ParseHashOutcome,
  parseHash,
  parsedAlgorithm,
  parsedDigestStart,
  parsedFormat,
  parsedLength,
} from "../hash/parse-hash";
import {
  ATTRS,
  Frame,
  LAZY,
  PLAIN_STRING,
  arg,
  args1,
  args2,
  awaitForce,
  awaitHost,
  awaited,
  clearContext,
  localInt,
  setContext,
  setLocalInt,
  setStep,
  step,
} from "../machine/native";
import { MESSAGE_OF_NIX, REQUEST_HASH_BYTES, REQUEST_MESSAGE } from "../machine/host-request";
import { ERROR_EVAL, ERROR_USAGE, beginError, errorQuoted, raiseError } from "../errors/raise";
import { raiseTypeMismatch } from "../operations/type-names";
import { expectAttr, expectPlainString } from "./demand";
import { define } from "./registry";

const DIGEST: Address = memory.data(64);

export function defineHashBuiltins(): void {
  assert(MAXIMUM_DIGEST_SIZE <= 64, "the digest has room");
  define("hashString", 2, args2(PLAIN_STRING, LAZY), 0, hashString);
  define("convertHash", 1, args1(ATTRS), 1, convertHash);
  define("placeholder", 1, args1(PLAIN_STRING), 0, placeholder);
}

const HASHED: u32 = 1;

function hashString(f: Frame): Value {
  if (step(f) == HASHED) return awaited();
  const algorithm = algorithmOf(arg(f, 0));
  const string = resolve(arg(f, 1));
  if (!isString(string)) {
    setContext(f, "while evaluating the second argument passed to builtins.hashString");
    if (isWhnf(string)) raiseTypeMismatch(string, "a string");
    return awaitForce(f, string);
  }
  if (isHostsTurn(stringLength(string))) {
    setStep(f, HASHED);
    return awaitHost(f, REQUEST_HASH_BYTES, string, arg(f, 0));
  }
  hashBytes(algorithm, stringBytes(string), stringLength(string), DIGEST);
  return hashText(algorithm, BASE16);
}

// ── Long strings ──
//
// A host with hash instructions is two to six times as fast, once its library is loaded, which costs as much as hashing
// a mebibyte here. So that much of long strings is hashed here, and what comes after it there.

const LONG: u32 = 16384;
const LONG_BYTES_HASHED_HERE: u32 = 1 << 20;

let hostHashes: bool = false;
let longBytes: u32 = 0;

/** Says whether the host answers REQUEST_HASH_BYTES. */
export function setHostHashes(can: bool): void {
  hostHashes = can;
}

function isHostsTurn(length: u32): bool {
  if (!hostHashes || length < LONG) return false;
  if (longBytes + length > LONG_BYTES_HASHED_HERE) return true;
  longBytes += length;
  return false;
}

/** The string of the digest in DIGEST. */
function hashText(algorithm: HashAlgorithm, format: HashFormat): Value {
  const mark = textMark();
  textAdvance(writeHash(algorithm, DIGEST, format, false, textReserve(MAXIMUM_HASH_TEXT)));
  return takeTextAsString(mark);
}

/** What stands for the path of an output while its derivation is being made: "/" and the hash of a name made of it. */
function placeholder(f: Frame): Value {
  const name = arg(f, 0);
  const mark = textMark();
  appendText("nix-output:");
  appendBytes(stringBytes(name), stringLength(name));
  hashBytes(SHA256, textStart(mark), textLengthFrom(mark), DIGEST);
  textRewind(mark);
  appendByte(0x2f);
  textAdvance(writeHash(SHA256, DIGEST, NIX32, false, textReserve(MAXIMUM_HASH_TEXT)));
  return takeTextAsString(mark);
}

// ── convertHash ──

/** Local: 1 once the host was told about a deprecated name. */
const WARNED: u32 = 0;

function convertHash(f: Frame): Value {
  const attrs = arg(f, 0);
  const hashSlot = expectAttr(f, attrs, SYMBOL_HASH, "while locating the attribute 'hash'");
  const hash = plainString(f, hashSlot, "while evaluating the attribute 'hash'");
  if (hash == 0) return 0;
  let expected = NO_ALGORITHM;
  const algorithmSlot = findAttr(attrs, SYMBOL_HASH_ALGO);
  if (algorithmSlot != 0) {
    const name = plainString(f, algorithmSlot, "while evaluating the attribute 'hashAlgo'");
    if (name == 0) return 0;
    expected = algorithmOf(name);
  }
  const formatSlot = expectAttr(f, attrs, SYMBOL_TO_HASH_FORMAT, "while locating the attribute 'toHashFormat'");
  const formatName = plainString(f, formatSlot, "while evaluating the attribute 'toHashFormat'");
  if (formatName == 0) return 0;
  const format = formatOf(formatName);
  if (stringIs(formatName, "base32") && localInt(f, WARNED) == 0) return warnOfBase32(f);
  const outcome = parseHash(stringBytes(hash), stringLength(hash), expected, DIGEST);
  if (parsedAlgorithm() == BLAKE3) failBlake3();
  if (outcome != HASH_PARSED) failHash(hash, expected, outcome);
  return hashText(parsedAlgorithm(), format);
}

/** A forced string without context; 0 when the builtin has to wait. */
function plainString(f: Frame, slot: Value, message: string): Value {
  const value = resolve(slot);
  if (!isWhnf(value)) {
    setContext(f, message);
    return awaitForce(f, value);
  }
  expectPlainString(f, value, message);
  clearContext(f);
  return value;
}

function warnOfBase32(f: Frame): Value {
  setLocalInt(f, WARNED, 1);
  const text = stringOfText("\"base32\" is a deprecated alias for hash format \"nix32\".");
  return awaitHost(f, REQUEST_MESSAGE, makeSmallInt(MESSAGE_OF_NIX), text);
}

export function algorithmOf(name: Value): HashAlgorithm {
  const algorithm = algorithmNamed(stringBytes(name), stringLength(name));
  if (algorithm == BLAKE3) failBlake3();
  if (algorithm == NO_ALGORITHM) failUnknownAlgorithm(name);
  return algorithm;
}

function formatOf(name: Value): HashFormat {
  const format = formatNamed(stringBytes(name), stringLength(name));
  if (format != NO_FORMAT) return format;
  beginError(ERROR_USAGE);
  appendText("unknown hash format ");
  errorQuoted(name);
  appendText(", expect 'base16', 'base32', 'base64', or 'sri'");
  raiseError();
  return format;
}

function failUnknownAlgorithm(name: Value): void {
  beginError(ERROR_USAGE);
  appendText("unknown hash algorithm ");
  errorQuoted(name);
  appendText(", expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'");
  raiseError();
}

function failBlake3(): void {
  beginError(ERROR_EVAL);
  appendText("experimental Nix feature 'blake3-hashes' is disabled; ");
  appendText("add '--extra-experimental-features blake3-hashes' to enable it");
  raiseError();
}

/** Raises what is wrong with a hash. Does not return. */
export function failHash(hash: Value, expected: HashAlgorithm, outcome: ParseHashOutcome): void {
  const start = parsedDigestStart();
  const digest = makeString(stringBytes(hash) + start, stringLength(hash) - start);
  if (outcome == HASH_OF_UNKNOWN_ALGORITHM) failUnknownAlgorithm(makeString(stringBytes(hash), start - 1));
  beginError(ERROR_EVAL);
  if (outcome == HASH_EMPTY) appendText("empty hash requires explicit hash algorithm");
  else if (outcome == HASH_MALFORMED) appendMalformed(digest);
  else {
    appendText("hash ");
    errorQuoted(outcome == HASH_OF_WRONG_LENGTH ? digest : hash);
    if (outcome == HASH_OF_WRONG_LENGTH) appendAlgorithm(" has wrong length for hash algorithm '", parsedAlgorithm());
    if (outcome == HASH_OF_OTHER_ALGORITHM) appendAlgorithm(" should have type '", expected);
    if (outcome == HASH_WITHOUT_ALGORITHM) {
      appendText(" does not include a type, nor is the type otherwise known from context");
    }
  }
  raiseError();
}

function appendAlgorithm(text: string, algorithm: HashAlgorithm): void {
  appendText(text);
  appendText(algorithmName(algorithm));
  appendByte(0x27);
}

function appendMalformed(digest: Value): void {
  const format = parsedFormat();
  appendText("invalid ");
  appendText(format == BASE16 ? "base16" : format == NIX32 ? "nix32" : format == BASE64 ? "Base64" : "SRI");
  appendText(" hash ");
  errorQuoted(digest);
  appendText(", length ");
  appendInteger(<i64>parsedLength());
  appendText(" != expected length ");
  appendInteger(<i64>digestSize(parsedAlgorithm()));
}
