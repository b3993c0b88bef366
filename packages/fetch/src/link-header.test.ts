import { parseDigest } from '@neve/bytes';
import { expect, test } from 'vitest';
import { withHashedMirrors } from './hashed-mirror.ts';
import { parseImmutableLink } from './link-header.ts';

test.each([
  ['<https://h/1>; rel="immutable"', 'https://h/1'],
  ['</x>; rel=immutable', 'https://base/x'],
  ['<a>; rel="next", <b>; title="x"; rel="immutable"', 'https://base/p/b'],
  ['<a>; rel="canonical immutable"', 'https://base/p/a'],
  ['<a>; rel="mutable"', undefined],
  ['<a>; rel="immutable-not"', undefined],
  ['a; rel="immutable"', undefined],
  [undefined, undefined],
])('%s', (header, url) => {
  expect(parseImmutableLink(header, 'https://base/p/file')).toBe(url);
});

test('mirrors come first, and only where there is a hash', () => {
  const hash = parseDigest('md5:d41d8cd98f00b204e9800998ecf8427e');
  const mirrors = ['https://m/', 'https://n'];
  expect(withHashedMirrors(['https://h/x'], { mirrors, hash })).toEqual([
    'https://m/md5/d41d8cd98f00b204e9800998ecf8427e',
    'https://n/md5/d41d8cd98f00b204e9800998ecf8427e',
    'https://h/x',
  ]);
  expect(withHashedMirrors(['https://h/x'], { mirrors, hash: undefined })).toEqual(['https://h/x']);
});
