/**
 * Requests made by OpenTelemetry's SDK for JavaScript (otlp-transformer 0.223.0), as base64, and ours of the same data. The SDK
 * also writes fields that have their defaults, which say nothing, and in the flags of a span that its parent is known to be
 * local, which is not said here.
 */
import { expect, test } from 'vitest';
import type { Attributes } from '@neve/telemetry';
import { writeLogRecord } from './log-encoding.ts';
import { type MetricData, writeMetric } from './metric-encoding.ts';
import { encodeRequest, refusedItems } from './otlp-request.ts';
import { type EndedSpan, writeSpan } from './span-encoding.ts';

const ofSdk = {
  traces: [
    'Cp4FCmgKGAoMc2VydmljZS5uYW1lEggKBmdvbGRlbgoSCgtwcm9jZXNzLnBpZBIDGOckChEKBGxvYWQSCSEAAAAAAADgPwoNCgdp',
    'cy50ZXN0EgIQAQoUCgViZWxvdxILGP3//////////wEQABKxBAoNCgRuZXZlEgUxLjIuMxJVChAK92UZFs1D3YRI6yEcgDGcEgi3',
    'rWtxaSAzMRoNdmVuZG9yPW9wYXF1ZSoEcm9vdDABObyBhT3+nJcXQQDKxHH+nJcXUABgAHAAegIYAIUBAQEAABLIAwoQCvdlGRbN',
    'Q92ESOshHIAxnBIIAPBnqgupArciCLeta3FpIDMxKtMBRsOkaHJlIOKYgyB4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4',
    'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4',
    'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4',
    'eHh4eHh4eHh4eHh4eHh4eHh4eDADOQDCFUL+nJcXQQCjC0j+nJcXShgKCXBhdGgubmFtZRILCglzY2huZWXinYRKEAoBbhILGP//',
    '/////////wFKDgoDYmlnEgcYy4nsj/cjSg4KAXgSCSEAAAAAAAD4P0oICgJvaxICEABKGQoEbGlzdBIRKg8KAwoBYQoECgJiYwoC',
    'CgBQAFoxCYCyEEX+nJcXEglleGNlcHRpb24aGQoRZXhjZXB0aW9uLm1lc3NhZ2USBAoCbm8gAGACcAB6BhICbm8YAoUBAQEAAA==',
  ].join(''),
  logs: [
    'CvsBCmgKGAoMc2VydmljZS5uYW1lEggKBmdvbGRlbgoSCgtwcm9jZXNzLnBpZBIDGOckChEKBGxvYWQSCSEAAAAAAADgPwoNCgdp',
    'cy50ZXN0EgIQAQoUCgViZWxvdxILGP3//////////wEQABKOAQoNCgRuZXZlEgUxLjIuMxJXCUBZnT3+nJcXEA0aBFdBUk4qDgoM',
    'aXQgd2lsbCBmYWlsMggKAWsSAwoBdjgARQEAAABKEAr3ZRkWzUPdhEjrIRyAMZxSCLeta3FpIDMxWUBZnT3+nJcXEiQJQFmdPf6c',
    'lxcQERoFRVJST1IqBQoDYmFkOABZQFmdPf6clxc=',
  ].join(''),
  metrics: [
    'CvwDCmgKGAoMc2VydmljZS5uYW1lEggKBmdvbGRlbgoSCgtwcm9jZXNzLnBpZBIDGOckChEKBGxvYWQSCSEAAAAAAADgPwoNCgdp',
    'cy50ZXN0EgIQAQoUCgViZWxvdxILGP3//////////wEQABKPAwoNCgRuZXZlEgUxLjIuMxJlCgRyZXFzEghSZXF1ZXN0cxoJe3Jl',
    'cXVlc3R9OkgKJREAACo2/pyXFxkAvT5MDJ2XFyEAAAAAAAAIQDoICgFhEgMKAWIKGxEAACo2/pyXFxkAvT5MDJ2XFyEAAAAAAADQ',
    'PxACGAESMgoEb3BlbhIET3BlbhoDe3h9Oh8KGxEAACo2/pyXFxkAvT5MDJ2XFyEAAAAAAAAAwBACEpgBCgNkdXISCEhvdyBsb25n',
    'GgJtc0qCAQp+EQAAKjb+nJcXGQC9PkwMnZcXIQMAAAAAAAAAKQAAAAAAADJAMiAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAABAAAA',
    'AAAAADoYAAAAAAAAAAAAAAAAAAAUQAAAAAAAACRASgoKAW0SBQoDR0VUWQAAAAAAAPA/YQAAAAAAAChAEAESSAoFcXVldWUSB1dh',
    'aXRpbmcaBXtqb2J9Ki8KLREAACo2/pyXFxkAvT5MDJ2XFyEAAAAAAAAcQDoQCgVxdWV1ZRIHCgVidWlsZA==',
  ].join(''),
} as const;

const resource: Attributes = {
  'service.name': 'golden',
  'process.pid': 4711,
  load: 0.5,
  'is.test': true,
  below: -3,
  unset: undefined,
};
const sender = { resource, version: '1.2.3' };
const traceId = '0af7651916cd43dd8448eb211c80319c';
const root = { traceId, spanId: 'b7ad6b7169203331', sampled: true, traceState: 'vendor=opaque' };
const ms = 1_700_000_000_000;

