/** Spans of any concurrent work are drawn as the format of tracks demands. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SpanContext } from './span.ts';
import { Tracks } from './tracks.ts';

const contextOf = (spanId: string): SpanContext => ({ traceId: 'a'.repeat(32), spanId, sampled: true });

function begin(
  tracks: Tracks,
  spanId: string,
  options: { name?: string; parent?: string; timeMs: number },
): string {
  const { name = 'work', parent, timeMs } = options;
  const placed = tracks.begin({
    ...{ name, kind: 'internal', spanId, timeMs },
    parent: parent === undefined ? undefined : contextOf(parent),
  });
  return placed.track.name;
}

test('what is within a span is on its track, what runs beside it is not', () => {
  const tracks = new Tracks();
  expect(begin(tracks, 'a', { name: 'realise.build', timeMs: 1 })).toBe('builds');
  expect(begin(tracks, 'phase', { parent: 'a', timeMs: 2 })).toBe('builds');
  expect(begin(tracks, 'b', { name: 'realise.build', timeMs: 3 })).toBe('builds 2');
  expect(begin(tracks, 'beside', { parent: 'a', timeMs: 4 })).toBe('builds 3');
  expect(begin(tracks, 'fetched', { name: 'realise.fetch', parent: 'a', timeMs: 5 })).toBe('fetches');
  expect(tracks.end('phase', 6)).toMatchObject([{ spanId: 'phase', timeMs: 6 }]);
  expect(begin(tracks, 'next', { parent: 'a', timeMs: 7 })).toBe('builds');
});

test('a span that outlives the one around it keeps that drawn', () => {
  const tracks = new Tracks();
  begin(tracks, 'a', { timeMs: 1 });
  begin(tracks, 'b', { parent: 'a', timeMs: 2 });
  expect(tracks.end('a', 3)).toEqual([]);
  expect(tracks.end('b', 4)).toMatchObject([
    { spanId: 'b', timeMs: 4 },
    { spanId: 'a', timeMs: 4 },
  ]);
  expect(tracks.end('a', 5)).toEqual([]);
});

test('every span is drawn once, in the order of time, and within what was open on its track', () => {
  const step = fc.record({
    isEnd: fc.boolean(),
    which: fc.nat(),
    parent: fc.nat(),
    name: fc.constantFrom('realise.build', 'Fetcher.fetch', 'BlobService.has', 'x'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tracks = new Tracks();
      const open: string[] = [];
      const stacks = new Map<number, string[]>();
      const latest = new Map<number, number>();
      let begun = 0;
      let drawn = 0;
      const end = (spanId: string, timeMs: number): void => {
        for (const it of tracks.end(spanId, timeMs)) {
          expect(stacks.get(it.track.number)?.pop()).toBe(it.spanId);
          expect(it.timeMs).toBeGreaterThanOrEqual(latest.get(it.track.number) ?? 0);
          latest.set(it.track.number, it.timeMs);
          drawn++;
        }
      };
      for (const [timeMs, { isEnd, which, parent, name }] of steps.entries()) {
        if (isEnd && open.length > 0)
          end(...([open.splice(which % open.length, 1)[0] ?? '', timeMs] as const));
        if (isEnd) continue;
        const spanId = `span ${++begun}`;
        const parentId = open[parent % (open.length + 1)];
        const context = parentId === undefined ? undefined : contextOf(parentId);
        const { track, isNew } = tracks.begin({ name, kind: 'internal', spanId, parent: context, timeMs });
        expect(isNew).toBe(!stacks.has(track.number));
        expect(timeMs).toBeGreaterThanOrEqual(latest.get(track.number) ?? 0);
        latest.set(track.number, timeMs);
        stacks.set(track.number, [...(stacks.get(track.number) ?? []), spanId]);
        open.push(spanId);
      }
      for (const spanId of open) end(spanId, steps.length);
      expect(drawn).toBe(begun);
    }),
  );
});
