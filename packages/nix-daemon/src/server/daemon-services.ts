/** What a server of the worker protocol works with. One set of it serves all connections. */
import type { HashFunctions } from '@neve/bytes';
import type { Ed25519, PublicKey, StoreDirectory, StorePath } from '@neve/nix-compat';
import type { DerivationBuilder, LogSink, RealiseLimits, Realisations, WorkLocks } from '@neve/realise';
import type { NarCalculationService, PathInfo, Root, StoreServices, Substituter } from '@neve/store';
import type { BuildOptions, CacheChoice } from './build-options.ts';
import type { Fetcher } from '@neve/fetch';

export type DaemonServices = {
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly ed25519: Ed25519;
  readonly narCalculation: NarCalculationService;
  readonly realisations: Realisations;
  /** Among processes; those of one process are served by the server. */
  readonly locks: WorkLocks;
  readonly fetcher: Fetcher;
  readonly logs: LogSink;
  readonly trust: TrustRules;
  readonly roots: RootKeeper;
  readonly leases: LeaseKeeper;
  /** Shows store paths as files to clients that look for them there; a server for clients elsewhere has none. */
  readonly view?: FileView | undefined;
  /** The caches that are asked for a client. What it has not chosen is as the daemon was told. */
  readonly substituters: (choice: CacheChoice) => readonly Substituter[];
  /** What builds derivations with these options. What it makes is put into `store`, which may be a view of the daemon's. */
  readonly builderFor: (options: BuildOptions, store: StoreServices) => DerivationBuilder;
  /** Something was damaged: what is kept of inputs for builds may be, too. */
  readonly forgetInputs?: () => Promise<void>;
  readonly limits: RealiseLimits;
  /** How many builds run on other machines at the same time, beside those of `limits`. */
  readonly machineJobs?: number;
  /** What clients that may not choose caches freely may choose, beside the daemon's own. */
  readonly trustedSubstituters: readonly string[];
  /** What clients show as the daemon's version. */
  readonly version: string;
};

export type TrustRules = {
  /** What is not content-addressed comes with a signature by one of the keys. */
  readonly requireSignatures: boolean;
  readonly publicKeys: readonly PublicKey[];
};

/** The roots that are links. Methods throw `StoreError` (`io`). */
export interface RootKeeper {
  /** Remembers a link of a user, an absolute path, as a root for as long as it leads into the store. */
  addIndirect(link: string): Promise<void>;

  /** Makes the link and remembers it. Refuses what is there and is no link into the store. */
  addPermanent(storePath: StorePath, link: string): Promise<void>;

  list(): Promise<readonly NamedRoot[]>;

  /** Roots of another kind, without a path or a link. */
  others(): Promise<readonly Root[]>;
}

export type NamedRoot = { readonly link: string; readonly storePath: StorePath };

/** Tells other processes who collect garbage that something here is in use. */
export interface LeaseKeeper {
  acquire(): Promise<AsyncDisposable>;

  /** When the oldest writer began that is no session of this server, in milliseconds since 1970. */
  oldestOfOthersMs(): Promise<number | undefined>;
}

export interface FileView {
  /** When it is fulfilled, the files are there. */
  show(pathInfo: PathInfo, signal?: AbortSignal): Promise<void>;

  /** These are no longer in the store. */
  forget(storePaths: readonly StorePath[]): Promise<void>;
}
