/** What can be done with the caches of a server by those who run it: in its folder, or over HTTP (`admin-api.ts`). */
import type { CacheSettings } from './cache-record.ts';
import type { RevokedToken } from './cache-registry.ts';

/** A cache as it is shown: `describeCache`, with what is in it. */
export type CacheDescription = Readonly<Record<string, unknown>> & {
  readonly name: string;
  /** Of the keys that sign what it has: `NAME:BASE64`. */
  readonly publicKeys: readonly string[];
};

export type CacheUsage = {
  readonly paths: number;
  /** Of all NARs together. */
  readonly narBytes: number;
  readonly pins: number;
};

export type CollectionRequest = {
  /** Retention of this cache; of all unless given. */
  readonly name?: string | undefined;
  /** Says what would go, and removes nothing. */
  readonly dryRun?: boolean | undefined;
  /** What was used within this time stays; an hour unless given. */
  readonly graceMs?: number | undefined;
};

export type CollectionReport = {
  /** What each cache has lost, or would lose. */
  readonly caches: readonly {
    readonly name: string;
    /** Base names. */
    readonly removedPaths: readonly string[];
    readonly keptPaths: number;
    /** Of the NARs that stay. */
    readonly keptBytes: number;
  }[];
  /** In the castore that all share. */
  readonly freedBytes: number;
};

/** Methods throw `NarBridgeError` and what the store throws. */
export interface CacheAdministration {
  list(): Promise<readonly CacheDescription[]>;
  describe(name: string): Promise<CacheDescription>;
  usage(name: string): Promise<CacheUsage>;
  /** Without signing keys it gets one, `<name>-1`. */
  create(name: string, settings: Partial<CacheSettings>): Promise<CacheDescription>;
  configure(name: string, settings: Partial<CacheSettings>): Promise<CacheDescription>;
  remove(name: string): Promise<void>;
  /** Retention of one cache or of all, and then the removal of what no cache needs. */
  collect(options: CollectionRequest): Promise<CollectionReport>;
  revoke(token: RevokedToken): Promise<void>;
}
