// Names are split as `builtins.parseDrvName` of Nix 2.34 splits them, with the same exception for what is behind a dash; patterns are
// those of grep -E.
import { expect, test } from 'vitest';
import { parseDrvName } from './drv-name.ts';
import { printTable } from './env-command.ts';
import { posixPattern } from './posix-pattern.ts';

test.each([
  ['apache-httpd-2.0.48', 'apache-httpd', '2.0.48'],
  ['hello', 'hello', ''],
  ['a-b-c', 'a-b-c', ''],
  ['0ad-0.0.23', '0ad', '0.0.23'],
  ['x--1', 'x', '-1'],
  ['ends-', 'ends-', ''],
])('%s', (fullName, name, version) => {
  expect(parseDrvName(fullName)).toEqual({ fullName, name, version });
});

test('columns are as wide as their bytes, the last one is not filled', () => {
  expect(
    printTable([
      ['a', 'long', 'x'],
      ['größe', 'b', 'y\nz'],
    ]),
  ).toBe('a        long  x\ngröße  b     y z\n');
  expect(printTable([])).toBe('');
});

test.each<[pattern: string, text: string, matches: boolean]>([
  ['^[[:alpha:]]+$', 'abc', true],
  ['^[[:alpha:]]+$', 'ab1', false],
  ['^[^[:digit:].]$', '.', false],
  [String.raw`^[\.]$`, '\\', true],
  ['^[]a]$', ']', true],
  [String.raw`\.`, 'a', false],
  ['a{2}', 'aa', true],
])('%s and %s', (pattern, text, matches) => {
  expect(posixPattern(pattern, '').test(text)).toBe(matches);
});

test('what is no pattern is a wrong command line', () => {
  expect(() => posixPattern('(', '')).toThrow("'(' is no regular expression");
});
