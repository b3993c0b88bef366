/**
 * The text of a derivation, as it is kept in a `.drv` file. It is an ATerm with a fixed layout, without any white space:
 *
 *     derivation   = Derive([output,…],[input,…],["path",…],"system","builder",["arg",…],[variable,…])
 *     output       = ("name","path","algorithm","hash")
 *     input        = ("path of a derivation",["output",…])
 *     variable     = ("name","value")
 *     string       = any bytes, with \" \\ \n \r \t for those five; any other byte after a backslash stands for itself
 *
 * The four fields of an output tell its kind: `algorithm` is `[r: | git: | text:]<hash algorithm>`, `hash` is in hex.
 *
 *     path, "", ""             input-addressed        "", algorithm, ""           floating
 *     path, algorithm, hash    fixed                  "", algorithm, "impure"     impure
 *     "", "", ""               deferred
 *
 * Outputs, inputs and variables are sets in bytewise order. What is out of order or comes twice is read as Nix reads it and
 * printed in order; all that Nix prints is printed as it was read, byte by byte.
 */
import { BytesError, byteKey, compareBytes, isHashAlgorithm, keyBytes, parseDigest } from '@neve/bytes';
import type { Digest, HashAlgorithm } from '@neve/bytes';
import { ATermReader } from './aterm-reader.ts';
import { ATermWriter } from './aterm-writer.ts';
import type { ContentAddressMethod } from './content-address.ts';
import type { Derivation, DerivationOutput, InputDerivation } from './derivation.ts';
import { NixCompatError } from './nix-compat-error.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StorePath } from './store-path.ts';
import { checkStorePathName, storePathSet } from './store-path.ts';

export type DerivationTextOptions = {
  /** The name of its store path, without `.drv`; it is not in the text. */
  readonly name: string;
  readonly store: StoreDirectory;
};

/**
 * The derivation shares the memory of `text`, which must not change. Throws `NixCompatError`: `bad-derivation`, which says
 * at what byte, and `unsupported-derivation` for dynamic derivations.
 */
export function parseDerivation(text: Uint8Array, { name, store }: DerivationTextOptions): Derivation {
  const reader = new ATermReader(text, name);
  reader.start();
  const outputs = reader.list(() => readOutput(reader, store));
  reader.expect(',');
  const inputDerivations = reader.list(() => readInput(reader, store));
  reader.expect(',');
  const inputSources = reader.list(() => reader.at(() => store.parse(reader.text())));
  reader.expect(',');
  const system = reader.string();
  reader.expect(',');
  const builder = reader.string();
  reader.expect(',');
  const args = reader.list(() => reader.string());
  reader.expect(',');
  const environment = reader.list(() => readVariable(reader));
  reader.expect(')');
  reader.end();
  return {
    name,
    outputs: firstOfEach(outputs),
    inputSources: storePathSet(inputSources),
    inputDerivations: lastOfEach(inputDerivations),
    system,
    builder,
    args,
    environment: inOrder(new Map(environment)),
  };
}

export function printDerivation(derivation: Derivation, store: StoreDirectory): Uint8Array {
  const inputs = derivation.inputDerivations.map(({ path, outputs }): ATermInput => ({
    key: store.print(path),
    outputs,
  }));
  return printATerm({ derivation, store, inputs, masksOutputs: false });
}

/** What stands for a derivation that is an input. */
export type ATermInput = {
  readonly key: string;
  /** In order, none twice. */
  readonly outputs: readonly string[];
};

export type ATermOptions = {
  readonly derivation: Derivation;
  readonly store: StoreDirectory;
  /** In the order of their keys. */
  readonly inputs: readonly ATermInput[];
  /** Whether the paths of outputs, and the variables with the names of outputs, are left empty. */
  readonly masksOutputs: boolean;
};

/** The text of a derivation whose inputs may be named by something else than their paths. */
export function printATerm({ derivation, store, inputs, masksOutputs }: ATermOptions): Uint8Array {
  const writer = new ATermWriter();
  writer.raw('Derive(');
  writer.list(derivation.outputs, ([name, output]) => {
    const [path, algorithm, hash] = outputFields(output, store);
    writer.raw(`("${name}","${masksOutputs ? '' : path}","${algorithm}","${hash}")`);
  });
  writer.raw(',');
  writer.list(inputs, ({ key, outputs }) => {
    writer.raw(`("${key}",[${outputs.map((it) => `"${it}"`).join(',')}])`);
  });
  writer.raw(',');
  writer.list(derivation.inputSources, (path) => writer.raw(`"${store.print(path)}"`));
  writer.raw(',"');
  writer.bytes(derivation.system);
  writer.raw('",');
  writer.string(derivation.builder);
  writer.raw(',');
  writer.list(derivation.args, (arg) => writer.string(arg));
  writer.raw(',');
  writer.list(derivation.environment, ([key, value]) => {
    writer.raw('(');
    writer.string(keyBytes(key));
    writer.raw(',');
    writer.string(masksOutputs && derivation.outputs.has(key) ? empty : value);
    writer.raw(')');
  });
  writer.raw(')');
  return writer.finish();
}

/** What stands in front of the algorithm. */
const methodPrefixes = { text: 'text:', flat: '', nar: 'r:', git: 'git:' } as const;

