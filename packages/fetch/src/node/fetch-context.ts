/** What all fetchers of one `createFetcher` share. */
import type { HashFunctions } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { HttpClient } from '@neve/http/node';
import type { FetchEvent, FetchOptions, FetchedRevision } from '../fetcher.ts';
import type { Castore, FetchCache, KnownContents } from './fetch-cache.ts';
import type { GitProgram } from './git-program.ts';

export type FetchContext = Castore & {
  readonly hashes: HashFunctions;
  readonly cache: FetchCache;
  /** For repositories and what has to be on the disk for a while. */
  readonly cacheFolder: string;
  readonly http: HttpClient;
  readonly git: GitProgram;
  /** For `hg`. */
  readonly environment: NodeJS.ProcessEnv;
  /** How long the answer of a server to something unlocked is good. */
  readonly ttlMs: number;
  readonly hashedMirrors: readonly string[];
  readonly allowDirty: boolean;
};

/** One call of `Fetcher.fetch`. */
export type FetchCall = {
  readonly tell: (event: FetchEvent) => void;
  readonly signal: AbortSignal | undefined;
};

export function fetchCall({ onEvent, signal }: FetchOptions): FetchCall {
  return { tell: (event) => onEvent?.(event), signal };
}

/** What was fetched. */
export type FetchedNode = {
  readonly node: Node;
  /** With its NAR, where that is known already. */
  readonly contents?: KnownContents;
  readonly source: string;
  readonly lastModified?: number | undefined;
  readonly immutableUrl?: string | undefined;
  readonly git?: FetchedRevision | undefined;
};

/** Whether something of `sinceMs` is still good. A clock that went back makes nothing good. */
export function isFresh(sinceMs: unknown, ttlMs: number): boolean {
  if (typeof sinceMs !== 'number') return false;
  const age = Date.now() - sinceMs;
  return age >= 0 && age < ttlMs;
}
