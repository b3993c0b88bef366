/**
 * A derivation that can be built: all of its inputs are there. What is in its sandbox is the closure of the inputs, each
 * path with its contents and references.
 */
import type { HashFunctions } from '@neve/bytes';
import { derivationType, readDerivationOptions, readStructuredAttrs } from '@neve/nix-compat';
import type {
  Derivation,
  DerivationOptions,
  DerivationType,
  JsonObject,
  StoreDirectory,
  StorePath,
} from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';

export type ResolvedDerivation = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  readonly type: DerivationType;
  readonly options: DerivationOptions;
  /** `undefined` when its attributes are variables of the environment. */
  readonly structuredAttrs: JsonObject | undefined;
  /** The closure of all inputs, by hash part. */
  readonly inputs: ReadonlyMap<string, PathInfo>;
};

export type ResolvedDerivationOptions = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  /** The closure of all inputs, in any order. */
  readonly inputs: Iterable<PathInfo>;
  readonly store: StoreDirectory;
};

/** What stores and their paths are made with. */
export type StoreContext = {
  readonly store: StoreDirectory;
  readonly hashes: HashFunctions;
};

/** Throws `NixCompatError` for attributes that cannot be read. */
export function resolvedDerivation(options: ResolvedDerivationOptions): ResolvedDerivation {
  const { path, derivation, inputs, store } = options;
  return {
    path,
    derivation,
    type: derivationType(derivation),
    options: readDerivationOptions(derivation, store),
    structuredAttrs: readStructuredAttrs(derivation),
    inputs: new Map(Array.from(inputs, (it) => [it.storePath.hashPart, it])),
  };
}
