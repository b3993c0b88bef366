/**
 * How a path comes to be there. In this order: it is there; it is a text or a file that evaluation has described; it can be
 * substituted; it is a fetch; a derivation makes it. Nothing is made here, so that the same decisions serve a dry run, an
 * explanation, and the work itself.
 */
import { type Castore, type PathInfo, StoreError, type StoreServices, type Substituter } from '@neve/store';
import type { Derivation, NarInfo, StorePath } from '@neve/nix-compat';
import type { DescribedFetch, DescribedImport, DescribedText, KnownPaths, OutputOf } from './known-paths.ts';

export type Decision =
  | { readonly kind: 'present'; readonly pathInfo: PathInfo }
  | { readonly kind: 'add'; readonly described: DescribedText | DescribedImport }
  | { readonly kind: 'substitute'; readonly offer: Offer }
  | { readonly kind: 'fetch'; readonly described: DescribedFetch }
  | { readonly kind: 'build'; readonly of: OutputOf }
  | { readonly kind: 'unknown' };

/** A cache that has a path, and what it says of it. */
export type Offer = { readonly substituter: Substituter; readonly narInfo: NarInfo };

/** A cache could not say whether it has a path; the next is asked. */
export type CacheProblem = {
  readonly substituter: Substituter;
  readonly storePath: StorePath;
  readonly error: Error;
  /** It could not be reached, or is for other stores, and will not be asked again. */
  readonly isLast: boolean;
};

export type DecisionsOptions = {
  readonly store: StoreServices;
  readonly known: KnownPaths;
  /** Asked in the order of their priorities. */
  readonly substituters: readonly Substituter[];
  /** Reads a derivation that is a text in the store. Throws what the reader of derivations throws. */
  readonly readDerivation: (drv: PathInfo, castore: Castore, signal?: AbortSignal) => Promise<Derivation>;
  /** Whether a derivation allows its outputs to come from a cache. */
  readonly allowsSubstitutes: (derivation: Derivation) => boolean;
  readonly onProblem?: (problem: CacheProblem) => void;
  readonly signal?: AbortSignal | undefined;
};

export class Decisions {
  readonly #options: DecisionsOptions;
  #order: Promise<readonly Substituter[]> | undefined;
  /** Those that are of no use: whoever waits for one of them waits once. */
  readonly #useless = new Set<Substituter>();
  /** Which output a path is, as far as somebody came to it by its derivation. */
  readonly #outputs = new Map<string, OutputOf>();
  readonly #derivations = new Map<string, Promise<Derivation | undefined>>();

  constructor(options: DecisionsOptions) {
    this.#options = options;
  }

  async decide(storePath: StorePath): Promise<Decision> {
    const { store, known, signal } = this.#options;
    const pathInfo = await store.pathInfos.get(storePath.hashPart, signal);
    if (pathInfo !== undefined) return { kind: 'present', pathInfo };
    const described = known.path(storePath);
    if (described !== undefined && described.kind !== 'fetch') return { kind: 'add', described };
    const of = this.outputOf(storePath);
    const offer = (await this.#isSubstitutable(of)) ? await this.offer(storePath) : undefined;
    if (offer !== undefined) return { kind: 'substitute', offer };
    if (described !== undefined) return { kind: 'fetch', described };
    return of === undefined ? { kind: 'unknown' } : { kind: 'build', of };
  }

  outputOf(storePath: StorePath): OutputOf | undefined {
    return this.#outputs.get(storePath.hashPart) ?? this.#options.known.outputOf(storePath);
  }

  /** The path of an output where it is known beforehand. From now on, the path is known to be that output. */
  async pathOf(of: OutputOf): Promise<StorePath | undefined> {
    const output = (await this.derivation(of.derivation))?.outputs.get(of.output);
    if (output?.kind !== 'input-addressed' && output?.kind !== 'fixed') return undefined;
    this.#outputs.set(output.path.hashPart, of);
    return output.path;
  }

  /** A derivation that was described or is in the store. */
  derivation(drvPath: StorePath): Promise<Derivation | undefined> {
    const earlier = this.#derivations.get(drvPath.hashPart);
    if (earlier !== undefined) return earlier;
    const derivation = this.#findDerivation(drvPath);
    this.#derivations.set(drvPath.hashPart, derivation);
    // It may appear later.
    derivation.then(
      (found) => found === undefined && this.#derivations.delete(drvPath.hashPart),
      () => this.#derivations.delete(drvPath.hashPart),
    );
    return derivation;
  }

  /** Those that are asked, as messages call them. */
  get cacheNames(): readonly string[] {
    return this.#options.substituters.map(({ name }) => name);
  }

  /** Whether a derivation lets its outputs come from a cache. */
  async allowsSubstitutes(drvPath: StorePath): Promise<boolean> {
    const derivation = await this.derivation(drvPath);
    return derivation === undefined || this.#options.allowsSubstitutes(derivation);
  }

  /** The first cache that has a path; one that fails is passed over. */
  async offer(storePath: StorePath): Promise<Offer | undefined> {
    const { signal } = this.#options;
    this.#order ??= this.#byPriority(storePath);
    for (const substituter of await this.#order) {
      if (this.#useless.has(substituter)) continue;
      try {
        substituter.expect?.([storePath]);
        const narInfo = await substituter.narInfo(storePath.hashPart, signal);
        if (narInfo !== undefined) return { substituter, narInfo };
      } catch (error) {
        this.#tellProblem(error, substituter, storePath);
      }
    }
    return undefined;
  }

  async #byPriority(storePath: StorePath): Promise<readonly Substituter[]> {
    const { substituters, signal } = this.#options;
    const rank = async (substituter: Substituter): Promise<readonly [number, Substituter]> => {
      try {
        return [await substituter.priority(signal), substituter];
      } catch (error) {
        this.#tellProblem(error, substituter, storePath);
        return [Infinity, substituter];
      }
    };
    const ranked = await Promise.all(substituters.map(rank));
    return ranked.sort(([a], [b]) => (a === b ? 0 : a - b)).map(([, substituter]) => substituter);
  }

  // oxlint-disable-next-line eslint/max-params -- what happened to whom, for what
  #tellProblem(error: unknown, substituter: Substituter, storePath: StorePath): void {
    this.#options.signal?.throwIfAborted();
    if (!(error instanceof Error)) throw error;
    // Others may have asked at the same time.
    if (this.#useless.has(substituter)) return;
    const isLast = error instanceof StoreError && (error.code === 'io' || error.code === 'unsupported');
    if (isLast) this.#useless.add(substituter);
    this.#options.onProblem?.({ substituter, storePath, error, isLast });
  }

  async #findDerivation(drvPath: StorePath): Promise<Derivation | undefined> {
    const { store, known, readDerivation, signal } = this.#options;
    const described = known.derivation(drvPath);
    if (described !== undefined) return described;
    const pathInfo = await store.pathInfos.get(drvPath.hashPart, signal);
    return pathInfo === undefined ? undefined : await readDerivation(pathInfo, store, signal);
  }

  async #isSubstitutable(of: OutputOf | undefined): Promise<boolean> {
    if (this.#options.substituters.length === 0) return false;
    return of === undefined || (await this.allowsSubstitutes(of.derivation));
  }
}
