/** One kind of thing that a cache has, and what can be done with it. `binary-cache.ts` puts them together. */
import type { CacheRequest, CacheResponse, RequestHandler } from './http-exchange.ts';
import { isRefusal, parseRequestPath } from './request-path.ts';
import type { RequestPath } from './request-path.ts';
import { methodNotAllowed, notFound } from './text-response.ts';

export type RouteAnswer = (
  request: CacheRequest,
  path: RequestPath,
) => CacheResponse | Promise<CacheResponse>;

export type CacheRoute = {
  readonly matches: (path: RequestPath) => boolean;
  /** For HEAD as well: the body is not begun then. */
  readonly get: RouteAnswer;
  /** Absent where nothing can be put. */
  readonly put?: RouteAnswer | undefined;
};

/** Asks the first route that matches. */
export function answerByRoutes(routes: readonly CacheRoute[]): RequestHandler {
  return async (request) => {
    const path = parseRequestPath(request.path);
    if (isRefusal(path)) return path;
    const route = routes.find((it) => it.matches(path));
    const { method } = request;
    if (method === 'GET' || method === 'HEAD') {
      return route === undefined ? notFound('this') : route.get(request, path);
    }
    if (method === 'PUT' && route?.put !== undefined) return route.put(request, path);
    return methodNotAllowed(route?.put === undefined ? ['GET', 'HEAD'] : ['GET', 'HEAD', 'PUT']);
  };
}
