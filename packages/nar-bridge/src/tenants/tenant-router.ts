/**
 * Several caches under one server: finds the cache that a request is for, decides whether whoever asks may do it, and gives it
 * to the handler of that cache, whose paths begin at the cache.
 *
 *     /<cache>/<path>         always
 *     <cache>.<suffix>/<path> with `hostSuffix`
 *     /<path>                 with `rootCache`, when the first name is none of a cache, or there is no second
 *     /_api/v1/<path>         the administration, by a handler of its own
 *
 * With `rootCache`, which is one and known to everybody, the files at the top of a cache are its own; `/<cache>/…` works
 * beside it.
 */
import type { CacheRequest, CacheResponse, RequestHandler } from '../http-exchange.ts';
import { textResponse } from '../text-response.ts';
import type { Scope, TokenKey } from './access-token.ts';
import { type Caller, identify, refusal } from './authorisation.ts';
import { isCacheName } from './cache-name.ts';
import type { CacheRecord } from './cache-record.ts';
import type { CacheRegistry } from './cache-registry.ts';

/** A request to one cache by somebody who may make it. */
export type TenantRequest = {
  /** Its path begins at the cache. */
  readonly request: CacheRequest;
  readonly record: CacheRecord;
  readonly caller: Caller;
};

export type TenantRouterOptions = {
  readonly registry: CacheRegistry;
  readonly key: TokenKey;
  readonly serve: (request: TenantRequest) => Promise<CacheResponse>;
  /** Authorises for itself. The path begins after `/_api/v1`. */
  readonly administer: (request: CacheRequest, caller: Caller) => Promise<CacheResponse>;
  /** Answers what the server has that is no cache's, as `/healthz`; nothing for other paths. */
  readonly serverRoutes?: (request: CacheRequest, caller: Caller) => Promise<CacheResponse | undefined>;
  readonly rootCache?: string | undefined;
  /** Without a leading dot. */
  readonly hostSuffix?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

export function tenantRouter(options: TenantRouterOptions): RequestHandler {
  const { registry, key, now = Date.now } = options;
  return async (request) => {
    const caller = await identify(request.headers['authorization'], { key, registry, nowMs: now() });
    const apiPath = pathBelow(request.path, '/_api/v1');
    if (apiPath !== undefined) return options.administer({ ...request, path: apiPath }, caller);
    const own = await options.serverRoutes?.(request, caller);
    if (own !== undefined) return own;
    const place = locate(request, options);
    if (place === undefined)
      return textResponse(404, 'a path here begins with the name of a cache: /<cache>/nix-cache-info');
    const record = await registry.get(place.name);
    const refused = refusal({ caller, name: place.name, record, scope: scopeOf(request.method) });
    if (refused !== undefined) return refused;
    if (record === undefined) throw new Error('a cache that is not there is refused to everybody');
    return options.serve({ request: { ...request, path: place.path }, record, caller });
  };
}

type Place = { readonly name: string; readonly path: string };

function locate(
  { path, headers }: CacheRequest,
  { rootCache, hostSuffix }: TenantRouterOptions,
): Place | undefined {
  const byHost = hostSuffix === undefined ? undefined : nameOfHost(headers['host'], hostSuffix);
  if (byHost !== undefined) return { name: byHost, path };
  const [, name = '', rest] = /^\/([^/]*)(\/.*)?$/s.exec(path) ?? [];
  const isCache = isCacheName(name) && (rest !== undefined || rootCache === undefined);
  if (isCache && !(rootCache !== undefined && topNames.has(name))) return { name, path: rest ?? '/' };
  return rootCache === undefined ? undefined : { name: rootCache, path };
}

/** The folders of a cache, which cannot be names of caches where one lies at the root. */
const topNames: ReadonlySet<string> = new Set([
  'nar',
  'log',
  'serve',
  'debuginfo',
  'realisations',
  'build-trace-v2',
]);

function nameOfHost(host: string | undefined, suffix: string): string | undefined {
  const bare = host?.toLowerCase().replace(/:[0-9]*$/, '');
  const end = `.${suffix.toLowerCase()}`;
  if (bare?.endsWith(end) !== true) return undefined;
  const name = bare.slice(0, -end.length);
  return isCacheName(name) ? name : undefined;
}

/** What a request for a path of a cache needs. */
function scopeOf(method: string): Scope {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

function pathBelow(path: string, prefix: string): string | undefined {
  if (path === prefix) return '/';
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}