/** The method and the algorithm of an output's content address, as in `r:sha256`. */
export function printMethodAndAlgorithm(method: ContentAddressMethod, algorithm: HashAlgorithm): string {
  return `${methodPrefixes[method]}${algorithm}`;
}

/** The fields of an output but its name: path, method and algorithm, hash. */
export function outputFields(
  output: DerivationOutput,
  store: StoreDirectory,
): readonly [string, string, string] {
  switch (output.kind) {
    case 'input-addressed':
      return [store.print(output.path), '', ''];
    case 'fixed': {
      const { path, method, digest } = output;
      return [store.print(path), printMethodAndAlgorithm(method, digest.algorithm), digest.format('hex')];
    }
    case 'floating':
      return ['', printMethodAndAlgorithm(output.method, output.algorithm), ''];
    case 'impure':
      return ['', printMethodAndAlgorithm(output.method, output.algorithm), 'impure'];
    case 'deferred':
      return ['', '', ''];
  }
}

type NamedOutput = readonly [name: string, output: DerivationOutput];

function readOutput(reader: ATermReader, store: StoreDirectory): NamedOutput {
  reader.expect('(');
  const name = readOutputName(reader);
  reader.expect(',');
  const path = reader.at(() => {
    const text = reader.text();
    return text === '' ? undefined : store.parse(text);
  });
  reader.expect(',');
  const algorithm = reader.at(() => parseMethodAndAlgorithm(reader.text()));
  reader.expect(',');
  const output = reader.at(() => outputOf({ path, algorithm, hash: reader.text() }));
  reader.expect(')');
  return [name, output];
}

/** It is a part of a name of a store path. */
function readOutputName(reader: ATermReader): string {
  return reader.at(() => {
    const name = reader.text();
    checkStorePathName(name);
    return name;
  });
}

export type MethodAndAlgorithm = { readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm };

/** `undefined` for the empty text. Throws `NixCompatError` (`bad-derivation`). */
export function parseMethodAndAlgorithm(text: string): MethodAndAlgorithm | undefined {
  if (text === '') return undefined;
  const [, prefix = '', algorithm = ''] = /^(r:|git:|text:)?(.*)$/s.exec(text) ?? [];
  if (!isHashAlgorithm(algorithm)) throw bad(`unknown hash algorithm '${algorithm}'`);
  const methods = Object.keys(methodPrefixes) as ContentAddressMethod[];
  return { method: methods.find((it) => methodPrefixes[it] === prefix) as ContentAddressMethod, algorithm };
}

export type OutputFields = {
  readonly path: StorePath | undefined;
  readonly algorithm: MethodAndAlgorithm | undefined;
  readonly hash: string;
};

/** Throws `NixCompatError` (`bad-derivation`). */
export function outputOf({ path, algorithm, hash }: OutputFields): DerivationOutput {
  if (algorithm === undefined) {
    return path === undefined ? { kind: 'deferred' } : { kind: 'input-addressed', path };
  }
  if (hash === 'impure') {
    if (path !== undefined) throw bad('impure derivation output should not specify output path');
    return { kind: 'impure', ...algorithm };
  }
  if (hash === '') {
    if (path !== undefined) throw bad('content-addressing derivation output should not specify output path');
    return { kind: 'floating', ...algorithm };
  }
  if (path === undefined) throw bad('fixed derivation output should specify its output path');
  return { kind: 'fixed', path, method: algorithm.method, digest: readDigest(hash, algorithm.algorithm) };
}

function readDigest(text: string, algorithm: HashAlgorithm): Digest {
  if (/[:-]/.test(text)) throw bad(`'${text}' is not a bare ${algorithm} hash`);
  try {
    return parseDigest(text, algorithm);
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw bad(cause.message, { cause });
  }
}

function readInput(reader: ATermReader, store: StoreDirectory): InputDerivation {
  reader.expect('(');
  const path = reader.at(() => store.parse(reader.text()));
  reader.expect(',');
  const outputs = reader.list(() => readOutputName(reader));
  reader.expect(')');
  return { path, outputs: [...new Set(outputs)].sort() };
}

function readVariable(reader: ATermReader): readonly [key: string, value: Uint8Array] {
  reader.expect('(');
  const key = byteKey(reader.string());
  reader.expect(',');
  const value = reader.string();
  reader.expect(')');
  return [key, value];
}

/** Of outputs with the same name Nix keeps the first. */
function firstOfEach(outputs: readonly NamedOutput[]): ReadonlyMap<string, DerivationOutput> {
  return inOrder(new Map(outputs.toReversed()));
}

/** Of inputs with the same path Nix keeps the last. */
function lastOfEach(inputs: readonly InputDerivation[]): readonly InputDerivation[] {
  const byPath = new Map(inputs.map((it) => [it.path.baseName, it]));
  return storePathSet(inputs.map(({ path }) => path)).flatMap(({ baseName }) => byPath.get(baseName) ?? []);
}

/** The same entries in bytewise order of the names, which are given as their `byteKey`. */
export function inOrder<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const keys = [...entries.keys()];
  // The order of code units is the order of bytes as long as all are ASCII, as names nearly always are.
  if (keys.every((it) => /^[\0-\x7f]*$/.test(it))) keys.sort();
  else keys.sort((a, b) => compareBytes(keyBytes(a), keyBytes(b)));
  return new Map(keys.map((it) => [it, entries.get(it) as T]));
}

function bad(message: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-derivation', message, options);
}

const empty = new Uint8Array(0);
