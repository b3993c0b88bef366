/** What OpenTelemetry's specification says of its variables (configuration/sdk-environment-variables, protocol/exporter). */
import { expect, test } from 'vitest';
import { isConfigured, readOtlpSettings } from './otlp-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:1' };
const read = (environment: Record<string, string>): ReturnType<typeof readOtlpSettings> =>
  readOtlpSettings(environment, { isAsked: false });

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
  [endpoint, true],
  [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://localhost:1' }, true],
  [{ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, false],
  [{ ...endpoint, OTEL_SDK_DISABLED: 'false' }, true],
])('%j is configured: %s', (environment, expected) => {
  expect(isConfigured(environment)).toBe(expected);
});

test('signals and protocols', () => {
  expect([...read(endpoint).signals]).toEqual([
    ['traces', 'http/protobuf'],
    ['metrics', 'http/protobuf'],
    ['logs', 'http/protobuf'],
  ]);
  const some = {
    ...{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    ...{ OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/protobuf', OTEL_METRICS_EXPORTER: 'none' },
  };
  expect([...read(some).signals]).toEqual([
    ['traces', 'grpc'],
    ['logs', 'http/protobuf'],
  ]);
  expect([...read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:1' }).signals.keys()]).toEqual([
    'traces',
  ]);
  expect(readOtlpSettings({}, { isAsked: true }).signals.size).toBe(3);
  expect(readOtlpSettings({ OTEL_SDK_DISABLED: 'true' }, { isAsked: true }).signals.size).toBe(0);
});

test.each([
  [undefined, undefined, { kind: 'always_on', isParentBased: true, ratio: 1 }],
  ['always_off', undefined, { kind: 'always_off', isParentBased: false, ratio: 1 }],
  ['traceidratio', '0.25', { kind: 'traceidratio', isParentBased: false, ratio: 0.25 }],
  ['parentbased_traceidratio', '0', { kind: 'traceidratio', isParentBased: true, ratio: 0 }],
  ['parentbased_traceidratio', '2', { kind: 'traceidratio', isParentBased: true, ratio: 1 }],
  ['sometimes', undefined, { kind: 'always_on', isParentBased: true, ratio: 1 }],
])('the sampler %s with %s', (sampler, argument, expected) => {
  const environment = {
    ...(sampler !== undefined && { OTEL_TRACES_SAMPLER: sampler }),
    ...(argument !== undefined && { OTEL_TRACES_SAMPLER_ARG: argument }),
  };
  const settings = read(environment);
  expect(settings.sampler).toEqual(expected);
  expect(settings.problems).toHaveLength(sampler === 'sometimes' || argument === '2' ? 1 : 0);
});

test('batches', () => {
  const settings = read({ ...endpoint, OTEL_BSP_MAX_QUEUE_SIZE: '7', OTEL_BSP_SCHEDULE_DELAY: 'soon' });
  expect(settings.spans).toMatchObject({ maxQueueSize: 7, scheduledDelayMillis: 5000 });
  expect(settings.logRecords).toMatchObject({ maxQueueSize: 2048, scheduledDelayMillis: 1000 });
  expect(settings.problems).toEqual(['OTEL_BSP_SCHEDULE_DELAY=soon is no positive number']);
});

test('numbers since the last request', () => {
  const name = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  expect(read({}).isDelta).toBe(false);
  expect(read({ [name]: 'Delta' }).isDelta).toBe(true);
  expect(read({ [name]: 'lowmemory' }).isDelta).toBe(true);
  expect(read({ [name]: 'sometimes' }).problems).toHaveLength(1);
});
