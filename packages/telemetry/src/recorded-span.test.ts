/** What a thread recorded is told again as if it had happened here. */
import { expect, test } from 'vitest';
import { type RecordedSpan, RecordingTracer, replaySpan } from './recorded-span.ts';

test('a span that is told again is the same span', () => {
  const first: RecordedSpan[] = [];
  const second: RecordedSpan[] = [];
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, traceState: 'x=1' };
  const span = new RecordingTracer((it) => first.push(it)).startSpan('work', {
    ...{ parent, kind: 'client' },
    attributes: { one: 1 },
  });
  span.set({ two: ['2'] });
  span.event('half way', { part: 0.5 });
  span.fail(new TypeError('no'));
  span.end();
  span.end();
  const [recorded] = structuredClone(first);
  if (recorded === undefined) throw new Error('nothing was recorded');
  expect(first).toHaveLength(1);
  expect(recorded).toMatchObject({
    ...{ name: 'work', kind: 'client', parent, attributes: { one: 1, two: ['2'] } },
    events: [{ name: 'half way', attributes: { part: 0.5 } }],
    error: { name: 'TypeError', message: 'no' },
    context: { traceId: parent.traceId, sampled: true, traceState: 'x=1' },
  });
  expect(recorded.endMs).toBeGreaterThanOrEqual(recorded.startMs);
  replaySpan(new RecordingTracer((it) => second.push(it)), recorded);
  expect(second).toEqual([recorded]);
});

test('ids are random, and as the specification has them', () => {
  const spans: RecordedSpan[] = [];
  const tracer = new RecordingTracer((it) => spans.push(it));
  for (let index = 0; index < 100; index++) tracer.startSpan('work', { parent: undefined }).end();
  for (const { context } of spans) {
    expect(context.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(context.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  }
  expect(new Set(spans.map(({ context }) => context.spanId)).size).toBe(100);
});
