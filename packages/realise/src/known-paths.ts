/**
 * What evaluation has met and nobody has made yet. Every path in it has a description from which it can be made; the
 * store has none of it until somebody wants its contents.
 *
 * Derivations are kept as they were written, and read when one is asked for: most evaluations describe thousands and want
 * none. Describing a path again changes nothing, since its name follows from what is described.
 */
import type { Fetch } from '@neve/fetch';
import type { Castore, NarCalculation } from '@neve/store';
import type { Node } from '@neve/castore';
import { type ContentAddress, type Derivation, type StorePath, derivationReferences } from '@neve/nix-compat';

export type DescribedPath = DescribedText | DescribedImport | DescribedFetch;

/** A text that mentions other paths: a derivation, or what `builtins.toFile` makes. */
export type DescribedText = {
  readonly kind: 'text';
  readonly storePath: StorePath;
  readonly contents: Uint8Array;
  readonly references: readonly StorePath[];
};

/** Something of this machine that was named by its contents. */
export type DescribedImport = {
  readonly kind: 'import';
  readonly storePath: StorePath;
  readonly contentAddress: ContentAddress;
  /** Reads it into castore. Throws when it is no longer what it was when it was described. */
  readonly read: (castore: Castore, signal?: AbortSignal) => Promise<ImportedNode>;
};

export type ImportedNode = NarCalculation & { readonly node: Node };

export type DescribedFetch = {
  readonly kind: 'fetch';
  readonly storePath: StorePath;
  readonly fetch: Fetch;
};

/** One output of a derivation. */
export type OutputOf = { readonly derivation: StorePath; readonly output: string };

type DescribedDerivation = {
  readonly storePath: StorePath;
  readonly contents: Uint8Array;
  parsed: Derivation | undefined;
};

export class KnownPaths {
  readonly #parse: (contents: Uint8Array, storePath: StorePath) => Derivation;
  readonly #paths = new Map<string, DescribedPath>();
  readonly #derivations = new Map<string, DescribedDerivation>();
  readonly #outputs = new Map<string, OutputOf>();
  /** Whose outputs are not in the map yet. */
  #unread: DescribedDerivation[] = [];

  constructor(parse: (contents: Uint8Array, storePath: StorePath) => Derivation) {
    this.#parse = parse;
  }

  describe(path: DescribedPath): void {
    this.#paths.set(path.storePath.hashPart, path);
  }

  /** `contents` in ATerm form, which must not change. */
  describeDerivation({ storePath, contents }: Pick<DescribedText, 'storePath' | 'contents'>): void {
    if (this.#derivations.has(storePath.hashPart)) return;
    const derivation = { storePath, contents, parsed: undefined };
    this.#derivations.set(storePath.hashPart, derivation);
    this.#unread.push(derivation);
  }

  path({ hashPart }: StorePath): DescribedPath | undefined {
    const derivation = this.#derivations.get(hashPart);
    if (derivation === undefined) return this.#paths.get(hashPart);
    const { storePath, contents } = derivation;
    const references = derivationReferences(this.#read(derivation));
    return { kind: 'text', storePath, contents, references };
  }

  /** Throws what the reader of derivations throws. */
  derivation({ hashPart }: StorePath): Derivation | undefined {
    const derivation = this.#derivations.get(hashPart);
    return derivation === undefined ? undefined : this.#read(derivation);
  }

  /** Which derivation makes a path, if it is an output whose path is known beforehand. */
  outputOf({ hashPart }: StorePath): OutputOf | undefined {
    const unread = this.#unread;
    this.#unread = [];
    for (const it of unread) this.#index(it);
    return this.#outputs.get(hashPart);
  }

  #index(described: DescribedDerivation): void {
    for (const [output, it] of this.#read(described).outputs) {
      if (it.kind !== 'input-addressed' && it.kind !== 'fixed') continue;
      // Several derivations may make the same fixed output; any of them will do.
      if (this.#outputs.has(it.path.hashPart)) continue;
      this.#outputs.set(it.path.hashPart, { derivation: described.storePath, output });
    }
  }

  #read(described: DescribedDerivation): Derivation {
    described.parsed ??= this.#parse(described.contents, described.storePath);
    return described.parsed;
  }
}
