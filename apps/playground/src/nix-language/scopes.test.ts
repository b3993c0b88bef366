// What a name means follows from Nix's rules of scope.
import { describe, expect, test } from 'vitest';
import { parser } from './parser.ts';
import { attributesOf, bindingsAt, unusedBindings } from './scopes.ts';

describe('unused names', () => {
  test.each([
    ['let a = 1; b = a; in b', []],
    ['let a = 1; b = 2; in b', ['a']],
    ['let _a = 1; in 2', []],
    ['x: y: x', ['y']],
    ['{ a, b ? a, ... }@all: b', ['all']],
    ['let a = 1; in { inherit a; }', []],
    ['let a = 1; in let inherit a; in 2', ['a']],
    ['let a = 1; in let inherit a; in a', []],
    ['let a = 1; in rec { inherit a; }', []],
    ['let a = 1; in rec { a = 2; b = a; }', ['a']],
    ['let a = { b = 1; }; in { inherit (a) b; }', []],
    ['let a = 1; in a: a', ['a']],
    ['let a = 1; in "${toString a}"', []],
    ['let a = 1; in ./${a}', []],
    ['let a.b = 1; in a', []],
    ['let { a = 1; body = a; }', []],
  ])('%s', (text, expected) => {
    expect(unusedBindings(parser.parse(text), text).map(({ name }) => name)).toEqual(expected);
  });
});

describe('names at a place, which is |', () => {
  test.each([
    ['let a = 1; in |', ['a']],
    ['let a = 1; in x: { b }: |', ['b', 'x', 'a']],
    ['let a = |; in 1', ['a']],
    ['x: rec { a = 1; b = |; }', ['a', 'b', 'x']],
    ['x: { a = 1; b = |; }', ['x']],
    ['x: x: |', ['x']],
  ])('%s', (marked, expected) => {
    const position = marked.indexOf('|');
    const text = marked.replace('|', 'y');
    const names = bindingsAt(parser.parse(text), text, position + 1).map(({ name }) => name);
    expect(names).toEqual(expected);
  });
});

test('the attributes of a set that is written down', () => {
  const text = 'let s = ({ a = 1; b.c = 2; inherit d; }); in s';
  const [binding] = bindingsAt(parser.parse(text), text, text.length);
  if (binding?.value === undefined) throw new Error('s is bound to an expression');
  expect(attributesOf(binding.value, text).map(({ name }) => name)).toEqual(['a', 'b', 'd']);
});
