// RFC 9110, sections 13.1 and 14.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chosenRange, hasCurrent } from './conditional.ts';
import { chooseCoding } from './encoded-text.ts';
import { RecentMap } from './recent-map.ts';
import { encodeSegment, isRefusal, parseRequestPath, segmentBytes } from './request-path.ts';

describe('If-None-Match', () => {
  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['*', true],
    ['"b"', false],
    ['a', false],
    ['', false],
  ])('%j', (given, expected) => {
    expect(hasCurrent({ 'if-none-match': given }, '"a"')).toBe(expected);
  });
});

test('a range is a part of what there is', () => {
  const number = fc.nat({ max: 2000 });
  fc.assert(
    fc.property(number, fc.option(number), fc.option(number), (size, first, last) => {
      const header = `bytes=${first ?? ''}-${last ?? ''}`;
      const range = chosenRange({ method: 'GET', headers: { range: header } }, { size });
      if (range === undefined)
        expect(first === null ? last === null : last !== null && last < first).toBe(true);
      else if (range === 'unsatisfiable')
        expect(first === null ? last === 0 || size === 0 : first >= size).toBe(true);
      else {
        expect(range.start).toBe(first ?? Math.max(0, size - (last ?? 0)));
        expect(range.end).toBe(first === null || last === null ? size : Math.min(size, last + 1));
        expect(range.start).toBeLessThan(range.end);
      }
    }),
  );
});

test('a HEAD has no range', () => {
  expect(chosenRange({ method: 'HEAD', headers: { range: 'bytes=0-1' } }, { size: 9 })).toBeUndefined();
});

describe('Accept-Encoding', () => {
  test.each([
    ['gzip', 'gzip'],
    ['deflate, gzip, br, zstd', 'zstd'],
    ['gzip;q=1.0, zstd;q=0.5', 'gzip'],
    ['zstd;q=0, gzip', 'gzip'],
    ['*', 'zstd'],
    ['*;q=0', undefined],
    ['identity', undefined],
    ['gzip;q=0.5, identity', undefined],
    ['', undefined],
    ['BR', 'br'],
  ])('%j', (accepted, expected) => {
    expect(chooseCoding(accepted, () => true)).toBe(expected);
  });
});

describe('the path of a request', () => {
  test('what was encoded is decoded', () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .filter((it) => !it.includes(0x2f) && !it.includes(0) && !/^\.\.?$/.test(String.fromCharCode(...it)));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
        const path = parseRequestPath(`/${names.map(encodeSegment).join('/')}`);
        expect(isRefusal(path) ? path : path.map(segmentBytes)).toEqual(names);
      }),
    );
  });

  test('whatever is asked for, no segment leads anywhere else', () => {
    const text = fc.string({
      unit: fc.constantFrom('/', '.', '%2e', '%2F', '%', '00', 'a', '%5C', '%00'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, (rest) => {
        const path = parseRequestPath(`/${rest}`);
        if (isRefusal(path)) expect(path.status).toBeGreaterThanOrEqual(400);
        else for (const segment of path) expect(segment).not.toMatch(/^\.\.?$|[/\0]/);
      }),
    );
  });
});

describe('what was used last', () => {
  test('stays, within its cost and age', () => {
    let nowMs = 0;
    const map = new RecentMap<string>({ maxCost: 3, maxAgeMs: 5000, now: () => nowMs });
    for (const key of ['a', 'b', 'c']) map.set(key, key);
    nowMs = 1000;
    expect(map.get('a')).toBe('a');
    map.set('d', 'd');
    expect([map.get('a'), map.get('b'), map.size]).toEqual(['a', undefined, 3]);
    map.set('big', 'x', 3);
    expect([map.get('a'), map.get('big'), map.size]).toEqual([undefined, 'x', 1]);
    map.set('huge', 'x', 4);
    expect(map.size).toBe(0);
    map.set('e', 'e');
    nowMs = 5999;
    expect(map.get('e')).toBe('e');
    nowMs = 6000;
    expect([map.get('e'), map.size]).toEqual([undefined, 0]);
  });
});
