/**
 * Where derivations and their outputs lie.
 *
 * The path of a derivation follows from its text. The path of an input-addressed output must not change when only the way
 * changes in which some fixed output below is fetched, so it follows from a text in which every input derivation is
 * replaced by a hash, its *hash modulo*:
 *
 *     of a fixed output     SHA-256 of `fixed:out:<method and algorithm>:<hex digest>:<path>`, one for each output
 *     of all others         SHA-256 of the derivation's text, its inputs replaced in the same way
 *
 * For a derivation's own outputs their paths, and the variables that hold them, are left empty in the text, since they
 * are what is looked for. A derivation of which an input has no path yet, however far below, is *deferred*: its hash
 * serves for build traces, but gives no path. Described in the Nix manual under "Store derivation".
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Digest, HashFunctions } from '@neve/bytes';
import { printATerm, printDerivation, printMethodAndAlgorithm } from './derivation-aterm.ts';
import type { ATermInput } from './derivation-aterm.ts';
import type { Derivation, InputDerivation } from './derivation.ts';
import { contentAddressedPath } from './content-address.ts';
import { derivationType } from './derivation-type.ts';
import { NixCompatError } from './nix-compat-error.ts';
import { outputPathName } from './placeholders.ts';
import type { StoreDirectory } from './store-directory.ts';
import { storePathSet } from './store-path.ts';
import type { StorePath } from './store-path.ts';

/** How a derivation is named in the texts of those that use it. */
export type HashModulo = {
  /** Whether paths can be computed with it. */
  readonly isDeferred: boolean;
  /** By output; they differ only for fixed ones. */
  readonly byOutput: ReadonlyMap<string, Digest>;
};

export type DerivationHashesOptions = {
  readonly store: StoreDirectory;
  readonly hashes: HashFunctions;
  /** The derivation at a path. Asked once for each; it throws for what it cannot give. */
  readonly lookUp: (path: StorePath) => Derivation | Promise<Derivation>;
};

/** Computes and remembers hashes modulo. Methods throw `NixCompatError` and what `lookUp` throws. */
export class DerivationHashes {
  readonly #options: DerivationHashesOptions;
  /** By hash part. */
  readonly #known: Map<string, Promise<HashModulo>> = new Map();

  constructor(options: DerivationHashesOptions) {
    this.#options = options;
  }

