/**
 * From a derivation, whose inputs are there, to what a builder is asked to run.
 *
 * The command sees the closure of the inputs at the store directory, an empty `/build` where it starts, and variables:
 * those of the derivation among some that Nix always sets. Placeholders of its outputs are replaced in arguments, variables
 * and files. Whether it has a network and how it is shut off follows from its type, its options and the settings.
 */
import { decodeUtf8, encodeNixBase32, encodeUtf8, equalBytes, keyBytes } from '@neve/bytes';
import type { BuildConstraints, BuildRequest, HostPath } from '@neve/build';
import type { Node } from '@neve/castore';
import {
  addToAttrs,
  mayUseNetwork,
  outputPlaceholder,
  printAttrsJson,
  printAttrsShell,
  replaceAllBytes,
} from '@neve/nix-compat';
import type { ByteReplacement, StorePath } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import type { BuildSettings } from './build-settings.ts';
import { exportedPathInfos, printRegistration } from './exported-references.ts';
import type { ExportedGraphs } from './exported-references.ts';
import { RealiseError } from './realise-error.ts';
import type { ResolvedDerivation, StoreContext } from './resolved-derivation.ts';
import { scratchOutputs } from './scratch-outputs.ts';
import { checkRequirements, isBuiltin } from './system-requirements.ts';

export type RequestOptions = StoreContext & {
  readonly settings: BuildSettings;
  /** What `readExportedGraphs` gives; needed only by derivations with `exportReferencesGraph`. */
  readonly graphs?: ExportedGraphs;
  /** Paths of outputs that follow from contents and are there already. */
  readonly known?: ReadonlyMap<string, StorePath>;
};

export type DerivationRequest = {
  readonly request: BuildRequest;
  /** Where the outputs will be, by name: in the order of the request's outputs. */
  readonly outputs: ReadonlyMap<string, StorePath>;
  /** What the needles of the request are the hash parts of, in the same order. */
  readonly needles: readonly StorePath[];
};

/**
 * Throws `RealiseError`: `unsupported-system`, `not-allowed`, `invalid-derivation`, and `unsupported` for what no request
 * can say, such as arguments that are not UTF-8.
 */
export function derivationToRequest(
  resolved: ResolvedDerivation,
  options: RequestOptions,
): DerivationRequest {
  const { derivation, inputs, path } = resolved;
  const { store, settings } = options;
  if (isBuiltin(resolved)) {
    const problem = `'${store.print(path)}' has the builder '${decodeUtf8(derivation.builder)}'`;
    throw new RealiseError('unsupported', `${problem}, which is not run in a sandbox`);
  }
  checkRequirements(resolved, settings, store);
  const outputs = scratchOutputs({ path, derivation, store, known: options.known });
  const files = new BuilderFiles(resolved, { ...options, outputs });
  const inputsDirectory = store.path.slice(1);
  const needles = [...Array.from(inputs.values(), ({ storePath }) => storePath), ...outputs.values()];
  const request: BuildRequest = {
    inputs: inputNodes([...inputs.values(), ...settings.sandboxClosure]),
    inputsDirectory,
    command: files.command(),
    programName: baseName(decodeUtf8(derivation.builder)),
    workingDirectory: buildDirectory,
    scratchPaths: [buildDirectory, inputsDirectory],
    outputs: Array.from(outputs.values(), ({ baseName: name }) => `${inputsDirectory}/${name}`),
    environment: files.environment(),
    files: files.files(),
    needles: needles.map(({ hashPart }) => encodeUtf8(hashPart)),
    constraints: constraintsOf(resolved, options),
    limits: settings.limits,
  };
  return { request, outputs, needles };
}

/** Where the command starts, relative to the root of its sandbox. */
const buildDirectory = 'build';

function inputNodes(pathInfos: Iterable<PathInfo>): ReadonlyMap<string, Node> {
  return new Map(Array.from(pathInfos, ({ storePath, node }) => [storePath.baseName, node]));
}

type FilesOptions = RequestOptions & { readonly outputs: ReadonlyMap<string, StorePath> };

/** What the command is given: its arguments, variables and files. */
class BuilderFiles {
  readonly #resolved: ResolvedDerivation;
  readonly #options: FilesOptions;
  readonly #placeholders: readonly ByteReplacement[];

