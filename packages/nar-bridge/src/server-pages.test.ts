// The text format is that of prometheus.io/docs/instrumenting/exposition_formats; the document is OpenAPI 3.1.
import { describe, expect, test } from 'vitest';
import { openApiDocument } from './open-api.ts';
import { ServerMetrics, routeOf } from './server-metrics.ts';
import { withServerPages } from './server-pages.ts';
import { ask } from './testing/cache-client.ts';
import { textResponse } from './text-response.ts';

function pages(
  options: { readonly checkReady?: () => Promise<void>; readonly metrics?: ServerMetrics } = {},
) {
  return withServerPages(async ({ path }) => textResponse(200, `cache ${path}`), {
    metrics: new ServerMetrics(),
    checkReady: async () => undefined,
    version: '1.2',
    publicKeys: ['key-1:abc<'],
    acceptsUploads: true,
    ...options,
  });
}

const ended = {
  kind: 'request-ended',
  id: '1',
  method: 'GET',
  path: '/a.narinfo',
  status: 200,
  receivedBytes: 0,
  sentBytes: 10,
  durationMs: 2,
  remote: '',
  userAgent: '',
  isComplete: true,
} as const;

test('pages stand before the cache, and nothing else does', async () => {
  const handler = pages();
  expect((await ask(handler, '/healthz')).text).toBe('ok\n');
  expect((await ask(handler, '/readyz')).text).toBe('ok\n');
  expect((await ask(handler, '/x')).text).toBe('cache /x\n');
  expect((await ask(handler, '/__proto__')).text).toBe('cache /__proto__\n');
  expect(await ask(handler, '/metrics', { method: 'PUT' })).toMatchObject({
    status: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

test('a server whose store does not answer is not ready', async () => {
  const answer = await ask(pages({ checkReady: () => Promise.reject(new Error('secret')) }), '/readyz');
  expect(answer.status).toBe(503);
  expect(answer.text).not.toContain('secret');
});

test('the start page names the server as the client does, escaped', async () => {
  const { text } = await ask(pages(), '/', { headers: { host: 'cache.example.org:8080<script>' } });
  expect(text).toContain('http://cache.example.org:8080&#60;script&#62;');
  expect(text).toContain('key-1:abc&#60;');
  expect(text).not.toContain('<script>');
});

describe('metrics', () => {
  test('what happened is counted', async () => {
    const metrics = new ServerMetrics();
    metrics.observeServer({ kind: 'request-began', id: '1' });
    metrics.observeServer({ kind: 'request-began', id: '2' });
    metrics.observeServer(ended);
    metrics.observeServer({ kind: 'connection-closed', remote: '', reason: 'stalled' });
    metrics.observeCache({ kind: 'nar-uploaded', narSize: 100, fileSize: 30 });
    metrics.observeCache({ kind: 'upload-refused', path: '/x', status: 400 });
    const lines = (await ask(pages({ metrics }), '/metrics')).text.split('\n');
    for (const line of [
      'neve_http_requests_total{route="narinfo",method="GET",status="200"} 1',
      'neve_http_sent_bytes_total{route="narinfo"} 10',
      'neve_http_requests_in_flight 1',
      'neve_http_connections_closed_total{reason="stalled"} 1',
      'neve_cache_nars_uploaded_bytes_total 30',
      'neve_cache_uploads_refused_total{status="400"} 1',
      'neve_http_request_duration_seconds_bucket{route="narinfo",le="0.001"} 0',
      'neve_http_request_duration_seconds_bucket{route="narinfo",le="0.0025"} 1',
      'neve_http_request_duration_seconds_bucket{route="narinfo",le="+Inf"} 1',
      'neve_http_request_duration_seconds_count{route="narinfo"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    const sample = /^[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? -?[0-9.e+-]+$/;
    for (const line of lines.slice(0, -1))
      expect(line).toMatch(line.startsWith('#') ? /^# (HELP|TYPE) / : sample);
  });

  test.each([
    ['/x.narinfo', 'narinfo'],
    ['/team/x.narinfo', 'narinfo'],
    ['/nar/x.nar', 'nar'],
    ['/team/nar/snix-castore/x', 'nar'],
    ['/log/x.drv', 'log'],
    ['/metrics', 'server'],
    ['/"}\n', 'other'],
  ])('the route of %j', (path, route) => {
    expect(routeOf(path)).toBe(route);
  });

  test('a client cannot make a series of its own', () => {
    const metrics = new ServerMetrics();
    const before = metrics.print().split('\n').length;
    for (let i = 0; i < 100; i++) {
      metrics.observeServer({ kind: 'request-began', id: '1' });
      metrics.observeServer({ ...ended, method: `M${i}`, path: `/${i}/x` });
    }
    expect(metrics.print().split('\n').length - before).toBeLessThan(30);
  });
});

test('the description names every parameter of every path once', () => {
  const document = openApiDocument('1.2');
  const ids: string[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (item.parameters ?? []).filter((it) => it.in === 'path').map(({ name }) => name);
    expect(declared).toEqual(names);
    for (const operation of [item.get, item.head, item.put])
      if (operation !== undefined) ids.push(operation.operationId);
  }
  expect(new Set(ids).size).toBe(ids.length);
});
