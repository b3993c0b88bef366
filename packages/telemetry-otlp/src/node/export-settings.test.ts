/** What OpenTelemetry's specification says of the variables of its exporters (protocol/exporter), example by example. */
import { expect, test } from 'vitest';
import { type ExportSettings, readExportSettings } from './export-settings.ts';
import type { Protocol, Signal } from './otlp-settings.ts';

type Read = { readonly settings: ExportSettings; readonly problems: readonly string[] };

function read(
  environment: Record<string, string>,
  { signal = 'traces', protocol = 'http/protobuf' }: { signal?: Signal; protocol?: Protocol } = {},
): Read {
  const problems: string[] = [];
  const problem = (message: string): void => void problems.push(message);
  return { settings: readExportSettings(environment, { signal, protocol, problem }), problems };
}

test.each<[Record<string, string>, Signal, string]>([
  [{}, 'traces', 'http://localhost:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, 'logs', 'http://collector:4318/v1/logs'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/mycollector/' }, 'metrics', 'https://c/mycollector/v1/metrics'],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318' }, 'traces', 'http://c:4318/'],
  [
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://b/some/where?x=1',
    },
    'metrics',
    'https://b/some/where?x=1',
  ],
])('HTTP: %j of %s: %s', (environment, signal, expected) => {
  expect(read(environment, { signal }).settings.url.href).toBe(expected);
});

test.each<[Record<string, string>, string]>([
  [{}, 'http://localhost:4317'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1/path' }, 'http://c:1'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:1' }, 'https://c:1'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'https://collector:4317'],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_EXPORTER_OTLP_INSECURE: 'TRUE' },
    'http://collector:4317',
  ],
])('gRPC: %j: %s', (environment, expected) => {
  expect(read(environment, { protocol: 'grpc' }).settings.url.origin).toBe(expected);
});

test('headers of the signal count before those of all', () => {
  const { settings, problems } = read({
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=key, other = a%20b%2C ',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=mine',
  });
  expect(settings.headers).toEqual({ 'api-key': 'mine', other: 'a b,' });
  expect(problems).toEqual([]);
});

test('compression, timeouts, and what is wrong of them', () => {
  expect(read({}).settings).toMatchObject({ timeoutMs: 10_000, isCompressed: false });
  const good = read({ OTEL_EXPORTER_OTLP_TIMEOUT: '500', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'gzip' });
  expect(good.settings).toMatchObject({ timeoutMs: 500, isCompressed: true });
  const bad = read({
    OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'brotli',
    OTEL_EXPORTER_OTLP_HEADERS: 'a,b=%zz',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/nowhere/ca.pem',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
  });
  expect(bad.problems).toHaveLength(6);
  expect(bad.settings.url.href).toBe('http://localhost:4318/v1/traces');
});
