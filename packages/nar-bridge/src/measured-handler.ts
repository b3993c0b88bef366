/**
 * A cache whose requests are spans that continue the client's trace, with their bodies as spans below, which may last longer;
 * requests are counted by method, route and status, and bytes as they pass.
 */
import {
  counter,
  currentMetrics,
  currentTracing,
  histogram,
  inSpan,
  readTraceHeaders,
  streamInSpan,
} from '@neve/telemetry';
import type { CacheRequest, CacheResponse, RequestHandler, ResponseBody } from './http-exchange.ts';

const duration = histogram('http.server.request.duration', {
  unit: 's',
  description: 'Requests that were served, until the answer begins, by method, route and status',
});
const bytes = counter('neve.http.server.io', {
  unit: 'By',
  description: 'Bodies of requests and answers, by direction',
});

/** `handler` itself while nobody listens. */
export function measuredHandler(handler: RequestHandler): RequestHandler {
  if (currentTracing() === undefined && currentMetrics() === undefined) return handler;
  return async (request) => {
    const { method, path, headers } = request;
    const startMs = performance.now();
    const route = routeOf(path);
    const attributes = { 'http.request.method': method, 'http.route': route };
    const record = (status: number): void =>
      duration.record((performance.now() - startMs) / 1000, {
        ...attributes,
        'http.response.status_code': status,
      });
    const parent = readTraceHeaders((name) => headers[name]);
    const options = { kind: 'server', parent, attributes: { ...attributes, 'url.path': path } } as const;
    return await inSpan(`${method} ${route}`, options, async (span) => {
      try {
        const response = await handler({ ...request, body: counted(request.body, 'receive') });
        const { status } = response;
        span?.set({ 'http.response.status_code': status });
        if (status >= 500) span?.fail(new Error(`answered with status ${status}`));
        record(status);
        return measuredResponse(request, response);
      } catch (error) {
        record(500);
        throw error;
      }
    });
  };
}

/** Without what there may be very many of. */
function routeOf(path: string): string {
  const [, first = '', second] = path.split('/');
  if (second !== undefined) return `/${/^[a-z][a-z0-9-]{0,31}$/.test(first) ? first : '{name}'}/…`;
  const [, extension] = /^[0-9a-z]{32}(\.[a-z]+)$/.exec(first) ?? [];
  if (extension !== undefined) return `/{hash}${extension}`;
  return /^[a-z-]{0,32}$/.test(first) ? `/${first}` : '/{name}';
}

function measuredResponse({ method }: CacheRequest, response: CacheResponse): CacheResponse {
  const { body } = response;
  // Of a HEAD request it is not sent.
  return body === undefined || method === 'HEAD' ? response : { ...response, body: measuredBody(body) };
}

function measuredBody(body: ResponseBody): ResponseBody {
  if (body instanceof Uint8Array) {
    bytes.add(body.length, { direction: 'send' });
    return body;
  }
  if ('file' in body) {
    bytes.add(body.end - body.start, { direction: 'send' });
    return body;
  }
  if ('pieces' in body) return { pieces: inBodySpan(counted(body.pieces, 'send')) };
  return inBodySpan(counted(body, 'send'));
}

function inBodySpan<T>(pieces: AsyncIterable<T>): AsyncIterable<T> {
  // It is asked for after the span of the request has ended, but within it.
  return streamInSpan('send body', {}, () => pieces);
}

async function* counted<T extends Uint8Array | { readonly start: number; readonly end: number }>(
  pieces: AsyncIterable<T>,
  direction: 'receive' | 'send',
): AsyncGenerator<T, void, void> {
  for await (const piece of pieces) {
    bytes.add(piece instanceof Uint8Array ? piece.length : piece.end - piece.start, { direction });
    yield piece;
  }
}
