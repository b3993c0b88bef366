/** Against the server's side, as its sources have it, and the sizes of its structures. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReadItem, ItemReader, decodeBlock } from '../testing/tracy-server.ts';
import type { SpanContext } from '../span.ts';
import { storedFrame } from './lz4-frame.ts';
import { broadcastMessage, readHello, readQuery, welcomeMessage, zoneTextItems } from './queue-items.ts';
import { TracySession } from './tracy-session.ts';
import { type TracyEvent, TracyTracer, startTime } from './tracy-tracer.ts';

test('blocks of LZ4 hold what was put into them', () => {
  const lengths = fc.oneof(fc.nat(40), fc.constantFrom(14, 15, 16, 269, 270, 271, 525, 1000));
  fc.assert(
    fc.property(lengths, fc.nat(255), (length, fill) => {
      const bytes = new Uint8Array(length).fill(fill);
      const frame = storedFrame(bytes);
      expect(new DataView(frame.buffer).getUint32(0, true)).toBe(frame.length - 4);
      expect(decodeBlock(frame.subarray(4))).toEqual(bytes);
      // LZ4_COMPRESSBOUND, which is the server's room.
      expect(frame.length - 4).toBeLessThanOrEqual(length + Math.floor(length / 255) + 16);
    }),
  );
});

test('structures have the sizes and places that the server reads', () => {
  const facts = { hostInfo: 'host', processId: 42, epochSeconds: 1000, startTime: 5n, isOnDemand: true };
  const welcome = welcomeMessage({ programName: 'neve', ...facts });
  const view = new DataView(welcome.buffer);
  expect(welcome).toHaveLength(1178);
  expect([view.getFloat64(0, true), view.getBigInt64(8, true), view.getBigInt64(16, true)]).toEqual([
    1,
    5n,
    5n,
  ]);
  expect([view.getBigUint64(40, true), view.getBigUint64(56, true)]).toEqual([1000n, 42n]);
  expect(welcome[72]).toBe(1);
  expect(new TextDecoder().decode(welcome.subarray(90, 95))).toBe('neve\0');
  expect(new TextDecoder().decode(welcome.subarray(154, 159))).toBe('host\0');

  const broadcast = broadcastMessage({
    programName: 'x'.repeat(100),
    port: 8087,
    processId: 1,
    activeSeconds: -1,
  });
  const told = new DataView(broadcast.buffer);
  expect(broadcast).toHaveLength(84);
  expect([told.getUint16(0, true), told.getUint16(2, true), told.getUint32(4, true)]).toEqual([3, 8087, 69]);
  expect([told.getInt32(16, true), broadcast[82], broadcast[83]]).toEqual([-1, 0x78, 0]);
});

test('what a server says', () => {
  const hello = Uint8Array.of(...new TextEncoder().encode('TracyPrf'), 69, 0, 0, 0);
  expect(readHello(hello)).toEqual({ version: 69 });
  expect(readHello(hello.toReversed())).toBeUndefined();
  expect(readQuery(Uint8Array.of(2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toEqual({ type: 2, pointer: 7n });
});

test('a text that is too long is cut between letters', () => {
  const [item] = new ItemReader().read(zoneTextItems('ü'.repeat(40_000)));
  expect(item).toMatchObject({ kind: 'text', text: 'ü'.repeat(16_000) });
});

function newSession(): {
  tracer: TracyTracer;
  events: TracyEvent[];
  read: (events?: readonly TracyEvent[]) => readonly ReadItem[];
} {
  const events: TracyEvent[] = [];
  const tracer = new TracyTracer((event) => events.push(event));
  const session = new TracySession((thread) => tracer.threadName(thread));
  const reader = new ItemReader();
  return {
    tracer,
    events,
    read: (told = events) =>
      told.flatMap((event) => session.items(event).flatMap((item) => reader.read(joined([item])))),
  };
  function joined(items: readonly Uint8Array[]): Uint8Array {
    return Uint8Array.from(items.flatMap((item) => [...item]));
  }
}

const root = { parent: undefined } as const;

test('spans are zones of threads, with their names, texts and times', () => {
  const { tracer, events } = newSession();
  const build = tracer.startSpan('realise.build', {
    ...root,
    attributes: { 'path.name': 'hello', count: 2 },
  });
  const fetch = tracer.startSpan('Fetcher.fetch', { parent: build.context });
  fetch.event('retry', { after: 3 });
  fetch.fail(new Error('404'));
  fetch.end();
  build.end();
  // Places and their zones come in one piece.
  const session = new TracySession(() => undefined);
  const reader = new ItemReader();
  const bytes = events.flatMap((event) => session.items(event)).flatMap((item) => [...item]);
  const items = reader.read(Uint8Array.from(bytes));
  expect(items).toMatchObject([
    { kind: 'thread', thread: 1 },
    { kind: 'begin', function: 'realise.build', file: 'neve', name: '' },
    { kind: 'name', text: 'realise.build hello' },
    { kind: 'text', text: 'path.name: hello\ncount: 2' },
    { kind: 'thread', thread: 2 },
    { kind: 'begin', function: 'Fetcher.fetch' },
    { kind: 'message', text: 'retry\nafter: 3' },
    { kind: 'text', text: 'error: 404' },
    { kind: 'color', rgb: [0xd0, 0x30, 0x30] },
    { kind: 'end' },
    { kind: 'thread', thread: 1 },
    { kind: 'end' },
  ]);
  const times = items.flatMap((item) => ('time' in item ? [item.time] : []));
  expect(times.every((time) => time >= startTime)).toBe(true);
  expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
  expect([tracer.threadName(1), tracer.threadName(2)]).toEqual(['builds', 'fetches']);
});

test('a server that comes late is not told of ends whose beginnings it has not seen', () => {
  const { tracer, events, read } = newSession();
  const outer = tracer.startSpan('outer', root);
  events.length = 0;
  const inner = tracer.startSpan('inner', { parent: outer.context });
  inner.end();
  outer.end();
  const session = new TracySession(() => undefined);
  const bytes = events.flatMap((event) => session.items(event)).flatMap((item) => [...item]);
  expect(new ItemReader().read(Uint8Array.from(bytes)).map(({ kind }) => kind)).toEqual([
    'thread',
    'begin',
    'end',
  ]);
  expect(read([])).toEqual([]);
});

test('queries are answered', () => {
  const session = new TracySession((thread) => `thread ${thread}`);
  const answer = (type: number, pointer = 7n): ReadItem | undefined => {
    const bytes = session.answer({ type, pointer });
    return bytes === 'close' ? undefined : new ItemReader().read(bytes)[0];
  };
  expect(answer(0)).toBeUndefined();
  expect(answer(9)).toBeUndefined();
  expect(answer(2)).toEqual({ kind: 'string', type: 101, pointer: 7n, text: 'thread 7' });
  expect(answer(1)).toEqual({ kind: 'string', type: 100, pointer: 7n, text: '' });
  expect(answer(13)).toEqual({ kind: 'no-source-code' });
  expect(answer(14)).toEqual({ kind: 'acknowledged' });
});

test('everything that was begun is ended, on each thread in turn', () => {
  const step = fc.record({
    isEnd: fc.boolean(),
    which: fc.nat(),
    name: fc.constantFrom('realise.build', 'x', 'Fetcher.fetch'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const events: TracyEvent[] = [];
      const tracer = new TracyTracer((event) => events.push(event));
      const open: ReturnType<TracyTracer['startSpan']>[] = [];
      for (const { isEnd, which, name } of steps) {
        if (isEnd) open.splice(which % Math.max(1, open.length), 1)[0]?.end();
        else {
          const parent: SpanContext | undefined = open[which % (open.length + 1)]?.context;
          open.push(tracer.startSpan(name, { parent }));
        }
      }
      tracer.endAll();
      const session = new TracySession(() => undefined);
      const bytes = events.flatMap((event) => session.items(event)).flatMap((item) => [...item]);
      let thread = 0;
      const depths = new Map<number, number>();
      for (const item of new ItemReader().read(Uint8Array.from(bytes))) {
        if (item.kind === 'thread') ({ thread } = item);
        const change = item.kind === 'begin' ? 1 : item.kind === 'end' ? -1 : 0;
        const depth = (depths.get(thread) ?? 0) + change;
        expect(depth).toBeGreaterThanOrEqual(0);
        depths.set(thread, depth);
      }
      expect([...depths.values()].every((depth) => depth === 0)).toBe(true);
    }),
  );
});
