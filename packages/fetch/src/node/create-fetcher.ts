/**
 * The fetcher: by the kind of a fetch to what does it, and then everything that is the same for all: the NAR of what came,
 * the comparison with the hash that was expected, errors and events without passwords.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, HashFunctions } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import type { BlobService, DirectoryService } from '@neve/castore';
import { redactUrl } from '@neve/diagnostics';
import { HttpClient, type HttpSettings, type RetryEvent } from '@neve/http/node';
import type { ContentAddress } from '@neve/nix-compat';
import { StoreError } from '@neve/store';
import type { Fetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import type { Fetched, Fetcher } from '../fetcher.ts';
import { inputMismatch } from '../hash-mismatch.ts';
import { FetchCache, type KnownContents } from './fetch-cache.ts';
import { type FetchCall, type FetchContext, type FetchedNode, fetchCall } from './fetch-context.ts';
import { fetchFromForge } from './forge-fetcher.ts';
import { fetchGit } from './git-fetcher.ts';
import { GitProgram } from './git-program.ts';
import { fetchMercurial } from './mercurial-fetcher.ts';
import { hashNar } from './nar-hash.ts';
import { fetchPath } from './path-fetcher.ts';
import { fetchByUrl } from './url-fetcher.ts';

export type FetcherOptions = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly hashes: HashFunctions;
  /** Absolute. Repositories and what is known of earlier fetches are kept in it; all processes of a user share it. */
  readonly cacheFolder: string;
  readonly http?: Omit<HttpSettings, 'onRetry'>;
  /** How long an answer to something unlocked is good; an hour unless given (`tarball-ttl`). */
  readonly ttlMs?: number;
  /** Asked first for files whose hash is known; none unless given (`hashed-mirrors`). */
  readonly hashedMirrors?: readonly string[];
  /** Whether work trees with changes are taken; true unless given (`allow-dirty`). */
  readonly allowDirty?: boolean;
  /** For git, ssh and hg: `PATH`, `HOME` and the like. Only `PATH` unless given. */
  readonly environment?: NodeJS.ProcessEnv;
};

const hourMs = 60 * 60 * 1000;

export function createFetcher(options: FetcherOptions): Fetcher {
  const retryListeners = new RetryListeners();
  const http = new HttpClient({ ...options.http, onRetry: (event) => retryListeners.tell(event) });
  const { blobs, directories, hashes, cacheFolder } = options;
  const environment = options.environment ?? { PATH: process.env['PATH'] };
  const cache = new FetchCache(join(cacheFolder, 'known'));
  const context: FetchContext = {
    ...{ blobs, directories, hashes, cache, cacheFolder, http, environment },
    git: new GitProgram(environment),
    ttlMs: options.ttlMs ?? hourMs,
    hashedMirrors: options.hashedMirrors ?? [],
    allowDirty: options.allowDirty ?? true,
  };
  return {
    async fetch(fetch, fetchOptions = {}) {
      const call = fetchCall(fetchOptions);
      using _listening = retryListeners.listen(fetch, call);
      return await refusing(call, async () => {
        await mkdir(cacheFolder, { recursive: true });
        return await fetchWhole(fetch, context, call);
      });
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

type Found = FetchedNode & { readonly flat?: Digest | undefined };

async function fetchWhole(fetch: Fetch, context: FetchContext, call: FetchCall): Promise<Fetched> {
  const found = await fetchNode(fetch, context, call);
  const { node, source, lastModified, immutableUrl, git } = found;
  const { narHash, narSize } = found.contents ?? (await describeNar(found, context, call));
  if ('narHash' in fetch && fetch.narHash !== undefined && !narHash.equals(fetch.narHash)) {
    throw inputMismatch('url' in fetch ? fetch.url : source, fetch.narHash, narHash);
  }
  const contentAddress = contentAddressOf(fetch, narHash, found.flat);
  return { node, narHash, narSize, contentAddress, source, lastModified, immutableUrl, git };
}

function fetchNode(fetch: Fetch, context: FetchContext, call: FetchCall): Promise<Found> {
  switch (fetch.kind) {
    case 'url':
    case 'executable':
    case 'file':
    case 'tarball':
    case 'nar':
      return fetchByUrl(fetch, context, call);
    case 'git':
      return fetchGit(fetch, context, call);
    case 'forge':
      return fetchFromForge(fetch, context, call);
    case 'mercurial':
      return fetchMercurial(fetch, context, call);
    case 'path':
      return fetchPath(fetch, context, call);
  }
}

async function describeNar(
  { node }: Found,
  context: FetchContext,
  { signal }: FetchCall,
): Promise<KnownContents> {
  const { digest, narSize } = await hashNar(node, 'sha256', { context, signal });
  return { node, narHash: digest, narSize };
}

function contentAddressOf(fetch: Fetch, narHash: Digest, flat: Digest | undefined): ContentAddress {
  switch (fetch.kind) {
    case 'url': {
      const digest = fetch.hash ?? flat;
      if (digest === undefined) throw new Error('a file was fetched and not hashed');
      return { method: 'flat', digest };
    }
    case 'executable':
    case 'nar':
      return { method: 'nar', digest: fetch.hash };
    case 'file':
    case 'tarball':
    case 'git':
    case 'forge':
    case 'mercurial':
    case 'path':
      return { method: 'nar', digest: narHash };
  }
}

/** The client tells of attempts by URL; who fetches from there at the moment hears of them. */
class RetryListeners {
  readonly #listeners = new Set<{ readonly urls: readonly string[] | undefined; readonly call: FetchCall }>();

  listen(fetch: Fetch, call: FetchCall): Disposable {
    // Of a forge, the URLs are not known beforehand.
    const listener = { urls: 'urls' in fetch ? fetch.urls.map(redactUrl) : undefined, call };
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  tell({ url, problem }: RetryEvent): void {
    for (const { urls, call } of this.#listeners) {
      if (urls?.includes(url) !== false) call.tell({ kind: 'retry', url, problem });
    }
  }
}

/** Errors of the packages below, as ours. */
async function refusing<T>({ signal }: FetchCall, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    signal?.throwIfAborted();
    if (!(cause instanceof CastoreError) && !(cause instanceof StoreError)) throw cause;
    const code = { 'not-found': 'not-found', unsupported: 'unsupported', io: 'io' } as const;
    const known = Object.hasOwn(code, cause.code) ? code[cause.code as keyof typeof code] : 'corrupt';
    throw new FetchError(known, cause.message, { cause });
  }
}
