/**
 * What the builtins that fetch ask for. A path that follows from a hash is described, and fetched when its contents are
 * wanted; everything else is fetched at once, since its path, or what the program gets to know of it, is found out by that.
 */
import type { FetchRequest, FetchedTree } from '@neve/eval';
import {
  type ExperimentalFeature,
  type Fetch,
  type FetchBuiltin,
  type FetchEvent,
  type Fetcher,
  fetchResultAttributes,
  readFetchArguments,
} from '@neve/fetch';
import {
  type ContentAddress,
  type StoreDirectory,
  type StorePath,
  contentAddressedPath,
} from '@neve/nix-compat';
import type { KnownPaths } from '@neve/realise';
import type { StoreServices } from '@neve/store';

export type FetchTreeOptions = {
  readonly fetcher: Fetcher;
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly known: KnownPaths;
  /** Of Nix; those that do not concern fetching are ignored. */
  readonly experimentalFeatures: ReadonlySet<string>;
  readonly onEvent?: (event: FetchEvent) => void;
  readonly signal?: AbortSignal | undefined;
};

const builtins: Readonly<Record<FetchRequest['kind'], FetchBuiltin>> = {
  url: 'fetchurl',
  tarball: 'fetchTarball',
  git: 'fetchGit',
  mercurial: 'fetchMercurial',
  tree: 'fetchTree',
};

const fetchFeatures: readonly ExperimentalFeature[] = ['flakes', 'verified-fetches'];

/** Throws `FetchError`, and what the store throws. */
export function treeFetcher(options: FetchTreeOptions): (request: FetchRequest) => Promise<FetchedTree> {
  const { fetcher, store, storeDirectory, known, experimentalFeatures, onEvent, signal } = options;
  const features = new Set(fetchFeatures.filter((it) => experimentalFeatures.has(it)));
  return async ({ kind, attributes, pure }: FetchRequest): Promise<FetchedTree> => {
    const { fetch, result, warnings } = readFetchArguments(builtins[kind], attributes, { pure, features });
    for (const message of warnings) onEvent?.({ kind: 'warning', message });
    const address = result.kind === 'path' ? knownAddress(fetch) : undefined;
    if (address !== undefined) {
      const storePath = pathOf(fetch, address);
      known.describe({ kind: 'fetch', storePath, fetch });
      return { storePath: storeDirectory.print(storePath), attributes: new Map() };
    }
    const fetched = await fetcher.fetch(fetch, { signal, ...(onEvent !== undefined && { onEvent }) });
    const { node, narHash, narSize, contentAddress } = fetched;
    const storePath = pathOf(fetch, contentAddress);
    const rest = { references: [], signatures: [], deriver: undefined };
    await store.pathInfos.put({ storePath, node, narHash, narSize, contentAddress, ...rest }, signal);
    return {
      storePath: storeDirectory.print(storePath),
      attributes: fetchResultAttributes(result, fetched) ?? new Map(),
    };
  };

  function pathOf({ name }: Fetch, contentAddress: ContentAddress): StorePath {
    return contentAddressedPath(storeDirectory, { name, contentAddress });
  }
}

/** Where the contents are known by their hash. */
function knownAddress(fetch: Fetch): ContentAddress | undefined {
  switch (fetch.kind) {
    case 'url':
      return fetch.hash === undefined ? undefined : { method: 'flat', digest: fetch.hash };
    case 'tarball':
      return fetch.narHash === undefined ? undefined : { method: 'nar', digest: fetch.narHash };
    case 'executable':
    case 'nar':
      return { method: 'nar', digest: fetch.hash };
    default:
      return undefined;
  }
}
