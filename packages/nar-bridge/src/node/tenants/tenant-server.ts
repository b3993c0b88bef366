/**
 * The handler of a server with several caches, over its folder. A cache is opened when it is first asked for, and anew when its
 * settings have changed or it was removed and made again; what was begun with the old settings goes on with them.
 */
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import { compress, decompress } from '@neve/castore/node';
import type { HttpSettings } from '@neve/http/node';
import { type PublicKey, StoreDirectory, parsePublicKey, parseSecretKey } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { type NarTable, type PathInfoService, StoreError, type Substituter, renderNar } from '@neve/store';
import { LmdbNarInfoTable, openHttpCache } from '@neve/store/node';
import { binaryCache } from '../../binary-cache.ts';
import type { CacheEvent } from '../../cache-event.ts';
import type { CompressedNars } from '../../compressed-nars.ts';
import type { CacheRequest, CacheResponse, RequestHandler } from '../../http-exchange.ts';
import type { CacheLogs } from '../../log-route.ts';
import { NarInfoIndex } from '../../narinfo-index.ts';
import { adminApi } from '../../tenants/admin-api.ts';
import type { Caller } from '../../tenants/authorisation.ts';
import { cacheApi } from '../../tenants/cache-api.ts';
import { type CacheRecord, printCacheRecord } from '../../tenants/cache-record.ts';
import { tenantCache } from '../../tenants/tenant-cache.ts';
import { tenantRouter } from '../../tenants/tenant-router.ts';
import { type VisiblePathInfos, visiblePathInfos } from '../../tenants/visible-path-infos.ts';
import { type PullEvent, PullThrough, type WatchNar } from '../../upstream/pull-through.ts';
import { UpstreamCaches, type UpstreamEvent } from '../../upstream/upstream-caches.ts';
import { nodeContentEncoders } from '../content-encoders.ts';
import { removePathInfo } from './collect-caches.ts';
import { localAdministration, publicKeysOf } from './local-administration.ts';
import type { CacheStorage, ServerFolder } from './server-folder.ts';
import { SharedLease } from './shared-lease.ts';
import { openSpoolFile } from './spool-file.ts';

/** What happens in one of the caches. */
export type TenantEvent = { readonly cache: string } & (CacheEvent | PullEvent | UpstreamEvent);

export type TenantServerOptions = {
  readonly folder: ServerFolder;
  /** The cache whose paths begin at the root, beside those of all. */
  readonly rootCache?: string | undefined;
  /** Caches are found by host names `<cache>.<suffix>`, too. */
  readonly hostSuffix?: string | undefined;
  /** How upstreams are asked. */
  readonly http?: HttpSettings;
  /** How long an upstream may say nothing; 5 s unless given. */
  readonly upstreamTimeoutMs?: number | undefined;
  /** How long an upstream that failed is left alone; 30 s unless given. */
  readonly upstreamPauseMs?: number | undefined;
  /** Opens the logs of builds that a cache has, in a folder of its own. */
  readonly openLogs?: (folder: string) => CacheLogs;
  /** Shared by all caches. It goes with whoever made it. */
  readonly compressedNars?: CompressedNars | undefined;
  readonly serverRoutes?: (request: CacheRequest, caller: Caller) => Promise<CacheResponse | undefined>;
  readonly onEvent?: (event: TenantEvent) => void;
};

/** Disposing of it closes the caches, and leaves the folder open. */
export function openTenantServer(options: TenantServerOptions): TenantServer {
  return new TenantServer(options);
}

type OpenCache = AsyncDisposable & { readonly handler: RequestHandler; readonly narInfos: NarInfoIndex };

/** A cache with these settings, which is being opened or is open. */
type Opening = { readonly settings: string; readonly cache: Promise<OpenCache> };

/** How long a cache with earlier settings stays open for what was begun with them. */
const graceMs = 600_000;

const defaultUpstreamTimeoutMs = 5_000;
const defaultUpstreamPauseMs = 30_000;

export class TenantServer implements AsyncDisposable {
  readonly handler: RequestHandler;
  readonly #options: TenantServerOptions;
  readonly #lease: SharedLease;
  readonly #caches = new Map<string, Opening>();
  /** Those with earlier settings, and when they are closed. */
  readonly #earlier = new Map<Opening, NodeJS.Timeout>();
  readonly #removals: Disposable;

