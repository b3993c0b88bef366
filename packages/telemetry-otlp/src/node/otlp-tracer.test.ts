/** Spans as they are sent, and who is sampled. */
import { expect, test } from 'vitest';
import { newSpanContext } from '@neve/telemetry';
import type { EndedSpan } from '../span-encoding.ts';
import { OtlpTracer } from './otlp-tracer.ts';

const always = { kind: 'always_on', isParentBased: true, ratio: 1 } as const;
const parent = newSpanContext(undefined);

test('a span is sent once, as it was when it ended', () => {
  const sent: EndedSpan[] = [];
  const tracer = new OtlpTracer(always, (span) => sent.push(span));
  const span = tracer.startSpan('a', { parent, kind: 'client', attributes: { n: 1, m: 1 }, startMs: 1000 });
  span.set({ n: 2 });
  for (let event = 0; event < 130; event++) span.event(`event ${event}`, {}, 1001);
  span.fail(new TypeError('no'));
  span.end(999);
  span.end(2000);
  span.set({ n: 3 });
  span.event('late');
  span.fail('late');
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    ...{ name: 'a', kind: 'client', parent, attributes: { n: 2, m: 1 }, failure: 'no' },
    // An end is never before the start.
    ...{ startMs: 1000, endMs: 1000, droppedEvents: 3 },
  });
  expect(sent[0]?.events).toHaveLength(128);
  expect(sent[0]?.context).toMatchObject({ traceId: parent.traceId, sampled: true });
});

test('a failure is an event with its kind and its stack', () => {
  const sent: EndedSpan[] = [];
  const span = new OtlpTracer(always, (it) => sent.push(it)).startSpan('a', { parent: undefined });
  span.fail(new TypeError('no'));
  span.end();
  expect(sent[0]?.events).toMatchObject([
    {
      name: 'exception',
      attributes: {
        'exception.type': 'TypeError',
        'exception.message': 'no',
        'exception.stacktrace': expect.stringMatching(/^TypeError: no\n/),
      },
    },
  ]);
});

test('what its parent does not sample is not sent', () => {
  const tracer = new OtlpTracer(always, () => expect.unreachable('it was sent'));
  const span = tracer.startSpan('a', { parent: { ...parent, sampled: false } });
  span.end();
  expect(span.context).toMatchObject({ traceId: parent.traceId, sampled: false });
});

// Decisions of TraceIdRatioBasedSampler of OpenTelemetry's SDK for JavaScript 2.12.0.
test.each([
  ['0af7651916cd43dd8448eb211c80319c', 0, false],
  ['0af7651916cd43dd8448eb211c80319c', 0.25, false],
  ['0af7651916cd43dd8448eb211c80319c', 0.5, false],
  ['0af7651916cd43dd8448eb211c80319c', 0.75, true],
  ['0af7651916cd43dd8448eb211c80319c', 1, true],
  ['4bf92f3577b34da6a3ce929d0e0e4736', 0, false],
  ['4bf92f3577b34da6a3ce929d0e0e4736', 0.25, false],
  ['4bf92f3577b34da6a3ce929d0e0e4736', 0.5, false],
  ['4bf92f3577b34da6a3ce929d0e0e4736', 0.75, true],
  ['4bf92f3577b34da6a3ce929d0e0e4736', 1, true],
  ['ffffffffffffffffffffffffffffffff', 0, false],
  ['ffffffffffffffffffffffffffffffff', 0.25, true],
  ['ffffffffffffffffffffffffffffffff', 0.5, true],
  ['ffffffffffffffffffffffffffffffff', 0.75, true],
  ['ffffffffffffffffffffffffffffffff', 1, true],
  ['ffffffff000000000000000000000000', 0, false],
  ['ffffffff000000000000000000000000', 0.25, false],
  ['ffffffff000000000000000000000000', 0.5, false],
  ['ffffffff000000000000000000000000', 0.75, false],
  ['ffffffff000000000000000000000000', 1, true],
  ['00000000000000000000000000000001', 0, false],
  ['00000000000000000000000000000001', 0.25, true],
  ['00000000000000000000000000000001', 0.5, true],
  ['00000000000000000000000000000001', 0.75, true],
  ['00000000000000000000000000000001', 1, true],
])('%s with a ratio of %d: %s', (traceId, ratio, expected) => {
  const tracer = new OtlpTracer({ kind: 'traceidratio', isParentBased: true, ratio }, () => undefined);
  const context = { traceId, spanId: '00f067aa0ba902b7', sampled: true };
  expect(tracer.startSpan('a', { parent: undefined, context }).context.sampled).toBe(expected);
});
