/**
 * A store of Nix as a path info service: what it has is given as a path info whose contents are in our castore. `get` brings
 * the archive in one pass, and its hash and size are compared with what was said; `put` sends it.
 *
 * Whose word counts is as with a binary cache: a signature by a trusted key, a content address, or, where the store is told
 * to be trusted, everything. Questions for the same path at the same time are one. A store that cannot be reached is left
 * alone for a minute.
 *
 * A protocol that finds no path by its hash part (`ssh:`) is asked only for paths whose names were seen: those of `expect`,
 * and what the path infos refer to that it gave.
 */
import type { HashFunctions } from '@neve/bytes';
import type { BlobService, DirectoryService } from '@neve/castore';
import {
  type Ed25519,
  type NarInfo,
  NixCompatError,
  type PublicKey,
  type StoreDirectory,
  type StorePath,
  type ValidPathInfo,
} from '@neve/nix-compat';
import {
  CircuitBreaker,
  type PathInfo,
  SharedWork,
  StoreError,
  type Substituter,
  checkReadNarInfo,
  ingestNar,
  provesContents,
  renderNar,
} from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { RemoteStore } from './remote-store.ts';

export type RemotePathInfosOptions = {
  /** It is disposed of with the service. */
  readonly remote: RemoteStore;
  /** Where contents go, and where they come from. */
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly hashes: HashFunctions;
  readonly ed25519: Ed25519;
  readonly store: StoreDirectory;
  /** Whose signatures count. */
  readonly publicKeys: readonly PublicKey[];
  /** Take paths that nobody vouches for. */
  readonly acceptUnsigned: boolean;
  readonly priority?: number | undefined;
  /** How long a store that failed is left alone; 60 s unless given. */
  readonly pauseMs?: number;
};

export class RemotePathInfos implements Substituter {
  readonly name: string;
  readonly #options: RemotePathInfosOptions;
  readonly #breaker: CircuitBreaker;
  readonly #lookups = new SharedWork<NarInfo | undefined>();
  readonly #downloads = new SharedWork<PathInfo | undefined>();
  /** By hash part: paths whose names are known. */
  readonly #expected = new Map<string, StorePath>();

  constructor(options: RemotePathInfosOptions) {
    const { remote, pauseMs = 60_000 } = options;
    this.name = remote.name;
    this.#options = options;
    this.#breaker = new CircuitBreaker({ name: `the store ${this.name}`, pauseMs });
  }

  /** Tells the names of paths that will be asked for. */
  expect(paths: Iterable<StorePath>): void {
    for (const path of paths) this.#expected.set(path.hashPart, path);
  }

  async priority(): Promise<number> {
    return this.#options.priority ?? 0;
  }

  async wantsMassQuery(): Promise<boolean> {
    return true;
  }

  narInfo(hashPart: string, signal?: AbortSignal): Promise<NarInfo | undefined> {
    return this.#guard(() => this.#lookups.run(hashPart, (shared) => this.#lookUp(hashPart, shared), signal));
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.narInfo(hashPart, signal)) !== undefined;
  }

  get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    return this.#guard(() =>
      this.#downloads.run(hashPart, (shared) => this.#fetch(hashPart, shared), signal),
    );
  }

  async put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    const { remote, blobs, directories } = this.#options;
    await this.#guard(() => {
      const nar = (stop?: AbortSignal): AsyncIterable<Uint8Array> =>
        renderNar(pathInfo.node, { blobs, directories }, stop);
      return remote.add(
        [{ info: remotePathInfo(pathInfo), nar }],
        { dontCheckSignatures: this.#options.acceptUnsigned },
        signal,
      );
    });
    return pathInfo;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo, void, void> {
    const paths = await this.#guard(() => this.#options.remote.queryAllValidPaths(signal));
    this.expect(paths);
    for (const { hashPart } of paths) {
      const pathInfo = await this.get(hashPart, signal);
      if (pathInfo !== undefined) yield pathInfo;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.remote[Symbol.asyncDispose]();
  }

  async #lookUp(hashPart: string, signal: AbortSignal): Promise<NarInfo | undefined> {
    const { remote, store, publicKeys: keys, ed25519, acceptUnsigned } = this.#options;
    const path = this.#expected.get(hashPart) ?? (await remote.queryPathFromHashPart(hashPart, signal));
    if (path === undefined) return undefined;
    const known = await remote.queryPathInfo(path, signal);
    if (known === undefined) return undefined;
    this.expect(known.references);
    const narInfo = narInfoOf({ path, ...known }, this.name);
    return checkReadNarInfo(
      narInfo,
      { hashPart, cache: this.name },
      { store, ed25519, keys, acceptUnsigned },
    );
  }

  async #fetch(hashPart: string, signal: AbortSignal): Promise<PathInfo | undefined> {
    const narInfo = await this.#lookUp(hashPart, signal);
    if (narInfo === undefined) return undefined;
    const { remote, blobs, directories, hashes } = this.#options;
    const { storePath, references, narSize, narHash, signatures, deriver, contentAddress } = narInfo;
    const expected = {
      narHash,
      narSize,
      contentAddress: provesContents(narInfo) ? contentAddress : undefined,
    };
    const { node } = await remote.narFromPath(
      storePath,
      (nar) => ingestNar(nar, { blobs, directories, hashes, expected }, signal),
      signal,
    );
    return { storePath, node, references, narSize, narHash, signatures, deriver, contentAddress };
  }

  /** What goes wrong, as an error of a store. */
  #guard<T>(work: () => Promise<T>): Promise<T> {
    return this.#breaker.guard(async () => {
      try {
        return await work();
      } catch (cause) {
        throw asStoreError(cause, this.name);
      }
    });
  }
}

/** A path info as a store of Nix keeps it. */
export function remotePathInfo(pathInfo: PathInfo): ValidPathInfo {
  const { storePath: path, references, narSize, narHash, signatures, deriver, contentAddress } = pathInfo;
  return {
    path,
    deriver,
    narHash,
    references,
    registrationTime: 0,
    narSize,
    ultimate: false,
    signatures,
    contentAddress,
  };
}

/** There is no file for it: the archive is asked for by its path. */
function narInfoOf(info: ValidPathInfo, name: string): NarInfo {
  const { path, narHash, narSize, references, deriver, signatures, contentAddress } = info;
  if (narHash === undefined || narSize === 0) {
    throw new StoreError(
      'corrupt',
      `${name}: nobody knows the NAR of '${path.baseName}'; run 'nix-store --verify' there`,
    );
  }
  const common = { narHash, narSize, references, deriver, signatures, contentAddress };
  return { storePath: path, url: `nar/${path.hashPart}.nar`, compression: 'none', ...common };
}

export function asStoreError(cause: unknown, name: string): unknown {
  if (cause instanceof NixDaemonError) {
    const code = cause.code === 'unsupported' ? 'unsupported' : cause.code === 'protocol' ? 'corrupt' : 'io';
    return new StoreError(code, cause.message, { cause });
  }
  if (cause instanceof NixCompatError)
    return new StoreError('corrupt', `${name}: ${cause.message}`, { cause });
  if (cause instanceof StoreError && cause.code === 'corrupt' && !cause.message.startsWith(name)) {
    return new StoreError('corrupt', `${name}: ${cause.message}`, { cause });
  }
  return cause;
}
