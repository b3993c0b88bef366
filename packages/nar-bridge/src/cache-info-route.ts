/** `nix-cache-info`. Whoever puts one, as Nix does with a cache that has none, must say nothing else than it says. */
import { type HashFunctions, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { NixCompatError, type NixCacheInfo, parseNixCacheInfo, printNixCacheInfo } from '@neve/nix-compat';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import { type ContentEncoders, EncodedText } from './encoded-text.ts';
import type { Decompress } from './nar-compressions.ts';
import { Refusal, answerRefusals } from './refusal.ts';
import { readRequestBody } from './request-body.ts';

const headers = { 'content-type': 'text/x-nix-cache-info', 'cache-control': 'public, max-age=3600' };

export type CacheInfoOptions = {
  readonly hashes: HashFunctions;
  readonly encoders: ContentEncoders;
  /** Of what is put; nothing can be put without it. */
  readonly decompress: Decompress | undefined;
};

export function cacheInfoRoute(
  info: NixCacheInfo,
  { hashes, encoders, decompress }: CacheInfoOptions,
): CacheRoute {
  const text = new EncodedText(encodeUtf8(printNixCacheInfo(info)), { hashes, encoders, headers });
  return {
    matches: (path) => path.length === 1 && path[0] === 'nix-cache-info',
    get: (request) => text.respond(request),
    put: decompress === undefined ? undefined : putCacheInfo(info, decompress),
  };
}

const maxBytes = 1 << 16;

function putCacheInfo(own: NixCacheInfo, decompress: Decompress): RouteAnswer {
  return async (request) => {
    const bytes = await readRequestBody(request, { maxBytes, decompress });
    if (!(bytes instanceof Uint8Array)) return bytes;
    return answerRefusals(async () => {
      const given = read(bytes);
      for (const key of ['storeDir', 'wantMassQuery', 'priority'] as const) {
        if (given[key] === undefined || given[key] === own[key]) continue;
        throw new Refusal(409, `the ${key} of this cache is ${own[key]}, and cannot become ${given[key]}`);
      }
      return { status: 200, headers: { 'content-length': '0' } };
    });
  };
}

function read(bytes: Uint8Array): NixCacheInfo {
  try {
    return parseNixCacheInfo(decodeUtf8(bytes));
  } catch (error) {
    if (error instanceof NixCompatError) throw new Refusal(400, error.message);
    throw error;
  }
}