  /** Of the derivation at a path, as an input of others. What failed is tried again the next time. */
  hashModulo(path: StorePath): Promise<HashModulo> {
    const known = this.#known.get(path.hashPart);
    if (known !== undefined) return known;
    const computing = Promise.resolve(this.#options.lookUp(path)).then((it) => this.#hash(it, false));
    this.#known.set(path.hashPart, computing);
    computing.catch(() => this.#known.delete(path.hashPart));
    return computing;
  }

  /** Of a derivation by itself, its outputs left empty: what names its outputs, and what their paths follow from. */
  hashOfOutputs(derivation: Derivation): Promise<HashModulo> {
    return this.#hash(derivation, true);
  }

  /**
   * The paths that the outputs must have: `undefined` where they follow from the contents, or from inputs without paths.
   */
  async outputPaths(derivation: Derivation): Promise<ReadonlyMap<string, StorePath | undefined>> {
    const { store } = this.#options;
    const type = derivationType(derivation);
    const isInputAddressed = type === 'input-addressed' || type === 'deferred';
    const hash = isInputAddressed ? await this.hashOfOutputs(derivation) : undefined;
    return new Map(
      Array.from(derivation.outputs, ([output, it]) => {
        const name = outputPathName(derivation.name, output);
        if (it.kind === 'fixed') return [output, contentAddressedPath(store, { name, contentAddress: it })];
        const digest = hash?.isDeferred === false ? hash.byOutput.get(output) : undefined;
        return [output, digest && store.makePath(`output:${output}`, digest, name)];
      }),
    );
  }

  /**
   * Throws `NixCompatError` (`bad-derivation`) unless the outputs have the paths that they must have, and so have the
   * variables named after them.
   */
  async checkOutputPaths(derivation: Derivation): Promise<void> {
    const { store } = this.#options;
    const expected = await this.outputPaths(derivation);
    for (const [name, output] of derivation.outputs) {
      const path = expected.get(name);
      const actual = 'path' in output ? output.path : undefined;
      if (actual !== undefined && path?.baseName !== actual.baseName) {
        const should = path === undefined ? 'deferred' : `'${store.print(path)}'`;
        throw bad(
          derivation,
          `derivation has incorrect output '${store.print(actual)}', should be ${should}`,
        );
      }
      if (actual === undefined || path === undefined) continue;
      const variable = derivation.environment.get(name);
      const text = variable === undefined ? undefined : decodeUtf8(variable);
      if (text === store.print(path)) continue;
      const is = text === undefined ? 'is not present' : `is actually '${text}'`;
      throw bad(
        derivation,
        `derivation has incorrect environment variable '${name}', should be '${store.print(path)}' but ${is}`,
      );
    }
  }

  async #hash(derivation: Derivation, masksOutputs: boolean): Promise<HashModulo> {
    const { store, hashes } = this.#options;
    const type = derivationType(derivation);
    if (type === 'fixed') return hashFixed(derivation, this.#options);
    const isFloating = type === 'floating' || type === 'impure' || type === 'deferred';
    let isDeferred = isFloating && !(masksOutputs && type === 'deferred');
    const inputs = new Map<string, Set<string>>();
    // One after the other: what they share is computed once, and the depth of all this is in promises, not on the stack.
    for (const input of derivation.inputDerivations) {
      const modulo = await this.hashModulo(input.path);
      if (modulo.isDeferred) isDeferred = true;
      addInput(inputs, { input, modulo, name: derivation.name });
    }
    const text = printATerm({ derivation, store, inputs: inOrder(inputs), masksOutputs });
    const digest = hashes.hash('sha256', text);
    return { isDeferred, byOutput: new Map(Array.from(derivation.outputs.keys(), (it) => [it, digest])) };
  }
}

/** The path of a derivation's text. */
export function derivationPath(
  derivation: Derivation,
  { store, hashes }: { readonly store: StoreDirectory; readonly hashes: HashFunctions },
): StorePath {
  const digest = hashes.hash('sha256', printDerivation(derivation, store));
  const references = derivationReferences(derivation).map((it) => store.print(it));
  return store.textPath({ name: `${derivation.name}.drv`, digest, references });
}

/** What the text of a derivation refers to: its sources and the derivations that it uses; as a set. */
export function derivationReferences({ inputSources, inputDerivations }: Derivation): readonly StorePath[] {
  return storePathSet([...inputSources, ...inputDerivations.map(({ path }) => path)]);
}

function hashFixed(
  { outputs }: Derivation,
  { store, hashes }: Pick<DerivationHashesOptions, 'store' | 'hashes'>,
): HashModulo {
  const byOutput = new Map<string, Digest>();
  for (const [name, output] of outputs) {
    if (output.kind !== 'fixed') continue;
    const { method, digest, path } = output;
    const what = `${printMethodAndAlgorithm(method, digest.algorithm)}:${digest.format('hex')}`;
    byOutput.set(name, hashes.hash('sha256', encodeUtf8(`fixed:out:${what}:${store.print(path)}`)));
  }
  return { isDeferred: false, byOutput };
}

type HashedInput = { readonly input: InputDerivation; readonly modulo: HashModulo; readonly name: string };

/** Two derivations with the same hash are one input. */
function addInput(inputs: Map<string, Set<string>>, { input, modulo, name }: HashedInput): void {
  for (const output of input.outputs) {
    const digest = modulo.byOutput.get(output);
    if (digest === undefined) {
      throw new NixCompatError(
        'bad-derivation',
        `derivation '${name}' uses the output '${output}' of '${input.path.baseName}', which has no such output`,
      );
    }
    const key = digest.format('hex');
    inputs.set(key, (inputs.get(key) ?? new Set()).add(output));
  }
}

function inOrder(inputs: ReadonlyMap<string, ReadonlySet<string>>): readonly ATermInput[] {
  return [...inputs]
    .map(([key, outputs]) => ({ key, outputs: [...outputs].sort() }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function bad(derivation: Derivation, problem: string): NixCompatError {
  return new NixCompatError('bad-derivation', `while checking derivation '${derivation.name}': ${problem}`);
}
