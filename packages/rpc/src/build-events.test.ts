import { BuildError, type BuildResult } from '@neve/build';
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BuildEvent, BuildEvents } from './build-events.ts';

const result: BuildResult = { outputs: [] };

function unexpected(error: BuildError): void {
  throw error;
}

async function collect(events: BuildEvents): Promise<readonly BuildEvent[]> {
  const collected: BuildEvent[] = [];
  for await (const event of events.read()) collected.push(event);
  return collected;
}

test('everything comes in order, whenever it is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 200_000 }), { maxLength: 20 }), fc.nat(), async (sizes, at) => {
      const events = new BuildEvents({ onOverflow: unexpected });
      const pieces = sizes.map((size, index) => new Uint8Array(size).fill(index));
      const startAt = at % (pieces.length + 1);
      const reading = collect(events);
      for (const [index, piece] of [...pieces, undefined].entries()) {
        if (index === startAt) events.start();
        if (piece === undefined) break;
        events.log(piece);
        // What is given may be used again.
        piece.fill(0xee);
        if (index % 3 === 0) await Promise.resolve();
      }
      events.end({ result });
      const seen = await reading;
      expect(seen.at(-1)).toEqual({ kind: 'result', result });
      const startedAt = seen.findIndex(({ kind }) => kind === 'started');
      const logOf = (part: readonly BuildEvent[]): Uint8Array =>
        concatBytes(part.flatMap((it) => (it.kind === 'log' ? [it.bytes] : [])));
      const filled = sizes.map((size, index) => new Uint8Array(size).fill(index));
      const same = (part: readonly BuildEvent[], expected: readonly Uint8Array[]): void =>
        expect(Buffer.compare(logOf(part), concatBytes(expected))).toBe(0);
      same(seen.slice(0, startedAt), filled.slice(0, startAt));
      same(seen.slice(startedAt), filled.slice(startAt));
    }),
    { numRuns: 50 },
  );
});

test('what the build threw comes after its log', async () => {
  const events = new BuildEvents({ onOverflow: unexpected });
  const error = new BuildError('failed', 'no');
  events.log(encodeUtf8('last words'));
  events.end({ error });
  const reading = events.read();
  const first = (await reading.next()).value;
  expect(first?.kind === 'log' && decodeUtf8(first.bytes)).toBe('last words');
  await expect(reading.next()).rejects.toBe(error);
});

test('while nothing is said there are signs of life', async () => {
  const events = new BuildEvents({ onOverflow: unexpected, aliveMs: 20 });
  setTimeout(() => events.end({ result }), 150);
  const kinds = (await collect(events)).map(({ kind }) => kind);
  expect(kinds.slice(0, 2)).toEqual(['alive', 'alive']);
  expect(kinds.at(-1)).toBe('result');
});

test('a log that nobody reads ends the build, and is bounded', async () => {
  const reasons: BuildError[] = [];
  const events = new BuildEvents({ onOverflow: (error) => reasons.push(error), maxWaiting: 100_000 });
  for (let i = 0; i < 200; i++) events.log(new Uint8Array(1000));
  events.end({ result });
  expect(reasons[0]).toMatchObject({ code: 'limit-exceeded' });
  const waited = (await collect(events)).flatMap((it) => (it.kind === 'log' ? it.bytes.length : []));
  const total = waited.reduce((sum, it) => sum + it, 0);
  expect(total).toBeGreaterThan(50_000);
  expect(total).toBeLessThanOrEqual(100_000);
  // There is room again.
  const count = reasons.length;
  events.log(new Uint8Array(1000));
  expect(reasons).toHaveLength(count);
});
