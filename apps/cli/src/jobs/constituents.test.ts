// Patterns: what fnmatch(3) of glibc 2.41 says to them.
import { expect, test } from 'vitest';
import { globPattern } from './constituents.ts';

test.each<[pattern: string, text: string, matches: boolean]>([
  ['*', 'a.b/c', true],
  ['*', '', true],
  ['tests.*', 'tests.a.b', true],
  ['tests.*', 'testsxa', false],
  ['a?c', 'a.c', true],
  ['a?c', 'ac', false],
  ['[ab]*', 'bus', true],
  ['[!ab]*', 'bus', false],
  ['[!ab]*', 'car', true],
  ['[a-c]1', 'b1', true],
  ['[]x]', ']', true],
  ['[^]', '[^]', true],
  ['[^ab]*', 'car', true],
  ['[^]]', 'a', true],
  ['[a', '[a', true],
  ['a+b', 'a+b', true],
  ['a+b', 'aab', false],
  ['(a|b)', 'a', false],
  [String.raw`\*`, '*', true],
  [String.raw`\*`, 'a', false],
  ['a', 'ab', false],
])('%s and %s', (pattern, text, matches) => {
  expect(globPattern(pattern).test(text)).toBe(matches);
});
