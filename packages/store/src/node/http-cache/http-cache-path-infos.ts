/**
 * A binary cache of Nix as a path info service. `get` downloads: the NAR goes through decompression and into castore in one
 * pass, its file's and its own hash and size are compared on the way, and a path info is given only when all of them are
 * right. A path that is refused leaves nothing that is visible.
 *
 *     nix-cache-info          read once, before the first question: the store directory must be the same
 *     <hash part>.narinfo     checked by `checkNarInfo`; remembered for 30 days, that there is none for an hour
 *     <URL of the narinfo>    the NAR; not downloaded if its URL names a node (`infused-nar-url.ts`) that castore has all
 *                             of and that gives this very NAR
 *
 * Questions for the same path at the same time are one. A cache that fails is left alone for a minute.
 */
import { fileURLToPath } from 'node:url';
import { decodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { CastoreError } from '@neve/castore';
import type { BlobService, CompressionFormat, DirectoryService, Node } from '@neve/castore';
import { decompress } from '@neve/castore/node';
import { redactUrl } from '@neve/diagnostics';
import type { HttpSettings } from '@neve/http/node';
import { NixCompatError, StoreDirectory, parseNixCacheInfo } from '@neve/nix-compat';
import type { NarInfo, NixCacheInfo, PublicKey, StorePath } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { CircuitBreaker } from '../../circuit-breaker.ts';
import { compressionFormats } from '../../compression-formats.ts';
import { provesContents } from '../../content-address-match.ts';
import { hashPartBytes } from '../../hash-part.ts';
import { nodeOfInfusedUrl } from '../../infused-nar-url.ts';
import { ingestNar } from '../../ingest-nar.ts';
import { narCalculationByRendering } from '../../nar-calculation.ts';
import { type NarInfoRules, checkNarInfo } from '../../narinfo-check.ts';
import { NarInfoMemory, type NarInfoTable } from '../../narinfo-memory.ts';
import type { PathInfo } from '../../path-info.ts';
import type { NarCalculationService } from '../../path-info-service.ts';
import { SharedWork } from '../../shared-work.ts';
import { StoreError } from '../../store-error.ts';
import type { Substituter } from '../../substituter.ts';
import type { CacheFiles } from './cache-files.ts';
import { CheckedDownload } from './checked-download.ts';
import { FolderCacheFiles } from './folder-cache-files.ts';
import { HttpCacheFiles } from './http-cache-files.ts';

export type HttpCacheOptions = {
  /** `https://host/path`, `http:` or `file:`; may hold a user and a password. */
  readonly url: string;
  /** Where contents go. */
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** Whose signatures count. */
  readonly publicKeys: readonly PublicKey[];
  /** Without any key: take paths that nobody vouches for. */
  readonly acceptUnsigned?: boolean;
  /** Instead of what `nix-cache-info` says. */
  readonly priority?: number | undefined;
  /** `/nix/store` unless given. */
  readonly store?: StoreDirectory;
  /** What remembers narinfos beyond the process. It goes with the cache. */
  readonly narInfoTable?: NarInfoTable | undefined;
  /** How the NAR of a node is computed; by rendering it unless given. */
  readonly narCalculation?: NarCalculationService;
  readonly http?: HttpSettings;
  /**
   * Sees each NAR that is downloaded while it comes, and passes its bytes on: for whoever wants to have them before they are
   * known to be right. A download that is begun anew is seen anew.
   */
  readonly watchNar?: (narInfo: NarInfo, nar: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** Learns how many bytes of a path's file have arrived since it was told last. */
  readonly onDownloaded?: ((storePath: StorePath, bytes: number) => void) | undefined;
  /** How long a cache that failed is left alone; 60 s unless given. */
  readonly pauseMs?: number;
};

/** Nothing is asked yet. Throws `StoreError` for a URL or settings that cannot be. Disposing ends its connections. */
export function openHttpCache(options: HttpCacheOptions): Substituter {
  return new HttpCache(options);
}

const maxCacheInfoBytes = 1 << 16;
const maxNarInfoBytes = 1 << 22;

/** As in Nix, for a cache that does not say. */
const defaultPriority = 0;

type Found = { readonly narInfo: NarInfo; readonly text: string; readonly isRemembered: boolean };

class HttpCache implements Substituter {
  readonly name: string;
  readonly #options: HttpCacheOptions;
  readonly #files: CacheFiles;
  readonly #rules: NarInfoRules;
  readonly #memory: NarInfoMemory;
  readonly #breaker: CircuitBreaker;
  readonly #narCalculation: NarCalculationService;
  readonly #cacheInfos = new SharedWork<NixCacheInfo>();
  readonly #lookups = new SharedWork<Found | undefined>();
  readonly #downloads = new SharedWork<PathInfo | undefined>();
  #cacheInfo: NixCacheInfo | undefined;

  constructor(options: HttpCacheOptions) {
    const { url, blobs, directories, publicKeys, acceptUnsigned = false, pauseMs = 60_000 } = options;
    this.name = redactUrl(url).replace(/\/+$/, '');
    if (acceptUnsigned && publicKeys.length > 0) {
      const problem = 'has trusted keys and is told to accept unsigned paths; leave out one of them';
      throw new StoreError('unsupported', `the cache ${this.name} ${problem}`);
    }
    this.#options = options;
    this.#files = openFiles(options);
    this.#rules = {
      store: options.store ?? new StoreDirectory('/nix/store', nodeHashes),
      ed25519: nodeEd25519,
      keys: publicKeys,
      acceptUnsigned,
    };
    this.#memory = new NarInfoMemory({ table: options.narInfoTable });
    this.#breaker = new CircuitBreaker({ name: `the cache ${this.name}`, pauseMs });
    this.#narCalculation =
      options.narCalculation ?? narCalculationByRendering({ blobs, directories, hashes: nodeHashes });
  }

  async priority(signal?: AbortSignal): Promise<number> {
    const { priority } = this.#options;
    if (priority !== undefined) return priority;
    return (await this.#breaker.guard(() => this.#askCacheInfo(signal))).priority ?? defaultPriority;
  }

  async wantsMassQuery(signal?: AbortSignal): Promise<boolean> {
    return (await this.#breaker.guard(() => this.#askCacheInfo(signal))).wantMassQuery ?? false;
  }

  async narInfo(hashPart: string, signal?: AbortSignal): Promise<NarInfo | undefined> {
    const found = await this.#breaker.guard(() => this.#find(hashPart, signal));
    return found?.narInfo;
  }

  openFile(path: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#breaker.guard(() => this.#files.open(path, signal));
  }

  /** Throws what `get` would throw about the narinfo. */
  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.narInfo(hashPart, signal)) !== undefined;
  }

  get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    return this.#breaker.guard(() =>
      this.#downloads.run(hashPart, (shared) => this.#substitute(hashPart, shared), signal),
    );
  }

  async put(pathInfo: PathInfo): Promise<PathInfo> {
    const problem = `'${pathInfo.storePath.baseName}' cannot be put into the cache ${this.name}`;
    throw new StoreError('unsupported', `${problem}: it is only read here`);
  }

  // oxlint-disable-next-line eslint/require-yield
  async *list(): AsyncGenerator<PathInfo, void, void> {
    throw new StoreError('unsupported', `the cache ${this.name} cannot list what it has`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
    await this.#options.narInfoTable?.[Symbol.asyncDispose]();
  }

  #askCacheInfo(signal: AbortSignal | undefined): Promise<NixCacheInfo> {
    if (this.#cacheInfo !== undefined) return Promise.resolve(this.#cacheInfo);
    return this.#cacheInfos.run('', (shared) => this.#readCacheInfo(shared), signal);
  }

  async #readCacheInfo(signal: AbortSignal): Promise<NixCacheInfo> {
    const bytes = await this.#files.read('nix-cache-info', maxCacheInfoBytes, signal);
    if (bytes === undefined) {
      throw new StoreError(
        'io',
        `${this.name} has no nix-cache-info: it is not a binary cache; check the URL`,
      );
    }
    const cacheInfo = refusing(this.name, () => parseNixCacheInfo(decodeUtf8(bytes)));
    const { storeDir } = cacheInfo;
    const { path } = this.#rules.store;
    if (storeDir !== undefined && storeDir !== path) {
      const problem = `the cache ${this.name} is for stores in '${storeDir}', not in '${path}'`;
      throw new StoreError('unsupported', `${problem}; take it out of the configuration`);
    }
    this.#cacheInfo = cacheInfo;
    return cacheInfo;
  }

  #find(hashPart: string, signal: AbortSignal | undefined): Promise<Found | undefined> {
    return this.#lookups.run(hashPart, (shared) => this.#lookUp(hashPart, shared), signal);
  }

  async #lookUp(hashPart: string, signal: AbortSignal): Promise<Found | undefined> {
    // What is none must not become a part of a URL.
    hashPartBytes(hashPart);
    await this.#askCacheInfo(signal);
    const known = await this.#memory.find(hashPart);
    if (known === undefined) return this.#fetchNarInfo(hashPart, signal);
    if (known.text === undefined) return undefined;
    try {
      return this.#check(hashPart, known.text, true);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Keys differ from those of the time when it was remembered, and the cache may have signatures by them now.
      return this.#fetchNarInfo(hashPart, signal);
    }
  }

  async #fetchNarInfo(hashPart: string, signal: AbortSignal): Promise<Found | undefined> {
    const bytes = await this.#files.read(`${hashPart}.narinfo`, maxNarInfoBytes, signal);
    const text = bytes === undefined ? undefined : decodeUtf8(bytes);
    const found = text === undefined ? undefined : this.#check(hashPart, text, false);
    await this.#memory.record(hashPart, text);
    return found;
  }

  #check(hashPart: string, text: string, isRemembered: boolean): Found {
    const narInfo = checkNarInfo(text, { hashPart, cache: this.name }, this.#rules);
    return { narInfo, text, isRemembered };
  }

  async #substitute(hashPart: string, signal: AbortSignal): Promise<PathInfo | undefined> {
    const found = await this.#find(hashPart, signal);
    if (found === undefined) return undefined;
    try {
      return await this.#realise(found.narInfo, signal);
    } catch (error) {
      const isStale = error instanceof StoreError && (error.code === 'corrupt' || error.code === 'not-found');
      if (!isStale || !found.isRemembered) throw error;
      // The cache may have another file, or none, since it was asked.
      const fresh = await this.#fetchNarInfo(hashPart, signal);
      if (fresh === undefined) return undefined;
      if (fresh.text === found.text) throw error;
      return this.#realise(fresh.narInfo, signal);
    }
  }

  async #realise(narInfo: NarInfo, signal: AbortSignal): Promise<PathInfo> {
    const node = (await this.#nodeAtHand(narInfo, signal)) ?? (await this.#download(narInfo, signal));
    const { storePath, references, narSize, narHash, signatures, deriver, contentAddress } = narInfo;
    return { storePath, node, references, narSize, narHash, signatures, deriver, contentAddress };
  }

  /** The node that the URL names, if castore has its closure and it gives the NAR that was signed. */
  async #nodeAtHand(narInfo: NarInfo, signal: AbortSignal): Promise<Node | undefined> {
    const node = nodeOfInfusedUrl(narInfo.url, narInfo.narSize);
    if (node === undefined) return undefined;
    const { contentAddress } = narInfo;
    const isNarAddress = contentAddress?.method === 'nar' && contentAddress.digest.algorithm === 'sha256';
    if (provesContents(narInfo) && !isNarAddress) return undefined;
    try {
      const nar = await this.#narCalculation.calculateNar(node, signal);
      const isRight = nar.narSize === narInfo.narSize && nar.narHash.equals(narInfo.narHash);
      const isRightAddress = !provesContents(narInfo) || contentAddress?.digest.equals(nar.narHash) === true;
      return isRight && isRightAddress ? node : undefined;
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'not-found' || error.code === 'corrupt'))
        return undefined;
      throw error;
    }
  }

  async #download(narInfo: NarInfo, signal: AbortSignal): Promise<Node> {
    const { storePath, url, compression, narHash, narSize, contentAddress } = narInfo;
    const subject = `${this.name}: '${storePath.baseName}'`;
    const format = compressionFormats[compression];
    try {
      const body = await this.#files.open(url, signal);
      if (body === undefined) {
        const problem = `there is a narinfo but no NAR at ${this.#files.describe(url)}`;
        throw new StoreError('not-found', `${subject}: ${problem}; take it from another cache`);
      }
      const { onDownloaded } = this.#options;
      const counted =
        onDownloaded === undefined ? body : counting(body, (bytes) => onDownloaded(storePath, bytes));
      const download = new CheckedDownload(counted, { narInfo, hashes: nodeHashes, subject });
      const nar = decompressed(download, { format, narSize, subject });
      const source = this.#options.watchNar?.(narInfo, nar) ?? nar;
      const expected = {
        narHash,
        narSize,
        contentAddress: provesContents(narInfo) ? contentAddress : undefined,
      };
      const { blobs, directories } = this.#options;
      const { node } = await ingestNar(source, { blobs, directories, hashes: nodeHashes, expected }, signal);
      return node;
    } catch (cause) {
      const isCorrupt =
        cause instanceof StoreError && cause.code === 'corrupt' && !cause.message.startsWith(subject);
      if (!isCorrupt && !(cause instanceof NixCompatError)) throw cause;
      throw new StoreError('corrupt', `${subject}: ${cause.message}`, { cause });
    }
  }
}

function openFiles({ url, http }: HttpCacheOptions): CacheFiles {
  if (/^file:/i.test(url)) return new FolderCacheFiles(fileURLToPath(url));
  return new HttpCacheFiles(url, http);
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of source) {
    count(piece.length);
    yield piece;
  }
}

type Decompression = {
  readonly format: CompressionFormat;
  readonly narSize: number;
  readonly subject: string;
};

/** The NAR. What is wrong with the file is known before the NAR has ended. */
async function* decompressed(
  download: CheckedDownload,
  { format, narSize, subject }: Decompression,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* decompress(download, format, { maxBytes: narSize });
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    const code = cause.code === 'unsupported' ? 'unsupported' : 'corrupt';
    throw new StoreError(code, `${subject}: ${cause.message}; nothing of it was stored`, { cause });
  }
  download.finish();
}

function refusing<T>(cache: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    throw new StoreError('corrupt', `${cache}: ${cause.message}; tell whoever runs the cache`, { cause });
  }
}
