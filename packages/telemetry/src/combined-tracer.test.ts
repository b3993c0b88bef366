import { expect, test } from 'vitest';
import { combinedTracer } from './combined-tracer.ts';
import type { Span, SpanContext, Tracer, TracerSpanOptions } from './span.ts';

class Recorder implements Tracer {
  readonly seen: unknown[] = [];
  readonly #ids: string;
  #count = 0;

  constructor(ids: string) {
    this.#ids = ids;
  }

  startSpan(name: string, { parent, context }: TracerSpanOptions): Span {
    this.#count += 1;
    const own: SpanContext = context ?? {
      traceId: this.#ids.repeat(32),
      spanId: this.#ids.repeat(15) + String(this.#count),
      sampled: false,
    };
    const note = (...what: unknown[]): void => void this.seen.push([name, ...what]);
    note('start', parent?.spanId, own.spanId);
    return {
      context: own,
      set: (attributes) => note('set', attributes),
      event: (event, attributes) => note('event', event, attributes),
      fail: (error) => note('fail', error),
      end: () => note('end'),
    };
  }
}

test('all hear the same, with the ids of the first', () => {
  const [first, second, third] = [new Recorder('a'), new Recorder('b'), new Recorder('c')];
  const tracer = combinedTracer([first, second, third]);
  const outer = tracer.startSpan('outer', { parent: undefined });
  const inner = tracer.startSpan('inner', { parent: outer.context });
  inner.set({ size: 1 });
  inner.event('found', { where: 'here' });
  inner.fail('no');
  inner.end();
  outer.end();
  expect(outer.context).toEqual({ traceId: 'a'.repeat(32), spanId: `${'a'.repeat(15)}1`, sampled: false });
  expect(first.seen).toEqual([
    ['outer', 'start', undefined, `${'a'.repeat(15)}1`],
    ['inner', 'start', `${'a'.repeat(15)}1`, `${'a'.repeat(15)}2`],
    ['inner', 'set', { size: 1 }],
    ['inner', 'event', 'found', { where: 'here' }],
    ['inner', 'fail', 'no'],
    ['inner', 'end'],
    ['outer', 'end'],
  ]);
  expect(second.seen).toEqual(first.seen);
  expect(third.seen).toEqual(first.seen);
});

test('one alone is given back', () => {
  const only = new Recorder('a');
  expect(combinedTracer([only])).toBe(only);
});
