import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCacheGlob, checkCacheName, isCacheName, matchesGlob } from './cache-name.ts';

test.each(['a', '0', 'main', 'team-a', 'a_b', 'a'.repeat(63)])('the name %s', (name) => {
  expect(checkCacheName(name)).toBe(name);
});

test.each(['', '_api', '-a', 'A', 'ä', 'a.b', 'a/b', '..', 'a*', 'a'.repeat(64), 'a\n'])(
  'no name: %j',
  (name) => {
    expect(isCacheName(name)).toBe(false);
    expect(() => checkCacheName(name)).toThrow('cannot be the name of a cache');
  },
);

describe('patterns', () => {
  test.each([
    ['main', 'main', true],
    ['main', 'main2', false],
    ['*', 'anything', true],
    ['team-*', 'team-a', true],
    ['team-*', 'team-', true],
    ['team-*', 'team', false],
    ['*-prod', 'a-prod', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*a', 'aba', true],
    ['ab*ba', 'aba', false],
    ['**', 'a', true],
    ['a*b*c', 'axbxbxc', true],
    ['a*b*c', 'axcxb', false],
  ])('%s and %s: %s', (glob, name, isMatch) => {
    expect(matchesGlob(glob, name)).toBe(isMatch);
  });

  test('match what the same regular expression matches', () => {
    const text = (characters: string): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...characters.split('')), { maxLength: 8 }).map((it) => it.join(''));
    fc.assert(
      fc.property(text('ab*'), text('ab'), (glob, name) => {
        expect(matchesGlob(glob, name)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('one that cannot match any cache is refused', () => {
    for (const glob of ['', '_x', 'A*', 'a.*', '[a]'])
      expect(() => checkCacheGlob(glob)).toThrow('no pattern');
    expect(checkCacheGlob('*')).toBe('*');
  });
});
