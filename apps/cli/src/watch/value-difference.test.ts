import { expect, test } from 'vitest';
import { describeChange } from './value-difference.ts';

const cases: readonly [string, string, string, readonly string[]][] = [
  ['the same', '{ a = 1; }', '{ a = 1; }', []],
  [
    'an attribute',
    '{ a = { b = 1; c = 2; }; }',
    '{ a = { b = 3; d = 4; }; }',
    ['  a.b: 1 → 3', '- a.c = 2', '+ a.d = 4'],
  ],
  ['an item', '[ 1 [ 2 ] ]', '[ 1 [ 5 6 ] ]', ['  1.0: 2 → 5', '+ 1.1 = 6']],
  ['a value alone', '1', '"one"', ['  1 → "one"']],
  [
    'signs in strings and what is shown in brackets',
    '{ a = "};"; b = «lambda @ «string»:1:1»; }',
    '{ a = "];"; b = «lambda @ «string»:1:1»; }',
    ['  a: "};" → "];"'],
  ],
  ['another kind', '{ a = { }; }', '{ a = [ 1 ]; }', ['  a: { } → [ 1 ]']],
  [
    'JSON',
    '{"a":{"b c":[1,2]},"d":"x: y"}',
    '{"a":{"b c":[1,3]},"d":"x: z"}',
    ['  a."b c".1: 2 → 3', '  d: "x: y" → "x: z"'],
  ],
  ['a path', '{ p = /a:b/c; }', '{ p = /a:b/d; }', ['  p: /a:b/c → /a:b/d']],
  ['text', 'one\ntwo {\nthree', 'one\ntwo }\nthree', ['- two {', '+ two }']],
  ['lines in another order', 'b {\na', 'a\nb {', ['  the lines are in another order']],
];

test.each(cases)('%s', (_, before, now, lines) => {
  expect(describeChange(before, now)).toEqual(lines);
});

test('many changes are cut', () => {
  const list = (item: string): string => `[ ${`${item} `.repeat(500)}]`;
  const lines = describeChange(list('1'), list('2'));
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toBe('… and 400 more');
});
