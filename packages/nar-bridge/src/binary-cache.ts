/**
 * One binary cache over a store, as a handler of requests. Paths are relative to its root, wherever that is: whoever has several
 * caches takes off what names one of them.
 *
 * A cache leaves its services open.
 */
import { type HashFunctions, encodeUtf8 } from '@neve/bytes';
import { type Ed25519, type SecretKey, StoreDirectory, printNixCacheInfo } from '@neve/nix-compat';
import type { NarTable, StoreServices } from '@neve/store';
import { type CacheRoute, answerByRoutes } from './cache-route.ts';
import type { CompressedNars } from './compressed-nars.ts';
import { type ContentEncoders, EncodedText } from './encoded-text.ts';
import type { RequestHandler } from './http-exchange.ts';
import { KnownNars } from './known-nars.ts';
import { infusedNarRoute, narFileRoute } from './nar-routes.ts';
import { NarInfoIndex } from './narinfo-index.ts';
import { narInfoRoute } from './narinfo-routes.ts';

export type BinaryCacheOptions = {
  readonly store: StoreServices;
  readonly hashes: HashFunctions;
  readonly ed25519: Ed25519;
  /** `/nix/store` unless given. */
  readonly storeDirectory?: StoreDirectory;
  /** Of several caches the one with the lowest number is asked first; 39 unless given, as in Snix. */
  readonly priority?: number;
  /** Whether clients may ask for many paths at once; true unless given. */
  readonly wantMassQuery?: boolean;
  /** Every narinfo is signed by them when it is served, beside the signatures that it has. */
  readonly signingKeys?: readonly SecretKey[];
  /** Narinfos at hand. Whoever changes path infos beside the cache gives one, to say so. */
  readonly narInfos?: NarInfoIndex;
  /** Remembers the NARs of this cache beyond the process. */
  readonly nars?: NarTable;
  /** NARs are given only of paths of this cache, not of all that the castore has: for caches that share one. */
  readonly onlyOwnNars?: boolean;
  readonly compressedNars?: CompressedNars;
  readonly encoders?: ContentEncoders;
};

export function binaryCache(options: BinaryCacheOptions): RequestHandler {
  return answerByRoutes(cacheRoutes(options));
}

export const cacheInfoType = 'text/x-nix-cache-info';

function cacheRoutes(options: BinaryCacheOptions): readonly CacheRoute[] {
  const { store, hashes, ed25519, compressedNars, encoders = {}, signingKeys = [] } = options;
  const { blobs, directories, pathInfos } = store;
  const storeDirectory = options.storeDirectory ?? new StoreDirectory('/nix/store', hashes);
  const known = new KnownNars(options.nars);
  const index = options.narInfos ?? new NarInfoIndex();
  const nars = {
    blobs,
    directories,
    known,
    compressedNars,
    onlyKnown: options.onlyOwnNars ?? false,
    onRendered: compressionRequests(options, known),
  };
  return [
    narInfoRoute({
      pathInfos,
      index,
      known,
      compressedNars,
      storeDirectory,
      signingKeys,
      ed25519,
      hashes,
      encoders,
    }),
    infusedNarRoute(nars),
    narFileRoute(nars),
    cacheInfoRoute(
      new EncodedText(cacheInfoBytes(options, storeDirectory), {
        hashes,
        encoders,
        headers: cacheInfoHeaders,
      }),
    ),
  ];
}

const cacheInfoHeaders = { 'content-type': cacheInfoType, 'cache-control': 'public, max-age=3600' };

function cacheInfoBytes(
  { wantMassQuery = true, priority = 39 }: BinaryCacheOptions,
  { path: storeDir }: StoreDirectory,
): Uint8Array {
  return encodeUtf8(printNixCacheInfo({ storeDir, wantMassQuery, priority }));
}

function cacheInfoRoute(text: EncodedText): CacheRoute {
  return {
    matches: (path) => path.length === 1 && path[0] === 'nix-cache-info',
    get: (request) => text.respond(request),
  };
}

/** A NAR that had to be rendered is one that should be a file the next time. */
function compressionRequests(
  { store, compressedNars }: BinaryCacheOptions,
  known: KnownNars,
): (node: Parameters<KnownNars['hashPartOf']>[0]) => void {
  return (node) => {
    const hashPart = compressedNars === undefined ? undefined : known.hashPartOf(node);
    if (hashPart === undefined) return;
    // It only makes later answers faster: what fails here fails for whoever asks for the path.
    store.pathInfos.get(hashPart).then(
      (pathInfo) => pathInfo !== undefined && compressedNars?.request(pathInfo),
      () => undefined,
    );
  };
}
