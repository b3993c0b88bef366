/**
 * A store of Nix behind a protocol: what both protocols can do alike. Methods throw `NixDaemonError`; failures that the other
 * side reports have the code `remote-failure`.
 */
import type { BuildResult, StorePath, UnkeyedValidPathInfo, ValidPathInfo } from '@neve/nix-compat';
import type { DerivationAt, Trust } from '@neve/nix-compat/protocols';

export interface RemoteStore extends AsyncDisposable {
  /** For messages. */
  readonly name: string;

  /** Opens a connection, and gives whether the other side lets us do everything. */
  connect(signal?: AbortSignal): Promise<Trust>;

  /** `undefined` when it is not there. */
  queryPathInfo(path: StorePath, signal?: AbortSignal): Promise<UnkeyedValidPathInfo | undefined>;

  /** The path with a hash part; `unsupported` by the serve protocol. */
  queryPathFromHashPart(hashPart: string, signal?: AbortSignal): Promise<StorePath | undefined>;

  /** Of these paths those that are there. `substitute`: whether the other side may get them first. */
  queryValidPaths(
    paths: readonly StorePath[],
    options: { readonly substitute: boolean },
    signal?: AbortSignal,
  ): Promise<readonly StorePath[]>;

  /** `unsupported` by the serve protocol. */
  queryAllValidPaths(signal?: AbortSignal): Promise<readonly StorePath[]>;

  /** Hands the archive of a path that is there to `take`, which must read all of it. */
  narFromPath<T>(
    path: StorePath,
    take: (nar: AsyncIterable<Uint8Array>) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T>;

  /** Adds objects, references first. They are asked for one after the other. */
  add(objects: readonly AddedObject[], options: AddOptions, signal?: AbortSignal): Promise<void>;

  /** Builds a derivation whose inputs are there. A build that fails is a result and no error. */
  buildDerivation(at: DerivationAt, options: RemoteBuildOptions): Promise<BuildResult>;
}

export type AddedObject = {
  readonly info: ValidPathInfo;
  readonly nar: (signal?: AbortSignal) => AsyncIterable<Uint8Array>;
};

export type AddOptions = {
  /** Only for those who are trusted. */
  readonly dontCheckSignatures: boolean;
  readonly onAdded?: (info: ValidPathInfo) => void;
};

export type RemoteBuildOptions = {
  readonly onLog: (bytes: Uint8Array) => void;
  readonly limits: {
    readonly timeoutSeconds?: number | undefined;
    readonly maxSilentSeconds?: number | undefined;
    readonly maxLogBytes?: number | undefined;
  };
  readonly signal?: AbortSignal | undefined;
};
