import { afterEach, expect, test } from 'vitest';
import { type Instrument, setMetrics } from './metrics.ts';
import { asyncActiveSpans } from './node/async-active-spans.ts';
import { type RecordedSpan, RecordingTracer } from './recorded-span.ts';
import type { Attributes } from './span.ts';
import { tracedService } from './traced-service.ts';
import { setTracing } from './tracing.ts';

afterEach(() => {
  setTracing(undefined);
  setMetrics(undefined);
});

/** Its private field is out of reach of what stands around it. */
class Names {
  readonly #names = new Set(['a', 'b']);

  async has(name: string): Promise<boolean> {
    return this.#names.has(name);
  }

  async *list(): AsyncGenerator<string, void, void> {
    yield* this.#names;
  }

  async fail(): Promise<never> {
    throw new Error('no');
  }

  get size(): number {
    return this.#names.size;
  }
}

function traced(): { readonly names: Names; readonly spans: RecordedSpan[]; readonly counted: unknown[] } {
  const spans: RecordedSpan[] = [];
  const counted: unknown[] = [];
  setTracing({ tracer: new RecordingTracer((it) => spans.push(it)), activeSpans: asyncActiveSpans() });
  setMetrics({
    add: ({ name }: Instrument, value: number, attributes: Attributes) =>
      void counted.push([name, value, attributes]),
    record: () => undefined,
    observe: () => ({ [Symbol.dispose]: () => undefined }),
  });
  const names = tracedService(
    new Names(),
    { has: { attributes: (name) => ({ name }), isLookup: true }, list: { kind: 'stream' }, fail: {} },
    { service: 'Names', instanceName: 'near' },
  );
  return { names, spans, counted };
}

test('calls are spans, with what they found', async () => {
  const { names, spans, counted } = traced();
  expect([await names.has('a'), await names.has('c')]).toEqual([true, false]);
  expect(spans.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['Names.has', { instance_name: 'near', name: 'a', found: true }],
    ['Names.has', { instance_name: 'near', name: 'c', found: false }],
  ]);
  expect(counted).toEqual([
    ['neve.store.lookups', 1, { instance_name: 'near', service: 'Names', found: true }],
    ['neve.store.lookups', 1, { instance_name: 'near', service: 'Names', found: false }],
  ]);
});

test('streams, failures, and what is not named', async () => {
  const { names, spans } = traced();
  const listed: string[] = [];
  for await (const name of names.list()) listed.push(name);
  expect(listed).toEqual(['a', 'b']);
  await expect(names.fail()).rejects.toThrow('no');
  expect(names.size).toBe(2);
  expect(spans.map(({ name, error }) => [name, error?.message])).toEqual([
    ['Names.list', undefined],
    ['Names.fail', 'no'],
  ]);
});
