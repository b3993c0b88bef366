/** `<hash part>.ls`: the listing of a path's NAR. What is put is compared with nothing, since it is never used. */
import { type HashFunctions, concatBytes, encodeUtf8 } from '@neve/bytes';
import type { DirectoryService } from '@neve/castore';
import { type PathInfoService, StoreError } from '@neve/store';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import { type ContentEncoders, EncodedText } from './encoded-text.ts';
import { narListing } from './nar-listing.ts';
import { RecentMap } from './recent-map.ts';
import { notFound } from './text-response.ts';

export type ListingOptions = {
  readonly pathInfos: PathInfoService;
  readonly directories: DirectoryService;
  readonly hashes: HashFunctions;
  readonly encoders: ContentEncoders;
};

const pattern = /^([0-9a-df-np-sv-z]{32})\.ls$/;
const headers = { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' };

/** Of listings that were asked for last. */
const maxKeptBytes = 16 << 20;

export function listingRoute(
  { pathInfos, directories, hashes, encoders }: ListingOptions,
  put: RouteAnswer | undefined,
): CacheRoute {
  // By NAR hash, which says all that is in a listing.
  const recent = new RecentMap<EncodedText>({ maxCost: maxKeptBytes });
  return {
    matches: (path) => path.length === 1 && pattern.test(path[0] ?? ''),
    async get(request, [name = '']) {
      const { signal } = request;
      const pathInfo = await pathInfos.get(pattern.exec(name)?.[1] ?? '', signal);
      if (pathInfo === undefined) return notFound(name);
      const key = pathInfo.narHash.format('hex');
      const known = recent.get(key);
      if (known !== undefined) return known.respond(request);
      try {
        const pieces: Uint8Array[] = [];
        for await (const text of narListing(pathInfo.node, directories, signal))
          pieces.push(encodeUtf8(text));
        const text = new EncodedText(concatBytes(pieces), { headers, hashes, encoders });
        recent.set(key, text, 2 * text.bytes.length);
        return await text.respond(request);
      } catch (error) {
        if (error instanceof StoreError && (error.code === 'not-found' || error.code === 'unsupported')) {
          return notFound(name);
        }
        throw error;
      }
    },
    put,
  };
}
