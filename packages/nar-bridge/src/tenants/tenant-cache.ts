/**
 * One cache among several: a binary cache, restricted to what its own path infos name, with its upstreams behind it and its
 * part of the API.
 *
 *     nar/snix-castore/<node>?narsize=      only the node of a path of this cache
 *     nar/<SHA-256 of the NAR>.nar          the same; with `?hash=<hash part>`, as narinfos from upstreams say, what an
 *                                           upstream has is given while it is downloaded
 *     <hash part>.narinfo                   of this cache, else what an upstream says
 *     log/…, realisations/…, build-trace-v2/…   the same
 *     DELETE <hash part>.narinfo            the path goes, unless another one needs it
 *     _api/v1/…                             `cache-api.ts`
 *
 * What one cache does not have looks the same whether others have it or not. Answers of a private cache may be kept by the
 * client only.
 */
import { Digest, decodeNixBase32 } from '@neve/bytes';
import { encodeUtf8 } from '@neve/bytes';
import {
  type Ed25519,
  type NarInfo,
  type PublicKey,
  type SecretKey,
  type StoreDirectory,
  type StorePath,
  fingerprintPathInfo,
  printNarInfo,
  signFingerprint,
} from '@neve/nix-compat';
import { StoreError, type Substituter, nodeOfInfusedName } from '@neve/store';
import type { CacheRequest, CacheResponse, RequestHandler } from '../http-exchange.ts';
import type { PullThrough } from '../upstream/pull-through.ts';
import { answerFromUpstreamFile, isUpstreamFile } from '../upstream/upstream-files.ts';
import { bytesResponse, notFound, textResponse } from '../text-response.ts';
import type { VisiblePathInfos } from './visible-path-infos.ts';

export type TenantCacheOptions = {
  /** The cache by itself, which answers from `pathInfos`. */
  readonly cache: RequestHandler;
  readonly pathInfos: VisiblePathInfos;
  readonly upstream: PullThrough | undefined;
  /** Whose signatures count on what an upstream gives. */
  readonly upstreamKeys: (cache: Substituter) => readonly PublicKey[];
  readonly isPublic: boolean;
  readonly storeDirectory: StoreDirectory;
  readonly signingKeys: readonly SecretKey[];
  readonly ed25519: Ed25519;
  /** Answers below `_api/v1`; the path begins after that. */
  readonly api: RequestHandler;
  /** Removes a path: `needed` when others refer to it. */
  readonly remove: (hashPart: string) => Promise<'removed' | 'absent' | 'needed'>;
  /** Keeps what is used meanwhile from garbage collection. */
  readonly takeLease: () => Promise<AsyncDisposable>;
};

export function tenantCache(options: TenantCacheOptions): RequestHandler {
  const answer = async (request: CacheRequest): Promise<CacheResponse> => {
    if (request.path.startsWith('/_api/v1/')) {
      return options.api({ ...request, path: request.path.slice('/_api/v1'.length) });
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && request.path.startsWith('/nar/')) return withLease(request, options, answerNar);
    const hashPart = /^\/([0-9a-df-np-sv-z]{32})\.narinfo$/.exec(request.path)?.[1];
    if (hashPart !== undefined && isRead) return answerNarInfo(hashPart, request, options);
    if (hashPart !== undefined && request.method === 'DELETE') return removePath(hashPart, options);
    if (isRead) return answerFile(request, options);
    await using _lease = await options.takeLease();
    return await options.cache(request);
  };
  return async (request) => {
    const response = await answer(request);
    return options.isPublic ? response : notShared(response);
  };
}

async function answerNarInfo(
  hashPart: string,
  request: CacheRequest,
  options: TenantCacheOptions,
): Promise<CacheResponse> {
  const response = await options.cache(request);
  if (response.status !== 404 || options.upstream === undefined) return response;
  try {
    const narInfo = await options.upstream.narInfo(hashPart, request.signal);
    return narInfo === undefined ? response : narInfoResponse(narInfo, hashPart, options);
  } catch (error) {
    return upstreamFailure(error);
  }
}

async function answerFile(request: CacheRequest, options: TenantCacheOptions): Promise<CacheResponse> {
  const { cache, pathInfos, upstream, upstreamKeys, signingKeys, ed25519 } = options;
  const response = await cache(request);
  if (response.status !== 404 || upstream === undefined || !isUpstreamFile(request)) return response;
  const hasPath = async ({ hashPart }: StorePath, signal: AbortSignal): Promise<boolean> =>
    (await pathInfos.has(hashPart, signal)) || (await upstream.narInfo(hashPart, signal)) !== undefined;
  try {
    const files = { upstream, publicKeysOf: upstreamKeys, signingKeys, ed25519, hasPath };
    return (await answerFromUpstreamFile(request, files)) ?? response;
  } catch (error) {
    request.signal.throwIfAborted();
    return upstreamFailure(error);
  }
}

