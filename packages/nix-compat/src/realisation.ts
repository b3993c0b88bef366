/**
 * Entries of the build trace: which store path an output of a derivation turned out to have. Since Nix 2.35 an output is
 * named by the path of its (resolved) derivation:
 *
 *     { "key": { "drvPath": "<base name>", "outputName": "out" }, "value": { "outPath": "<base name>", "signatures": […] } }
 *
 * and before by the derivation's hash modulo:
 *
 *     { "dependentRealisations": {…}, "id": "sha256:<hex>!out", "outPath": "<base name>", "signatures": […] }
 *
 * A signature is a text, `<key name>:<base64>`, or since 2.34 an object of the two. Both are read everywhere. What is signed
 * is the JSON without its signatures.
 */
import { BytesError, type Digest, encodeBase64, encodeUtf8, parseDigest } from '@neve/bytes';
import { type JsonObject, type JsonValue, isJsonObject, parseJson, printJson } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { type Signature, parseSignature, printSignature } from './signature.ts';
import { type StorePath, checkStorePathName, parseStorePath } from './store-path.ts';

export type DrvOutput = {
  readonly drvPath: StorePath;
  readonly outputName: string;
};

export type UnkeyedRealisation = {
  readonly outPath: StorePath;
  readonly signatures: readonly Signature[];
};

export type KeyedRealisation = DrvOutput & UnkeyedRealisation;

/** An output as Nix before 2.35 names it. */
export type HashedDrvOutput = {
  readonly derivationHash: Digest;
  readonly outputName: string;
};

export type HashedRealisation = HashedDrvOutput &
  UnkeyedRealisation & {
    readonly dependentRealisations: readonly (readonly [HashedDrvOutput, StorePath])[];
  };

/** How signatures stand in JSON: old versions know only the first. */
export type SignatureForm = 'text' | 'object';

export function printHashedDrvOutput({ derivationHash, outputName }: HashedDrvOutput): string {
  return `${derivationHash.algorithm}:${derivationHash.format('hex')}!${outputName}`;
}

/** Throws `NixCompatError` (`bad-message`). */
export function parseHashedDrvOutput(printed: string): HashedDrvOutput {
  const bang = printed.indexOf('!');
  if (bang === -1) throw bad(`'${printed}' is not '<hash>!<output>'`);
  const outputName = printed.slice(bang + 1);
  checkStorePathName(outputName);
  try {
    return { derivationHash: parseDigest(printed.slice(0, bang)), outputName };
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw bad(`'${printed}' does not begin with a hash: ${cause.message}`, { cause });
  }
}

export function realisationToJson(it: KeyedRealisation, form: SignatureForm = 'object'): JsonObject {
  const key = new Map([
    ['drvPath', it.drvPath.baseName],
    ['outputName', it.outputName],
  ]);
  return new Map<string, JsonValue>([
    ['key', key],
    ['value', unkeyedRealisationToJson(it, form)],
  ]);
}

export function unkeyedRealisationToJson(
  { outPath, signatures }: UnkeyedRealisation,
  form: SignatureForm = 'object',
): JsonObject {
  return new Map<string, JsonValue>([
    ['outPath', outPath.baseName],
    ['signatures', signatures.map((it) => signatureToJson(it, form))],
  ]);
}

export function hashedRealisationToJson(it: HashedRealisation, form: SignatureForm = 'text'): JsonObject {
  const dependent = it.dependentRealisations.map(([id, path]): [string, JsonValue] => [
    printHashedDrvOutput(id),
    path.baseName,
  ]);
  return new Map<string, JsonValue>([
    ['dependentRealisations', new Map(dependent)],
    ['id', printHashedDrvOutput(it)],
    ...unkeyedRealisationToJson(it, form),
  ]);
}

/** Throws `NixCompatError`. */
export function realisationOfJson(value: JsonValue): KeyedRealisation {
  const object = asObject(value, 'a realisation');
  const key = asObject(object.get('key'), 'the key of a realisation');
  const outputName = asText(key, 'outputName');
  checkStorePathName(outputName);
  return {
    drvPath: parseStorePath(asText(key, 'drvPath')),
    outputName,
    ...unkeyedRealisationOfJson(object.get('value') ?? null),
  };
}

/** Throws `NixCompatError`. */
export function unkeyedRealisationOfJson(value: JsonValue): UnkeyedRealisation {
  const object = asObject(value, 'the value of a realisation');
  const signatures = object.get('signatures') ?? [];
  if (!Array.isArray(signatures)) throw bad(`'signatures' is not an array`);
  return {
    outPath: parseStorePath(asText(object, 'outPath')),
    signatures: (signatures as readonly JsonValue[]).map(signatureOfJson),
  };
}

/** Throws `NixCompatError`. */
export function hashedRealisationOfJson(value: JsonValue): HashedRealisation {
  const object = asObject(value, 'a realisation');
  const dependent = asObject(object.get('dependentRealisations') ?? new Map(), `'dependentRealisations'`);
  return {
    ...parseHashedDrvOutput(asText(object, 'id')),
    ...unkeyedRealisationOfJson(object),
    dependentRealisations: Array.from(dependent.keys(), (id) => [
      parseHashedDrvOutput(id),
      parseStorePath(asText(dependent, id)),
    ]),
  };
}

/** Throws `NixCompatError`. */
export function parseHashedRealisation(printed: string): HashedRealisation {
  return hashedRealisationOfJson(parseJson(encodeUtf8(printed)));
}

/** What a signature of a realisation is over. */
export function fingerprintRealisation(it: KeyedRealisation): string {
  const value = new Map([['outPath', it.outPath.baseName]]);
  return printJson(new Map<string, JsonValue>([...realisationToJson(it), ['value', value]]));
}

/** The same before Nix 2.35. */
export function fingerprintHashedRealisation(it: HashedRealisation): string {
  const json = new Map(hashedRealisationToJson(it));
  json.delete('signatures');
  return printJson(json);
}

export function signatureToJson(it: Signature, form: SignatureForm): JsonValue {
  if (form === 'text') return printSignature(it);
  return new Map([
    ['keyName', it.keyName],
    ['sig', encodeBase64(it.bytes)],
  ]);
}

/** Either form. Throws `NixCompatError`. */
export function signatureOfJson(value: JsonValue): Signature {
  if (typeof value === 'string') return parseSignature(value);
  const object = asObject(value, 'a signature');
  return parseSignature(`${asText(object, 'keyName')}:${asText(object, 'sig')}`);
}

function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (value !== undefined && isJsonObject(value)) return value;
  throw bad(`${what} is not an object`);
}

function asText(object: JsonObject, key: string): string {
  const value = object.get(key);
  if (typeof value === 'string') return value;
  throw bad(`'${key}' is missing or not a string`);
}

function bad(message: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-message', message, options);
}
