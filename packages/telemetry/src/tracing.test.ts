import { afterEach, expect, test } from 'vitest';
import { asyncActiveSpans } from './node/async-active-spans.ts';
import type { Span, SpanContext, SpanOptions, Tracer } from './span.ts';
import { activeSpan, inSpan, setTracing, startSpan, streamInSpan } from './tracing.ts';

afterEach(() => setTracing(undefined));

type Recorded = {
  readonly name: string;
  readonly parent: SpanContext | undefined;
  error?: unknown;
  ended: number;
};

class Recorder implements Tracer {
  readonly spans: Recorded[] = [];

  startSpan(name: string, { parent }: SpanOptions & { readonly parent: SpanContext | undefined }): Span {
    const recorded: Recorded = { name, parent, ended: 0 };
    const number = this.spans.push(recorded);
    return {
      context: { traceId: 'a'.repeat(32), spanId: String(number).padStart(16, '0'), sampled: true },
      set() {},
      event() {},
      fail: (error) => (recorded.error = error),
      end: () => (recorded.ended += 1),
    };
  }
}

function record(): Recorder {
  const recorder = new Recorder();
  setTracing({ tracer: recorder, activeSpans: asyncActiveSpans() });
  return recorder;
}

test('spans are within those that were active when they began, whatever else runs', async () => {
  const recorder = record();
  await inSpan('root', {}, async () => {
    await Promise.all(
      ['a', 'b'].map((name) =>
        inSpan(name, {}, async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          startSpan(`in ${name}`)?.end();
        }),
      ),
    );
  });
  const nameOf = (parent: SpanContext | undefined): string | undefined =>
    parent === undefined ? undefined : recorder.spans[Number(parent.spanId) - 1]?.name;
  expect(recorder.spans.map(({ name, parent }) => [name, nameOf(parent)])).toEqual([
    ['root', undefined],
    ['a', 'root'],
    ['b', 'root'],
    ['in a', 'a'],
    ['in b', 'b'],
  ]);
  expect(recorder.spans.every(({ ended }) => ended === 1)).toBe(true);
});

test('a parent by name is obeyed, also when it is none', async () => {
  const recorder = record();
  const parent = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), sampled: true };
  await inSpan('outer', {}, async () => {
    startSpan('continued', { parent });
    startSpan('root', { parent: undefined });
  });
  expect(recorder.spans.slice(1).map((it) => it.parent)).toEqual([parent, undefined]);
});

test('what fails, fails its span, and goes on to fail', async () => {
  const recorder = record();
  const error = new Error('no');
  await expect(inSpan('work', {}, () => Promise.reject(error))).rejects.toBe(error);
  expect(recorder.spans).toMatchObject([{ name: 'work', error, ended: 1 }]);
});

test('without a tracer work runs, and there are no spans', async () => {
  expect(startSpan('nobody')).toBeUndefined();
  const seen = await inSpan('nobody', {}, async (span) => [span, activeSpan()]);
  expect(seen).toEqual([undefined, undefined]);
});

test('a stream runs in its span, whoever asks for its items', async () => {
  const recorder = record();
  const names: (string | undefined)[] = [];
  const active = (): string | undefined => {
    const id = activeSpan()?.context.spanId;
    return id === undefined ? undefined : recorder.spans[Number(id) - 1]?.name;
  };
  const items = streamInSpan('stream', {}, async function* () {
    names.push(active());
    yield 1;
    names.push(active());
    yield 2;
  });
  for await (const item of items) {
    await inSpan('reader', {}, async () => names.push(`${item} read in ${active()}`));
  }
  expect(names).toEqual(['stream', '1 read in reader', 'stream', '2 read in reader']);
  expect(recorder.spans.map(({ name, ended }) => [name, ended])).toEqual([
    ['stream', 1],
    ['reader', 1],
    ['reader', 1],
  ]);
});

test('a stream that nobody reads to its end is closed within its span, which ends well', async () => {
  const recorder = record();
  const closed: (Span | undefined)[] = [];
  for await (const _ of streamInSpan('stream', {}, async function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      closed.push(activeSpan());
    }
  }))
    break;
  expect(closed[0]?.context.spanId).toBe('1'.padStart(16, '0'));
  expect(recorder.spans).toMatchObject([{ name: 'stream', ended: 1 }]);
  expect(recorder.spans[0]?.error).toBeUndefined();
});

test('a stream that fails, fails its span', async () => {
  const recorder = record();
  const error = new Error('no');
  const failing = streamInSpan('stream', {}, async function* () {
    yield 1;
    throw error;
  });
  await expect(
    (async () => {
      for await (const _ of failing);
    })(),
  ).rejects.toBe(error);
  expect(recorder.spans).toMatchObject([{ name: 'stream', error, ended: 1 }]);
});
