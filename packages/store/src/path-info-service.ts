/**
 * Path infos by the hash part of their store path. What a path info names in castore must be there before it is put.
 * Methods throw `StoreError`.
 */
import type { Node, RemovalCondition } from '@neve/castore';
import type { Digest } from '@neve/bytes';
import type { PathInfo } from './path-info.ts';

export interface PathInfoService extends AsyncDisposable {
  /** `hashPart` has 32 characters of nixbase32, as `StorePath.hashPart`. `undefined` when it is not there. */
  get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined>;

  has(hashPart: string, signal?: AbortSignal): Promise<boolean>;

  /**
   * Stores it, and gives what was stored: a service may add signatures. A path info that is there already is replaced, but
   * keeps its signatures that are valid for the new one.
   */
  put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo>;

  /**
   * As `put`, all of them or none: for services that can, and for path infos that belong together. Those that others refer to
   * come first.
   */
  putAll?(pathInfos: readonly PathInfo[], signal?: AbortSignal): Promise<readonly PathInfo[]>;

  /** All of them, in no order. `unsupported` by a service that does not know. */
  list(signal?: AbortSignal): AsyncIterable<PathInfo>;

  /** Present when the service can tell the NAR of a node better than who would have to read all of it. */
  readonly narCalculation?: NarCalculationService;

  /** For services that own what they store. */
  readonly inventory?: PathInfoInventory;
}

export interface PathInfoInventory {
  /** Every stored path info once, in no order; those added or removed meanwhile may be missing. It is no use of them. */
  list(signal?: AbortSignal): AsyncIterable<StoredPathInfo>;

  /**
   * Removes a path info; false when it stays or was not there. It stays when it was stored or asked for (`get`, `has`,
   * `put`) since `unusedSinceMs`, and as long as others refer to it; `Infinity` removes it in any case.
   */
  remove(hashPart: string, condition: RemovalCondition, signal?: AbortSignal): Promise<boolean>;

  /** As `BlobInventory.announceCollection`. */
  announceCollection?(startedMs: number): Promise<void>;

  /** Hash parts of those whose references have `hashPart`, itself excepted. */
  referrers(hashPart: string, signal?: AbortSignal): Promise<readonly string[]>;
}

export type StoredPathInfo = {
  readonly hashPart: string;
  readonly lastUsedMs: number;
  /** Throws `corrupt` when what is stored cannot be read. */
  readonly read: () => PathInfo;
};

/** What a node is as a NAR. */
export interface NarCalculationService {
  /** `narSize` in bytes, `narHash` is SHA-256. Throws `not-found` when something below the node is missing. */
  calculateNar(node: Node, signal?: AbortSignal): Promise<NarCalculation>;
}

export type NarCalculation = { readonly narSize: number; readonly narHash: Digest };
