import { expect, test } from 'vitest';
import { defaultRetryPolicy, isTransientStatus, parseRetryAfter, retryDelay } from './retry-policy.ts';

test('the delay doubles, is bounded, and is a random part of that', () => {
  const delay = (failures: number, random = 1): number =>
    retryDelay(defaultRetryPolicy, { failures, random, retryAfterMs: undefined });
  expect([1, 2, 3, 4, 50].map((it) => delay(it))).toEqual([250, 500, 1000, 2000, 30_000]);
  expect(delay(4, 0)).toBe(0);
  expect(delay(4, 0.25)).toBe(500);
});

test('the server is not asked sooner than it wants', () => {
  const policy = { ...defaultRetryPolicy, baseDelayMs: 100 };
  expect(retryDelay(policy, { failures: 1, retryAfterMs: 7000, random: 0 })).toBe(7000);
  expect(retryDelay(policy, { failures: 1, retryAfterMs: 7000, random: 0.5 })).toBe(7050);
});

// The three forms of a date are the examples of RFC 9110, 5.6.7.
const example = Date.UTC(1994, 10, 6, 8, 49, 37);

test.each([
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 10_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 10_000],
  ['Fri, 31 Dec 1993 23:59:59 GMT', 0],
  ['-3', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After: %s', (value, expected) => {
  expect(parseRetryAfter(value, example - 10_000)).toBe(expected);
});

test('what may change by itself', () => {
  const statuses = [
    200, 206, 301, 400, 401, 403, 404, 407, 408, 410, 429, 500, 501, 502, 503, 504, 505, 511, 520,
  ];
  expect(statuses.filter(isTransientStatus)).toEqual([408, 429, 500, 502, 503, 504, 520]);
});
