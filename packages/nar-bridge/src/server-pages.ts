/**
 * What a server says of itself, in front of whatever it serves:
 *
 *     /healthz        the process answers
 *     /readyz         its services do, too
 *     /metrics        for Prometheus
 *     /openapi.json   what can be asked for
 *     /               how to use it
 */
import { encodeUtf8 } from '@neve/bytes';
import type { CacheRequest, CacheResponse, RequestHandler } from './http-exchange.ts';
import { openApiDocument } from './open-api.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { startPage } from './start-page.ts';
import { bytesResponse, methodNotAllowed, textResponse } from './text-response.ts';

export type ServerPagesOptions = {
  readonly metrics: ServerMetrics;
  /** Throws when a service does not answer; what it throws is not shown. */
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
  readonly version: string;
  /** Of the keys by which the caches sign, as users write them. */
  readonly publicKeys: readonly string[];
  readonly acceptsUploads: boolean;
  /** Whether clients connect by TLS; they do not unless it is said. */
  readonly isSecure?: boolean;
};

export function withServerPages(handler: RequestHandler, options: ServerPagesOptions): RequestHandler {
  return async (request) => {
    const page = pages[request.path];
    if (page === undefined) return handler(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(['GET', 'HEAD']);
    return page(request, options);
  };
}

type Page = (request: CacheRequest, options: ServerPagesOptions) => Promise<CacheResponse>;

const noStore = { 'cache-control': 'no-store' };

const pages: Readonly<Record<string, Page>> = Object.assign(
  // No path is a property that every object has.
  Object.create(null) as Record<string, Page>,
  {
    '/healthz': async () => textResponse(200, 'ok'),
    '/readyz': async ({ signal }, { checkReady }) => {
      try {
        await checkReady(signal);
        return textResponse(200, 'ok');
      } catch {
        return textResponse(503, 'a service of this server does not answer; its log says which', {
          'retry-after': '5',
        });
      }
    },
    '/metrics': async (_, { metrics }) =>
      bytesResponse(encodeUtf8(metrics.print()), {
        headers: { ...noStore, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      }),
    '/openapi.json': async (_, { version }) =>
      bytesResponse(encodeUtf8(JSON.stringify(openApiDocument(version), undefined, 2)), {
        headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600' },
      }),
    '/': async ({ headers }, options) =>
      bytesResponse(encodeUtf8(startPage({ ...options, host: headers['host'] ?? 'localhost' })), {
        headers: {
          ...noStore,
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
      }),
  } satisfies Record<string, Page>,
);