  constructor(resolved: ResolvedDerivation, options: FilesOptions) {
    this.#resolved = resolved;
    this.#options = options;
    this.#placeholders = Array.from(options.outputs, ([name, path]) => ({
      from: encodeUtf8(outputPlaceholder(name, options.hashes)),
      to: encodeUtf8(options.store.print(path)),
    }));
  }

  /** The builder is run as it is; a relative one is looked for where the command starts, as `execve` does. */
  command(): BuildRequest['command'] {
    const { derivation } = this.#resolved;
    const builder = this.#text(derivation.builder, 'builder');
    const program = builder.startsWith('/') ? builder : `/${buildDirectory}/${builder}`;
    return [program, ...derivation.args.map((arg) => this.#text(this.#replace(arg), 'argument'))];
  }

  environment(): ReadonlyMap<string, Uint8Array> {
    const { type } = this.#resolved;
    const { settings, store } = this.#options;
    const build = `/${buildDirectory}`;
    const variables: readonly (readonly [string, string | Uint8Array])[] = [
      ['PATH', '/path-not-set'],
      ['HOME', '/homeless-shelter'],
      ['NIX_STORE', store.path],
      ['NIX_BUILD_CORES', String(settings.cores)],
      ...this.#ownVariables(),
      ...['NIX_BUILD_TOP', 'TMPDIR', 'TEMPDIR', 'TMP', 'TEMP', 'PWD'].map((name) => [name, build] as const),
      ...(type === 'fixed' ? [['NIX_OUTPUT_CHECKED', '1'] as const] : []),
      ...this.#impureVariables(),
      ['NIX_LOG_FD', '2'],
      ['TERM', 'xterm-256color'],
    ];
    return this.#environmentOf(variables);
  }

  /** By path, relative to the root of the sandbox. */
  files(): ReadonlyMap<string, Uint8Array> {
    const texts = Array.from(this.#files(), ([name, contents]): [string, Uint8Array] => [
      `${buildDirectory}/${name}`,
      this.#replace(contents),
    ]);
    return new Map(texts);
  }

  /** The variables of the derivation: by name, or by the file that holds the value. */
  *#ownVariables(): Generator<readonly [string, string | Uint8Array], void, void> {
    const { derivation, options, structuredAttrs } = this.#resolved;
    if (structuredAttrs !== undefined) {
      yield ['NIX_ATTRS_SH_FILE', `/${buildDirectory}/.attrs.sh`];
      yield ['NIX_ATTRS_JSON_FILE', `/${buildDirectory}/.attrs.json`];
      return;
    }
    for (const [name, value] of derivation.environment) {
      if (options.passAsFile.has(name))
        yield [`${name}Path`, `/${buildDirectory}/${this.#attributeFile(name)}`];
      else yield [name, value];
    }
  }

  *#files(): Generator<readonly [name: string, contents: Uint8Array], void, void> {
    const { derivation, options, structuredAttrs } = this.#resolved;
    const { store } = this.#options;
    const graphs = this.#graphs();
    if (structuredAttrs !== undefined) {
      const attrs = addToAttrs(structuredAttrs, {
        outputs: this.#outputPlaceholders(),
        graphs: new Map(graphs.map(([key, graph]) => [key, exportedPathInfos(graph, store)])),
      });
      yield ['.attrs.sh', encodeUtf8(printAttrsShell(attrs))];
      yield ['.attrs.json', encodeUtf8(printAttrsJson(attrs))];
      return;
    }
    for (const name of options.passAsFile) {
      const value = derivation.environment.get(name);
      if (value !== undefined) yield [this.#attributeFile(name), value];
    }
    for (const [file, graph] of graphs) yield [file, encodeUtf8(printRegistration(graph, store))];
  }

  #graphs(): readonly (readonly [name: string, graph: readonly PathInfo[]])[] {
    const { graphs } = this.#options;
    return Array.from(this.#resolved.options.exportReferencesGraph.keys(), (name) => {
      const graph = graphs?.get(name);
      if (graph === undefined)
        throw new Error(`the graph '${name}' was not read before the request was made`);
      return [name, graph] as const;
    });
  }

  #outputPlaceholders(): ReadonlyMap<string, string> {
    const { outputs, hashes } = this.#options;
    return new Map(Array.from(outputs.keys(), (name) => [name, outputPlaceholder(name, hashes)]));
  }

  #attributeFile(name: string): string {
    return `.attr-${encodeNixBase32(this.#options.hashes.hash('sha256', keyBytes(name)).bytes)}`;
  }

  *#impureVariables(): Generator<readonly [string, string], void, void> {
    const { type, options } = this.#resolved;
    if (!mayUseNetwork(type)) return;
    for (const name of options.impureEnvVars) {
      yield [name, this.#options.settings.impureEnvironment.get(name) ?? ''];
    }
  }

  /** Placeholders may be in names as well; what follows the first `=` is the value, as a process sees it. */
  #environmentOf(
    variables: readonly (readonly [string, string | Uint8Array])[],
  ): ReadonlyMap<string, Uint8Array> {
    // A later variable takes the place of an earlier one with the same name.
    const byName = new Map(variables);
    const entries = Array.from(byName, ([key, value]): [string, Uint8Array] => {
      const name = this.#replace(keyBytes(key));
      const bytes = this.#replace(typeof value === 'string' ? encodeUtf8(value) : value);
      if (name.includes(0) || bytes.includes(0)) {
        throw this.#invalid(
          `its variable '${decodeUtf8(name)}' contains a NUL byte, which no process can have`,
        );
      }
      const equals = name.indexOf(0x3d);
      if (equals === -1) return [this.#text(name, 'name of a variable'), bytes];
      const rest = encodeUtf8(`${decodeUtf8(name.subarray(equals + 1))}=${decodeUtf8(bytes)}`);
      return [this.#text(name.subarray(0, equals), 'name of a variable'), rest];
    });
    return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #replace(bytes: Uint8Array): Uint8Array {
    return replaceAllBytes(bytes, this.#placeholders);
  }

  #text(bytes: Uint8Array, what: string): string {
    const text = decodeUtf8(bytes);
    if (text.includes('\0')) throw this.#invalid(`its ${what} '${text}' contains a NUL byte`);
    if (equalBytes(encodeUtf8(text), bytes)) return text;
    const { path } = this.#resolved;
    const shown = `the ${what} '${text}' of '${this.#options.store.print(path)}' is not UTF-8`;
    throw new RealiseError('unsupported', `${shown}, which no builder can be asked for`);
  }

  #invalid(problem: string): RealiseError {
    const shown = this.#options.store.print(this.#resolved.path);
    return new RealiseError('invalid-derivation', `'${shown}' cannot be built: ${problem}`);
  }
}

