/** The format is Google's "Trace Event Format"; Perfetto's importer is stricter about nesting than the document. */
import { expect, test } from 'vitest';
import type { Span, TracerSpanOptions } from '../span.ts';
import { ChromeTracer } from './chrome-tracer.ts';

type Event = {
  readonly ph: string;
  readonly tid?: number;
  readonly ts?: number;
  readonly name?: string;
  readonly id?: number;
  readonly args?: Readonly<Record<string, unknown>>;
};

function newTracer(): { tracer: ChromeTracer; text: () => string; events: () => readonly Event[] } {
  let text = '';
  const tracer = new ChromeTracer({
    processName: 'neve',
    processId: 7,
    write: (more) => {
      expect(more.endsWith('\n')).toBe(true);
      text += more;
    },
  });
  return { tracer, text: () => text, events: () => JSON.parse(text) as readonly Event[] };
}

const begin = (tracer: ChromeTracer, name: string, options: Partial<TracerSpanOptions> = {}): Span =>
  tracer.startSpan(name, { parent: undefined, ...options });

test('spans, what they say of themselves, and what happens in them', () => {
  const { tracer, events } = newTracer();
  const build = begin(tracer, 'realise.build', {
    attributes: { 'derivation.path': '/nix/store/x.drv', absent: undefined },
  });
  const phase = begin(tracer, 'unpackPhase', { parent: build.context });
  phase.event('wrote', { bytes: 3 });
  phase.end();
  build.fail(new Error('exit code 1'));
  build.set({ 'process.exit.code': 1 });
  build.end();
  build.end();
  tracer.end();
  const written = events().filter(({ ph }) => ph !== 'M');
  expect(written.map(({ ph, name, tid }) => [ph, name, tid])).toEqual([
    ['B', 'realise.build', 1],
    ['B', 'unpackPhase', 1],
    ['i', 'wrote', 1],
    ['E', undefined, 1],
    ['E', undefined, 1],
  ]);
  expect(written[0]?.args).toEqual({
    'derivation.path': '/nix/store/x.drv',
    trace_id: build.context.traceId,
    span_id: build.context.spanId,
  });
  expect(written[2]?.args).toEqual({ bytes: 3 });
  expect(written[4]?.args).toEqual({ error: 'exit code 1', 'process.exit.code': 1 });
  expect(phase.context.traceId).toBe(build.context.traceId);
  const times = written.map(({ ts = 0 }) => ts);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(events().find(({ name }) => name === 'thread_name')?.args).toEqual({ name: 'builds' });
});

test('an arrow leads from a span to what it has begun on another track', () => {
  const { tracer, events } = newTracer();
  const evaluation = begin(tracer, 'Evaluator.evaluate');
  const build = begin(tracer, 'realise.build', { parent: evaluation.context });
  build.end();
  evaluation.end();
  tracer.end();
  const arrows = events().filter(({ ph }) => ph === 's' || ph === 'f');
  expect(arrows).toMatchObject([
    { ph: 's', tid: 1, id: 1 },
    { ph: 'f', tid: 2, id: 1, bp: 'e' },
  ]);
  expect(arrows[0]?.ts).toBe(arrows[1]?.ts);
});

test('what was written before the end can be read when a bracket is put behind it, and spans that are open are ended', () => {
  const { tracer, text, events } = newTracer();
  begin(tracer, 'open');
  const cut = `${text().replace(/,\n$/, '')}]`;
  expect((JSON.parse(cut) as readonly Event[]).at(-1)).toMatchObject({ ph: 'B', name: 'open' });
  tracer.end();
  expect(events().filter(({ ph }) => ph === 'E')).toHaveLength(1);
  const before = text();
  begin(tracer, 'too late').end();
  tracer.end();
  expect(text()).toBe(before);
});

test('ids and times that were decided elsewhere', () => {
  const { tracer, events } = newTracer();
  const context = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), sampled: true };
  const startMs = performance.timeOrigin + performance.now() + 10;
  const span = begin(tracer, 'replayed', { context, startMs });
  expect(span.context).toBe(context);
  span.end(startMs + 5);
  tracer.end();
  const [first, last] = events().filter(({ ph }) => ph === 'B' || ph === 'E');
  expect((last?.ts ?? 0) - (first?.ts ?? 0)).toBeCloseTo(5000, 0);
});
