/**
 * The upload of path infos with their NARs. NARs go side by side, up to a number of them; a narinfo follows its NAR when those
 * of all that it refers to are there, so that a cache never has a path without what it needs, and a push that was interrupted
 * goes on where it ended: the cache says what it lacks, and a NAR that waits there for its narinfo is not sent again.
 */
import type { StoreDirectory } from '@neve/nix-compat';
import { type PathInfo, type Signer, type StoreServices, signPathInfo } from '@neve/store';
import { type NarFile, type PushCompression, makeNarFile } from './nar-file.ts';
import type { RemoteCache } from './remote-cache.ts';

export type PushOptions = {
  readonly source: StoreServices;
  readonly cache: RemoteCache;
  readonly storeDirectory: StoreDirectory;
  readonly compression: PushCompression;
  /** How many NARs are under way at the same time. */
  readonly jobs: number;
  readonly signer: Signer | undefined;
  readonly onEvent: (event: PushEvent) => void;
};

export type PushEvent =
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'path'; readonly pathInfo: PathInfo };

/** Below this a question is no cheaper than the file. */
const minAskedBytes = 1 << 18;

/** `pathInfos` are each after those that it refers to. Throws the first error when all that was begun has ended. */
export async function pushPaths(
  pathInfos: readonly PathInfo[],
  options: PushOptions,
  signal: AbortSignal,
): Promise<void> {
  const failing = new AbortController();
  const any = AbortSignal.any([signal, failing.signal]);
  const done = new Map<string, Promise<void>>();
  const uploading = new Set<Promise<unknown>>();
  for (const pathInfo of pathInfos) {
    while (uploading.size >= options.jobs && !any.aborted) await Promise.race(uploading);
    if (any.aborted) break;
    const nar = uploadNar(pathInfo, options, any);
    const ended: Promise<unknown> = nar.then(
      () => uploading.delete(ended),
      () => uploading.delete(ended),
    );
    uploading.add(ended);
    const path = finish(pathInfo, { nar, done, options }, any);
    path.catch((error: unknown) => failing.abort(error));
    done.set(pathInfo.storePath.hashPart, path);
  }
  await Promise.allSettled(done.values());
  signal.throwIfAborted();
  if (failing.signal.aborted) throw failing.signal.reason;
}

type SentFile = Pick<NarFile, 'url' | 'compression' | 'fileHash' | 'size'>;

async function uploadNar(pathInfo: PathInfo, options: PushOptions, signal: AbortSignal): Promise<SentFile> {
  const { source: store, compression, cache, onEvent } = options;
  await using file = await makeNarFile(pathInfo, { store, compression }, signal);
  const { url, fileHash, size } = file;
  if (size < minAskedBytes || !(await cache.has(url, signal))) {
    const open = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for await (const piece of file.open()) {
        yield piece;
        onEvent({ kind: 'bytes', count: piece.length });
      }
    };
    await cache.putNar(url, { size, open }, signal);
  }
  return { url, fileHash, size, compression };
}

type Finishing = {
  readonly nar: Promise<SentFile>;
  readonly done: ReadonlyMap<string, Promise<void>>;
  readonly options: PushOptions;
};

async function finish(
  pathInfo: PathInfo,
  { nar, done, options }: Finishing,
  signal: AbortSignal,
): Promise<void> {
  const { url, fileHash, size, compression } = await nar;
  const own = pathInfo.storePath.hashPart;
  for (const { hashPart } of pathInfo.references) if (hashPart !== own) await done.get(hashPart);
  const { cache, storeDirectory, signer, onEvent } = options;
  const signed = signer === undefined ? pathInfo : signPathInfo(pathInfo, signer);
  const { node: _, ...info } = signed;
  await cache.putNarInfo({ ...info, url, compression, fileHash, fileSize: size }, storeDirectory, signal);
  onEvent({ kind: 'path', pathInfo });
}
