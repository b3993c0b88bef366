/**
 * What a derivation asks of whoever builds it, by attributes with names that have a meaning: checks of its outputs, files
 * for its builder, holes in its sandbox, where and whether it is built.
 *
 * They are variables of its environment, or structured attributes, where some of them have another form: checks are in
 * `outputChecks`, an object by output, and `exportReferencesGraph` is an object. `__sandboxProfile` and
 * `__darwinAllowLocalNetworking` mean nothing on Linux and are not read. Described in the Nix manual under "Advanced
 * attributes".
 */
import { byteKey, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Derivation } from './derivation.ts';
import { hasKnownOutputPaths, type DerivationType } from './derivation-type.ts';
import { isJsonObject, jsonTypeName, printJson, sortedKeys } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { isPlaceholder } from './placeholders.ts';
import type { StoreDirectory } from './store-directory.ts';
import type { StorePath } from './store-path.ts';
import { readStructuredAttrs } from './structured-attrs.ts';

export type DerivationOptions = {
  readonly outputChecks: AllOutputChecks;
  /** By output: whether it is registered without references, whatever is in it. */
  readonly unsafeDiscardReferences: ReadonlyMap<string, boolean>;
  /** Variables whose values are given in files, by their `byteKey`. */
  readonly passAsFile: ReadonlySet<string>;
  /** File names, or keys of structured attributes, and the paths whose closures they describe. */
  readonly exportReferencesGraph: ReadonlyMap<string, readonly InputReference[]>;
  /** Whether it wants no sandbox. */
  readonly noChroot: boolean;
  /** Paths of the host that it wants to see. */
  readonly impureHostDeps: readonly string[];
  /** Variables of the host's environment that it wants, if it may use the network. */
  readonly impureEnvVars: readonly string[];
  readonly requiredSystemFeatures: readonly string[];
  readonly preferLocalBuild: boolean;
  readonly allowSubstitutes: boolean;
  /** What is ignored though it looks as if it meant something. */
  readonly warnings: readonly string[];
};

export type AllOutputChecks =
  | { readonly kind: 'same'; readonly checks: OutputChecks }
  | { readonly kind: 'by-output'; readonly checks: ReadonlyMap<string, OutputChecks> };

export type OutputChecks = {
  /** Whether an output may be among its own requisites, whatever these checks say. */
  readonly ignoreSelfRefs: boolean;
  /** Of the NAR, in bytes. */
  readonly maxSize: bigint | undefined;
  /** Of all NARs of the closure together, in bytes. */
  readonly maxClosureSize: bigint | undefined;
  /** Nothing else may be referred to; an empty list is not the same as none. */
  readonly allowedReferences: readonly Reference[] | undefined;
  readonly disallowedReferences: readonly Reference[];
  /** As for references, of the whole closure. */
  readonly allowedRequisites: readonly Reference[] | undefined;
  readonly disallowedRequisites: readonly Reference[];
};

/** What is given as an input. A placeholder stands for a path that is not known before the derivation is resolved. */
export type InputReference =
  | { readonly kind: 'path'; readonly path: StorePath }
  | { readonly kind: 'placeholder'; readonly placeholder: string };

/** An input, or an output by its name. */
export type Reference = InputReference | { readonly kind: 'output'; readonly output: string };

/** Throws `NixCompatError` (`bad-derivation-options`). */
export function readDerivationOptions(derivation: Derivation, store: StoreDirectory): DerivationOptions {
  const attrs = readStructuredAttrs(derivation);
  const read = new OptionsReader(derivation, { attrs, store });
  return {
    outputChecks: attrs === undefined ? read.outputChecksOfEnvironment() : read.outputChecksOf(attrs),
    unsafeDiscardReferences: read.unsafeDiscardReferences(),
    passAsFile: read.passAsFile(),
    exportReferencesGraph: read.exportReferencesGraph(),
    noChroot: read.boolean('__noChroot', false),
    impureHostDeps: read.texts('__impureHostDeps') ?? [],
    impureEnvVars: read.texts('impureEnvVars') ?? [],
    requiredSystemFeatures: read.texts('requiredSystemFeatures') ?? [],
    preferLocalBuild: read.boolean('preferLocalBuild', false),
    allowSubstitutes: read.boolean('allowSubstitutes', true),
    warnings: read.warnings(),
  };
}

/** The features that a builder of it must have, in order. */
export function requiredSystemFeatures(options: DerivationOptions, type: DerivationType): readonly string[] {
  const implied = hasKnownOutputPaths(type) ? [] : ['ca-derivations'];
  return [...new Set([...options.requiredSystemFeatures, ...implied])].sort();
}

