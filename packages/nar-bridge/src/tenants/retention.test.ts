import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CachedPath, type RetentionPolicy, planRetention } from './retention.ts';

const unlimited: RetentionPolicy = { maxAgeMs: undefined, maxBytes: undefined, graceMs: 0 };

function path(lastUsedMs: number, references: readonly string[] = [], narSize = 10): CachedPath {
  return { references, narSize, lastUsedMs };
}

function plan(
  paths: Readonly<Record<string, CachedPath>>,
  policy: Partial<RetentionPolicy>,
  pins: readonly string[] = [],
): readonly string[] {
  const options = { policy: { ...unlimited, ...policy }, pins, nowMs: 1000 };
  return planRetention(new Map(Object.entries(paths)), options).removed;
}

describe('what goes', () => {
  test('nothing without limits', () => {
    expect(plan({ a: path(0), b: path(0, ['a']) }, {})).toEqual([]);
  });

  test('what is old, with those that need it first', () => {
    expect(plan({ lib: path(1), app: path(2, ['lib', 'app']), new: path(950) }, { maxAgeMs: 100 })).toEqual([
      'app',
      'lib',
    ]);
  });

  test('not what something in use needs, however old it is', () => {
    expect(plan({ lib: path(1), app: path(990, ['lib']), gone: path(1) }, { maxAgeMs: 100 })).toEqual([
      'gone',
    ]);
  });

  test('not the closure of a pin', () => {
    expect(plan({ lib: path(1), app: path(2, ['lib']), x: path(3) }, { maxAgeMs: 0 }, ['app'])).toEqual([
      'x',
    ]);
  });

  test('as much as it takes, the least used first', () => {
    const paths = { a: path(3), b: path(1), c: path(2) };
    expect(plan(paths, { maxBytes: 20 })).toEqual(['b']);
    expect(plan(paths, { maxBytes: 19 })).toEqual(['b', 'c']);
    expect(plan(paths, { maxBytes: 30 })).toEqual([]);
    expect(plan(paths, { maxBytes: 0 }, ['b'])).toEqual(['c', 'a']);
  });

  test('not what was used within the grace time, with all that it needs', () => {
    const paths = { lib: path(1), app: path(901, ['lib']), other: path(900) };
    expect(plan(paths, { maxAgeMs: 0, graceMs: 100 })).toEqual(['other']);
    expect(plan(paths, { maxBytes: 0, graceMs: 100 })).toEqual(['other']);
  });

  test('a reference to what is not there is none', () => {
    expect(plan({ a: path(1, ['elsewhere']) }, { maxAgeMs: 1 }, ['nowhere'])).toEqual(['a']);
  });
});

/** References lead to earlier paths only, as in a store. */
const anyPaths = fc
  .array(
    fc.record({
      lastUsedMs: fc.nat(1000),
      narSize: fc.integer({ min: 1, max: 100 }),
      references: fc.array(fc.nat(30), { maxLength: 4 }),
    }),
    { maxLength: 30 },
  )
  .map(
    (rows) =>
      new Map(
        rows.map(({ references, ...rest }, index) => [
          `p${index}`,
          { ...rest, references: references.filter((it) => it <= index).map((it) => `p${it}`) },
        ]),
      ),
  );

test('every path that stays has all that it refers to, whenever the removal is stopped', () => {
  const limit = fc.option(fc.nat(1500), { nil: undefined });
  fc.assert(
    fc.property(anyPaths, limit, limit, fc.array(fc.nat(35)), (paths, maxAgeMs, maxBytes, pins) => {
      const pinned = pins.map((it) => `p${it}`);
      const policy = { maxAgeMs, maxBytes, graceMs: 0 };
      const { removed, keptBytes, keptPaths } = planRetention(paths, { policy, pins: pinned, nowMs: 1000 });
      const kept = new Map(paths);
      for (const hashPart of removed) {
        expect(kept.delete(hashPart)).toBe(true);
        for (const [key, { references }] of kept) {
          if (key !== hashPart) expect(references).not.toContain(hashPart);
        }
      }
      for (const pin of pinned) expect(kept.has(pin)).toBe(paths.has(pin));
      const bytes = [...kept.values()].reduce((total, { narSize }) => total + narSize, 0);
      expect([keptBytes, keptPaths]).toEqual([bytes, kept.size]);
      // What is too much is there only because a pin needs it.
      const needed = new Set(pinned);
      for (const key of needed) for (const it of kept.get(key)?.references ?? []) needed.add(it);
      if (maxBytes !== undefined && bytes > maxBytes) {
        for (const key of kept.keys()) expect(needed.has(key)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
