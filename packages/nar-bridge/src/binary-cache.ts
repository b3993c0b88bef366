/**
 * One binary cache over a store, as a handler of requests. Paths are relative to its root, wherever that is: whoever has several
 * caches takes off what names one of them.
 *
 * A cache leaves its services open.
 */
import type { HashFunctions } from '@neve/bytes';
import type { FileNode } from '@neve/castore';
import {
  type Ed25519,
  type NarInfo,
  type NixCacheInfo,
  type PublicKey,
  type SecretKey,
  StoreDirectory,
} from '@neve/nix-compat';
import type { NarTable, PathInfo, StoreServices } from '@neve/store';
import { browseRoute } from './browse-route.ts';
import { type KnownTraces, buildTraceRoute } from './build-traces.ts';
import { type CacheDocuments, memoryCacheDocuments } from './cache-documents.ts';
import type { CacheEvent } from './cache-event.ts';
import { cacheInfoRoute } from './cache-info-route.ts';
import { type CacheRoute, type RouteAnswer, answerByRoutes } from './cache-route.ts';
import type { CompressedNars } from './compressed-nars.ts';
import { DebugInfos } from './debug-infos.ts';
import type { ContentEncoders } from './encoded-text.ts';
import type { RequestHandler } from './http-exchange.ts';
import { ignoreUpload } from './ignored-upload.ts';
import { KnownNars } from './known-nars.ts';
import { listingRoute } from './listing-route.ts';
import { type CacheLogs, logRoute } from './log-route.ts';
import { infusedNarRoute, narFileRoute } from './nar-routes.ts';
import { NarInfoIndex } from './narinfo-index.ts';
import { narInfoOf, narInfoRoute } from './narinfo-routes.ts';
import { type NarUploadOptions, NarUploads } from './upload-nar.ts';
import { NarInfoUploads } from './upload-narinfo.ts';

export type BinaryCacheOptions = {
  readonly store: StoreServices;
  /** The file that a blob is, if it is one, whose bytes the server can send without looking at them. */
  readonly fileOf?: (digest: FileNode['digest']) => Promise<string | undefined>;
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
  /** Of builds, by derivation. */
  readonly logs?: CacheLogs;
  /** Build traces that were put, and where debug information is; in memory unless given. */
  readonly documents?: CacheDocuments;
  /** Build traces that are known from elsewhere. */
  readonly knownTraces?: KnownTraces;
  /** Without it nothing can be put. */
  readonly uploads?: UploadOptions;
  readonly onEvent?: (event: CacheEvent) => void;
};

export type UploadOptions = Pick<
  NarUploadOptions,
  | 'uploaded'
  | 'decompress'
  | 'compress'
  | 'maxFileBytes'
  | 'maxNarBytes'
  | 'maxConcurrent'
  | 'maxWaiting'
  | 'waitMs'
> & {
  readonly trustedKeys?: readonly PublicKey[];
  /** Only what one of the trusted keys has signed, or what its own path proves. */
  readonly requireSignatures?: boolean;
};

export function binaryCache(options: BinaryCacheOptions): RequestHandler {
  return answerByRoutes(cacheRoutes(options));
}

function cacheRoutes(options: BinaryCacheOptions): readonly CacheRoute[] {
  const {
    store,
    hashes,
    ed25519,
    compressedNars,
    encoders = {},
    signingKeys = [],
    uploads,
    knownTraces,
  } = options;
  const { blobs, directories, pathInfos } = store;
  const storeDirectory = options.storeDirectory ?? new StoreDirectory('/nix/store', hashes);
  const known = new KnownNars(options.nars);
  const index = options.narInfos ?? new NarInfoIndex();
  const documents = options.documents ?? memoryCacheDocuments();
  const onEvent = options.onEvent ?? (() => undefined);
  const signing = { signingKeys, storeDirectory, ed25519 };
  const narInfo = async (pathInfo: PathInfo, signal: AbortSignal): Promise<NarInfo> =>
    narInfoOf(pathInfo, await compressedNars?.find(pathInfo, signal), signing);
  const debugInfos = new DebugInfos({ documents, directories, pathInfos, narInfo });
  const trust = {
    trustedKeys: uploads?.trustedKeys ?? [],
    requireSignatures: uploads?.requireSignatures ?? false,
  };
  const narUploads = uploads && new NarUploads({ ...uploads, store, hashes, onEvent });
  const onlyKnown = options.onlyOwnNars ?? false;
  const narInfoUploads =
    uploads &&
    narUploads &&
    new NarInfoUploads({
      ...trust,
      store,
      storeDirectory,
      hashes,
      ed25519,
      decompress: uploads.decompress,
      nars: narUploads,
      known,
      index,
      compressedNars,
      debugInfos,
      // Whoever names a node of another cache would get it.
      acceptNodes: !onlyKnown,
      onEvent,
    });
  const ignored: RouteAnswer | undefined = uploads && ((request) => ignoreUpload(request, maxIgnoredBytes));
  const nars = {
    blobs,
    directories,
    known,
    compressedNars,
    fileOf: options.fileOf,
    onlyKnown,
    onRendered: compressionRequests(options, known),
    uploadedFile: narUploads?.serve,
  };
  const cacheInfo = {
    storeDir: storeDirectory.path,
    wantMassQuery: true,
    priority: 39,
    ...cacheInfoOf(options),
  };
  return [
    narInfoRoute(
      { ...signing, pathInfos, index, known, compressedNars, debugInfos, hashes, encoders },
      narInfoUploads?.put,
    ),
    infusedNarRoute(nars),
    narFileRoute(nars, narUploads?.put),
    cacheInfoRoute(cacheInfo, { hashes, encoders, decompress: uploads?.decompress }),
    listingRoute({ pathInfos, directories, hashes, encoders }, ignored),
    debugInfos.route(ignored),
    buildTraceRoute(
      { documents, pathInfos, knownTraces, signingKeys, ed25519 },
      uploads && { ...trust, decompress: uploads.decompress },
    ),
    ...(options.logs === undefined ? [] : [logRoute({ logs: options.logs, pathInfos }, uploads?.decompress)]),
    browseRoute({ blobs, directories, pathInfos, storeDirectory }),
  ];
}

/** Of listings and debug information. */
const maxIgnoredBytes = 256 << 20;

function cacheInfoOf({ wantMassQuery, priority }: BinaryCacheOptions): Partial<NixCacheInfo> {
  return {
    ...(wantMassQuery !== undefined && { wantMassQuery }),
    ...(priority !== undefined && { priority }),
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
