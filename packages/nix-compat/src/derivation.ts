/**
 * A derivation: how an output is built, as it is written down in a `.drv` file. All texts are bytes, since the language's
 * strings are; names of outputs and store paths are ASCII.
 */
import type { Digest, HashAlgorithm } from '@neve/bytes';
import type { ContentAddressMethod } from './content-address.ts';
import type { StorePath } from './store-path.ts';

export type Derivation = {
  /** The name of its store path, without `.drv`. */
  readonly name: string;
  /** In the order of their names. */
  readonly outputs: ReadonlyMap<string, DerivationOutput>;
  readonly inputSources: readonly StorePath[];
  /** Outputs of others that it needs, by their derivations, in the order of the derivations' base names. */
  readonly inputDerivations: readonly InputDerivation[];
  readonly system: Uint8Array;
  readonly builder: Uint8Array;
  readonly args: readonly Uint8Array[];
  /** By name, in bytewise order; a name is given as its `byteKey`. */
  readonly environment: ReadonlyMap<string, Uint8Array>;
};

export type InputDerivation = {
  readonly path: StorePath;
  /** In order, none twice. */
  readonly outputs: readonly string[];
};

/** How the store path of an output follows. */
export type DerivationOutput =
  /** From the derivation itself. */
  | { readonly kind: 'input-addressed'; readonly path: StorePath }
  /** From a digest that was given beforehand. */
  | {
      readonly kind: 'fixed';
      readonly path: StorePath;
      readonly method: ContentAddressMethod;
      readonly digest: Digest;
    }
  /** From what it will be. */
  | { readonly kind: 'floating'; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm }
  /** As `floating`, and it is another one each time. */
  | { readonly kind: 'impure'; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm }
  /** From the derivation, whose inputs have no paths yet. */
  | { readonly kind: 'deferred' };
