import { expect, test } from 'vitest';
import { findSuggestions, phraseSuggestions } from './index.ts';

test.each<[string, string[], string[]]>([
  [
    'alpa',
    ['alpha', 'alpho', 'alp', 'aleph', 'alfa', 'alba', 'aloha'],
    ['alba', 'alfa', 'alp', 'alpha', 'aleph'],
  ],
  ['x', ['x', 'y', 'abc', 'abcd'], ['x', 'y']],
  ['pkgs', ['pgks', 'package'], ['pgks']],
  // One character, but two bytes that differ.
  ['é', ['a', 'è', 'ü'], ['è', 'ü', 'a']],
  ['', ['a', 'ab', 'abc'], ['a', 'ab']],
])('near %j', (query, candidates, expected) => {
  expect(findSuggestions(query, candidates)).toEqual(expected);
});

test('phrases', () => {
  expect([['a'], ['a', 'b'], ['a', 'b', 'c']].map(phraseSuggestions)).toEqual([
    'a',
    'one of a or b',
    'one of a, b or c',
  ]);
});
