import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteKey, keyBytes } from './byte-key.ts';
import { encodeUtf8 } from './utf8.ts';

test('the key of UTF-8 is its text', () => {
  expect(byteKey(encodeUtf8('/nix/störe'))).toBe('/nix/störe');
  expect(byteKey(new Uint8Array())).toBe('');
});

test('byte strings that look the same when they are shown have different keys', () => {
  const alike = [
    Uint8Array.of(0x61, 0xff),
    Uint8Array.of(0x61, 0xfe),
    Uint8Array.of(0xff, 0x61),
    encodeUtf8('a\uFFFD'),
    encodeUtf8('\uFFFDa'),
    encodeUtf8('\uFFFDaÿ'),
    encodeUtf8('\u{FEFF}a'),
    encodeUtf8('a'),
  ];
  expect(new Set(alike.map(byteKey)).size).toBe(alike.length);
});

test('a key gives its bytes again', () => {
  const bytes = fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(encodeUtf8));
  fc.assert(
    fc.property(bytes, (it) => {
      expect(keyBytes(byteKey(it))).toEqual(it);
    }),
  );
});
