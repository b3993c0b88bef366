/**
 * What a cache has from its upstreams: narinfos that are told before anything is downloaded, and NARs that are given while they
 * come. However many ask for a NAR, it is downloaded once. It goes into castore and to everybody who waits for it at the same
 * time, and its last byte is given when all of it was right (`nar-spool.ts`).
 *
 * A path that stays is put into the cache when all that it refers to is there: what is missing of its closure is taken from the
 * upstreams, too. So nobody finds a path in the cache without what it needs. While that lasts, the NARs are at hand for those
 * who ask for them.
 */
import type { Digest } from '@neve/bytes';
import type { NarInfo } from '@neve/nix-compat';
import { type PathInfo, type PathInfoService, StoreError, readPathClosure } from '@neve/store';
import { NarSpool, type SpoolFile } from './nar-spool.ts';
import type { UpstreamCaches, UpstreamFile, UpstreamNarInfo } from './upstream-caches.ts';

export type PullThroughOptions = {
  /** The path infos of the cache. */
  readonly pathInfos: Pick<PathInfoService, 'has'> & Required<Pick<PathInfoService, 'putAll'>>;
  /** Opens the upstreams, whose downloads go by `watchNar`. */
  readonly openUpstreams: (watchNar: WatchNar) => UpstreamCaches;
  /** Whether what clients have asked for stays in the cache. */
  readonly keeps: boolean;
  readonly openSpoolFile: () => Promise<SpoolFile>;
  /** Keeps what is stored meanwhile from garbage collection, until it is disposed of. */
  readonly takeLease: () => Promise<AsyncDisposable>;
  /** The NAR of what was downloaded, from castore. */
  readonly renderNar: (pathInfo: PathInfo, signal?: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly onEvent?: (event: PullEvent) => void;
};

/** The option of `openHttpCache`. */
export type WatchNar = (narInfo: NarInfo, nar: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

export type PullEvent =
  /** It is in the cache now. */
  | { readonly kind: 'pulled'; readonly pathInfo: PathInfo }
  /** It was given to those who asked for it, as far as it was right, and does not stay. */
  | { readonly kind: 'not-pulled'; readonly hashPart: string; readonly error: unknown };

/** Of a closure, so many paths are downloaded at the same time. */
const maxClosureRequests = 4;

/** A path whose NAR has this hash. */
type Wanted = { readonly hashPart: string; readonly narHash: Digest };

type Download = {
  readonly spool: NarSpool;
  /** The path info, when all of it was right. */
  readonly result: Promise<PathInfo>;
  /** Never throws: it is in the cache, or not, and nobody reads it any more. */
  readonly settled: Promise<void>;
  pathInfo: PathInfo | undefined;
};

/** Disposing of it ends what is under way, and disposes of the upstreams. */
export class PullThrough implements AsyncDisposable {
  readonly #options: PullThroughOptions;
  readonly #upstreams: UpstreamCaches;
  readonly #downloads = new Map<string, Promise<Download | undefined>>();
  /** What is filled while it is downloaded. */
  readonly #filling = new Map<string, NarSpool>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: PullThroughOptions) {
    this.#options = options;
    this.#upstreams = options.openUpstreams((narInfo, nar) => this.#watch(narInfo, nar));
  }

  /** What an upstream says of a path that the cache has not. Throws `StoreError` when nobody can say. */
  async narInfo(hashPart: string, signal?: AbortSignal): Promise<NarInfo | undefined> {
    return (await this.#upstreams.narInfo(hashPart, signal))?.narInfo;
  }

  /** A file of an upstream that is no narinfo and no NAR, whose contents nobody has checked. Throws `StoreError`. */
  openFile(path: string, signal?: AbortSignal): Promise<UpstreamFile | undefined> {
    return this.#upstreams.openFile(path, signal);
  }

  /**
   * The NAR of a path that an upstream has, as soon as something of it is there. Nothing when no upstream has the path with a
   * NAR of this hash. Throws `StoreError`.
   */
  async openNar(wanted: Wanted, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const download = await this.#download(wanted, this.#options.keeps);
    await download?.spool.started(signal);
    return download === undefined ? undefined : this.#read(download, signal);
  }

  /** Gets the path and its closure into the cache, whatever is kept otherwise. False when it cannot be had. */
  async pull(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    if (await this.#options.pathInfos.has(hashPart, signal)) return true;
    await using _lease = await this.#options.takeLease();
    using held = new HeldDownloads();
    const pathInfo = await this.#fetch(hashPart, held);
    if (pathInfo === undefined) return false;
    await this.#putClosure(pathInfo, held);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new StoreError('io', 'the server ends'));
    await Promise.allSettled([...this.#downloads.values()]);
    await Promise.allSettled([...this.#running]);
    await this.#upstreams[Symbol.asyncDispose]();
  }

  async *#read({ spool, pathInfo }: Download, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    if (spool.isOpen) yield* spool.read(signal);
    // It has ended since it was found.
    else if (pathInfo !== undefined) yield* this.#options.renderNar(pathInfo, signal);
    else throw new StoreError('io', 'the download was given up; try again');
  }

  /** Fills the spool of a download, if it is for one. */
  async *#watch(narInfo: NarInfo, nar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    const spool = this.#filling.get(
      keyOf({ hashPart: narInfo.storePath.hashPart, narHash: narInfo.narHash }),
    );
    const isFresh = spool !== undefined && spool.isEmpty && spool.size === narInfo.narSize;
    if (!isFresh) spool?.fail(new StoreError('corrupt', 'the download had to be begun anew; try again'));
    for await (const piece of nar) {
      if (isFresh) await spool.append(piece);
      yield piece;
    }
  }

  /** The path info of a path that an upstream has, after its contents are in castore. */
  async #fetch(hashPart: string, held: HeldDownloads): Promise<PathInfo | undefined> {
    const narInfo = await this.narInfo(hashPart, this.#closing.signal);
    if (narInfo === undefined) return undefined;
    const download = await this.#download({ hashPart, narHash: narInfo.narHash }, false);
    if (download === undefined) return undefined;
    held.add(download.spool);
    return download.result;
  }

  /** Joins the download, or begins one, which stays in the cache if `isKept`. */
  #download(wanted: Wanted, isKept: boolean): Promise<Download | undefined> {
    const key = keyOf(wanted);
    const known = this.#downloads.get(key);
    if (known !== undefined) return known;
    const begun = this.#begin(wanted, isKept);
    this.#downloads.set(key, begun);
    const forget = (): void => this.#forget(key, begun);
    const forgetLater = async (): Promise<void> => {
      const download = await begun;
      // What has failed is tried again by the next.
      await download?.result;
      await download?.settled;
    };
    forgetLater().then(forget, forget);
    return begun;
  }

  async #begin(wanted: Wanted, isKept: boolean): Promise<Download | undefined> {
    const { openSpoolFile, takeLease } = this.#options;
    const errors: StoreError[] = [];
    const candidates = this.#upstreams.candidates(wanted.hashPart, errors, this.#closing.signal);
    const first = await nextCandidate(candidates, wanted);
    if (first === undefined) {
      if (errors[0] !== undefined) throw errors[0];
      return undefined;
    }
    const lease = await takeLease();
    const aborter = new AbortController();
    const spool = new NarSpool(await openSpoolFile(), {
      size: first.narInfo.narSize,
      onIdle: () => {
        if (!isKept) aborter.abort(new StoreError('io', 'nobody waits for the download any more'));
      },
    });
    const signal = AbortSignal.any([this.#closing.signal, aborter.signal]);
    const result = this.#run({ wanted, spool, first, candidates, errors }, signal);
    const ending = { wanted, isKept, lease, result, spool };
    const settled = this.#settle(ending).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
    const download: Download = { spool, result, settled, pathInfo: undefined };
    void result.then(
      (pathInfo) => (download.pathInfo = pathInfo),
      () => undefined,
    );
    return download;
  }

  /** Downloads from the first upstream, and from the others as long as nobody was given anything. */
  async #run(run: Run, signal: AbortSignal): Promise<PathInfo> {
    const { wanted, spool, candidates, errors } = run;
    const key = keyOf(wanted);
    this.#filling.set(key, spool);
    try {
      for (let found: UpstreamNarInfo | undefined = run.first; found !== undefined;) {
        const { cache } = found;
        try {
          const pathInfo = await cache.get(wanted.hashPart, signal);
          if (pathInfo?.narHash.equals(wanted.narHash) === true) {
            spool.finish();
            return pathInfo;
          }
          errors.push(new StoreError('not-found', `${cache.name} has not '${wanted.hashPart}' any more`));
        } catch (error) {
          errors.push(this.#upstreams.report(error, { cache, hashPart: wanted.hashPart, signal }));
        }
        if (!spool.isEmpty) break;
        found = await nextCandidate(candidates, wanted);
      }
      throw errors.at(-1) ?? new StoreError('not-found', `no upstream has '${wanted.hashPart}'`);
    } catch (error) {
      spool.fail(error);
      throw error;
    } finally {
      this.#filling.delete(key);
    }
  }

  /** What is to be done when a download has ended: it is put into the cache, and goes when nobody reads it any more. */
  async #settle({ wanted, isKept, lease, result, spool }: Ending): Promise<void> {
    await using _lease = lease;
    try {
      const pathInfo = await result;
      using held = new HeldDownloads();
      if (isKept) await this.#putClosure(pathInfo, held);
    } catch (error) {
      this.#options.onEvent?.({ kind: 'not-pulled', hashPart: wanted.hashPart, error });
    }
    await spool.released();
    await spool[Symbol.asyncDispose]();
  }

  /** Puts the path and what is missing of its closure into the cache, references first. */
  async #putClosure(pathInfo: PathInfo, held: HeldDownloads): Promise<void> {
    const { pathInfos: local, onEvent } = this.#options;
    const { signal } = this.#closing;
    const own = pathInfo.storePath.hashPart;
    const get = async (hashPart: string): Promise<PathInfo | undefined> =>
      hashPart === own ? pathInfo : this.#fetch(hashPart, held);
    const { pathInfos, missing } = await readPathClosure(
      [pathInfo.storePath],
      { pathInfos: { get }, leaveOut: (it) => local.has(it, signal), maxRequests: maxClosureRequests },
      signal,
    );
    const [first] = missing;
    if (first !== undefined) {
      const path = pathInfo.storePath.baseName;
      throw new StoreError(
        'not-found',
        `'${path}' does not stay: '${first.storePath.baseName}', which it needs, is nowhere`,
      );
    }
    await local.putAll(pathInfos, signal);
    for (const it of pathInfos) onEvent?.({ kind: 'pulled', pathInfo: it });
  }

  #forget(key: string, begun: Promise<Download | undefined>): void {
    if (this.#downloads.get(key) === begun) this.#downloads.delete(key);
  }
}

type Run = {
  readonly wanted: Wanted;
  readonly spool: NarSpool;
  readonly first: UpstreamNarInfo;
  readonly candidates: AsyncGenerator<UpstreamNarInfo, void, void>;
  readonly errors: StoreError[];
};

type Ending = {
  readonly wanted: Wanted;
  readonly isKept: boolean;
  readonly lease: AsyncDisposable;
  readonly result: Promise<PathInfo>;
  readonly spool: NarSpool;
};

/** Downloads that are needed together: none goes before all of them may. */
class HeldDownloads implements Disposable {
  readonly #held: Disposable[] = [];

  add(spool: NarSpool): void {
    this.#held.push(spool.hold());
  }

  [Symbol.dispose](): void {
    for (const it of this.#held) it[Symbol.dispose]();
  }
}

async function nextCandidate(
  candidates: AsyncGenerator<UpstreamNarInfo, void, void>,
  { narHash }: Wanted,
): Promise<UpstreamNarInfo | undefined> {
  for (;;) {
    const { value, done } = await candidates.next();
    if (done === true) return undefined;
    if (value.narInfo.narHash.equals(narHash)) return value;
  }
}

function keyOf({ hashPart, narHash }: Wanted): string {
  return `${hashPart}-${narHash.format('nix32')}`;
}