  constructor(options: TenantServerOptions) {
    const { folder, rootCache, hostSuffix, serverRoutes } = options;
    this.#options = options;
    this.#lease = new SharedLease(folder.leases);
    this.#removals = folder.watchRemovals((hashPart) => this.forgetNarInfo(hashPart));
    this.handler = tenantRouter({
      registry: folder.registry,
      key: folder.tokenKey,
      serve: async ({ request, record }) => (await this.#find(record)).handler(request),
      administer: adminApi({ administration: localAdministration(folder), ed25519: nodeEd25519 }),
      rootCache,
      hostSuffix,
      ...(serverRoutes !== undefined && { serverRoutes }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#removals[Symbol.dispose]();
    for (const timer of this.#earlier.values()) clearTimeout(timer);
    const all = [...this.#caches.values(), ...this.#earlier.keys()];
    this.#caches.clear();
    this.#earlier.clear();
    await Promise.all(all.map(close));
    await this.#lease[Symbol.asyncDispose]();
  }

  /** What is said of a path has to be said anew, as when its NAR has become a file, or the path was removed. */
  forgetNarInfo(hashPart: string): void {
    const forget = async ({ cache }: Opening): Promise<void> => (await cache).narInfos.forget(hashPart);
    for (const it of [...this.#caches.values(), ...this.#earlier.keys()]) forget(it).catch(() => undefined);
  }

  #find(record: CacheRecord): Promise<OpenCache> {
    const settings = printCacheRecord(record);
    const known = this.#caches.get(record.name);
    if (known?.settings === settings) return known.cache;
    const opening = { settings, cache: this.#open(record) };
    this.#caches.set(record.name, opening);
    opening.cache.catch(() => {
      if (this.#caches.get(record.name) === opening) this.#caches.delete(record.name);
    });
    if (known !== undefined) this.#closeLater(known);
    return opening.cache;
  }

  #closeLater(opening: Opening): void {
    const timer = setTimeout(() => {
      this.#earlier.delete(opening);
      void close(opening);
    }, graceMs);
    timer.unref();
    this.#earlier.set(opening, timer);
  }

  async #open(record: CacheRecord): Promise<OpenCache> {
    const { folder } = this.#options;
    const storage = await folder.openCache(record);
    try {
      const pathInfos = visiblePathInfos(storage.pathInfos, storage.contents);
      const upstreamKeys = new Map<Substituter, readonly PublicKey[]>();
      const upstream = await this.#openUpstreams(record, { pathInfos, upstreamKeys });
      const narInfos = new NarInfoIndex();
      const handler = this.#handlerOf({ record, storage, pathInfos, upstream, upstreamKeys, narInfos });
      return {
        handler,
        narInfos,
        async [Symbol.asyncDispose]() {
          await upstream?.[Symbol.asyncDispose]();
          await storage[Symbol.asyncDispose]();
        },
      };
    } catch (error) {
      await storage[Symbol.asyncDispose]();
      throw error;
    }
  }

  #handlerOf({ record, storage, pathInfos, upstream, upstreamKeys, narInfos }: CacheParts): RequestHandler {
    const { folder, compressedNars, openLogs } = this.#options;
    const { castore } = folder;
    const { name, priority, trustedKeys, requireSignatures, isPublic } = record;
    const signingKeys = record.signingKeys.map((text) => parseSecretKey(text, nodeEd25519));
    const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
    const onEvent = (event: CacheEvent): void => this.#tell(name, event);
    const cache = binaryCache({
      store: { ...castore, pathInfos: withUpstream(pathInfos, upstream) },
      fileOf: (digest) => castore.blobs.filePath(digest, false),
      hashes: nodeHashes,
      ed25519: nodeEd25519,
      storeDirectory,
      priority,
      signingKeys,
      narInfos,
      nars: ownNars(pathInfos),
      onlyOwnNars: true,
      encoders: nodeContentEncoders,
      documents: storage.documents,
      ...(openLogs !== undefined && { logs: openLogs(join(storage.path, 'log')) }),
      ...(compressedNars !== undefined && { compressedNars: ownCompressedNars(compressedNars, storage) }),
      uploads: {
        uploaded: storage.uploadedNars,
        decompress,
        compress,
        trustedKeys: trustedKeys.map(parsePublicKey),
        requireSignatures,
      },
      onEvent,
    });
    return tenantCache({
      cache,
      pathInfos,
      upstream,
      upstreamKeys: (it) => upstreamKeys.get(it) ?? [],
      isPublic,
      storeDirectory,
      signingKeys,
      ed25519: nodeEd25519,
      api: cacheApi({
        record,
        publicKeys: publicKeysOf(record),
        storeDir: storeDirectory.path,
        pathInfos,
        pins: storage.pins,
      }),
      remove: (hashPart) => removePath(storage, hashPart),
      takeLease: () => this.#lease.hold(),
    });
  }

  async #openUpstreams(
    record: CacheRecord,
    { pathInfos, upstreamKeys }: Pick<CacheParts, 'pathInfos' | 'upstreamKeys'>,
  ): Promise<PullThrough | undefined> {
    if (record.upstreams.length === 0) return undefined;
    const { folder } = this.#options;
    const tables = await Promise.all(
      record.upstreams.map(({ url }) =>
        LmdbNarInfoTable.open(folder.narInfoFolder, { cache: tableName(url, record) }),
      ),
    );
    const onEvent = (event: PullEvent | UpstreamEvent): void => this.#tell(record.name, event);
    const caches = (watchNar: WatchNar): readonly Substituter[] =>
      record.upstreams.map(({ url, publicKeys: texts, priority }, index) => {
        const publicKeys = texts.map(parsePublicKey);
        const cache = openHttpCache({
          ...folder.castore,
          url,
          publicKeys,
          priority,
          narInfoTable: tables[index],
          http: this.#upstreamHttp(),
          pauseMs: this.#options.upstreamPauseMs ?? defaultUpstreamPauseMs,
          narCalculation: nothingAtHand,
          watchNar,
        });
        upstreamKeys.set(cache, publicKeys);
        return cache;
      });
    return new PullThrough({
      pathInfos,
      openUpstreams: (watchNar) =>
        new UpstreamCaches({ caches: caches(watchNar), fallback: record.upstreamFallback, onEvent }),
      keeps: record.keepsFromUpstreams,
      openSpoolFile: () => openSpoolFile(folder.downloadsFolder),
      takeLease: () => this.#lease.hold(),
      renderNar: ({ node }, signal) => renderNar(node, folder.castore, signal),
      onEvent,
    });
  }

  /** A server that is down is found to be so in less than a second; one that says nothing, after a while. */
  #upstreamHttp(): HttpSettings {
    const { http, upstreamTimeoutMs: timeoutMs = defaultUpstreamTimeoutMs } = this.#options;
    return {
      ...http,
      connectTimeoutMs: timeoutMs,
      idleTimeoutMs: timeoutMs,
      retry: { maxAttempts: 3, baseDelayMs: 100, maxTimeMs: 1_000 },
    };
  }

  #tell(cache: string, event: CacheEvent | PullEvent | UpstreamEvent): void {
    this.#options.onEvent?.({ cache, ...event });
  }
}

type CacheParts = {
  readonly record: CacheRecord;
  readonly storage: CacheStorage;
  readonly pathInfos: VisiblePathInfos;
  readonly upstream: PullThrough | undefined;
  readonly upstreamKeys: Map<Substituter, readonly PublicKey[]>;
  readonly narInfos: NarInfoIndex;
};

/** One that could not be opened, or closed, is no trouble of whoever closes it. */
async function close({ cache }: Opening): Promise<void> {
  await cache.then(
    (it) => it[Symbol.asyncDispose](),
    () => undefined,
  );
}

/** A reference that only upstreams have is taken from there when it is looked for by an upload. */
function withUpstream(pathInfos: VisiblePathInfos, upstream: PullThrough | undefined): PathInfoService {
  if (upstream === undefined) return pathInfos;
  return {
    ...pathInfos,
    has: async (hashPart, signal) =>
      (await pathInfos.has(hashPart, signal)) || (await pullQuietly(upstream, hashPart, signal)),
  };
}

/** Nobody who uploads hears what upstreams have to say; it was told as an event. */
async function pullQuietly(upstream: PullThrough, hashPart: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return await upstream.pull(hashPart, signal);
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/** The NARs of a cache are those of its path infos at this moment. */
function ownNars(pathInfos: VisiblePathInfos): NarTable {
  return {
    find: (node) => pathInfos.findByNode(node),
    findNode: async (narHash) => (await pathInfos.findByNarHash(narHash))?.node,
    record: async () => {},
  };
}

/** A file is given only while a path of this cache has it. */
function ownCompressedNars(inner: CompressedNars, { contents, pathInfos }: CacheStorage): CompressedNars {
  return {
    async find(pathInfo, signal) {
      const found = await inner.find(pathInfo, signal);
      if (found === undefined) return undefined;
      const key = fileKey(found.fileHash.format('nix32'));
      const { hashPart } = pathInfo.storePath;
      if (!contents.find(key).includes(hashPart)) await contents.add([key], hashPart);
      return found;
    },
    async open(fileHash, signal) {
      for (const hashPart of contents.find(fileKey(fileHash))) {
        if (await pathInfos.has(hashPart, signal)) return inner.open(fileHash, signal);
      }
      return undefined;
    },
    request: (pathInfo) => inner.request(pathInfo),
  };
}

function fileKey(fileHash: string): string {
  return `f${fileHash}`;
}

/** An upstream that names a node of the castore gets it not for that: it could be another cache's. */
const nothingAtHand = {
  calculateNar: (): Promise<never> =>
    Promise.reject(new StoreError('not-found', 'NARs of upstreams are downloaded')),
};

/** Tenants that give different passwords may be told different things. */
function tableName(url: string, { id }: CacheRecord): string {
  const { username, password } = new URL(url);
  return username === '' && password === '' ? url : `${id} ${new URL(url).host}${new URL(url).pathname}`;
}

async function removePath(storage: CacheStorage, hashPart: string): Promise<'removed' | 'absent' | 'needed'> {
  const pathInfo = await storage.pathInfos.get(hashPart);
  if (pathInfo === undefined) return 'absent';
  // With any finite time it stays as long as others refer to it.
  const condition = { unusedSinceMs: Number.MAX_VALUE };
  return (await removePathInfo(storage, pathInfo, condition)) ? 'removed' : 'needed';
}
