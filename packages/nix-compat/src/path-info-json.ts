/**
 * What is known of a store object as JSON: `nix path-info --json --json-format N`, and narinfos in the same form.
 *
 *     version  paths       ca                      signatures
 *     1        absolute    "fixed:r:sha256:…"      "<key name>:<base64>"
 *     2        base names  { method, hash: SRI }   "<key name>:<base64>"
 *     3        base names  { method, hash: SRI }   { keyName, sig }
 *
 * Without a version it is 1. What is not a property of the contents (deriver, registration time, signatures, trust, and what
 * only a cache knows) may be left out.
 */
import { BytesError, type Digest, isHashAlgorithm, parseDigest } from '@neve/bytes';
import { type Compression, isCompression } from './compression.ts';
import { type ContentAddress, parseContentAddress, printContentAddress } from './content-address.ts';
import { type JsonObject, type JsonValue, isJsonObject, jsonTypeName } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';
import type { UnkeyedValidPathInfo } from './path-info.ts';
import { signatureOfJson, signatureToJson } from './realisation.ts';
import type { StoreDirectory } from './store-directory.ts';
import { type StorePath, parseStorePath, storePathSet } from './store-path.ts';

export type PathInfoJsonVersion = 1 | 2 | 3;

/** What a cache knows besides. */
export type CachedPathInfo = UnkeyedValidPathInfo & {
  readonly url?: string | undefined;
  readonly compression?: Compression | undefined;
  readonly fileHash?: Digest | undefined;
  /** In bytes. */
  readonly fileSize?: number | undefined;
};

export type PathInfoJsonOptions = {
  readonly store: StoreDirectory;
  readonly version: PathInfoJsonVersion;
  /** Leave out what is not a property of the contents. */
  readonly pure?: boolean;
};

export function pathInfoToJson(
  info: CachedPathInfo,
  { store, version, pure = false }: PathInfoJsonOptions,
): JsonObject {
  const path = (it: StorePath): string => (version === 1 ? store.print(it) : it.baseName);
  const { contentAddress, deriver, registrationTime } = info;
  if (info.narHash === undefined) throw bad('a path info without a NAR hash has no form in JSON');
  const fields: [string, JsonValue][] = [
    ['version', BigInt(version)],
    ['storeDir', store.path],
    ['narHash', info.narHash.format('sri')],
    ['narSize', BigInt(info.narSize)],
    ['references', info.references.map(path)],
    ['ca', contentAddress === undefined ? null : contentAddressToJson(contentAddress, version)],
  ];
  if (pure) return new Map(fields);
  fields.push(
    ['deriver', deriver === undefined ? null : path(deriver)],
    ['registrationTime', registrationTime === 0 ? null : BigInt(registrationTime)],
    ['ultimate', info.ultimate],
    ['signatures', info.signatures.map((it) => signatureToJson(it, version === 3 ? 'object' : 'text'))],
  );
  if (info.url !== undefined) fields.push(['url', info.url]);
  if (info.compression !== undefined) fields.push(['compression', info.compression]);
  if (info.fileHash !== undefined) fields.push(['downloadHash', info.fileHash.format('sri')]);
  if (info.fileSize !== undefined) fields.push(['downloadSize', BigInt(info.fileSize)]);
  return new Map(fields);
}

/** Throws `NixCompatError`, which names the key. The store directory of the text is not looked at. */
export function parsePathInfoJson(json: JsonValue, store: StoreDirectory): CachedPathInfo {
  if (!isJsonObject(json)) throw bad('it is not an object');
  const version = readVersion(json.get('version'));
  const read = <T>(key: string, parse: (value: JsonValue) => T): T => readKey(json, key, parse);
  const optional = <T>(key: string, parse: (value: JsonValue) => T): T | undefined => {
    const value = json.get(key) ?? null;
    return value === null ? undefined : readKey(json, key, parse);
  };
  const path = (value: JsonValue): StorePath =>
    version === 1 ? store.parse(asText(value)) : parseStorePath(asText(value));
  return {
    narHash: read('narHash', asDigest),
    narSize: read('narSize', asNumber),
    references: storePathSet(read('references', asList).map(path)),
    contentAddress: optional('ca', (value) => contentAddressOfJson(value, version)),
    deriver: optional('deriver', path),
    registrationTime: optional('registrationTime', asNumber) ?? 0,
    ultimate: optional('ultimate', (value) => value === true) ?? false,
    signatures: (optional('signatures', asList) ?? []).map(signatureOfJson),
    url: optional('url', asText),
    compression: optional('compression', asCompression),
    fileHash: optional('downloadHash', asDigest),
    fileSize: optional('downloadSize', asNumber),
  };
}

export function contentAddressToJson(address: ContentAddress, version: PathInfoJsonVersion = 3): JsonValue {
  if (version === 1) return printContentAddress(address);
  return new Map([
    ['hash', address.digest.format('sri')],
    ['method', address.method],
  ]);
}

/** Throws `NixCompatError`. */
export function contentAddressOfJson(value: JsonValue, version: PathInfoJsonVersion = 3): ContentAddress {
  if (version === 1) return parseContentAddress(asText(value));
  if (!isJsonObject(value)) throw bad(`a content address is ${jsonTypeName(value)}, not an object`);
  const method = asText(value.get('method') ?? null);
  const digest = asDigest(value.get('hash') ?? null);
  if (method !== 'flat' && method !== 'nar' && method !== 'text' && method !== 'git') {
    throw bad(`'${method}' is not the method of a content address`);
  }
  // By the text, since that checks which methods and algorithms go together.
  return parseContentAddress(printContentAddress({ method, digest }));
}

function readVersion(value: JsonValue | undefined): PathInfoJsonVersion {
  if (value === undefined) return 1;
  if (value === 1n || value === 2n || value === 3n) return Number(value) as PathInfoJsonVersion;
  throw bad(`its version is not 1, 2 or 3`);
}

function readKey<T>(json: JsonObject, key: string, parse: (value: JsonValue) => T): T {
  const value = json.get(key);
  if (value === undefined) throw bad(`'${key}' is missing`);
  try {
    return parse(value);
  } catch (cause) {
    if (!(cause instanceof NixCompatError) && !(cause instanceof BytesError)) throw cause;
    throw bad(`'${key}': ${cause.message}`, { cause });
  }
}

function asText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  throw bad(`a string is expected, not ${jsonTypeName(value)}`);
}

function asList(value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  throw bad(`an array is expected, not ${jsonTypeName(value)}`);
}

function asNumber(value: JsonValue): number {
  if (typeof value === 'bigint' && value >= 0n && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  throw bad(`a whole number up to 2^53-1 is expected`);
}

function asDigest(value: JsonValue): Digest {
  const printed = asText(value);
  const algorithm = printed.slice(0, printed.indexOf('-'));
  if (!isHashAlgorithm(algorithm)) throw bad(`'${printed}' is not a hash in SRI form`);
  return parseDigest(printed);
}

function asCompression(value: JsonValue): Compression {
  const printed = asText(value);
  if (isCompression(printed)) return printed;
  throw bad(`unknown compression '${printed}'`);
}

function bad(problem: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-json', `bad path info: ${problem}`, options);
}
