/** The part of realising that knows how a derivation is built. */
import type { Derivation, StorePath } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import type { DescribedFetch } from './known-paths.ts';
import type { DerivationAt } from './resolve-derivation.ts';
import type { BuildMode } from './realise-event.ts';

export interface DerivationBuilder {
  /** Whether its outputs may come from a cache. */
  allowsSubstitutes(derivation: Derivation): boolean;

  /** For derivations that only fetch, and of which it is known what. Throws `RealiseError` (`builtin-failed`). */
  fetchOf(drvPath: StorePath, derivation: Derivation): DescribedFetch | undefined;

  /** Says what would be built. Throws `RealiseError`: `unsupported`, `invalid-derivation`. */
  prepare(derivation: ReadyDerivation, signal?: AbortSignal): Promise<BuildJob>;
}

/** A derivation whose inputs are there. */
export type ReadyDerivation = {
  readonly drvPath: StorePath;
  readonly derivation: Derivation;
  /** By the hash part of the derivation, by output. */
  readonly inputs: ReadonlyMap<string, ReadonlyMap<string, PathInfo>>;
  /** Sources and outputs with all that they refer to, each after what it refers to. */
  readonly closure: readonly PathInfo[];
};

export interface BuildJob {
  /** What is built here: the derivation, or what it was resolved to when its inputs were known. */
  readonly resolved?: DerivationAt;

  /** Remembers outputs that somebody else has built of `resolved`, where their paths follow from what was built. */
  remember?(outputs: ReadonlyMap<string, PathInfo>, signal?: AbortSignal): Promise<void>;

  /** What nobody else may make at the same time: its outputs, or the resolved derivation where their paths are not known. */
  readonly lockedPaths: readonly StorePath[];

  /** All outputs, when they are there already. */
  present(signal?: AbortSignal): Promise<ReadonlyMap<string, PathInfo> | undefined>;

  /** Builds and registers all outputs; in mode `check` nothing is registered. Throws `RealiseError`. */
  build(options: BuildJobOptions): Promise<ReadonlyMap<string, PathInfo>>;
}

export type BuildJobOptions = {
  readonly mode: BuildMode;
  readonly onLog: (bytes: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
};
