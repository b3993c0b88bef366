/**
 * Derivations as JSON, version 4: what `nix derivation show` prints (2.34 and newer) and `nix derivation add` reads. Store
 * paths are base names; the attributes of structured derivations are an object of their own.
 *
 *     { "derivations": { "<base name of the path>": <derivation> }, "version": 4 }
 *
 * Texts that are not UTF-8 have no form in JSON.
 */
import {
  BytesError,
  byteKey,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  isHashAlgorithm,
  keyBytes,
  parseDigest,
} from '@neve/bytes';
import type { HashAlgorithm } from '@neve/bytes';
import { contentAddressedPath } from './content-address.ts';
import type { ContentAddressMethod } from './content-address.ts';
import { inOrder } from './derivation-aterm.ts';
import type { Derivation, DerivationOutput, InputDerivation } from './derivation.ts';
import { isJsonObject, jsonTypeName, parseJson, printJson } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { outputPathName } from './placeholders.ts';
import type { StoreDirectory } from './store-directory.ts';
import { parseStorePath, storePathSet } from './store-path.ts';
import type { StorePath } from './store-path.ts';
import { readStructuredAttrs, structuredAttrsVariable } from './structured-attrs.ts';

export const derivationJsonVersion = 4;

/** Throws `NixCompatError` (`bad-derivation`) for texts that are not UTF-8. */
export function derivationToJson(derivation: Derivation): JsonObject {
  const text = (bytes: Uint8Array): string => utf8Text(bytes, derivation.name);
  const attrs = readStructuredAttrs(derivation);
  const environment = Array.from(derivation.environment, ([key, value]): [string, JsonValue] => [
    text(keyBytes(key)),
    key === structuredAttrsVariable ? null : text(value),
  ]);
  const inputs = derivation.inputDerivations.map(({ path, outputs }): [string, JsonValue] => [
    path.baseName,
    jsonObject({ dynamicOutputs: new Map(), outputs }),
  ]);
  return jsonObject({
    args: derivation.args.map(text),
    builder: text(derivation.builder),
    env: new Map(environment.filter(([key]) => key !== structuredAttrsVariable)),
    inputs: jsonObject({
      drvs: new Map(inputs),
      srcs: derivation.inputSources.map(({ baseName }) => baseName),
    }),
    name: derivation.name,
    outputs: new Map(Array.from(derivation.outputs, ([name, output]) => [name, outputToJson(output)])),
    ...(attrs === undefined ? {} : { structuredAttrs: attrs }),
    system: text(derivation.system),
    version: BigInt(derivationJsonVersion),
  });
}

/** What `nix derivation show` prints of several. */
export function derivationsToJson(derivations: Iterable<readonly [StorePath, Derivation]>): JsonObject {
  const shown = Array.from(derivations, ([path, it]): [string, JsonValue] => [
    path.baseName,
    derivationToJson(it),
  ]);
  return jsonObject({ derivations: new Map(shown), version: BigInt(derivationJsonVersion) });
}

/**
 * Reads one derivation. Paths of input-addressed outputs are taken as they are. Throws `NixCompatError` (`bad-derivation`,
 * `bad-json`, `bad-store-path`, `unsupported-derivation`).
 */
export function parseDerivationJson(bytes: Uint8Array, store: StoreDirectory): Derivation {
  const read = new ObjectReader(parseJson(bytes), 'the derivation');
  const version = read.value('version');
  if (version !== BigInt(derivationJsonVersion)) {
    throw new NixCompatError(
      'unsupported-derivation',
      `Unsupported derivation JSON format version ${printJson(version)}, ` +
        `only format version ${derivationJsonVersion} is currently supported.`,
    );
  }
  const name = read.text('name');
  const inputs = read.object('inputs');
  const attrs = read.optional('structuredAttrs');
  const environment = Array.from(read.object('env').entries(), ([key, value]): [string, Uint8Array] => [
    byteKey(encodeUtf8(key)),
    encodeUtf8(asText(value, `the variable '${key}'`)),
  ]);
  if (attrs !== undefined) environment.push([structuredAttrsVariable, encodeUtf8(printJson(attrs))]);
  const outputs = Array.from(
    read.object('outputs').entries(),
    ([output, value]): [string, DerivationOutput] => [
      output,
      outputOfJson(new ObjectReader(value, `output '${output}'`), {
        store,
        name: outputPathName(name, output),
      }),
    ],
  );
  const inputDerivations = Array.from(inputs.object('drvs').entries(), ([path, value]) =>
    inputOfJson(path, value),
  );
  return {
    name,
    outputs: inOrder(new Map(outputs)),
    inputSources: storePathSet(inputs.texts('srcs').map(parseStorePath)),
    inputDerivations: inputDerivations.sort((a, b) => (a.path.baseName < b.path.baseName ? -1 : 1)),
    system: encodeUtf8(read.text('system')),
    builder: encodeUtf8(read.text('builder')),
    args: read.texts('args').map(encodeUtf8),
    environment: inOrder(new Map(environment)),
  };
}