test('spans', () => {
  const plain = { attributes: {}, events: [], droppedEvents: 0, failure: undefined };
  const spans: EndedSpan[] = [
    {
      ...{ ...plain, name: 'root', kind: 'internal', context: root, parent: undefined },
      ...{ startMs: ms + 123.4375, endMs: ms + 1000 },
    },
    {
      ...{ name: `Fähre ☃ ${'x'.repeat(200)}`, kind: 'client', parent: root },
      context: { traceId, spanId: '00f067aa0ba902b7', sampled: true },
      ...{ startMs: ms + 200, endMs: ms + 300, droppedEvents: 2, failure: 'no' },
      attributes: {
        ...{ 'path.name': 'schnee❄', n: -1, big: 1_234_567_890_123, x: 1.5, ok: false },
        list: ['a', 'bc', ''],
      },
      events: [{ name: 'exception', timeMs: ms + 250, attributes: { 'exception.message': 'no' } }],
    },
  ];
  check('traces', encodeRequest(sender, spans, writeSpan));
});

test('log records', () => {
  const timeMs = ms + 125;
  check(
    'logs',
    encodeRequest(
      sender,
      [
        { severity: 'warning', message: 'it will fail', attributes: { k: 'v' }, span: root, timeMs },
        { severity: 'error', message: 'bad', attributes: {}, span: undefined, timeMs },
      ],
      writeLogRecord,
    ),
  );
});

test('metrics', () => {
  const times = { startMs: ms, timeMs: ms + 60_500, isDelta: false };
  const number = (value: number, attributes: Attributes = {}): MetricData['points'][number] => ({
    ...{ kind: 'number', attributes, value },
  });
  const metrics: MetricData[] = [
    {
      instrument: { kind: 'counter', name: 'reqs', unit: '{request}', description: 'Requests' },
      ...{ ...times, points: [number(3, { a: 'b' }), number(0.25)] },
    },
    {
      instrument: { kind: 'up-down-counter', name: 'open', unit: '{x}', description: 'Open' },
      ...{ ...times, points: [number(-2)] },
    },
    {
      instrument: { kind: 'histogram', name: 'dur', unit: 'ms', description: 'How long' },
      ...{ ...times, isDelta: true },
      points: [
        {
          ...{ kind: 'distribution', attributes: { m: 'GET' }, bounds: [0, 5, 10], counts: [0, 2, 0, 1] },
          ...{ count: 3, sum: 18, least: 1, most: 12 },
        },
      ],
    },
    {
      instrument: { kind: 'gauge', name: 'queue', unit: '{job}', description: 'Waiting' },
      ...{ ...times, points: [number(7, { queue: 'build' })] },
    },
  ];
  check('metrics', encodeRequest(sender, metrics, writeMetric));
});

test('what a collector has refused', () => {
  // 1: { 1: 3, 2: "too old" }, and an empty answer.
  const answer = Uint8Array.from([0x0a, 0x0b, 0x08, 3, 0x12, 7, ...new TextEncoder().encode('too old')]);
  expect(refusedItems(answer)).toBe('the collector has refused 3 items: too old');
  expect(refusedItems(new Uint8Array())).toBeUndefined();
  expect(refusedItems(Uint8Array.of(0xff, 0xff))).toBeUndefined();
});

/** The fields of messages that are messages; of items, by the signal. */
type Shape = { readonly [field: number]: Shape };
const anyValue: Shape = { 5: { 1: {} } };
const attribute: Shape = { 2: anyValue };
const numbers: Shape = { 1: { 7: attribute } };
const items: Readonly<Record<keyof typeof ofSdk, Shape>> = {
  traces: { 9: attribute, 11: { 3: attribute }, 15: {} },
  logs: { 5: anyValue, 6: attribute },
  metrics: { 5: numbers, 7: numbers, 9: { 1: { 9: attribute } } },
};

function check(signal: keyof typeof ofSdk, request: Uint8Array): void {
  const shape = { 1: { 1: { 1: attribute }, 2: { 1: {}, 2: items[signal] } } };
  const expected = fieldsOf(Buffer.from(ofSdk[signal], 'base64'), shape);
  expect(fieldsOf(request, shape)).toEqual(expected);
}

/** Every field that says something: where it is, and its value. */
function fieldsOf(bytes: Uint8Array, shape: Shape, above = ''): string[] {
  const all: string[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? Number.NaN;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const field = key >> 3;
    const path = `${above}.${field}`;
    const size = [0, 8, undefined, 0, 0, 4][key & 7];
    if ((key & 7) === 0) {
      const value = varint();
      // A value of an attribute is said even when it is zero.
      if (value !== 0n || shape === anyValue) all.push(`${path}=${value}`);
      continue;
    }
    const length = size ?? Number(varint());
    const value = bytes.subarray(at, at + length);
    at += length;
    const inside = shape[field];
    if (inside !== undefined) {
      const within = fieldsOf(value, inside, path);
      if (within.length > 0) all.push(...within);
    } else if (path === '.1.2.2.16') all.push(`${path}=${value[0]}`);
    else all.push(`${path}=${Buffer.from(value).toString('hex')}`);
  }
  return all;
}