function constraintsOf(resolved: ResolvedDerivation, options: RequestOptions): BuildConstraints {
  const { derivation, type, options: wanted } = resolved;
  const { settings } = options;
  const isIsolated = usesSandbox(resolved, options);
  const userRange = wanted.requiredSystemFeatures.includes('uid-range');
  if (userRange && !isIsolated) {
    throw new RealiseError('not-allowed', "feature 'uid-range' is only supported in sandboxed builds");
  }
  const network = mayUseNetwork(type);
  const hostPaths = [
    ...settings.sandboxPaths,
    ...impureHostPaths(resolved, options),
    ...(settings.systemFeatures.has('kvm') ? [optionalPath('/dev/kvm')] : []),
  ];
  return {
    system: decodeUtf8(derivation.system),
    minMemoryBytes: 0,
    readOnlyPaths: [],
    hostPaths: withoutRepetition(hostPaths),
    network,
    binSh: !settings.sandboxPaths.some(({ target }) => target === '/bin/sh'),
    userRange,
    isolation: isIsolated ? 'full' : 'none',
  };
}

/** Whether the settings and the derivation want a sandbox. Throws `RealiseError` (`not-allowed`). */
function usesSandbox(
  { path, type, options }: ResolvedDerivation,
  { settings, store }: RequestOptions,
): boolean {
  if (settings.sandbox !== true) {
    return settings.sandbox === 'relaxed' && !mayUseNetwork(type) && !options.noChroot;
  }
  if (!options.noChroot) return true;
  throw new RealiseError(
    'not-allowed',
    `derivation '${store.print(path)}' has '__noChroot' set, but that's not allowed when 'sandbox' is 'true'`,
  );
}

function impureHostPaths(
  { path, options }: ResolvedDerivation,
  { settings, store }: RequestOptions,
): readonly HostPath[] {
  return options.impureHostDeps.map((wanted) => {
    const plain = cleanPath(wanted);
    const isAllowed = settings.allowedImpureHostDeps.some((it) => isAtOrBelow(plain, cleanPath(it)));
    if (isAllowed) return optionalPath(plain);
    throw new RealiseError(
      'not-allowed',
      `derivation '${store.print(path)}' requested impure path '${wanted}', ` +
        'but it was not in allowed-impure-host-deps',
    );
  });
}

function optionalPath(path: string): HostPath {
  return { target: path, source: path, optional: true };
}

/** The last of those with the same target. */
function withoutRepetition(paths: readonly HostPath[]): readonly HostPath[] {
  return [...new Map(paths.map((it) => [it.target, it])).values()];
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`);
}

/** Without `.`, `..` and empty components. */
function cleanPath(path: string): string {
  const clean: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') clean.pop();
    else if (component !== '' && component !== '.') clean.push(component);
  }
  return `/${clean.join('/')}`;
}

function baseName(path: string): string {
  const plain = path.replace(/\/+$/, '');
  return plain.slice(plain.lastIndexOf('/') + 1);
}