function outputToJson(output: DerivationOutput): JsonObject {
  switch (output.kind) {
    case 'input-addressed':
      return jsonObject({ path: output.path.baseName });
    case 'fixed':
      return jsonObject({ hash: output.digest.format('sri'), method: output.method });
    case 'floating':
      return jsonObject({ hashAlgo: output.algorithm, method: output.method });
    case 'impure':
      return jsonObject({ hashAlgo: output.algorithm, impure: true, method: output.method });
    case 'deferred':
      return new Map();
  }
}

type NamedPath = { readonly store: StoreDirectory; readonly name: string };

function outputOfJson(read: ObjectReader, { store, name }: NamedPath): DerivationOutput {
  switch ([...read.keys()].sort().join(' ')) {
    case '':
      return { kind: 'deferred' };
    case 'path':
      return { kind: 'input-addressed', path: parseStorePath(read.text('path')) };
    case 'hash method': {
      const contentAddress = { method: methodOf(read), digest: digestOf(read) };
      return {
        kind: 'fixed',
        path: contentAddressedPath(store, { name, contentAddress }),
        ...contentAddress,
      };
    }
    case 'hashAlgo method':
      return { kind: 'floating', method: methodOf(read), algorithm: algorithmOf(read) };
    case 'hashAlgo impure method':
      return { kind: 'impure', method: methodOf(read), algorithm: algorithmOf(read) };
    default:
      throw bad('invalid JSON for derivation output');
  }
}

function methodOf(read: ObjectReader): ContentAddressMethod {
  const method = read.text('method');
  if (method === 'text' || method === 'flat' || method === 'nar' || method === 'git') return method;
  throw bad(`Invalid file ingestion mode '${method}'`);
}

function algorithmOf(read: ObjectReader): HashAlgorithm {
  const algorithm = read.text('hashAlgo');
  if (isHashAlgorithm(algorithm)) return algorithm;
  throw bad(`unknown hash algorithm '${algorithm}'`);
}

function digestOf(read: ObjectReader): ReturnType<typeof parseDigest> {
  try {
    return parseDigest(read.text('hash'));
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw bad(cause.message, { cause });
  }
}

function inputOfJson(path: string, value: JsonValue): InputDerivation {
  const read = new ObjectReader(value, `the input '${path}'`);
  if ([...read.object('dynamicOutputs').keys()].length > 0) {
    throw new NixCompatError(
      'unsupported-derivation',
      `the input '${path}' has dynamic outputs, which are not supported`,
    );
  }
  return { path: parseStorePath(path), outputs: [...new Set(read.texts('outputs'))].sort() };
}

function jsonObject(entries: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(Object.entries(entries));
}

/** An object whose parts are asked for by key. */
class ObjectReader {
  readonly #object: JsonObject;
  readonly #what: string;

  constructor(value: JsonValue, what: string) {
    if (!isJsonObject(value)) throw wrongType({ value, what, expected: 'object' });
    this.#object = value;
    this.#what = what;
  }

  keys(): Iterable<string> {
    return this.#object.keys();
  }

  entries(): Iterable<[string, JsonValue]> {
    return this.#object.entries();
  }

  optional(key: string): JsonValue | undefined {
    return this.#object.get(key);
  }

  value(key: string): JsonValue {
    const value = this.#object.get(key);
    if (value !== undefined) return value;
    throw bad(
      `while reading ${this.#what}: Expected JSON object to contain key '${key}' but it doesn't: ` +
        printJson(this.#object),
    );
  }

  text(key: string): string {
    return asText(this.value(key), this.#at(key));
  }

  object(key: string): ObjectReader {
    return new ObjectReader(this.value(key), this.#at(key));
  }

  texts(key: string): readonly string[] {
    const value = this.value(key);
    const what = this.#at(key);
    if (!Array.isArray(value)) throw wrongType({ value, what, expected: 'array' });
    return (value as readonly JsonValue[]).map((it) => asText(it, what));
  }

  #at(key: string): string {
    return `'${key}' of ${this.#what}`;
  }
}

function asText(value: JsonValue, what: string): string {
  if (typeof value === 'string') return value;
  throw wrongType({ value, what, expected: 'string' });
}

type WrongType = { readonly value: JsonValue; readonly what: string; readonly expected: string };

function wrongType({ value, what, expected }: WrongType): NixCompatError {
  return bad(
    `while reading ${what}: Expected JSON value to be of type '${expected}' ` +
      `but it is of type '${jsonTypeName(value)}': ${printJson(value)}`,
  );
}

function utf8Text(bytes: Uint8Array, name: string): string {
  const text = decodeUtf8(bytes);
  if (equalBytes(encodeUtf8(text), bytes)) return text;
  throw bad(`derivation '${name}' holds '${text}', which is not UTF-8 and has no form in JSON`);
}

function bad(message: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-derivation', message, options);
}