/** Without the address of the upstream, and without its compression: the NAR comes from here. */
function narInfoResponse(narInfo: NarInfo, hashPart: string, options: TenantCacheOptions): CacheResponse {
  const { storeDirectory, signingKeys, ed25519 } = options;
  const fingerprint = fingerprintPathInfo(storeDirectory, narInfo);
  const own = signingKeys.map((key) => signFingerprint(fingerprint, key, ed25519));
  const names = new Set(own.map(({ keyName }) => keyName));
  const text = printNarInfo(
    {
      ...narInfo,
      url: `nar/${narInfo.narHash.format('nix32')}.nar?hash=${hashPart}`,
      compression: 'none',
      fileHash: narInfo.narHash,
      fileSize: narInfo.narSize,
      signatures: [...own, ...narInfo.signatures.filter(({ keyName }) => !names.has(keyName))],
    },
    storeDirectory,
  );
  return bytesResponse(encodeUtf8(text), {
    headers: { 'content-type': 'text/x-nix-narinfo', 'cache-control': 'public, max-age=300' },
  });
}

async function answerNar(request: CacheRequest, options: TenantCacheOptions): Promise<CacheResponse> {
  // Nothing in the name of a NAR has to be encoded, and what is would not be looked at here.
  if (request.path.includes('%')) return notFound('this NAR');
  const [, infused] = /^\/nar\/snix-castore\/([A-Za-z0-9_-]+)$/.exec(request.path) ?? [];
  if (infused !== undefined) {
    const node = nodeOfInfusedName(infused);
    const own = node === undefined ? undefined : await options.pathInfos.findByNode(node, request.signal);
    return own === undefined ? notFound('this NAR') : options.cache(request);
  }
  const narHash = sha256Of(/^\/nar\/([0-9a-df-np-sv-z]{52})\.nar$/.exec(request.path)?.[1]);
  if (narHash === undefined) return options.cache(request);
  const own = await options.pathInfos.findByNarHash(narHash, request.signal);
  const hashPart = request.query.get('hash');
  if (own !== undefined || hashPart === null || options.upstream === undefined) return options.cache(request);
  return answerFromUpstream({ hashPart, narHash }, request, options.upstream);
}

async function answerFromUpstream(
  wanted: { readonly hashPart: string; readonly narHash: Digest },
  { method, signal }: CacheRequest,
  upstream: PullThrough,
): Promise<CacheResponse> {
  if (!/^[0-9a-df-np-sv-z]{32}$/.test(wanted.hashPart)) return notFound('this NAR');
  try {
    const narInfo = await upstream.narInfo(wanted.hashPart, signal);
    if (narInfo?.narHash.equals(wanted.narHash) !== true) return notFound('this NAR');
    const headers = {
      'content-type': 'application/x-nix-nar',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-length': String(narInfo.narSize),
    };
    if (method === 'HEAD') return { status: 200, headers };
    const body = await upstream.openNar(wanted, signal);
    return body === undefined ? notFound('this NAR') : { status: 200, headers, body };
  } catch (error) {
    signal.throwIfAborted();
    return upstreamFailure(error);
  }
}

/** What upstreams are called and what they said is for whoever runs the server, who hears of it as an event. */
function upstreamFailure(error: unknown): CacheResponse {
  if (!(error instanceof StoreError)) throw error;
  const isWrong = error.code === 'corrupt' || error.code === 'untrusted';
  const problem = isWrong
    ? 'what an upstream cache gave is not right, and was refused'
    : 'an upstream cache cannot be asked at the moment; try again later';
  return textResponse(502, problem);
}

async function removePath(hashPart: string, { remove }: TenantCacheOptions): Promise<CacheResponse> {
  const outcome = await remove(hashPart);
  if (outcome === 'removed') return { status: 204, headers: {} };
  if (outcome === 'absent') return notFound(`${hashPart}.narinfo`);
  return textResponse(
    409,
    'other paths of this cache refer to this one, so that it has to stay; remove them first',
  );
}

type Answer = (request: CacheRequest, options: TenantCacheOptions) => Promise<CacheResponse>;

/** The lease lasts as long as the body. */
async function withLease(
  request: CacheRequest,
  options: TenantCacheOptions,
  answer: Answer,
): Promise<CacheResponse> {
  const lease = await options.takeLease();
  let isGiven = false;
  try {
    const response = await answer(request, options);
    const { body } = response;
    if (request.method === 'HEAD' || body === undefined || !(Symbol.asyncIterator in body)) return response;
    isGiven = true;
    return { ...response, body: withEnd(body, lease) };
  } finally {
    if (!isGiven) await lease[Symbol.asyncDispose]();
  }
}

function withEnd(body: AsyncIterable<Uint8Array>, end: AsyncDisposable): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
      await using _end = end;
      yield* body;
    },
  };
}

function notShared(response: CacheResponse): CacheResponse {
  const control = response.headers['cache-control'];
  if (control?.includes('public') !== true) return response;
  return {
    ...response,
    headers: { ...response.headers, 'cache-control': control.replace('public', 'private') },
  };
}

function sha256Of(text: string | undefined): Digest | undefined {
  try {
    return text === undefined ? undefined : new Digest('sha256', decodeNixBase32(text));
  } catch {
    return undefined;
  }
}