const checkedSets = [
  'allowedReferences',
  'allowedRequisites',
  'disallowedRequisites',
  'disallowedReferences',
] as const;

type ReaderOptions = { readonly attrs: JsonObject | undefined; readonly store: StoreDirectory };

class OptionsReader {
  readonly #derivation: Derivation;
  readonly #attrs: JsonObject | undefined;
  readonly #store: StoreDirectory;

  constructor(derivation: Derivation, { attrs, store }: ReaderOptions) {
    this.#derivation = derivation;
    this.#attrs = attrs;
    this.#store = store;
  }

  boolean(name: string, otherwise: boolean): boolean {
    if (this.#attrs === undefined) {
      const text = this.#text(name);
      return text === undefined ? otherwise : text === '1';
    }
    const value = this.#attrs.get(name);
    return value === undefined ? otherwise : this.#in(`attribute "${name}"`, () => readBoolean(value));
  }

  /** A set of texts, in order. */
  texts(name: string): readonly string[] | undefined {
    if (this.#attrs === undefined) {
      const text = this.#text(name);
      return text === undefined ? undefined : sortedSet(tokens(text));
    }
    const value = this.#attrs.get(name);
    if (value === undefined) return undefined;
    return sortedSet(this.#in(`attribute "${name}"`, () => readTexts(value)));
  }

  outputChecksOfEnvironment(): AllOutputChecks {
    const references = (name: string): readonly Reference[] | undefined =>
      this.texts(name)?.map((it) => this.#reference(it));
    const checks: OutputChecks = {
      ignoreSelfRefs: true,
      maxSize: undefined,
      maxClosureSize: undefined,
      allowedReferences: references('allowedReferences'),
      disallowedReferences: references('disallowedReferences') ?? [],
      allowedRequisites: references('allowedRequisites'),
      disallowedRequisites: references('disallowedRequisites') ?? [],
    };
    return { kind: 'same', checks };
  }

  outputChecksOf(attrs: JsonObject): AllOutputChecks {
    const value = attrs.get('outputChecks');
    const byOutput =
      value === undefined ? new Map<string, JsonValue>() : this.#in('', () => readObject(value));
    const checks = Array.from(byOutput, ([output, it]) => [output, this.#checksOf(output, it)] as const);
    return { kind: 'by-output', checks: new Map(checks) };
  }

  unsafeDiscardReferences(): ReadonlyMap<string, boolean> {
    const value = this.#attrs?.get('unsafeDiscardReferences');
    if (value === undefined) return new Map();
    return this.#in("attribute 'unsafeDiscardReferences'", () => {
      const entries = Array.from(readObject(value), ([output, it]) => [output, readBoolean(it)] as const);
      return new Map(entries);
    });
  }

  passAsFile(): ReadonlySet<string> {
    if (this.#attrs !== undefined) return new Set();
    return new Set(tokens(this.#text('passAsFile') ?? '').map((it) => byteKey(encodeUtf8(it))));
  }

  exportReferencesGraph(): ReadonlyMap<string, readonly InputReference[]> {
    if (this.#attrs !== undefined) return this.#graphsOf(this.#attrs.get('exportReferencesGraph'));
    const text = this.#text('exportReferencesGraph') ?? '';
    const words = tokens(text);
    if (words.length % 2 !== 0) {
      throw this.#bad(`odd number of tokens in 'exportReferencesGraph': '${text}'`);
    }
    const graphs = new Map<string, readonly InputReference[]>();
    for (let i = 0; i < words.length; i += 2) {
      const [file = '', path = ''] = words.slice(i, i + 2);
      if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(file)) {
        throw this.#bad(`invalid file name '${file}' in 'exportReferencesGraph'`);
      }
      graphs.set(file, [this.#input(path)]);
    }
    return new Map([...graphs].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  warnings(): readonly string[] {
    const attrs = this.#attrs;
    if (attrs === undefined) return [];
    const ignored = [...checkedSets, 'maxSize', 'maxClosureSize'].filter((it) => attrs.has(it));
    const checks = ignored.map(
      (it) =>
        `'structuredAttrs' disables the effect of the top-level attribute '${it}'; use 'outputChecks' instead`,
    );
    const files = attrs.has('passAsFile')
      ? [
          "'structuredAttrs' disables the effect of the top-level attribute 'passAsFile'; " +
            'because all JSON is always passed via file',
        ]
      : [];
    const graph = attrs.get('exportReferencesGraph');
    const graphs =
      graph === undefined || isJsonObject(graph)
        ? []
        : ["'exportReferencesGraph' in structured attrs is not a JSON object, ignoring"];
    return [...checks, ...files, ...graphs];
  }

  #checksOf(output: string, value: JsonValue): OutputChecks {
    const object = this.#in(`attribute 'outputChecks."${output}"'`, () => readObject(value));
    const size = (name: string): bigint | undefined => {
      const it = object.get(name);
      return it === undefined ? undefined : this.#in(where(output, name), () => readUnsigned(it));
    };
    const references = (name: string): readonly Reference[] | undefined => {
      const it = object.get(name);
      if (it === undefined) return undefined;
      return this.#in(where(output, name), () =>
        sortedSet(readTexts(it)).map((text) => this.#reference(text)),
      );
    };
    return {
      ignoreSelfRefs: false,
      maxSize: size('maxSize'),
      maxClosureSize: size('maxClosureSize'),
      allowedReferences: references('allowedReferences'),
      disallowedReferences: references('disallowedReferences') ?? [],
      allowedRequisites: references('allowedRequisites'),
      disallowedRequisites: references('disallowedRequisites') ?? [],
    };
  }

  #graphsOf(value: JsonValue | undefined): ReadonlyMap<string, readonly InputReference[]> {
    if (value === undefined || !isJsonObject(value)) return new Map();
    return new Map(
      sortedKeys(value).map((key) => {
        const texts = this.#in('', () => [...flatTexts(value.get(key) ?? null)]);
        return [key, sortedSet(texts).map((it) => this.#input(it))];
      }),
    );
  }

  /** A path of the store, or something below one, is that path; everything else is the name of an output. */
  #reference(text: string): Reference {
    if (isPlaceholder(text)) return { kind: 'placeholder', placeholder: placeholderOf(text) };
    try {
      return { kind: 'path', path: this.#store.parse(text) };
    } catch (error) {
      if (!(error instanceof NixCompatError)) throw error;
      return { kind: 'output', output: text };
    }
  }

  #input(text: string): InputReference {
    if (isPlaceholder(text)) return { kind: 'placeholder', placeholder: placeholderOf(text) };
    return { kind: 'path', path: this.#in('', () => this.#store.locate(text).storePath) };
  }

  #text(name: string): string | undefined {
    const value = this.#derivation.environment.get(name);
    return value === undefined ? undefined : decodeUtf8(value);
  }

  /** Says where something was read that could not be. */
  #in<T>(place: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof NixCompatError)) throw cause;
      throw this.#bad(place === '' ? cause.message : `while parsing ${place}: ${cause.message}`, { cause });
    }
  }

  #bad(problem: string, options?: ErrorOptions): NixCompatError {
    return new NixCompatError(
      'bad-derivation-options',
      `derivation '${this.#derivation.name}': ${problem}`,
      options,
    );
  }
}

function where(output: string, name: string): string {
  return `attribute 'outputChecks."${output}".${name}'`;
}

/** Without what is below it. */
function placeholderOf(text: string): string {
  const slash = text.indexOf('/', 1);
  return slash === -1 ? text : text.slice(0, slash);
}

function tokens(text: string): string[] {
  return text.split(/[ \t\n\r]+/).filter((it) => it !== '');
}

function sortedSet(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function* flatTexts(value: JsonValue): Generator<string, void, void> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value as readonly JsonValue[]) yield* flatTexts(item);
  else throw new NixCompatError('bad-json', "'exportReferencesGraph' value is not an array or a string");
}

function readObject(value: JsonValue): JsonObject {
  if (isJsonObject(value)) return value;
  throw wrongType('object', value);
}

function readBoolean(value: JsonValue): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongType('boolean', value);
}

function readTexts(value: JsonValue): readonly string[] {
  if (!Array.isArray(value)) throw wrongType('array', value);
  return (value as readonly JsonValue[]).map((item) => {
    if (typeof item === 'string') return item;
    throw wrongType('string', item);
  });
}

function readUnsigned(value: JsonValue): bigint {
  if (typeof value === 'bigint' && value >= 0n) return value;
  throw wrongType('unsigned integral number', value);
}

function wrongType(expected: string, value: JsonValue): NixCompatError {
  return new NixCompatError(
    'bad-json',
    `Expected JSON value to be of type '${expected}' but it is of type '${jsonTypeName(value)}': ${printJson(value)}`,
  );
}
