/**
 * Logs and build traces that a cache lacks and an upstream has. A log is given as it comes. A build trace is given when a key that
 * is trusted for its upstream has signed it and the path which it names can be had here; then the cache signs it as well.
 */
import { concatBytes } from '@neve/bytes';
import type { Ed25519, PublicKey, SecretKey, StorePath } from '@neve/nix-compat';
import type { Substituter } from '@neve/store';
import { isTraceName, maxTraceBytes, traceHeaders, vouchForTrace } from '../build-traces.ts';
import type { CacheRequest, CacheResponse } from '../http-exchange.ts';
import { isRefusal, parseRequestPath } from '../request-path.ts';
import { bytesResponse, textType } from '../text-response.ts';
import type { PullThrough } from './pull-through.ts';

export type UpstreamFilesOptions = {
  readonly upstream: Pick<PullThrough, 'openFile'>;
  readonly publicKeysOf: (cache: Substituter) => readonly PublicKey[];
  readonly signingKeys: readonly SecretKey[];
  readonly ed25519: Ed25519;
  /** Whether a path is in this cache or behind it. */
  readonly hasPath: (storePath: StorePath, signal: AbortSignal) => Promise<boolean>;
};

/** Whether such a file is one of those that upstreams are asked for. */
export function isUpstreamFile({ path }: Pick<CacheRequest, 'path'>): boolean {
  return logName.test(path) || isTraceName(namesOf(path));
}

/** Nothing when no upstream has it. Throws `StoreError`. */
export async function answerFromUpstreamFile(
  { method, path, signal }: CacheRequest,
  options: UpstreamFilesOptions,
): Promise<CacheResponse | undefined> {
  // Of what such a name may have only this means something in a URL.
  const name = namesOf(path).join('/').replaceAll('?', '%3F');
  const found = await options.upstream.openFile(name, signal);
  if (found === undefined) return undefined;
  if (logName.test(path)) {
    const headers = { 'content-type': textType, 'cache-control': 'no-cache' };
    if (method !== 'HEAD') return { status: 200, headers, body: found.body };
    await leave(found.body);
    return { status: 200, headers };
  }
  const bytes = await gather(found.body);
  const { signingKeys, ed25519 } = options;
  const trustedKeys = options.publicKeysOf(found.cache);
  const trace = bytes && vouchForTrace(namesOf(path), bytes, { trustedKeys, signingKeys, ed25519 });
  if (trace === undefined || !(await options.hasPath(trace.outPath, signal))) return undefined;
  return bytesResponse(trace.bytes, { headers: traceHeaders });
}

const logName = /^\/log\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]+$/;

function namesOf(path: string): readonly string[] {
  const names = parseRequestPath(path);
  return isRefusal(names) ? [] : names;
}

/** Nothing for what is too long for a build trace. */
async function gather(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxTraceBytes) return undefined;
    pieces.push(piece.slice());
  }
  return concatBytes(pieces);
}

async function leave(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) return;
}
